#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause

"""Compares what our headers say about names that DPDK's headers have too.

usage: compare_headers.py DIR... where DIR are the folders of DPDK's headers.

Prints a line for each function of another type, enumerator of another value and structure of
another layout; status 0 if there is none. Needs clang, and a tree that was built once.
"""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile

FOLDERS = ['lib/eal/include', 'lib/eal/linux/include', 'lib/log', 'lib/kvargs', 'lib/pci',
           'drivers/bus/pci']

# What is ours by design: the end of this structure is private, and not DPDK's.
OTHER_LAYOUT = {'struct rte_memseg_list'}

CLANG = ['clang', '-std=gnu11', '-D_GNU_SOURCE', '-include', 'rte_config.h', '-march=corei7',
         '-mrtm', '-DALLOW_EXPERIMENTAL_API', '-DALLOW_INTERNAL_API', '-fsyntax-only']


def find(name, folders):
    return any(os.path.exists(os.path.join(folder, name)) for folder in folders)


def clang(source, folders, *args):
    command = CLANG + ['-I' + folder for folder in folders] + list(args) + [source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout


def constant(node):
    """The value of an enumerator that has an initializer."""
    for inner in node.get('inner', []):
        value = inner.get('value') or constant(inner)
        if value is not None:
            return value
    return None


def enumerators(node):
    value = -1
    for inner in node.get('inner', []):
        if inner['kind'] == 'EnumConstantDecl':
            given = constant(inner)
            value = value + 1 if given is None else int(given)
            yield inner['name'], str(value)


def plain_type(text):
    """Qualifiers of a parameter itself are no part of a function's type."""
    text = re.sub(r'\*\s*(const|restrict|const restrict)(?=[,)])', '*', text)
    text = re.sub(r'\bconst (unsigned int|int)(?=[,)])', r'\1', text)
    return re.sub(r'\s+', ' ', text)


def declarations(tree):
    facts = {}
    for node in tree['inner']:
        name = node.get('name', '')
        if node['kind'] == 'FunctionDecl' and re.match('(__)?rte_|eal_', name):
            facts[name] = plain_type(node['type']['qualType'])
        elif node['kind'] == 'EnumDecl':
            facts.update(enumerators(node))
    return facts


def layout(block):
    """Name, and lines "OFFSET type" down to the size; names of fields do not matter to binaries."""
    lines = [line for line in block.splitlines() if '|' in line]
    lines = [re.sub(r'\((unnamed|anonymous)[^)]*\)', '', line) for line in lines]
    name = lines[0].split('|')[1].strip()
    return name, [re.sub(r'\s+', ' ', line).strip() for line in lines]


def layouts(text):
    blocks = text.split('*** Dumping AST Record Layout')[1:]
    facts = dict(layout(block) for block in blocks)
    return {name: lines for name, lines in facts.items() if re.match(r'(struct|union) rte_', name)}


def facts_of(source, folders):
    facts = declarations(json.loads(clang(source, folders, '-Xclang', '-ast-dump=json')))
    facts.update(layouts(clang(source, folders, '-Xclang', '-fdump-record-layouts-complete')))
    return facts


def main():
    theirs = sys.argv[1:]
    ours = FOLDERS + ['config'] + sorted(glob.glob('build*/config'))[:1]
    names = sorted({os.path.basename(path) for folder in FOLDERS
                    for path in glob.glob(folder + '/rte_*.h')})
    names = [name for name in names if find(name, theirs) and name != 'rte_os.h']
    with tempfile.NamedTemporaryFile('w', suffix='.c') as source:
        source.writelines(f'#include <{name}>\n' for name in names)
        source.flush()
        mine, other = facts_of(source.name, ours), facts_of(source.name, theirs)
    common = sorted(set(mine) & set(other) - OTHER_LAYOUT)
    different = [name for name in common if mine[name] != other[name]]
    for name in different:
        print(f'{name}\n  ours:   {mine[name]}\n  DPDK\'s: {other[name]}')
    print(f'{len(names)} headers, {len(common)} names compared')
    return 1 if different or not common else 0


if __name__ == '__main__':
    sys.exit(main())
