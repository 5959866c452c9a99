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

EXPORT = re.compile(r"^RTE_EXPORT_((?:EXPERIMENTAL_|INTERNAL_)?)SYMBOL\((\w+)(?:, *([\d.]+))?\)")


def collect(sources):
    """Return {kind: {symbol: since}} with kind one of "", "EXPERIMENTAL_", "INTERNAL_"."""
    found = {"": {}, "EXPERIMENTAL_": {}, "INTERNAL_": {}}
    seen = {}
    for path in sources:
        with open(path, encoding="utf-8") as source:
            for number, line in enumerate(source, 1):
                match = EXPORT.match(line)
                if not match:
                    continue
                kind, symbol, since = match.groups()
                where = f"{path}:{number}"
                if symbol in seen:
                    sys.exit(f"{where}: {symbol} is exported already at {seen[symbol]}")
                if (kind == "EXPERIMENTAL_") != (since is not None):
                    sys.exit(f"{where}: a release goes with experimental symbols, and only those")
                seen[symbol] = where
                found[kind][symbol] = since
    return found


def node(name, symbols, tail):
    """Return the text of one version node."""
    lines = [f"{name} {{"]
    if symbols:
        lines.append("\tglobal:")
        since_before = None
        for since, symbol in sorted((since or "", symbol) for symbol, since in symbols.items()):
            if since != (since_before or ""):
                lines.append(f"\t# added in {since}")
            since_before = since
            lines.append(f"\t{symbol};")
    lines += tail
    lines.append("};\n")
    return "\n".join(lines)


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    stable_node, output, sources = sys.argv[1], sys.argv[2], sys.argv[3:]
    found = collect(sources)
    text = node(stable_node, found[""], ["\tlocal: *;"])
    if found["EXPERIMENTAL_"]:
        text += "\n" + node("EXPERIMENTAL", found["EXPERIMENTAL_"], [])
    if found["INTERNAL_"]:
        text += "\n" + node("INTERNAL", found["INTERNAL_"], [])
    with open(output, "w", encoding="utf-8") as version_map:
        version_map.write(text)


if __name__ == "__main__":
    main()
