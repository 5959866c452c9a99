/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_CAPS_H
#define VU_CAPS_H

/**
 * @file
 * The capabilities of the VERSION message: JSON text to and from a structure. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a side says about itself; what it leaves out has the specification's default. */
struct vu_caps {
	uint32_t max_msg_fds;	/**< most descriptors it takes in one message */
	uint32_t max_data_xfer_size;	/**< largest transfer it takes, in bytes */
	uint32_t max_dma_maps;	/**< most DMA regions at a time */
	uint64_t pgsizes;	/**< bit mask of page sizes for DMA */
	bool says_dma_maps;	/**< read: the member was there; libvfio-user leaves it out */
	bool write_multiple;	/**< understands REGION_WRITE_MULTI */
	bool map_multiple;	/**< understands DMA_MAP_MULTI */
	bool twin_socket;	/**< has, or wants, a socket for commands of the server */
	int twin_fd_index;	/**< in the reply: which descriptor it is; -1: not said */
	bool migration;	/**< the member is there */
	uint64_t mig_pgsize;	/**< bytes a bit of a dirty bitmap stands for */
	uint64_t mig_max_bitmap_size;	/**< bytes */
};

/** Longest JSON text that is read, in bytes without the NUL. */
#define VU_CAPS_TEXT_MAX 4096u

/** Longest JSON text that may be sent to a client: QEMU takes no more. */
#define VU_CAPS_REPLY_MAX 193u

/** All that the specification gives to a side that says nothing. */
void vu_caps_default(struct vu_caps *caps);

/**
 * Read capabilities.
 *
 * @param text
 *   What follows the version numbers; need not end in a NUL, which is checked here.
 * @param len
 *   Its bytes, the NUL included; 0: no text, all is default.
 * @param why
 *   Set to what is wrong with it, for the log; a constant string.
 * @return
 *   0; -EINVAL: no valid text, or a member of the wrong type or out of range. Unknown members
 *   are no error. -ENOMEM
 */
int vu_caps_parse(const char *text, size_t len, struct vu_caps *caps, const char **why);

/**
 * Write capabilities; what has its default may be left out.
 *
 * @param cap
 *   Bytes at @p text.
 *
 * @return bytes of text, the NUL included; -ENOSPC; -ENOMEM
 */
int vu_caps_print(const struct vu_caps *caps, char *text, size_t cap);

#endif /* VU_CAPS_H */
