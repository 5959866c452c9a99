/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_EXPORT_H
#define EAL_EXPORT_H

/**
 * @file
 * Marks of exported symbols. They expand to nothing: buildtools/gen-version-map.py finds
 * them at column 0 of the sources and makes the linker version script from them.
 */

#define RTE_EXPORT_SYMBOL(symbol)
#define RTE_EXPORT_EXPERIMENTAL_SYMBOL(symbol, since)
#define RTE_EXPORT_INTERNAL_SYMBOL(symbol)

#endif /* EAL_EXPORT_H */
