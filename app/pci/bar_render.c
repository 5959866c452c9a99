/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_common.h>

#include "bar_render.h"

const struct bar_style bar_style_ascii = {
	.mapped = "#",
	.read_only = "r",
	.write_only = "w",
	.trapped = ".",
	.mixed = "+",
};

const struct bar_style bar_style_utf8 = {
	.mapped = "\u2588",
	.read_only = "r",
	.write_only = "w",
	.trapped = "\u2591",
	.mixed = "\u2593",
};

/* The longest character of a style, in bytes. */
#define CHAR_LEN_MAX 4

bool
bar_next_part(const struct bar_view *bar, uint64_t *at, struct bar_part *part)
{
	const struct bar_window *window = bar->windows;
	const struct bar_window *end = window + bar->nb_windows;

	if (*at >= bar->size)
		return false;
	while (window != end && window->offset + window->len <= *at)
		window++;
	part->offset = *at;
	if (window == end) {
		part->len = bar->size - *at;
		part->prot = PROT_NONE;
	} else if (window->offset > *at) {
		part->len = window->offset - *at;
		part->prot = PROT_NONE;
	} else {
		part->len = window->offset + window->len - *at;
		part->prot = window->prot;
	}
	*at += part->len;
	return true;
}

static const char *
style_char(const struct bar_style *style, int prot)
{
	const struct { int prot; const char *text; } chars[] = {
		{ PROT_READ | PROT_WRITE, style->mapped },
		{ PROT_READ, style->read_only },
		{ PROT_WRITE, style->write_only },
	};
	size_t i;

	for (i = 0; i < RTE_DIM(chars); i++)
		if (chars[i].prot == prot)
			return chars[i].text;
	return style->trapped;
}

/* Where cell i starts: i * size / cells, in an order of operations that cannot overflow. */
static uint64_t
cell_start(uint64_t size, size_t cells, size_t i)
{
	return size / cells * i + size % cells * i / cells;
}

/* The character of the part that holds [start, end), or that of mixed if no single one does. */
static const char *
cell_char(const struct bar_view *bar, const struct bar_style *style, uint64_t start, uint64_t end)
{
	struct bar_part part;
	uint64_t at = start;

	if (!bar_next_part(bar, &at, &part) || at < end)
		return style->mixed;
	return style_char(style, part.prot);
}

char *
bar_render(const struct bar_view *bar, const struct bar_style *style, size_t cells)
{
	char *text, *at;
	size_t i;

	cells = RTE_MIN(cells, (size_t)RTE_MIN(bar->size, (uint64_t)SIZE_MAX));
	text = malloc(cells * CHAR_LEN_MAX + 1);
	if (text == NULL)
		return NULL;
	at = text;
	*at = '\0';
	for (i = 0; i < cells; i++)
		at = stpcpy(at, cell_char(bar, style, cell_start(bar->size, cells, i),
				cell_start(bar->size, cells, i + 1)));
	return text;
}

void
bar_size_text(uint64_t size, char *text, size_t len)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	size_t unit = 0;

	while (size != 0 && size % 1024 == 0 && unit + 1 < RTE_DIM(units)) {
		size /= 1024;
		unit++;
	}
	snprintf(text, len, "%" PRIu64 " %s", size, size == 1 && unit == 0 ? "byte" : units[unit]);
}
