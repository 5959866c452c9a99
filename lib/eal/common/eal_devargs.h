/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_DEVARGS_H
#define EAL_DEVARGS_H

/**
 * @file
 * Texts about devices, of the layered form, taken apart: bytes in, places out.
 */

#include <stdbool.h>
#include <stddef.h>

enum eal_layer_kind {
	EAL_LAYER_BUS,
	EAL_LAYER_CLASS,
	EAL_LAYER_DRIVER,
	EAL_LAYER_NB,
};

/** A layer's place in its text; str NULL: the text does not have it. */
struct eal_layer {
	const char *str;	/**< where it starts, at its key; it is not ended by NUL */
	size_t len;	/**< bytes */
};

/** Does the text start as the layered form does? */
bool eal_layers_start(const char *text);

/**
 * Find the layers of a text. A layer ends where "/" and the key of another one follow, so values
 * may contain "/".
 *
 * @return 0; -EINVAL when a layer comes twice or the text does not start with one.
 */
int eal_layers_split(const char *text, struct eal_layer layers[EAL_LAYER_NB]);

/** What the layer is of, e.g. "pci" of "bus=pci,addr=...": a new string; NULL: no memory. */
char *eal_layer_name(const struct eal_layer *layer);

/** What follows in the layer, e.g. "addr=...", may be "": a new string; NULL: no memory. */
char *eal_layer_args(const struct eal_layer *layer);

/** Free the list. */
void eal_devargs_cleanup(void);

#endif /* EAL_DEVARGS_H */
