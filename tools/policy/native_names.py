"""List the classes and functions of compiled modules, which have no source to read: package by package, `kind module name` lines.

usage: <an environment's python> native_names.py PACKAGE…       (imports those packages: run it only where they are trusted)

kind: class, function, ufunc, scalar (a numpy scalar type).  Names are as a pickle would write them (__module__, __qualname__).
Runs on Python 3.6 and later.
"""

import importlib
import os
import sys
import types


def extension_modules(package):
    root = importlib.import_module(package)
    for base in getattr(root, '__path__', []):
        for folder, folders, files in os.walk(base):
            folders[:] = [f for f in folders if f not in ('tests', 'test', 'testing', '__pycache__')]
            for f in sorted(files):
                if f.endswith('.so') or f.endswith('.pyd'):
                    rel = os.path.relpath(os.path.join(folder, f.split('.')[0]), base)
                    yield package + '.' + rel.replace(os.sep, '.')


def main():
    found = set()
    for package in sys.argv[1:]:
        for name in extension_modules(package):
            if '_test' in name or 'test_' in name:
                continue
            try:
                module = importlib.import_module(name)
            except Exception as error:  # an optional dependency is absent
                sys.stderr.write('%s: %s\n' % (name, error))
                continue
            for key, value in vars(module).items():
                owner = getattr(value, '__module__', None) or name
                qualified = getattr(value, '__qualname__', key)
                if not isinstance(owner, str) or not isinstance(qualified, str):
                    continue
                if isinstance(value, type):
                    if owner == 'builtins' or (owner.split('.')[0] != package and '.' in owner):
                        continue
                    found.add(('class', owner, qualified))
                elif type(value).__name__ == 'ufunc':
                    found.add(('ufunc', name, key))
                elif isinstance(value, types.BuiltinFunctionType) or 'function' in type(value).__name__:
                    if owner.split('.')[0] == package or '.' not in owner:
                        found.add(('function', name, key))
        if package == 'numpy':
            import numpy
            for key in dir(numpy):
                value = getattr(numpy, key, None)
                if isinstance(value, type) and issubclass(value, numpy.generic):
                    found.add(('scalar', 'numpy', key))
                elif type(value).__name__ == 'ufunc':
                    found.add(('ufunc', 'numpy', key))
    for row in sorted(found):
        print('\t'.join(row))


main()
