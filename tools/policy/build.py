"""Write the policy data of src/security/policy/data from the reviewed tables and from the analysis.

usage: python3.12 build.py --cache DIR --native DIR      (see README.md)
       python3.12 build.py --again [--cache DIR]

With --again, what earlier analyses found is taken from the policy.tsv that is there, so that a change of the reviewed tables, or one
more package, needs no analysis of everything else.

One output, policy.tsv, in three parts divided by empty lines: rules, entries, aliases.
  rule:   class, category, judge, uses, verdict of any other use, advisory, sentence
  entry:  parent path, rule number, names.     `*` is everything below the parent
  alias:  parent path, target path, names
Paths are front-coded: a leading digit says how many components are those of the line before.
"""

import argparse
import collections
import glob
import itertools
import json
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, '..', '..', 'src', 'security', 'policy', 'data')
STRONG = {'exec', 'import', 'process', 'native', 'network', 'deserialise', 'file-write', 'file-read', 'dos'}
WORSE = ['exec', 'process', 'import', 'native', 'deserialise', 'network', 'file-write', 'file-read', 'attribute-escape',
         'environment', 'thread', 'dos']
# The texts by which entries of the analysis are told from reviewed ones.
ANALYSED = {'a class, cleared by analysis', 'a function, not called by data', 'a compiled class of numbers', 'restores a compiled object',
            'a number', 'a function of numbers', 'a distribution'}
JUDGED = {'code': 'exec', 'class': 'dynamic-class', 'type-name': 'attribute-escape', 'import': 'import', 'attribute': 'attribute-escape',
          'blank': 'file-write', 'holds': 'indirect-call', 'subscript': 'attribute-escape'}
PYTHON2_ROOTS = '''AL BaseHTTPServer Bastion CDROM CGIHTTPServer Canvas ConfigParser Cookie Dialog DocXMLRPCServer FL FileDialog FixTk HTMLParser
MimeWriter Queue ScrolledText SimpleDialog SimpleHTTPServer SimpleXMLRPCServer SocketServer StringIO Tix Tkconstants Tkdnd Tkinter UserDict UserList
UserString __builtin__ _winreg anydbm audiodev bsddb cPickle cStringIO cd cl commands compiler cookielib copy_reg dbhash dircache dl dumbdbm
dummy_thread exceptions fl flp fm fpformat future_builtins gdbm gl hotshot htmlentitydefs htmllib httplib ihooks imageop imgfile imputil itertools
jpeg linuxaudiodev markupbase md5 mhlib mimetools mimify multifile mutex new popen2 posixfile repr rexec rfc822 robotparser sets sgmllib sha
statvfs sunaudio sunaudiodev thread tkColorChooser tkCommonDialog tkFileDialog tkFont tkMessageBox tkSimpleDialog toaiff ttk urllib2 urlparse user
whichdb xmllib xmlrpclib'''.split()
PYTHON314_ROOTS = 'profiling annotationlib compression _remote_debugging _zstd _types _hmac _interpqueues _interpchannels _interpreters concurrent string _ast_unparse _py_warnings _opcode_metadata'.split()


# Reached by version checks and by counting processors, never with arguments of a caller.
HARMLESS_SINKS = ('distutils.version.', 'multiprocessing.cpu_count')
# Packages where the whole of a package is explained by one reviewed line; functions of it are not listed one by one.
# Neither are those of packages that auto.tsv has objects of only: whatever else is called there is dangerous, listed or not.
NOT_DERIVED = ('sympy', 'transformers', 'timm', 'torchmetrics', 'matplotlib', 'nltk.draw', 'omegaconf.vendor')
# Packages whose public names are worth resolving: they are written by people, and by old versions of the packages.
RESOLVED = ('sklearn', 'pandas', 'numpy', 'scipy.sparse', 'torch.nn', 'torch.optim', 'xgboost', 'lightgbm', 'catboost', 'imblearn', 'joblib')


def braces(text):
    """`a.{b,c}.d` -> a.b.d, a.c.d."""
    parts = re.split(r'\{([^{}]*)\}', text)
    options = [p.split(',') if i % 2 else [p] for i, p in enumerate(parts)]
    return [''.join(x) for x in itertools.product(*options)]


def table(name):
    with open(os.path.join(HERE, 'reviewed', name)) as lines:
        for line in lines:
            line = line.rstrip('\n')
            if line and not line.startswith('#'):
                yield [x.strip() for x in line.split('\t')]


