"""What can a Python callable do?  A static call graph over source text; nothing that is analysed is imported or run.

For every function, method and class below the given package folders this finds which sinks (sinks.tsv) it can reach through
resolvable calls, at most MAX_DEPTH calls deep, and for every class whether the hooks that a pickle can trigger reach one:

  instantiate   cls.__new__(cls) plus a state: __new__ is not overridden with a sink, __setstate__, __setattr__, __getattr__,
                __del__, __hash__, __eq__, and the container hooks append/extend/add/__setitem__ reach none
  call          additionally __init__ and the metaclass' __call__

Calls that cannot be resolved (a method of an unknown object) count as harmless unless their name is telling (`.write_text(`).
The result is a starting point for review, see README.md.
"""

import ast
import builtins
import os
import sys

MAX_DEPTH = 6
STRONG = {'exec', 'import', 'process', 'native', 'network', 'deserialise', 'file-write', 'file-read', 'dos'}
STATE_HOOKS = ('__new__', '__setstate__', '__setattr__', '__getattr__', '__getattribute__', '__del__', '__hash__', '__eq__',
               'append', 'extend', 'add', '__setitem__')
TELLING_METHODS = {
    'write_text': 'file-write', 'write_bytes': 'file-write', 'read_text': 'file-read', 'read_bytes': 'file-read',
    'unlink': 'file-write', 'extractall': 'file-write', 'exec_module': 'import', 'load_module': 'import', 'popen': 'process',
    'runsource': 'exec', 'runcode': 'exec', 'find_class': 'attribute-escape', 'urlopen': 'network', 'urlretrieve': 'network',
    'create_subprocess_exec': 'process', 'create_subprocess_shell': 'process', 'sendall': 'network', 'getaddrinfo': 'network',
}
# Calls of these with constant arguments are everywhere and give an attacker nothing; following them would make everything dangerous.
BARRIERS = ('warnings.', 'logging.getLogger', 'logging.debug', 'logging.info', 'logging.warning', 'collections.namedtuple', 'abc.', 'typing.',
            're.', 'functools.', 'inspect.signature', 'inspect.isclass', 'textwrap.', 'copy.', 'enum.', 'dataclasses.', 'contextlib.', 'weakref.',
            'traceback.', 'locale.', 'gettext.gettext', 'platform.', 'encodings.', 'string.', 'random.', 'numbers.', 'operator.', 'json.',
            'sysconfig.', 'inspect.', 'logging.Logger.')
BUILTINS = {n for n in ('exec eval execfile compile __import__ open input breakpoint getattr setattr globals locals vars file raw_input '
                        'reload type map filter apply').split()}


KNOWN_BUILTINS = set(dir(builtins))


def load_sinks(path):
    exact, prefixes = {}, []
    with open(path) as lines:
        for line in lines:
            if line.startswith('#') or not line.strip():
                continue
            pattern, category = line.rstrip('\n').split('\t')
            if pattern.endswith('*'):
                prefixes.append((pattern[:-1], category))
            else:
                exact[pattern] = category
    return exact, prefixes


class Module:
    def __init__(self, name, is_package):
        self.name, self.is_package = name, is_package
        self.names = {}      # name -> qualified target
        self.stars = []      # modules imported with *
        self.functions = {}  # qualified tail ('f', 'C.m') -> Function
        self.classes = {}    # qualified tail -> Class


class Function:
    __slots__ = ('calls', 'sinks')

    def __init__(self):
        self.calls, self.sinks = set(), {}


class Class:
    __slots__ = ('bases', 'methods', 'metaclass', 'kind')

    def __init__(self):
        self.bases, self.methods, self.metaclass, self.kind = [], set(), None, 'class'


