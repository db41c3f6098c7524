"""Makes test/fixtures/pickle/oracle.json.gz: opcode streams, and what the pickle modules of several Python versions do with them.

    python3 oracle.py PYTHON... > oracle.json

Streams are made from a seed: all literals and rules that are easy to get wrong by hand, random programs that mostly make sense, pickles of
random objects in every protocol, and damaged copies of all of these. `loaders.py` runs them in each interpreter that is given. The answer is
`{"loaders": [...], "streams": [[hex, [[trace, loader bits]...]], ...], "traces": [...]}`: loaders that agree share a trace."""
import collections
import datetime
import json
import os
import pickle
import random
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

LITERALS = [
    b"0", b"1", b"00", b"01", b"+0", b"+1", b"-0", b"-1", b" 0", b" 1", b"1 ", b"01 ", b" 01", b"10", b"010", b"-010", b"08", b"0o17", b"0O17",
    b"0x10", b"0X1f", b"-0x10", b"+0x10", b"0b101", b"1_0", b"1__0", b"_1", b"1_", b"0x_1", b"0x", b"0_0", b"00_0", b"000", b"1L", b"0L", b"01L",
    b"10L", b"L", b"1LL", b"1l", b"", b" ", b"+", b"-", b"--1", b"1.0", b"1e3", b"abc", b"\t7", b"7\t", b"\x0c3", b"7\r", b"9223372036854775807",
    b"9223372036854775808", b"-9223372036854775808", b"-9223372036854775809", b"0x7fffffffffffffff", b"0x8000000000000000", b"123456789012345678901234567890",
    b"1\x00", b"\x001", b"1\x00junk", b"0x10\x00", b"\xd9\xa1", b"\xc2\xa01", b"99999999999999999999999999999L", b"0777777777777777777777",
    b"01777777777777777777777", b"0x1_0", b"0x1__0", b"1 2", b"0xg", b"TRUE", b"True", b"07", b"+01", b"-01", b"+00", b" 00", b"00 ",
]
FLOATS = [
    b"1.5", b"1", b"-0", b"-0.0", b"1e5", b"1e400", b"-1e400", b"1e-400", b"nan", b"NaN", b"-nan", b"+nan", b"inf", b"-inf", b"Infinity", b"-infinity", b"+Inf",
    b"infinit", b" 1.5", b"1.5 ", b"1_0.5", b"1.5_0", b"1e1_0", b".5", b"5.", b".", b"", b"e5", b"1e", b"1e+", b"0x1p3", b"1.5\x00", b"1.5\x00x", b"1,5", b"\t1", b"1\r", b"+1.5",
    b"179769313486231570814527423731704356798070567525844996598917476803157260780028538760589558632766878171540458953514382464234321326889464182768467546703537516986049910576551282076245490090389328944075868508455133942304583236903222948165808559332123347747979e0",
    b"4.9e-324", b"1.7976931348623159e308", b"1.7976931348623157e308", b"nan(1)", b"infx",
]
STRINGS = [
    b"'abc'", b'"abc"', b"'a\"b'", b"'a'b'", b"'", b"''", b"abc", b"'abc", b"abc'", b"'abc\"", b"'abc' ", b" 'abc'", b"'\\n'", b"'\\x41'", b"'\\x4'", b"'\\x'", b"'\\'",
    b"'\\\\'", b"'\\''", b"'\\101'", b"'\\400'", b"'\\777'", b"'\\8'", b"'\\1'", b"'\\12'", b"'\\q'", b"'\\u0041'", b"'\\N{DASH}'", b"'\xe9'", b"'\\xe9'", b"'\\x00'", b"'\x00'", b"'a\\",
    b"'\\\r'", b"'\\a\\b\\f\\v\\t\\r'", b"'\\x4G'", b"\"\\\"\"", b"'\xff\xfe'",
]
UNICODES = [
    b"abc", b"", b"\\u0041", b"\\u004", b"\\u", b"\\U00000041", b"\\U0000004", b"\\U00110000", b"\\Uffffffff", b"\\\\u0041", b"\\\\\\u0041", b"\\x41", b"\\n", b"\xe9", b"\\ud800", b"\\ud83d\\ude00",
    b"\\", b"\\\\", b"a\\u0041b", b"\\N{DASH}", b"\\u00e9\xe9", b"\x00", b"\\u000a", b"\\uD83D", b"\\U0001F600", b"\\\\\\\\u0041x", b"\\U", b"\\u12345",
]
NAMES = [(b"os", b"system"), (b"a.b", b"c.d"), (b"", b"x"), (b"m", b""), (b"", b""), (b"m\xc3\xa9", b"\xc3\xa9"), (b"m\xe9", b"x"), (b"m", b"\xff"), (b"m ", b" x"), (b"m\\x41", b"x\\n"), (b"m\r", b"x"),
         (b"__builtin__", b"map"), (b"copy_reg", b"_reconstructor"), (b"m\x00", b"x"), (b"\xef\xbb\xbfm", b"x"), (b"\xed\xa0\x80", b"x")]


