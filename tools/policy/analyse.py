"""Analyse package sources for the policy data: one JSON file of facts for each package version into a cache folder.

usage: python3.12 analyse.py --cache DIR [--only LABEL] sources.tsv

sources.tsv: label <tab> folder <tab> import name; `~` in a folder is expanded. Earlier lines may be bases of later ones
(torch before torchvision), so order matters. Nothing that is analysed is imported.
"""

import argparse
import json
import os
import time

from call_graph import STRONG, Universe, load_sinks

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = ('test', 'tests', 'testing', '_testing', 'conftest', 'benchmarks', 'examples')
HARMLESS_BASES = set((
    'object dict list set frozenset tuple str int float complex bytes bytearray bool type property Exception BaseException ValueError TypeError '
    'KeyError IndexError RuntimeError AttributeError NotImplementedError Warning UserWarning DeprecationWarning FutureWarning RuntimeWarning '
    'MemoryError SyntaxError ABC node PearsonRResultBase TtestResultBase ImportError OSError ArithmeticError LookupError PendingDeprecationWarning SyntaxWarning StopIteration AssertionError'
).split())
HARMLESS_OUTSIDE = ('abc.', 'typing.', 'typing_extensions.', 'enum.', 'collections.', 'numbers.', 'dataclasses.', 'six.', 'types.SimpleNamespace',
                    'argparse.Namespace', 'contextlib.', 'json.', 'string.', 'datetime.', 'decimal.', 'fractions.', 'random.Random', 'warnings.',
                    'threading.local', 'ast.', 'logging.Filter', 'logging.Formatter', 'logging.LoggerAdapter', 'html.parser.', 'html.HTMLParser', 'argparse.',
                    'optparse.', 'itertools.', 'functools.', 'queue.', 'uuid.', 'inspect.', 'weakref.', 'array.', 'operator.', 'pprint.', 'copy.',
                    'numpy.ndarray', 'numpy.generic', 'numpy.void', 'numpy._core.numeric.', 'numpy.core.numeric.', 'numpy.core.numerictypes.', 'numpy._core.numerictypes.',
                    'numpy.ma.', 'numpy.matrix', 'numpy.float', 'numpy.int', 'pandas._libs.', 'scipy.spatial._ckdtree.', 'scipy.spatial.ckdtree.',
                    'scipy.interpolate._interpnd.', 'scipy.interpolate.interpnd.', 'torch._C.', 'sklearn_compat.', 'lightgbm.compat.', 'xgboost.compat.', 'catboost._catboost.', '_catboost.',
                    'keyword.', 'importlib.metadata.', 'traits.', 'skbase.', 'zope.interface.', 'pydantic.')


def outside_for(exports):
    def outside(base):
        if base.startswith('*'):
            base = base.split('*')[-1]
        if base.startswith('builtins.'):
            return base[9:] in HARMLESS_BASES
        if base.startswith(HARMLESS_OUTSIDE):
            return True
        return exports.get(base, False)
    return outside


def analyse(label, folder, name, sinks, exports):
    skip = TESTS if name else TESTS + ('site-packages', 'dist-packages', 'idle_test', 'lib2to3_tests', 'config')
    universe = Universe(sinks, outside_for(exports))
    if os.path.isdir(folder):
        universe.add_tree(folder, name, skip)
    else:
        universe.add_file(folder, name, False)
    state = universe.reach()
    memo, modules, mine = {}, {}, {}
    for module in universe.modules.values():
        classes, functions, aliases = {}, {}, {}
        for tail in module.classes:
            instantiate, call, why = universe.class_verdict(module.name, tail, state, memo)
            classes[tail] = [int(instantiate), int(call), why]
            mine[module.name + '.' + tail] = instantiate
        for tail, _ in module.functions.items():
            found = state.get((module.name, tail), {})
            functions[tail] = {c: [d, s] for c, (d, s) in sorted(found.items())}
        for alias, goal in module.names.items():
            found = universe.canonical(goal)
            if found and found != (module.name, alias):
                aliases[alias] = list(found)
                if found[1] in universe.modules[found[0]].classes:
                    exports_key = module.name + '.' + alias
                    mine.setdefault(exports_key, None)
            elif not found and goal != module.name + '.' + alias:
                aliases[alias] = [goal]
        for star in module.stars:
            source = universe.modules.get(star)
            if source:
                for alias in source.names:
                    if not alias.startswith('_') and alias not in module.names:
                        found = universe.canonical(star + '.' + alias)
                        if found:
                            aliases.setdefault(alias, list(found))
            aliases.setdefault('*', []).append(star)
        modules[module.name] = {'classes': classes, 'functions': functions, 'aliases': aliases, 'package': module.is_package}
    for module in modules:
        for alias, goal in modules[module]['aliases'].items():
            if alias != '*' and len(goal) == 2 and goal[0] + '.' + goal[1] in mine:
                mine[module + '.' + alias] = mine[goal[0] + '.' + goal[1]]
    exports.update({k: bool(v) for k, v in mine.items() if v is not None})
    return {'label': label, 'name': name, 'failed': universe.failed, 'modules': modules, 'strong': sorted(STRONG)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('sources')
    parser.add_argument('--cache', required=True)
    parser.add_argument('--only')
    options = parser.parse_args()
    sinks = load_sinks(os.path.join(HERE, 'sinks.tsv'))
    os.makedirs(options.cache, exist_ok=True)
    exports = {}
    with open(options.sources) as lines:
        for line in lines:
            if line.startswith('#') or not line.strip():
                continue
            label, folder, name = line.rstrip('\n').split('\t')
            folder = os.path.expanduser(folder)
            goal = os.path.join(options.cache, label + '.json')
            side = os.path.join(options.cache, label + '.exports.json')
            if os.path.exists(goal) and options.only != label:
                with open(side) as f:
                    exports.update(json.load(f))
                continue
            if not os.path.exists(folder):
                print('missing', label, folder)
                continue
            start = time.time()
            before = dict(exports)
            facts = analyse(label, folder, name, sinks, exports)
            with open(goal, 'w') as f:
                json.dump(facts, f)
            with open(side, 'w') as f:
                json.dump({k: v for k, v in exports.items() if before.get(k) is not v}, f)
            print('%-24s %5d modules %6.1f s' % (label, len(facts['modules']), time.time() - start), 'failed', facts['failed'][:4], flush=True)


if __name__ == '__main__':
    main()
