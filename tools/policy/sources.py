"""Write the list of folders that analyse.py reads.

usage: python3 sources.py --pythons DIR --environments DIR --wheels DIR > sources.tsv

--pythons       one installation of CPython a folder, named by its version (3.6.15 …), as pyenv keeps them
--environments  the fixture environments (tools/fixtures/environments.tsv)
--wheels        the wheels of wheels.txt, each unpacked into a folder <name>-<version>
Earlier lines hold base classes of later ones, so the order is: Python, scikit-learn and its friends, torch, the rest.
"""

import argparse
import glob
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
IMPORT_NAMES = {'scikit_image': 'skimage', 'python_dotenv': 'dotenv', 'umap_learn': 'umap', 'pyyaml': 'yaml', 'interpret_core': 'interpret'}


def lines(name):
    with open(os.path.join(HERE, name)) as f:
        return [x.rstrip('\n') for x in f if x.strip() and not x.startswith('#')]


def main():
    parser = argparse.ArgumentParser()
    for option in ('pythons', 'environments', 'wheels'):
        parser.add_argument('--' + option, required=True)
    options = parser.parse_args()
    out = sys.stdout
    for version in sorted(os.listdir(options.pythons), key=lambda v: [int(x) for x in v.split('.') if x.isdigit()]):
        short = '.'.join(version.split('.')[:2])
        if short.startswith('3.'):
            out.write('stdlib-%s\t%s\t\n' % (short, os.path.join(options.pythons, version, 'lib', 'python' + short)))
    for line in lines('environments.tsv'):
        environment, packages = line.split('\t')
        site = glob.glob(os.path.join(options.environments, environment, 'lib', 'python3*', 'site-packages'))
        for package in packages.split():
            for path in (os.path.join(site[0], package), os.path.join(site[0], package + '.py')) if site else ():
                if os.path.exists(path):
                    out.write('%s@%s\t%s\t%s\n' % (package, environment, path, package))
                    break
    for requirement in lines('wheels.txt'):
        name, version = requirement.replace('-', '_').split('==')
        folder = os.path.join(options.wheels, name + '-' + version)
        module = IMPORT_NAMES.get(name, name)
        out.write('%s-%s\t%s\t%s\n' % (name, version, os.path.join(folder, module), module))
        if name == 'pytorch_lightning':
            out.write('lightning_fabric\t%s\tlightning_fabric\n' % os.path.join(folder, 'lightning_fabric'))


main()