def u4(n):
    return struct.pack("<I", n)


def u8(n):
    return struct.pack("<Q", n)


def text(s):
    data = s.encode("utf-8", "surrogatepass")
    return b"X" + u4(len(data)) + data


G = b"cm\nC\n"


def by_hand():
    for literal in LITERALS:
        yield b"I" + literal + b"\n."
        yield b"L" + literal + b"\n."
        yield b"]p" + literal + b"\n0g" + literal + b"\n."
        yield b"Nq\x010Kaq\x000g" + literal + b"\n."
    yield b"I" + b"1" * 4300 + b"\n."
    yield b"I" + b"1" * 4301 + b"\n."
    yield b"L" + b"1" * 4301 + b"L\n."
    yield b"L0x" + b"1" * 4301 + b"L\n."
    for literal in FLOATS:
        yield b"F" + literal + b"\n."
    for literal in STRINGS:
        yield b"S" + literal + b"\n."
    for literal in UNICODES:
        yield b"V" + literal + b"\n."
    for module, name in NAMES:
        line = module + b"\n" + name + b"\n"
        for start in (b"", b"\x80\x02", b"\x80\x04"):
            yield start + b"c" + line + b"."
            yield start + b"(i" + line + b"."
            yield start + b"i" + line + b"."
            yield start + b"c" + line[:-1]
            yield start + b"c" + line[:-2]
            yield start + b"c" + module
            yield start + b"(i" + line[:-1]
    for pid in (b"1", b"", b"a b", b"\xe9", b"\\x41", b"\x00"):
        yield b"P" + pid + b"\n."
        yield b"P" + pid
    # Every operand type where another is expected.
    operands = [b"N", b"\x88", b"K\x05", b"G?\xf0\x00\x00\x00\x00\x00\x00", b"X\x01\x00\x00\x00a", b"B\x01\x00\x00\x00a", b"]", b"}", b")", b"(K\x01t", b"\x8f", b"(\x91", G,
                G + b")R", G + b")\x81", b"Pid\n", b"\x96" + u8(2) + b"ab", b"I01\n", b"(N}t", b"}X\x01\x00\x00\x00kK\x01s", b"(K\x00K\x01l", b"U\x01a", b"(N(Nt\x85t", b"(N]\x85t"]
    for a in operands:
        for tail in (b"b.", b"R.", b"\x81.", b"a.", b"\x98.", b"\x85.", b"Q.", b"0.", b"2\x86.", b"\x94h\x00\x86.", b"e.", b"u.", b"\x90."):
            yield a + tail
        for opcode in (b"R", b"\x81", b"b", b"a", b"\x93"):
            for b in operands:
                yield a + b + opcode + b"."
        for opcode in (b"e", b"u", b"\x90"):
            yield a + b"(" + opcode + b"."
            yield a + b"(K\x01" + opcode + b"."
            yield a + b"(K\x01K\x02" + opcode + b"."
            yield a + b"(K\x00K\x02K\x00K\x03" + opcode + b"."
        for b in operands:
            yield b"}" + a + b + b"s."
            yield a + b"K\x00" + b + b"s."
            yield b"(" + a + b + b"d."
            yield b"\x8f(" + a + b + b"\x90."
            yield b"(" + a + b + b"\x91."
            yield G + a + b + b"\x92."
        yield b"(" + a + b"o."
        yield b"(" + a + b"K\x01o."
    # Equal keys of different types.
    ones = [b"K\x01", b"\x88", b"G?\xf0\x00\x00\x00\x00\x00\x00", b"\x8a\x09\x01" + b"\x00" * 8, b"I01\n", b"L1\n", b"F1\n", b"(K\x01t", b"(\x88t", b"(F1\nt", b"B\x01\x00\x00\x00\x01", b"U\x01\x01", b"X\x01\x00\x00\x00\x01",
            b"G\x7f\xf8\x00\x00\x00\x00\x00\x00", b"Fnan\n", b"K\x00", b"I00\n", b"F-0\n", b"N", b"(NK\x01t", b"((K\x01ttt", b"((\x88ttt", b"G\x43\x40\x00\x00\x00\x00\x00\x00", b"L9007199254740992L\n", b"L36028797018963968\n",
            b"G\x43\x60\x00\x00\x00\x00\x00\x00"]
    for a in ones:
        for b in ones:
            yield b"}(" + a + b"K\x0a" + b + b"K\x0bu."
            yield b"\x8f(" + a + b + b"\x90."
    # Marks, the stack and the memo.
    for s in (b".", b"0.", b"(0.", b"(.", b"N(.", b"N(0.", b"(N0.", b"(01.", b"(1.", b"1.", b"N1.", b"((1.", b"(N(1.", b"NN.", b"N(N.", b"N(NN1.", b"(2.", b"N(2.", b"N2\x86.", b"N(\x85.", b"NN(\x86.", b"N(\x94.", b"(\x94.", b"\x94.",
              b"Nq\x05\x94h\x00.", b"Nq\x05K\x01\x94\x86h\x01\x86.", b"Kaqd0Kb\x940Kc\x940h\x01.", b"Kaq\x010Kb\x940h\x01.", b"Nh\x00.", b"Nr\xff\xff\x00\x00j\xff\xff\x00\x00.", b"Np5\ng5\n.", b"Np-1\n.", b"Np 5\ng+5\n.",
              b"]\x94h\x00a.", b"]\x94h\x00\x85\x94ah\x00.", b"}\x94K\x01h\x00s.", b"(lp0\ng0\na.", b"\x80\x06N.", b"\x80\xff.", b"N\x80\x04.", b"\x80\x02\x80\x04cm\na.b\n.", b"\x80\x04\x80\x02c__builtin__\nmap\n.",
              b"\x82\x00N.", b"\x84\xff\xff\xff\xff.", b"\x83\x00\x00.", b"T\xff\xff\xff\xff.", b"T\x02\x00\x00\x00ab.", b"\x8b\xff\xff\xff\xff.", b"\x8b\x02\x00\x00\x00\x01\x80.", b"\x8a\x00.", b"\x8a\x01\xff.", b"\x8a\x02\x00\x80.",
              b"\x8e" + u8(1 << 63) + b".", b"\x8e" + u8((1 << 63) - 1) + b".", b"\x96" + u8(1 << 63) + b".", b"\x8d" + u8(1 << 62) + b".", b"X\xff\xff\xff\xff.", b"X\x02\x00\x00\x00\xff\xfe.", b"X\x03\x00\x00\x00\xed\xa0\x80.",
              b"\x8c\x02\xc0\x80.", b"\x8c\x04\xf0\x9f\x98\x80.", b"\x8c\x04\xf4\x90\x80\x80.", b"\x8c\x01\x80.", b"\x8c\x03\xe0\x80\x80.", b"U\x02\xe9\xe8."):
        yield s
    # Frames.
    body = text("abc") + b"]" + G + b")R\x86\x86."
    for length in list(range(0, len(body) + 4)) + [1 << 20, (1 << 63) - 1, 1 << 63]:
        yield b"\x80\x04\x95" + u8(length) + body
        yield b"\x80\x04\x95" + u8(length) + b"\x95" + u8(len(body)) + body
    for cut in range(len(body)):
        yield b"\x80\x04\x95" + u8(cut) + body[:cut] + b"\x95" + u8(len(body) - cut) + body[cut:]
        yield b"\x80\x04\x95" + u8(len(body)) + body[:cut]


