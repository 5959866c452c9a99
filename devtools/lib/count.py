#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause

"""Counts the single tests in logs: meson's testlog.json, or text with lines as cmocka prints them.

usage: count.py LOG... prints "PASSED FAILED SKIPPED".

A test that was started and neither passed nor was skipped has failed, whatever came of its
program. A program that names no tests counts as one.
"""

import json
import re
import sys


def count_cmocka(text):
    """Of each test that begins, what is told of it before the next one begins."""
    counts = {'OK': 0, 'FAILED': 0, 'SKIPPED': 0}
    running = None
    for mark, name in re.findall(r'^\[ +(RUN|OK|FAILED|ERROR|SKIPPED) +\] (\S.*)$', text,
                                 re.MULTILINE):
        if mark == 'RUN':
            counts['FAILED'] += running is not None
            running = name
        elif name == running:
            counts[mark if mark in counts else 'FAILED'] += 1
            running = None
    counts['FAILED'] += running is not None
    return counts['OK'], counts['FAILED'], counts['SKIPPED']


def count_unittest(text):
    passed = failed = skipped = 0
    for run in re.findall(r'^Ran (\d+) tests? in', text, re.MULTILINE):
        passed += int(run)
    for kind, number in re.findall(r'\b(failures|errors|skipped)=(\d+)', text):
        passed -= int(number)
        if kind == 'skipped':
            skipped += int(number)
        else:
            failed += int(number)
    return passed, failed, skipped


def count_entry(entry):
    """One program that meson ran."""
    if entry['result'] == 'SKIP':
        return 0, 0, 1
    out, err = entry.get('stdout', ''), entry.get('stderr', '')
    counts = count_cmocka(out)
    if sum(counts) == 0:
        counts = count_unittest(out + err)
    passed, failed, skipped = counts
    good = entry['result'] in ('OK', 'EXPECTEDFAIL')
    if good and sum(counts) == 0:
        passed = 1
    if not good and failed == 0:
        failed = 1
    return passed, failed, skipped


def count_file(path):
    with open(path, encoding='utf-8', errors='replace') as log:
        if not path.endswith('.json'):
            return count_cmocka(log.read())
        return tuple(map(sum, zip((0, 0, 0), *(count_entry(json.loads(line)) for line in log))))


def main():
    print(*map(sum, zip((0, 0, 0), *map(count_file, sys.argv[1:]))))


if __name__ == '__main__':
    main()
