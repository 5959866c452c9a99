#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Make a linker version script from the export macros of C sources.

A symbol is exported by a macro that stands at column 0 of a source file:

    RTE_EXPORT_SYMBOL(rte_thing_open)
    RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_thing_peek, 25.11)
    RTE_EXPORT_INTERNAL_SYMBOL(rte_thing_poke)

usage: gen-version-map.py NODE OUTPUT SOURCE...
"""

import re
import sys

USE = re.compile(r"^\s*RTE_EXPORT_\w*SYMBOL\b")
EXPORT = re.compile(
    r"^RTE_EXPORT_((?:EXPERIMENTAL_|INTERNAL_)?)SYMBOL\((\w+)(?:, *(\d\d\.\d\d))?\)$")


class BadExport(Exception):
    """An export macro that is used wrongly; says where and why."""


def parse(line):
    """Return (kind, symbol, since) for a line that exports a symbol, else None."""
    if not USE.match(line):
        return None
    if line[0].isspace():
        raise BadExport("an export macro stands at column 0")
    match = EXPORT.match(line.rstrip())
    if not match:
        raise BadExport(f"not understood: {line.rstrip()}")
    kind, symbol, since = match.groups()
    if (kind == "EXPERIMENTAL_") != (since is not None):
        raise BadExport("a release goes with experimental symbols, and only those")
    return kind, symbol, since


def collect(sources):
    """Return {kind: {symbol: since}} with kind one of "", "EXPERIMENTAL_", "INTERNAL_"."""
    found = {"": {}, "EXPERIMENTAL_": {}, "INTERNAL_": {}}
    seen = {}
    for path in sources:
        with open(path, encoding="utf-8") as source:
            for number, line in enumerate(source, 1):
                where = f"{path}:{number}"
                try:
                    export = parse(line)
                except BadExport as error:
                    raise BadExport(f"{where}: {error}") from None
                if not export:
                    continue
                kind, symbol, since = export
                if symbol in seen:
                    raise BadExport(f"{where}: {symbol} is exported already at {seen[symbol]}")
                seen[symbol] = where
                found[kind][symbol] = since
    return found


def node(name, symbols, tail=()):
    """Return the text of one version node."""
    lines = [f"{name} {{"]
    if symbols:
        lines.append("\tglobal:")
    group = ""
    for since, symbol in sorted((since or "", symbol) for symbol, since in symbols.items()):
        if since != group:
            lines.append(f"\t# added in {since}")
            group = since
        lines.append(f"\t{symbol};")
    lines += tail
    lines.append("};\n")
    return "\n".join(lines)


def version_map(stable_node, found):
    """Return the text of the version script."""
    nodes = [node(stable_node, found[""], ["\tlocal: *;"])]
    nodes += [node(kind.rstrip("_"), found[kind])
              for kind in ("EXPERIMENTAL_", "INTERNAL_") if found[kind]]
    return "\n".join(nodes)


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    stable_node, output, sources = sys.argv[1], sys.argv[2], sys.argv[3:]
    try:
        text = version_map(stable_node, collect(sources))
    except BadExport as error:
        sys.exit(str(error))
    with open(output, "w", encoding="utf-8") as script:
        script.write(text)


if __name__ == "__main__":
    main()