class Maker(object):
    """Random programs that keep track of the stack, so that most of them run."""

    def __init__(self, rng):
        self.rng = rng
        self.memo = []

    def value(self, depth):
        r = self.rng
        pick = r.randrange(26 if depth > 0 else 12)
        if pick == 0:
            return r.choice([b"N", b"\x88", b"\x89", b"I00\n", b"I01\n"])
        if pick in (1, 2):
            return r.choice([b"K" + bytes([r.randrange(256)]), b"M" + struct.pack("<H", r.randrange(65536)), b"J" + struct.pack("<i", r.randrange(-1 << 31, 1 << 31)), b"I%d\n" % r.randrange(-100, 100), b"L%dL\n" % r.randrange(-1 << 70, 1 << 70)])
        if pick == 3:
            n = r.randrange(12)
            return b"\x8a" + bytes([n]) + bytes(r.randrange(256) for _ in range(n))
        if pick == 4:
            return b"G" + struct.pack(">d", r.choice([0.0, -0.0, 1.0, 2.5, 1e300, -1e-5, float("inf"), r.random()]))
        if pick in (5, 6):
            return text("".join(r.choice("ab\u00e9\u20ac\U0001f600\n'\\\x00") for _ in range(r.randrange(6))))
        if pick == 7:
            data = bytes(r.randrange(256) for _ in range(r.randrange(5)))
            return r.choice([b"C" + bytes([len(data)]) + data, b"B" + u4(len(data)) + data, b"\x8e" + u8(len(data)) + data, b"\x96" + u8(len(data)) + data, b"U" + bytes([len(data)]) + data])
        if pick == 8:
            return self.name()
        if pick == 9 and self.memo:
            i = r.choice(self.memo)
            return r.choice([b"h" + bytes([i]) if i < 256 else b"j" + u4(i), b"j" + u4(i), b"g%d\n" % i])
        if pick in (9, 10):
            return r.choice([b"]", b"}", b")", b"\x8f", b"(l", b"(d", b"(t", b"(\x91"])
        if pick == 11:
            return b"Pid%d\n" % r.randrange(3)
        inner = lambda: self.value(depth - 1)
        many = lambda: b"".join(inner() for _ in range(r.randrange(4)))
        pairs = lambda: b"".join(self.key() + inner() for _ in range(r.randrange(3)))
        if pick == 12:
            return b"(" + many() + r.choice([b"l", b"t"])
        if pick == 13:
            return b"]" + self.put() + b"(" + many() + b"e"
        if pick == 14:
            return b"}" + self.put() + b"(" + pairs() + b"u"
        if pick == 15:
            return b"(" + pairs() + b"d"
        if pick == 16:
            return b"]" + self.put() + inner() + b"a"
        if pick == 17:
            return b"\x8f" + self.put() + b"(" + b"".join(self.key() for _ in range(r.randrange(4))) + b"\x90"
        if pick == 18:
            return b"(" + b"".join(self.key() for _ in range(r.randrange(4))) + b"\x91"
        if pick == 19:
            return inner() + b"\x85" if r.random() < 0.5 else inner() + inner() + b"\x86" if r.random() < 0.5 else inner() + inner() + inner() + b"\x87"
        if pick in (20, 21):
            made = self.name() + self.put() + b"(" + many() + b"t" + r.choice([b"R", b"R", b"\x81"])
            made += self.put()
            if r.random() < 0.6:
                made += r.choice([b"}(" + pairs() + b"u", inner(), b"N}\x86"]) + b"b"
            if r.random() < 0.3:
                made += b"(" + many() + b"e"
            if r.random() < 0.3:
                made += b"(" + pairs() + b"u"
            return made
        if pick == 22:
            return r.choice([b"(" + many() + b"im\nD\n", b"(" + self.name() + many() + b"o", self.name() + b")" + b"}(" + text("k") + inner() + b"u\x92"])
        if pick == 23:
            return inner() + b"2" + b"0" + (b"" if r.random() < 0.7 else b"20")
        if pick == 24:
            return inner() + b"(" + many() + b"1"
        return inner() + self.put()

    def key(self):
        r = self.rng
        return r.choice([text(r.choice("abc")), b"K" + bytes([r.randrange(3)]), b"\x88", b"N", b"(K\x01t", b"C\x01a", b"G?\xf0\x00\x00\x00\x00\x00\x00"])

    def name(self):
        r = self.rng
        module, name = r.choice([("m", "C"), ("m.n", "D"), ("m", "C.x"), ("\u00e9", "x")])
        if r.random() < 0.6:
            return b"c" + module.encode() + b"\n" + name.encode() + b"\n"
        return text(module) + (b"\x94" if self.memoize() else b"") + text(name) + b"\x93"

    def memoize(self):
        if self.rng.random() < 0.7:
            return False
        self.memo.append(len(set(self.memo)))
        return True

    def put(self):
        r = self.rng
        if r.random() < 0.5:
            return b""
        if r.random() < 0.5:
            self.memo.append(len(set(self.memo)))
            return b"\x94"
        i = r.choice([r.randrange(6), r.randrange(300), 70000])
        self.memo.append(i)
        return r.choice([b"q" + bytes([i]) if i < 256 else b"r" + u4(i), b"r" + u4(i), b"p%d\n" % i])