class Policy:
    def __init__(self):
        self.rules, self.entries = {}, {}   # rule tuple -> number; path -> rule tuple

    def put(self, path, rule, over=True):
        if not re.match(r'^\w+(\.\w+)*(\.\*)?$', path):
            raise SystemExit('not a path: ' + path)
        if over or path not in self.entries:
            self.entries[path] = rule

    def covered(self, path):
        """The rule of the nearest wildcard above a path."""
        parts = path.split('.')
        for n in range(len(parts) - 1, 0, -1):
            rule = self.entries.get('.'.join(parts[:n]) + '.*')
            if rule:
                return rule
        return None


def dangerous(category, judge='', advisory='', sentence=''):
    if category == 'unvetted':
        return ('unknown', 'unvetted', judge, '', 'dangerous', advisory, sentence)
    return ('dangerous', category, judge, '', 'dangerous', advisory, sentence)


def reviewed(policy):
    for name in ('dangerous-packages.tsv', 'dangerous-stdlib.tsv'):
        for row in table(name):
            path, category, judge, advisory, sentence = (row + [''] * 5)[:5]
            for p in braces(path):
                policy.put(p, dangerous(category, judge, advisory, sentence))
    exact = set()
    for name in ('known-packages.tsv', 'known-stdlib.tsv'):
        for row in table(name):
            path, uses, judge, note = (row + [''] * 4)[:4]
            for p in braces(path):
                if 'd' in uses:
                    policy.put(p, dangerous(JUDGED.get(judge, 'indirect-call'), judge, '', note))
                    continue
                earlier = policy.entries.get(p)
                # two lines about one name add up (`r` and `c`)
                if p in exact and earlier and earlier[0] == 'known':
                    uses = ''.join(u for u in 'ric' if u in uses or u in earlier[3])
                    judge = judge or earlier[2]
                other = 'unknown' if 'i' in uses and 'x' not in uses and 'packages' in name else 'dangerous'
                policy.put(p, ('known', '', judge, ''.join(u for u in 'ric' if u in uses), other, '', note))
                exact.add(p)
    return exact


def judge_of(path):
    """The evidence that classes of a whole package need: sympy evaluates text among arguments, which the call graph cannot see."""
    return 'word' if path.startswith('sympy.') else ''


def importable(caches):
    """The facts without scripts whose names no import statement can spell."""
    return [{**facts, 'modules': {m: d for m, d in facts['modules'].items() if re.match(r'^\w+(\.\w+)*$', m)}} for facts in caches]


def starts(name, prefixes):
    return any(name == p or name.startswith(p + '.') for p in prefixes if p)


def automatic(policy, caches, natives):
    caches = importable(caches)
    rows = [(r[0], r[1].split(), [x for x in (r[2] if len(r) > 2 else '').split(',') if x]) for r in table('auto.tsv')]
    merged = {}
    functions = set()
    for facts in caches:
        for module, data in facts['modules'].items():
            found = [r for r in rows if starts(module, [r[0]]) and not starts(module, r[2])]
            if not found or re.search(r'(^|\.)(_?tests?|testing|_testing|conftest|setup|benchmarks)(\.|$)', module):
                continue
            what = set().union(*[set(r[1]) for r in found])
            if what & {'c', 'i'}:
                for tail, (instantiate, call, why) in data['classes'].items():
                    old = merged.get(module + '.' + tail, (1, 1, '', ''))
                    merged[module + '.' + tail] = (old[0] & instantiate, old[1] & call, old[2] or why, 'c' if 'c' in what else '')
            if 'f' in what:
                for tail, sinks in data['functions'].items():
                    near = [c for c, (d, sink) in sinks.items() if c in STRONG and d <= 1 and not sink.startswith(HARMLESS_SINKS)]
                    if tail.startswith('_') and not module.startswith('sklearn.'):
                        continue
                    if '.' not in tail and not near and not tail.startswith('test_'):
                        functions.add(module + '.' + tail)
    for path, (instantiate, call, why, uses) in merged.items():
        if path.startswith('scipy.stats.') and why.startswith('__setstate__ -> exec'):
            # restoring a distribution runs the source text `_parse_arg_template` of its state
            policy.put(path, ('known', '', 'state', 'ri', 'dangerous', '', 'a distribution'), over=False)
        elif instantiate:
            policy.put(path, ('known', '', judge_of(path), 'ri' + uses if call else 'ri', 'unknown' if call and uses else 'dangerous', '', 'a class, cleared by analysis'), over=False)
    for path in sorted(functions):
        if path not in merged:
            policy.put(path, ('known', '', '', 'r', 'dangerous', '', 'a function, not called by data'), over=False)
    for kind, module, name in sorted(natives):
        path = module + '.' + name
        root = [r for r in rows if starts(module, [r[0]]) and not starts(module, r[2]) and 'n' in r[1]]
        if (not root and '.' in module) or (module.split('.')[0] in ('itertools', 'decimal', 'datetime', 'enum', 'types', 'typing', 'ctypes', 'collections', 'abc', 'numbers', 'zoneinfo', 'functools')):
            continue
        if '.' not in module and module not in ('numpy', 'pandas', '_loss', 'scipy', 'sklearn', '_ni_label'):
            continue
        if kind == 'class' and not re.search(r'memoryview|array_cwrapper|__pyx', name):
            policy.put(path, ('known', '', '', 'ric', 'unknown', '', 'a compiled class of numbers'), over=False)
        elif name.startswith('__pyx_unpickle_') and not name.endswith('Enum'):
            policy.put(path, ('known', '', 'holds', 'rc', 'dangerous', '', 'restores a compiled object'), over=False)
            policy.put(module + '.' + name[len('__pyx_unpickle_'):], ('known', '', '', 'ric', 'unknown', '', 'a compiled class of numbers'), over=False)
        elif name == 'newObj':
            policy.put(path, ('known', '', 'holds', 'rc', 'dangerous', '', 'restores a compiled object'), over=False)
        elif kind in ('ufunc', 'scalar'):
            policy.put(path, ('known', '', 'size' if kind == 'scalar' else '', 'ric' if kind == 'scalar' else 'rc', 'unknown', '', 'a number' if kind == 'scalar' else 'a function of numbers'), over=False)


