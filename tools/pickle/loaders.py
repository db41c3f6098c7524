"""What the real `pickle` module does with a stream, with nothing imported and nothing called.

    python loaders.py < STREAMS.json > TRACES.json

STREAMS.json is a list of hex strings. For each stream and each loader of this Python (`c`: C from bytes, `file`: C from a file object,
`py`: pure Python from a file object) the answer holds what was imported, called and asked for, in order, every object that was made
with its state, and the final value or the name of the error. `find_class` hands out inert classes that record what is done to them."""
import io
import json
import pickle
import resource
import struct
import sys

resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))


class Recorder(object):
    def __init__(self):
        self.events = []
        self.objects = []


CURRENT = [Recorder()]


def mutation(target, how, values):
    CURRENT[0].events.append(("mutate", how, target, values))


class Meta(type):
    """Classes that stand for imported names: calling, building and filling them is recorded."""

    def __call__(cls, *args, **kwargs):
        return Made(cls, "call", args, kwargs)

    def __setstate__(cls, state):
        mutation(cls, "BUILD", [state])

    def append(cls, item):
        mutation(cls, "APPEND", [item])

    def extend(cls, items):
        for item in items:
            mutation(cls, "APPEND", [item])

    def add(cls, item):
        mutation(cls, "ADD", [item])

    def __setitem__(cls, key, value):
        mutation(cls, "SET", [key, value])

    def __reduce__(cls):
        raise TypeError


class Made(object):
    """What a recorded call gave back."""

    def __init__(self, callable_, how, args, kwargs):
        self.made = (callable_, how, args, kwargs)
        self.states = []
        self.items = []
        self.entries = []
        self.number = len(CURRENT[0].objects)
        CURRENT[0].objects.append(self)
        CURRENT[0].events.append(("make", self.number))

    def __call__(self, *args, **kwargs):
        return Made(self, "call", args, kwargs)

    def __setstate__(self, state):
        self.states.append(state)

    def append(self, item):
        self.items.append(item)

    def extend(self, items):
        self.items.extend(items)

    def add(self, item):
        self.items.append(item)

    def __setitem__(self, key, value):
        try:
            hash(key)
            for i, (known, _) in enumerate(self.entries):
                if known is key or known == key:
                    self.entries[i] = (known, value)
                    return
        except TypeError:
            pass
        self.entries.append((key, value))


class Foreign(object):
    """What the loading program hands in for a persistent id."""

    def __init__(self, id_):
        self.id_ = id_

    def __call__(self, *args, **kwargs):
        return Made(self, "call", args, kwargs)

    def __setstate__(self, state):
        mutation(self, "BUILD", [state])

    def append(self, item):
        mutation(self, "APPEND", [item])

    def extend(self, items):
        for item in items:
            mutation(self, "APPEND", [item])

    def add(self, item):
        mutation(self, "ADD", [item])

    def __setitem__(self, key, value):
        mutation(self, "SET", [key, value])


def new_class(cls, *args, **kwargs):
    return Made(cls, "new", args, kwargs)


def find_class(known, module, name):
    if (module, name) not in known:
        known[module, name] = Meta("Inert", (object,), {"__new__": new_class, "where": (module, name)})
    CURRENT[0].events.append(("import", module, name))
    return known[module, name]


def persistent_load(id_):
    CURRENT[0].events.append(("persistent", id_))
    return Foreign(id_)


class Fast(pickle.Unpickler):
    def __init__(self, *args, **kwargs):
        pickle.Unpickler.__init__(self, *args, **kwargs)
        self.known = {}

    def find_class(self, module, name):
        return find_class(self.known, module, name)

    def persistent_load(self, id_):
        return persistent_load(id_)


class Slow(pickle._Unpickler):
    def __init__(self, *args, **kwargs):
        pickle._Unpickler.__init__(self, *args, **kwargs)
        self.known = {}

    def find_class(self, module, name):
        return find_class(self.known, module, name)

    def persistent_load(self, id_):
        return persistent_load(id_)


class Unseekable(io.RawIOBase):
    """A file without `peek`, as `open(…, buffering=0)` gives one."""

    def __init__(self, data):
        self.data = io.BytesIO(data)

    def read(self, n=-1):
        return self.data.read(n)

    def readline(self, n=-1):
        return self.data.readline()

    def readinto(self, into):
        return self.data.readinto(into)


