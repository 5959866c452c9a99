/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <eal_export.h>
#include <rte_interrupts.h>

#include "eal_intr.h"
#include "eal_log.h"

int
eal_intr_nothing(const struct rte_intr_handle *handle)
{
	(void)handle;
	return 0;
}

const struct eal_intr_type *
eal_intr_type(enum rte_intr_handle_type type)
{
	return &eal_intr_types[(unsigned int)type < RTE_INTR_HANDLE_MAX ?
		type : RTE_INTR_HANDLE_UNKNOWN];
}

typedef int (*intr_op_t)(const struct rte_intr_handle *handle);

static int
run(const struct rte_intr_handle *handle, intr_op_t op, const char *what)
{
	const struct eal_intr_type *type = eal_intr_type(handle->type);

	if (op == eal_intr_nothing)
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

/* Handles are EAL's own, const only to who switches. */
static struct rte_intr_handle *
handle_lock(const struct rte_intr_handle *handle)
{
	struct rte_intr_handle *own = (struct rte_intr_handle *)(uintptr_t)handle;

	pthread_mutex_lock(&own->lock);
	return own;
}

/* Notes it when it was done. */
static int
switch_it(const struct rte_intr_handle *handle, intr_op_t op, bool off, const char *what)
{
	struct rte_intr_handle *own = handle_lock(handle);
	int rc = run(own, op, what);

	if (rc == 0)
		own->off = off;
	pthread_mutex_unlock(&own->lock);
	return rc;
}

RTE_EXPORT_SYMBOL(rte_intr_enable)
int
rte_intr_enable(const struct rte_intr_handle *intr_handle)
{
	if (intr_handle == NULL)
		return -EINVAL;
	return switch_it(intr_handle, eal_intr_type(intr_handle->type)->enable, false, "enable");
}

RTE_EXPORT_SYMBOL(rte_intr_disable)
int
rte_intr_disable(const struct rte_intr_handle *intr_handle)
{
	if (intr_handle == NULL)
		return -EINVAL;
	return switch_it(intr_handle, eal_intr_type(intr_handle->type)->disable, true, "disable");
}

/* A callback may end while another thread switches, or has switched, the interrupt off. */
RTE_EXPORT_SYMBOL(rte_intr_ack)
int
rte_intr_ack(const struct rte_intr_handle *intr_handle)
{
	struct rte_intr_handle *own;
	int rc;

	if (intr_handle == NULL)
		return -EINVAL;
	own = handle_lock(intr_handle);
	rc = own->off ? 0 : run(own, eal_intr_type(own->type)->ack, "acknowledge");
	pthread_mutex_unlock(&own->lock);
	return rc;
}