def derived(policy, caches):
    """Dangerous by analysis: what reaches a sink and stands under no reviewed wildcard already."""
    found = {}
    objects_only = tuple(row[0].split('.')[0] for row in table('auto.tsv') if 'i' in row[1].split())
    for facts in importable(caches):
        if facts['name'] in objects_only:
            continue
        stdlib = facts['label'].startswith('stdlib')
        for module, data in facts['modules'].items():
            if re.search(r'(^|\.)(_?tests?|conftest|setup|benchmarks)(\.|$)', module) or starts(module, NOT_DERIVED):
                continue
            for tail, sinks in data['functions'].items():
                path = module + '.' + tail
                last = tail.rsplit('.', 1)[-1]
                if re.match(r'^__\w+__$', last) or path in policy.entries:
                    continue
                usable = {c: s for c, s in sinks.items() if (c in WORSE if stdlib else c in STRONG and s[0] <= 1) and not s[1].startswith(HARMLESS_SINKS)}
                if not usable:
                    continue
                above = policy.covered(path)
                if above and above[0] == 'dangerous':
                    continue
                category = min(usable, key=lambda c: (usable[c][0], WORSE.index(c)))
                sink = usable[category][1]
                found.setdefault(path, (category, sink))
            for tail, (instantiate, call, why) in data['classes'].items():
                path = module + '.' + tail
                if '->' not in why or path in policy.entries:
                    continue
                above = policy.covered(path)
                if above and above[0] == 'dangerous':
                    continue
                category, sink = re.search(r'-> ([\w-]+) \(([^)]*)\)', why).groups()
                found.setdefault(path, (category, sink))
    for path, (category, sink) in found.items():
        sink = sink.lstrip('.').replace('builtins.', '')
        policy.put(path, dangerous(category, '', '', 'by way of ' + sink), over=False)
    return found


def aliases(policy, caches):
    """Re-exports in package __init__ modules of names that have an entry of their own."""
    out = {}
    for facts in caches:
        for module, data in facts['modules'].items():
            if not data['package'] or re.search(r'(^|\.)(_?tests?|_[a-z]\w*)(\.|$)', module):
                continue
            if module.count('.') > 2:
                continue
            for alias, goal in data['aliases'].items():
                if alias == '*' or len(goal) != 2:
                    continue
                path, target = module + '.' + alias, goal[0] + '.' + goal[1]
                if path in policy.entries or target not in policy.entries or path == target:
                    continue
                if policy.entries[target][0] == 'dangerous':
                    above = policy.covered(path)
                    if (above and above[0] == 'dangerous') or starts(module, NOT_DERIVED):
                        continue
                elif not starts(module, RESOLVED):
                    continue
                out[path] = target
    return out


