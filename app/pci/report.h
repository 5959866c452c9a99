/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef REPORT_H
#define REPORT_H

/**
 * @file
 * What is known of a device, gathered once and then written as text or as JSON.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_pci.h>

#include "bar_render.h"
#include "caps.h"

struct rte_pci_device;

struct report_bar {
	uint64_t size;	/**< bytes; 0: there is no such BAR */
	uint64_t address;	/**< in the machine; 0: not known */
	bool ioport;	/**< of I/O space */
	struct bar_window *windows;
	size_t nb_windows;
};

struct report {
	char address[PCI_PRI_STR_SIZE + 1];
	const char *name;	/**< by which users know it, the device's; NULL: its address */
	struct rte_pci_id id;
	char kernel_driver[64];	/**< empty: none */
	const char *backend;	/**< NULL: the bus cannot reach it */
	long iommu_group;	/**< -1: none */
	int numa_node;	/**< -1: none */

	bool opened;	/**< the rest is known */
	struct report_bar bars[PCI_MAX_RESOURCE];
	struct cap *caps;
	size_t nb_caps;
	struct cap_interrupts interrupts;
	bool err_interrupt;	/**< the kernel reports errors of the link */
	bool req_interrupt;	/**< the kernel asks for the device back */
};

/** Learn what can be known without opening the device. Undone by report_free(). */
void report_identify(struct report *report, const struct rte_pci_device *dev);

/**
 * Learn about BARs, capabilities and interrupts.
 *
 * @param dev
 *   A device; where it is not mapped, BARs and capabilities are those that the system shows.
 * @return
 *   0, -ENOMEM
 */
int report_inspect(struct report *report, const struct rte_pci_device *dev, bool opened);

void report_free(struct report *report);

/** The head of a list, and a line of it. */
void report_print_list_head(void);
void report_print_list_line(const struct report *report);

/** All that is known, for people. */
int report_print_text(const struct report *report, const struct bar_style *style);

struct json_t;

/** The same for programs: an object, the caller's; NULL when memory ran out. */
struct json_t *report_to_json(const struct report *report, bool all);

#endif /* REPORT_H */
