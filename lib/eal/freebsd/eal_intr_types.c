/* SPDX-License-Identifier: BSD-3-Clause */

#include <rte_interrupts.h>

#include "eal_intr.h"

/*
 * There is no VFIO, and nic_uio has no interrupts. Those of these types are named in messages,
 * and refused.
 */
const struct eal_intr_type eal_intr_types[RTE_INTR_HANDLE_MAX] = {
	[RTE_INTR_HANDLE_UNKNOWN] = {
		.name = "unknown",
		.counter_size = 1,
	},
	[RTE_INTR_HANDLE_UIO] = {
		.name = "UIO",
	},
	[RTE_INTR_HANDLE_UIO_INTX] = {
		.name = "UIO INTx",
	},
	[RTE_INTR_HANDLE_VFIO_LEGACY] = {
		.name = "VFIO INTx",
	},
	[RTE_INTR_HANDLE_VFIO_MSI] = {
		.name = "VFIO MSI",
	},
	[RTE_INTR_HANDLE_VFIO_MSIX] = {
		.name = "VFIO MSI-X",
	},
	[RTE_INTR_HANDLE_ALARM] = {
		.name = "alarm",
		.counter_size = sizeof(uint64_t),
	},
	[RTE_INTR_HANDLE_EXT] = {
		.name = "external",
	},
	[RTE_INTR_HANDLE_VDEV] = {
		.name = "virtual device",
		.enable = eal_intr_nothing,
		.disable = eal_intr_nothing,
		.ack = eal_intr_nothing,
	},
	[RTE_INTR_HANDLE_DEV_EVENT] = {
		.name = "device event",
	},
	[RTE_INTR_HANDLE_VFIO_REQ] = {
		.name = "VFIO request",
	},
};