def chain_of(node):
    """`a.b.c` as ['a', 'b', 'c'], or None for anything but a plain chain of names."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
        return parts[::-1]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'super':
        parts.append('super()')
        return parts[::-1]
    return None


def base_package(module, level):
    parts = module.name.split('.')
    keep = len(parts) - level + (1 if module.is_package else 0)
    return '.'.join(parts[:max(keep, 0)])


def note_import(module, node, names):
    if isinstance(node, ast.Import):
        for a in node.names:
            names[a.asname or a.name.split('.')[0]] = a.name if a.asname else a.name.split('.')[0]
    else:
        base = base_package(module, node.level) if node.level else ''
        base = '.'.join(x for x in (base, node.module) if x)
        for a in node.names:
            if a.name == '*':
                module.stars.append(base)
            else:
                names[a.asname or a.name] = base + '.' + a.name


class Scanner:
    def __init__(self, sinks):
        self.exact, prefixes = sinks
        self.prefixes = {}
        for prefix, category in prefixes:
            self.prefixes.setdefault(prefix.split('.')[0], []).append((prefix, category))
        for pattern in self.exact:
            self.prefixes.setdefault(pattern.split('.')[0], [])

    def sink(self, target):
        found = self.prefixes.get(target.split('.', 1)[0])
        if found is None:
            return None
        if target in self.exact:
            return self.exact[target]
        for prefix, category in found:
            if target.startswith(prefix):
                return category
        return None

    def scan(self, module, tree):
        self.top(module, tree.body)
        return module

    def top(self, module, body):
        for node in body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                note_import(module, node, module.names)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                module.names[node.name] = module.name + '.' + node.name
                module.functions[node.name] = node
            elif isinstance(node, ast.ClassDef):
                module.names[node.name] = module.name + '.' + node.name
                self.klass(module, node, node.name)
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self.assign(module, node.targets[0].id, node.value)
            elif isinstance(node, (ast.If, ast.Try, ast.With, ast.For, ast.While)):
                for part in ('body', 'orelse', 'finalbody'):
                    self.top(module, getattr(node, part, []))
                for handler in getattr(node, 'handlers', []):
                    self.top(module, handler.body)

    def assign(self, module, name, value):
        chain = chain_of(value)
        if chain and chain[0] != 'super()':
            root = module.names.get(chain[0])
            if root:
                module.names[name] = '.'.join([root] + chain[1:])
            elif chain[0] in BUILTINS and len(chain) == 1:
                module.names[name] = 'builtins.' + chain[0]
        elif isinstance(value, ast.Call):
            called = chain_of(value.func)
            if called and called[-1] in ('namedtuple', 'NamedTuple', 'Enum', 'IntEnum'):
                made = Class()
                made.kind = 'namedtuple' if 'uple' in called[-1] else 'enum'
                module.names[name] = module.name + '.' + name
                module.classes[name] = made

    def klass(self, module, node, tail):
        record = Class()
        for b in node.bases:
            c = chain_of(b.value if isinstance(b, ast.Subscript) else b)
            if c is None and isinstance(b, ast.Call):
                called = chain_of(b.func)
                if called and called[-1] in ('namedtuple', 'NamedTuple'):
                    record.bases.append('builtins.tuple')
                    continue
                if called and called[-1] in ('with_metaclass',):
                    record.bases.extend('.'.join([module.names.get(x[0], 'builtins.' + x[0])] + x[1:]) for x in map(chain_of, b.args[1:]) if x)
                    continue
            record.bases.append('.'.join([module.names.get(c[0], 'builtins.' + c[0])] + c[1:]) if c else '?')
        for k in node.keywords:
            if k.arg == 'metaclass':
                c = chain_of(k.value)
                record.metaclass = '.'.join([module.names.get(c[0], c[0])] + c[1:]) if c else '?'
        module.classes[tail] = record
        stack = list(node.body)
        while stack:
            item = stack.pop(0)
            if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
                record.methods.add(item.name)
                module.functions[tail + '.' + item.name] = item
            elif isinstance(item, ast.ClassDef):
                self.klass(module, item, tail + '.' + item.name)
            elif isinstance(item, ast.Assign):
                for t in item.targets:
                    if isinstance(t, ast.Name):
                        c = chain_of(item.value)
                        if c and c[0] in record.methods and len(c) == 1:
                            record.methods.add(t.id)
                            module.functions[tail + '.' + t.id] = module.functions[tail + '.' + c[0]]
            elif isinstance(item, (ast.If, ast.Try)):
                stack.extend(item.body + item.orelse)

    def body(self, module, node, owner):
        """Calls and sinks of one function; nested functions and lambdas count as part of it."""
        out = Function()
        local = {}
        nodes = list(ast.walk(node))
        for n in nodes:
            if isinstance(n, (ast.Import, ast.ImportFrom)):
                note_import(module, n, local)
            elif isinstance(n, ast.arg):
                local.setdefault(n.arg, None)
            elif isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store):
                local.setdefault(n.id, None)
        first = node.args.args[0].arg if node.args.args and owner else None

        def resolve(chain):
            if chain[0] == 'super()':
                return ('super', chain[1]) if owner and len(chain) == 2 else None
            if owner and chain[0] == first and len(chain) == 2:
                return ('self', chain[1])
            if chain[0] in local:
                root = local[chain[0]]
            else:
                root = module.names.get(chain[0])
                if root is None and chain[0] in BUILTINS:
                    root = 'builtins.' + chain[0]
                if root is None and module.stars and chain[0] not in KNOWN_BUILTINS:
                    root = '*' + '|'.join(module.stars) + '*' + chain[0]
            return '.'.join([root] + chain[1:]) if root else None

        called = set()
        for n in nodes:
            if isinstance(n, ast.Call):
                called.add(id(n.func))
                c = chain_of(n.func)
                target = resolve(c) if c else None
                if isinstance(target, str):
                    self.call(out, n, target)
                    out.calls.add(target)
                elif target:
                    out.calls.add(target)
                elif isinstance(n.func, ast.Attribute) and n.func.attr in TELLING_METHODS:
                    out.sinks.setdefault(TELLING_METHODS[n.func.attr], '.' + n.func.attr)
        for n in nodes:
            # a function handed on as a value (Thread(target=f), map(f, …)) counts as called
            if isinstance(n, (ast.Name, ast.Attribute)) and isinstance(n.ctx, ast.Load) and id(n) not in called:
                c = chain_of(n)
                target = resolve(c) if c and len(c) <= 4 else None
                if isinstance(target, str) and not target.startswith('*'):
                    category = self.sink(target)
                    if category in ('exec', 'process', 'import', 'native', 'deserialise') and not target.startswith('types.'):
                        out.sinks.setdefault(category, target)
        return out

    def call(self, out, node, target):
        if target in ('builtins.open', 'io.open', 'codecs.open', 'builtins.file'):
            mode = node.args[1] if len(node.args) > 1 else next((k.value for k in node.keywords if k.arg == 'mode'), None)
            text = mode.value if isinstance(mode, ast.Constant) and isinstance(mode.value, str) else ('r' if mode is None else 'w')
            category = 'file-write' if any(x in text for x in 'wax+') else 'file-read'
            out.sinks.setdefault(category, target)
            return
        if target == 'builtins.getattr':
            if len(node.args) >= 2 and not isinstance(node.args[1], ast.Constant):
                out.sinks.setdefault('attribute-escape', target)
            return
        if target == 'builtins.compile' or target == 're.compile':
            if target != 're.compile':
                out.sinks.setdefault('exec', target)
            return
        category = self.sink(target)
        if category:
            out.sinks.setdefault(category, target)


class Universe:
    """All modules of one package version (or one standard library)."""

    def __init__(self, sinks, outside):
        self.scanner = Scanner(sinks)
        self.modules = {}
        self.outside = outside     # qualified class -> True when it is a harmless base
        self.failed = []
        self.resolved = {}

    def add_tree(self, folder, prefix, skip=()):
        for base, folders, files in os.walk(folder):
            folders[:] = sorted(f for f in folders if f not in skip and f.isidentifier())
            for f in sorted(files):
                if f.endswith('.py'):
                    rel = os.path.relpath(os.path.join(base, f), folder)[:-3].split(os.sep)
                    is_package = rel[-1] == '__init__'
                    name = '.'.join([prefix] * bool(prefix) + (rel[:-1] if is_package else rel))
                    if name:
                        self.add_file(os.path.join(base, f), name, is_package)

    def add_file(self, path, name, is_package):
        try:
            with open(path, encoding='utf-8', errors='replace') as f:
                tree = ast.parse(f.read())
        except (SyntaxError, ValueError, RecursionError):
            self.failed.append(name)
            return
        module = self.scanner.scan(Module(name, is_package), tree)
        bodies = {}
        for tail, node in list(module.functions.items()):
            if isinstance(node, Function):
                continue
            owner = tail.rsplit('.', 1)[0] if '.' in tail else None
            key = id(node)
            if key not in bodies:
                bodies[key] = self.scanner.body(module, node, owner)
            module.functions[tail] = bodies[key]
        self.modules[name] = module

    def canonical(self, target, depth=0):
        """Follow re-exports to (module, tail), or None when the name leaves the universe."""
        if target in self.resolved:
            return self.resolved[target]
        self.resolved[target] = None  # also what a cycle of re-exports resolves to
        if depth < 12 and target.count('.') < 9:
            self.resolved[target] = self.follow(target, depth)
        return self.resolved[target]

    def follow(self, target, depth):
        if target.startswith('*'):
            _, stars, name = target.split('*', 2)
            for star in stars.split('|'):
                found = self.canonical(star + '.' + name, depth + 1)
                if found:
                    return found
            return None
        parts = target.split('.')
        for cut in range(len(parts) - 1, 0, -1):
            module = self.modules.get('.'.join(parts[:cut]))
            if module is None:
                continue
            tail = parts[cut:]
            full = '.'.join(tail)
            if full in module.functions or full in module.classes:
                if module.names.get(tail[0], module.name + '.' + tail[0]) == module.name + '.' + tail[0]:
                    return module.name, full
            goal = module.names.get(tail[0])
            if goal and goal != module.name + '.' + tail[0]:
                return self.canonical('.'.join([goal] + tail[1:]), depth + 1)
            if tail[0] in module.classes and len(tail) == 2:
                found = self.method(module.name, tail[0], tail[1])
                return found
            for star in module.stars:
                found = self.canonical('.'.join([star] + tail), depth + 1)
                if found:
                    return found
            return None
        return None

    def method(self, module, klass, name, skip_own=False, depth=0):
        record = self.modules[module].classes.get(klass)
        if record is None or depth > 20:
            return None
        if name in record.methods and not skip_own:
            return module, klass + '.' + name
        for b in record.bases:
            found = self.canonical(b)
            if found and found[1] in self.modules[found[0]].classes:
                hit = self.method(found[0], found[1], name, depth=depth + 1)
                if hit:
                    return hit
        return None

    def edges(self, module, tail, fn):
        owner = tail.rsplit('.', 1)[0] if '.' in tail else None
        for call in sorted(fn.calls, key=str):
            if isinstance(call, tuple):
                found = self.method(module, owner, call[1], skip_own=call[0] == 'super') if owner else None
                if found:
                    yield found
                continue
            plain = call.split('*')[-1] if call.startswith('*') else call
            if any(plain.startswith(b) for b in BARRIERS):
                continue
            found = self.canonical(call)
            if not found:
                continue
            if any((found[0] + '.' + found[1]).startswith(b) for b in BARRIERS):
                continue
            if found[1] in self.modules[found[0]].classes:
                for hook in ('__init__', '__new__', '__post_init__'):
                    hit = self.method(found[0], found[1], hook)
                    if hit:
                        yield hit
            else:
                yield found

    def reach(self):
        """{(module, tail): {category: (depth, sink)}} to a depth of MAX_DEPTH."""
        state, callers = {}, {}
        for module in self.modules.values():
            for tail, fn in module.functions.items():
                key = (module.name, tail)
                sinks = dict(fn.sinks)
                for call in sorted(fn.calls, key=str):
                    if isinstance(call, str) and call.startswith('*'):
                        _, stars, name = call.split('*', 2)
                        for star in stars.split('|'):
                            category = self.scanner.sink(star + '.' + name)
                            if category:
                                sinks.setdefault(category, star + '.' + name)
                state[key] = {c: (0, s) for c, s in sinks.items()}
                for goal in self.edges(module.name, tail, fn):
                    callers.setdefault(goal, []).append(key)
        frontier = sorted(k for k, v in state.items() if v)
        for depth in range(1, MAX_DEPTH + 1):
            following = set()
            for goal in frontier:
                for caller in callers.get(goal, ()):
                    mine = state[caller]
                    for category, (_, sink) in state[goal].items():
                        if category not in mine:
                            mine[category] = (depth, sink)
                            following.add(caller)
            frontier = sorted(following)
        return state

    def virtual_reach(self, module, klass, hook, state):
        """Strong sinks that a hook of this class reaches, `self.method()` meaning the method of this class and not of the base."""
        start = self.method(module, klass, hook)
        if start is None:
            return {}
        bad, seen, frontier = {}, {start}, [start]
        for _ in range(MAX_DEPTH):
            following = []
            for key in frontier:
                bad.update((c, s[1]) for c, s in state.get(key, {}).items() if c in STRONG)
                fn = self.modules[key[0]].functions.get(key[1])
                for call in sorted(fn.calls, key=str) if fn else ():
                    if isinstance(call, tuple) and call[0] == 'self':
                        found = self.method(module, klass, call[1])
                        if found and found not in seen:
                            seen.add(found)
                            following.append(found)
            frontier = following
        return bad

    def class_verdict(self, module, tail, state, memo, trail=()):
        """(instantiate ok, call ok, why not): own and inherited hooks, and bases all of which are known to be harmless."""
        key = (module, tail)
        if key in memo:
            return memo[key]
        if key in trail:
            return True, True, ''
        record = self.modules[module].classes[tail]
        instantiate, call, why = True, True, ''
        for hooks, is_state in ((STATE_HOOKS, True), (('__init__', '__post_init__'), False)):
            for hook in hooks:
                bad = self.virtual_reach(module, tail, hook, state)
                if bad:
                    why = why or hook + ' -> ' + ', '.join(sorted('%s (%s)' % item for item in bad.items()))
                    call = False
                    if is_state:
                        instantiate = False
        for b in record.bases + ([record.metaclass] if record.metaclass else []):
            found = self.canonical(b) if b != '?' else None
            if found and found[1] in self.modules[found[0]].classes:
                i, c, w = self.class_verdict(found[0], found[1], state, memo, trail + (key,))
            else:
                verdict = self.outside(b)
                i, c, w = verdict, verdict, '' if verdict else 'base ' + b
            if not i or not c:
                why = why or w
            instantiate, call = instantiate and i, call and c
        memo[key] = (instantiate, call, why)
        return memo[key]


if __name__ == '__main__':
    sys.exit('call_graph.py is used by analyse.py')
