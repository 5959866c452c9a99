/* SPDX-License-Identifier: BSD-3-Clause */

#include <rte_interrupts.h>

#include "eal_intr.h"

/* UIO counts in 32 bits, eventfd and timerfd in 64. */
const struct eal_intr_type eal_intr_types[RTE_INTR_HANDLE_MAX] = {
	[RTE_INTR_HANDLE_UNKNOWN] = {
		.name = "unknown",
		.counter_size = 1,
	},
	[RTE_INTR_HANDLE_UIO] = {
		.name = "UIO",
		.enable = eal_intr_uio_enable,
		.disable = eal_intr_uio_disable,
		.ack = eal_intr_uio_enable,
		.counter_size = sizeof(uint32_t),
	},
	[RTE_INTR_HANDLE_UIO_INTX] = {
		.name = "UIO INTx",
		.enable = eal_intr_uio_intx_enable,
		.disable = eal_intr_uio_intx_disable,
		.ack = eal_intr_uio_intx_enable,
		.counter_size = sizeof(uint32_t),
	},
	[RTE_INTR_HANDLE_VFIO_LEGACY] = {
		.name = "VFIO INTx",
		.enable = eal_intr_vfio_intx_enable,
		.disable = eal_intr_vfio_intx_disable,
		.ack = eal_intr_vfio_intx_ack,
		.counter_size = sizeof(uint64_t),
	},
	[RTE_INTR_HANDLE_VFIO_MSI] = {
		.name = "VFIO MSI",
		.enable = eal_intr_vfio_msi_enable,
		.disable = eal_intr_vfio_msi_disable,
		.ack = eal_intr_nothing,
		.counter_size = sizeof(uint64_t),
	},
	[RTE_INTR_HANDLE_VFIO_MSIX] = {
		.name = "VFIO MSI-X",
		.enable = eal_intr_vfio_msix_enable,
		.disable = eal_intr_vfio_msix_disable,
		.ack = eal_intr_nothing,
		.counter_size = sizeof(uint64_t),
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
		.enable = eal_intr_vfio_req_enable,
		.disable = eal_intr_vfio_req_disable,
		.counter_size = sizeof(uint64_t),
	},
};