def programs(rng, count):
    for _ in range(count):
        start = rng.choice([b"", b"", b"\x80\x02", b"\x80\x04", b"\x80\x05"])
        yield start + Maker(rng).value(4) + b"."


class Plain(object):
    pass


class Slots(object):
    __slots__ = ("a", "b")


def real(rng):
    shared = ["x", (1, 2)]
    cyclic = [1]
    cyclic.append(cyclic)
    key = {}
    key["self"] = key
    plain = Plain()
    plain.a, plain.b = shared, plain
    slots = Slots()
    slots.a = {1, 2}
    slots.b = frozenset("ab")
    things = [None, True, -1, 255, 256, 65536, -(1 << 31), 1 << 31, 1 << 70, 0.5, float("nan"), "abc", "\u00e9\u20ac\ud800", b"abc", bytearray(b"xyz"), (), (1,), (1, 2, 3, 4), [], list(range(5)), {}, {"a": 1},
              [shared, shared], cyclic, key, {1, 2, 3}, frozenset(), plain, slots, collections.OrderedDict([("a", 1)]), collections.deque([1, 2], 5), collections.Counter("aab"), datetime.datetime(2020, 1, 2), range(3), 1j,
              slice(1, 2), len, dict, "a" * 300, b"a" * 300, [["deep"] * 3] * 3, collections.defaultdict(list, a=[1])]
    for thing in things:
        for protocol in range(6):
            if thing is slots and protocol < 2:
                continue
            yield pickle.dumps(thing, protocol)
            if protocol < 4:
                yield pickle._dumps(thing, protocol)
    old = os.environ.get("PYTHON2")
    if old:
        code = "import pickle,cPickle,json,collections,datetime\nclass Old: pass\nclass New(object): pass\nclass Slots(object):\n  __slots__=('a',)\no=Old(); o.a='\\xe9'; n=New(); n.b=u'\\u20ac'\nthings=[1,1<<40,1L,'abc','a\\'b\"\\n\\x00\\xff',u'\\xe9\\n\\\\u0041',1.5,True,o,n,{'a':o},[n,n],set([1]),collections.OrderedDict(a=1),datetime.date(2020,1,2),Old,len,(1,),{u'k':(None,)}]\nprint(json.dumps([m.dumps(t,p).encode('hex') for m in (pickle,cPickle) for t in things for p in (0,1,2)]))"
        for line in json.loads(subprocess.check_output([old, "-c", code])):
            yield bytes.fromhex(line)