class Writer(object):
    """Values as text with sharing shown: containers are numbered where they are met first."""

    def __init__(self):
        self.ids = {}
        self.keep = []

    def number(self, value):
        if id(value) in self.ids:
            return "#%d" % self.ids[id(value)], True
        self.ids[id(value)] = len(self.ids)
        self.keep.append(value)
        return "#%d" % self.ids[id(value)], False

    def text(self, value, depth=0):
        if depth > 60:
            return "..."
        if value is None or value is True or value is False:
            return repr(value)
        kind = type(value)
        if kind is int:
            return "i%x" % value if value >= 0 else "i-%x" % -value
        if kind is float:
            return "f" + ("nan" if value != value else struct.pack(">d", value).hex())
        if kind is str:
            return json.dumps(value)
        if kind is bytes:
            return "b" + value.hex()
        if kind is memoryview:
            return "v" + value.tobytes().hex()
        if kind is Meta:
            return "G" + json.dumps(list(value.where))
        if kind is Made:
            return "I%d" % value.number
        if kind is Foreign:
            return "P" + self.text(value.id_, depth + 1)
        if kind is tuple and not value:
            return "()"
        if kind is frozenset and not value:
            return "frozenset()"
        name, known = self.number(value)
        if known:
            return name
        if kind is bytearray:
            return name + "B" + value.hex()
        if kind is list:
            return name + "[" + ",".join(self.text(v, depth + 1) for v in value) + "]"
        if kind is tuple:
            return name + "(" + ",".join(self.text(v, depth + 1) for v in value) + ")"
        if kind is dict:
            return name + "{" + ",".join(self.text(k, depth + 1) + ":" + self.text(v, depth + 1) for k, v in value.items()) + "}"
        if kind in (set, frozenset):
            # Unordered, so each item is written on its own and the texts are sorted.
            items = sorted(Writer().text(v, depth + 1) for v in value)
            return name + ("F<" if kind is frozenset else "S<") + ",".join(items) + ">"
        return "?" + kind.__name__


def trace(load):
    recorder = CURRENT[0] = Recorder()
    try:
        value = load()
        ended = None
    except RecursionError:
        raise
    except MemoryError:
        value, ended = None, "MemoryError"
    except Exception as error:
        value, ended = None, type(error).__name__
    events = list(recorder.events)
    objects = list(recorder.objects)
    CURRENT[0] = Recorder()
    writer = Writer()
    lines = []
    for event in events:
        if event[0] == "import":
            lines.append("import " + json.dumps(list(event[1:])))
        elif event[0] == "persistent":
            lines.append("persistent " + writer.text(event[1]))
        elif event[0] == "make":
            made = objects[event[1]]
            callable_, how, args, kwargs = made.made
            text = "%s I%d=%s(%s" % (how, made.number, writer.text(callable_), ",".join(writer.text(a) for a in args))
            if kwargs:
                text += "**" + ",".join(json.dumps(k) + ":" + writer.text(v) for k, v in kwargs.items())
            text += ")"
            for state in made.states:
                text += " state " + writer.text(state)
            if made.items:
                text += " items " + ",".join(writer.text(v) for v in made.items)
            if made.entries:
                text += " entries " + ",".join(writer.text(k) + ":" + writer.text(v) for k, v in made.entries)
            lines.append(text)
        else:
            lines.append("mutate %s %s %s" % (event[1], writer.text(event[2]), ",".join(writer.text(v) for v in event[3])))
    return {"events": lines, "value": None if ended else writer.text(value), "error": ended}


def main():
    out = []
    for text in json.load(sys.stdin):
        data = bytes.fromhex(text)
        traces = {
            "c": trace(lambda: Fast(io.BytesIO(data), encoding="latin1").load()),
            "file": trace(lambda: Fast(Unseekable(data), encoding="latin1").load()),
            "py": trace(lambda: Slow(io.BytesIO(data), encoding="latin1").load()),
        }
        out.append(traces)
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    sys.setrecursionlimit(3000)
    main()
