/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_UEVENT_H
#define EAL_UEVENT_H

/**
 * @file
 * The kernel's device events: their text, and what follows from them.
 */

#include <stddef.h>

#include <rte_compat.h>
#include <rte_dev.h>

/** A PCI device came or went. */
struct eal_uevent {
	enum rte_dev_event_type type;
	char name[RTE_DEV_NAME_MAX_LEN];	/**< its address, as the kernel writes it */
};

/**
 * Parses a message of the kernel, without a system call: strings that each end with a zero byte,
 * first action@path, then KEY=value (lib/kobject_uevent.c of Linux).
 *
 * @param msg the message
 * @param len its length in bytes
 * @param[out] event filled in on success
 * @return 0, or
 *   - -ENOENT: it does not tell that a PCI device was added or removed
 *   - -EINVAL: it is no message of the kernel
 */
__rte_internal
int eal_uevent_parse(const char *msg, size_t len, struct eal_uevent *event);

/**
 * Does what a message asks for: tells the PCI bus of a device that is gone, if that is enabled by
 * rte_dev_hotplug_handle_enable(), then those who registered for the event.
 *
 * @param msg the message
 * @param len its length in bytes
 */
__rte_internal
void eal_uevent_deliver(const char *msg, size_t len);

#endif /* EAL_UEVENT_H */