def damaged(rng, streams, count):
    usable = [s for s in streams if 2 < len(s) < 200]
    for _ in range(count):
        s = bytearray(rng.choice(usable))
        for _ in range(rng.randrange(1, 3)):
            how = rng.randrange(5)
            at = rng.randrange(len(s)) if s else 0
            if how == 0 and s:
                s[at] = rng.randrange(256)
            elif how == 1 and s:
                s[at] = rng.choice(b"().0123abcdehiloqtu]}\x80\x85\x86\x93\x94\x95\x81\x90NKIR")
            elif how == 2:
                del s[at:at + rng.randrange(1, 4)]
            elif how == 3:
                s[at:at] = rng.choice([b"N", b"(", b"0", b"2", b"\x94", b")", b"]", b"}", b"t", b"e", b"u", b"b", b"R", b"1", b"h\x00", b"\x95" + u8(rng.randrange(40))])
            else:
                del s[at:]
        yield bytes(s)


def too_costly(stream):
    """Memo indexes that make CPython allocate gigabytes."""
    for i in range(len(stream) - 4):
        if stream[i:i + 1] == b"r" and struct.unpack("<I", stream[i + 1:i + 5])[0] > 1 << 22:
            return True
    import re
    return re.search(rb"p[+ 0_]*[0-9_]{8,}", stream) is not None


