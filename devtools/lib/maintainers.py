#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reads names of the tree's files from standard input. Prints those that MAINTAINERS, which is the
argument, has no entry for, and entries of which there is no file."""

import fnmatch
import sys


def patterns(path):
    """What follows "F:", "T:" and "D:"."""
    with open(path, encoding="utf-8") as lines:
        return [line[2:].strip() for line in lines if line[:2] in ("F:", "T:", "D:")]


def matches(pattern, name):
    """A pattern that ends in a slash means all below it; "*" stands for a part of one name."""
    wanted, given = pattern.rstrip("/").split("/"), name.split("/")
    if pattern.endswith("/") and len(given) > len(wanted):
        given = given[:len(wanted)]
    elif pattern.endswith("/") or len(given) != len(wanted):
        return False
    return all(fnmatch.fnmatchcase(*pair) for pair in zip(given, wanted))


def main():
    names = sys.stdin.read().split()
    wanted = patterns(sys.argv[1])
    for name in names:
        if not any(matches(pattern, name) for pattern in wanted):
            print(f"{name}: no entry in MAINTAINERS")
    for pattern in wanted:
        if not any(matches(pattern, name) for name in names):
            print(f"MAINTAINERS: {pattern}: no such file")


main()
