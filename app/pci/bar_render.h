/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef BAR_RENDER_H
#define BAR_RENDER_H

/**
 * @file
 * A BAR as a picture: which parts are mapped and which are trapped. No device is touched here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A run of a BAR that is mapped. */
struct bar_window {
	uint64_t offset;	/**< bytes from the start of the BAR */
	uint64_t len;	/**< bytes, at least 1 */
	int prot;	/**< PROT_READ, PROT_WRITE */
};

/** A BAR; what is in no window is trapped. */
struct bar_view {
	uint64_t size;	/**< bytes */
	const struct bar_window *windows;	/**< sorted, disjoint, inside the BAR */
	size_t nb_windows;
};

/** The characters of a picture. */
struct bar_style {
	const char *mapped;	/**< load and store */
	const char *read_only;	/**< load, but stores are calls */
	const char *write_only;	/**< store, but loads are calls */
	const char *trapped;	/**< calls */
	const char *mixed;	/**< the cell holds some of this and some of that */
};

extern const struct bar_style bar_style_ascii;
extern const struct bar_style bar_style_utf8;

/**
 * Draw a BAR as one line of cells that stand for equal parts of it. A BAR of fewer bytes than
 * @p cells has a cell for each byte.
 *
 * @param cells
 *   How many, at least 1.
 * @return
 *   A string for free(), or NULL when memory ran out.
 */
char *bar_render(const struct bar_view *bar, const struct bar_style *style, size_t cells);

/** A part of a BAR, a window or what is between windows. */
struct bar_part {
	uint64_t offset;
	uint64_t len;
	int prot;	/**< PROT_NONE: trapped */
};

/**
 * Walk the parts of a BAR from its start to its end, windows and gaps in turn.
 *
 * @param at
 *   Where the walk is; 0 at first. Moved on.
 * @return
 *   false when the end has been reached.
 */
bool bar_next_part(const struct bar_view *bar, uint64_t *at, struct bar_part *part);

/** Write a number of bytes the way people say it: "4 KiB", "1 MiB", "96 bytes". */
void bar_size_text(uint64_t size, char *text, size_t len);

#endif /* BAR_RENDER_H */