def main(pythons):
    rng = random.Random(20240601)
    streams = list(by_hand())
    made = list(programs(rng, 900)) + list(real(rng))
    streams += made
    streams += list(damaged(rng, made + streams[:400], 2600))
    unique = [s for s in collections.OrderedDict.fromkeys(streams) if not too_costly(s)]
    payload = json.dumps([s.hex() for s in unique]).encode()
    loaders = []
    answers = []
    for python in pythons:
        version = subprocess.check_output([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).decode().strip()
        output = subprocess.run([python, "-W", "ignore", os.path.join(HERE, "loaders.py")], input=payload, stdout=subprocess.PIPE, check=True).stdout
        answers.append(json.loads(output))
        loaders += ["%s %s" % (kind, version) for kind in ("c", "file", "py")]
    traces = collections.OrderedDict()
    rows = []
    for i, stream in enumerate(unique):
        outcomes = collections.OrderedDict()
        for n, answer in enumerate(answers):
            for k, kind in enumerate(("c", "file", "py")):
                trace = answer[i][kind]
                # Which exception it is depends on the version; that there is one does not.
                trace = json.dumps([trace["events"], trace["value"], 1 if trace["error"] else 0], separators=(",", ":"))
                index = traces.setdefault(trace, len(traces))
                outcomes[index] = outcomes.get(index, 0) | 1 << (3 * n + k)
        rows.append([stream.hex(), [[index, bits] for index, bits in outcomes.items()]])
    json.dump({"loaders": loaders, "traces": [json.loads(t) for t in traces], "streams": rows}, sys.stdout, separators=(",", ":"))


if __name__ == "__main__":
    main(sys.argv[1:])