def unfront(lines):
    before = []
    for line in lines:
        coded, value, names = line.split('\t')
        before = before[:int(coded[0])] + [x for x in coded[1:].split('.') if x]
        for name in names.split():
            yield '.'.join(before + [name]), value


def again(policy):
    """Entries and aliases that the analysis wrote into the policy.tsv that is there; what is reviewed by now wins."""
    with open(os.path.join(OUT, 'policy.tsv')) as f:
        rules, entries, alias = f.read().rstrip('\n').split('\n\n')
    rules = [tuple(line.split('\t')) for line in rules.split('\n')]
    for path, number in unfront(entries.split('\n')):
        rule = rules[int(number)]
        if rule[6] in ANALYSED or rule[6].startswith('by way of '):
            if rule[0] == 'known' and not rule[2]:
                rule = rule[:2] + (judge_of(path),) + rule[3:]
            policy.put(path, rule, over=False)
    return {path: target + '.' + path.rsplit('.', 1)[1] for path, target in unfront(alias.split('\n')) if path not in policy.entries}


def front(paths_in_order):
    before = []
    for path in paths_in_order:
        parts = path.split('.')
        same = 0
        while same < min(len(parts), len(before), 9) and parts[same] == before[same]:
            same += 1
        before = parts
        yield '%d%s' % (same, '.'.join(parts[same:]))


def write(policy, alias):
    counts = collections.Counter(policy.entries.values())
    rules = [r for r, _ in sorted(counts.items(), key=lambda x: (-x[1], x[0]))]
    number = {r: i for i, r in enumerate(rules)}
    groups = collections.defaultdict(list)
    for path, rule in policy.entries.items():
        parent, _, name = path.rpartition('.')
        groups[parent, number[rule]].append(name)
    lines = ['\t'.join(r) for r in rules] + ['']
    keys = sorted(groups)
    for key, coded in zip(keys, front(k[0] for k in keys)):
        lines.append('%s\t%d\t%s' % (coded, key[1], ' '.join(sorted(groups[key]))))
    lines.append('')
    groups = collections.defaultdict(list)
    for path, target in alias.items():
        parent, _, name = path.rpartition('.')
        to, _, same = target.rpartition('.')
        if name == same:
            groups[parent, to].append(name)
    keys = sorted(groups)
    for key, coded in zip(keys, front(k[0] for k in keys)):
        lines.append('%s\t%s\t%s' % (coded, key[1], ' '.join(sorted(groups[key]))))
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, 'policy.tsv'), 'w') as f:
        f.write('\n'.join(lines) + '\n')
    return len(rules), len('\n'.join(lines))


def roots(caches):
    names = set(PYTHON2_ROOTS + PYTHON314_ROOTS)
    with open(os.path.join(HERE, 'reviewed', 'stdlib-builtin-roots.txt')) as f:
        names.update(f.read().split())
    for facts in caches:
        if facts['label'].startswith('stdlib'):
            names.update(m.split('.')[0] for m in facts['modules'])
    names -= {'__main__', 'six'}
    with open(os.path.join(OUT, 'stdlib.tsv'), 'w') as f:
        f.write('\n'.join(sorted(names)) + '\n')
    return names


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--cache')
    parser.add_argument('--native')
    parser.add_argument('--again', action='store_true')
    options = parser.parse_args()
    if not options.again and not (options.cache and options.native):
        parser.error('--cache and --native, or --again')
    caches = []
    for path in sorted(glob.glob(os.path.join(options.cache, '*.json'))) if options.cache else ():
        if not path.endswith('.exports.json'):
            with open(path) as f:
                caches.append(json.load(f))
    natives = set()
    for path in sorted(glob.glob(os.path.join(options.native, '*.tsv'))) if options.native else ():
        with open(path) as f:
            natives.update(tuple(line.rstrip('\n').split('\t')) for line in f if line.count('\t') == 2)
    policy = Policy()
    reviewed(policy)
    alias = again(policy) if options.again else {}
    automatic(policy, caches, natives)
    by_analysis = derived(policy, caches)
    alias.update(aliases(policy, caches))
    os.makedirs(OUT, exist_ok=True)
    names = [] if options.again else roots(caches)
    rules, size = write(policy, alias)
    classes = collections.Counter(r[0] for r in policy.entries.values())
    print('%d entries %s, %d rules, %d derived, %d aliases, %d stdlib roots, %d bytes' % (
        len(policy.entries), dict(classes), rules, len(by_analysis), len(alias), len(names), size))


main()
