/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_interrupts.h>

#include "eal_intr.h"
#include "eal_log.h"

/* What need not be done. */
static int
nothing(const struct rte_intr_handle *handle)
{
	(void)handle;
	return 0;
}

/* UIO counts in 32 bits, eventfd and timerfd in 64. */
static const struct eal_intr_type types[RTE_INTR_HANDLE_MAX] = {
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
		.ack = nothing,
		.counter_size = sizeof(uint64_t),
	},
	[RTE_INTR_HANDLE_VFIO_MSIX] = {
		.name = "VFIO MSI-X",
		.enable = eal_intr_vfio_msix_enable,
		.disable = eal_intr_vfio_msix_disable,
		.ack = nothing,
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
		.enable = nothing,
		.disable = nothing,
		.ack = nothing,
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

const struct eal_intr_type *
eal_intr_type(enum rte_intr_handle_type type)
{
	return &types[(unsigned int)type < RTE_DIM(types) ? type : RTE_INTR_HANDLE_UNKNOWN];
}

typedef int (*intr_op_t)(const struct rte_intr_handle *handle);

static int
run(const struct rte_intr_handle *handle, intr_op_t op, const char *what)
{
	const struct eal_intr_type *type = eal_intr_type(handle->type);

	if (op == nothing)
		return 0;
	if (op == NULL) {
		EAL_LOG(ERR, "Cannot %s interrupt: not for type %s (fd %d)",
			what, type->name, handle->fd);
		return -ENOTSUP;
	}
	if (handle->fd < 0 || handle->dev_fd < 0) {
		EAL_LOG(ERR, "Cannot %s %s interrupt: no descriptor (fd %d, device fd %d)",
			what, type->name, handle->fd, handle->dev_fd);
		return -EINVAL;
	}
	return op(handle);
}

RTE_EXPORT_SYMBOL(rte_intr_enable)
int
rte_intr_enable(const struct rte_intr_handle *intr_handle)
{
	if (intr_handle == NULL)
		return -EINVAL;
	return run(intr_handle, eal_intr_type(intr_handle->type)->enable, "enable");
}

RTE_EXPORT_SYMBOL(rte_intr_disable)
int
rte_intr_disable(const struct rte_intr_handle *intr_handle)
{
	if (intr_handle == NULL)
		return -EINVAL;
	return run(intr_handle, eal_intr_type(intr_handle->type)->disable, "disable");
}

RTE_EXPORT_SYMBOL(rte_intr_ack)
int
rte_intr_ack(const struct rte_intr_handle *intr_handle)
{
	if (intr_handle == NULL)
		return -EINVAL;
	return run(intr_handle, eal_intr_type(intr_handle->type)->ack, "acknowledge");
}
