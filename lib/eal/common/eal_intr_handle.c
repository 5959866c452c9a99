/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_errno.h>
#include <rte_interrupts.h>

#include "eal_intr.h"

static int
fail(int err)
{
	rte_errno = err;
	return -err;
}

RTE_EXPORT_SYMBOL(rte_intr_instance_alloc)
struct rte_intr_handle *
rte_intr_instance_alloc(uint32_t flags)
{
	struct rte_intr_handle *handle;

	if ((flags & ~RTE_INTR_INSTANCE_F_SHARED) != 0) {
		rte_errno = EINVAL;
		return NULL;
	}
	handle = calloc(1, sizeof(*handle));
	if (handle == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	pthread_mutex_init(&handle->lock, NULL);
	handle->fd = -1;
	handle->dev_fd = -1;
	handle->nb_intr = RTE_MAX_RXTX_INTR_VEC_ID;
	return handle;
}

RTE_EXPORT_SYMBOL(rte_intr_instance_free)
void
rte_intr_instance_free(struct rte_intr_handle *intr_handle)
{
	if (intr_handle == NULL)
		return;
	free(intr_handle->efds);
	free(intr_handle->elist);
	free(intr_handle->vec_list);
	pthread_mutex_destroy(&intr_handle->lock);
	free(intr_handle);
}

/* Unset event descriptors are -1, so that none is ever mistaken for standard input. */
static int
efds_resize(struct rte_intr_handle *handle, uint32_t from, uint32_t to)
{
	int *efds = realloc(handle->efds, to * sizeof(*efds));

	if (efds == NULL)
		return fail(ENOMEM);
	for (; from < to; from++)
		efds[from] = -1;
	handle->efds = efds;
	return 0;
}

static int
efds_need(struct rte_intr_handle *handle)
{
	return handle->efds != NULL ? 0 : efds_resize(handle, 0, handle->nb_intr);
}

static int
elist_need(struct rte_intr_handle *handle)
{
	if (handle->elist == NULL)
		handle->elist = calloc(handle->nb_intr, sizeof(*handle->elist));
	return handle->elist != NULL ? 0 : fail(ENOMEM);
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_instance_dup)
struct rte_intr_handle *
rte_intr_instance_dup(const struct rte_intr_handle *src)
{
	struct rte_intr_handle *copy;

	if (src == NULL) {
		rte_errno = EINVAL;
		return NULL;
	}
	copy = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	if (copy == NULL)
		return NULL;
	copy->type = src->type;
	copy->fd = src->fd;
	copy->dev_fd = src->dev_fd;
	copy->max_intr = src->max_intr;
	copy->nb_efd = src->nb_efd;
	copy->nb_intr = src->nb_intr;
	copy->efd_counter_size = src->efd_counter_size;
	if (src->efds == NULL)
		return copy;
	if (efds_need(copy) < 0 || elist_need(copy) < 0) {
		rte_intr_instance_free(copy);
		return NULL;
	}
	memcpy(copy->efds, src->efds, src->nb_intr * sizeof(*src->efds));
	return copy;
}

RTE_EXPORT_SYMBOL(rte_intr_fd_set)
int
rte_intr_fd_set(struct rte_intr_handle *intr_handle, int fd)
{
	if (intr_handle == NULL)
		return fail(EINVAL);
	intr_handle->fd = fd;
	return 0;
}

RTE_EXPORT_SYMBOL(rte_intr_fd_get)
int
rte_intr_fd_get(const struct rte_intr_handle *intr_handle)
{
	return intr_handle == NULL ? -1 : intr_handle->fd;
}

RTE_EXPORT_SYMBOL(rte_intr_type_set)
int
rte_intr_type_set(struct rte_intr_handle *intr_handle, enum rte_intr_handle_type type)
{
	if (intr_handle == NULL || (unsigned int)type >= RTE_INTR_HANDLE_MAX)
		return fail(EINVAL);
	intr_handle->type = type;
	intr_handle->off = false;
	return 0;
}

RTE_EXPORT_SYMBOL(rte_intr_type_get)
enum rte_intr_handle_type
rte_intr_type_get(const struct rte_intr_handle *intr_handle)
{
	return intr_handle == NULL ? RTE_INTR_HANDLE_UNKNOWN : intr_handle->type;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_dev_fd_set)
int
rte_intr_dev_fd_set(struct rte_intr_handle *intr_handle, int fd)
{
	if (intr_handle == NULL)
		return fail(EINVAL);
	intr_handle->dev_fd = fd;
	return 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_dev_fd_get)
int
rte_intr_dev_fd_get(const struct rte_intr_handle *intr_handle)
{
	return intr_handle == NULL ? -1 : intr_handle->dev_fd;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_max_intr_set)
int
rte_intr_max_intr_set(struct rte_intr_handle *intr_handle, int max_intr)
{
	if (intr_handle == NULL)
		return fail(EINVAL);
	if (max_intr < 0 || (uint32_t)max_intr > intr_handle->nb_intr)
		return fail(ERANGE);
	intr_handle->max_intr = max_intr;
	return 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_max_intr_get)
int
rte_intr_max_intr_get(const struct rte_intr_handle *intr_handle)
{
	return intr_handle == NULL ? fail(EINVAL) : (int)intr_handle->max_intr;
}

/*
 * Queues of different threads then use their vectors without an allocation, and so without
 * a lock.
 */
RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_nb_efd_set)
int
rte_intr_nb_efd_set(struct rte_intr_handle *intr_handle, int nb_efd)
{
	if (intr_handle == NULL)
		return fail(EINVAL);
	if (nb_efd < 0 || (uint32_t)nb_efd > intr_handle->nb_intr)
		return fail(ERANGE);
	if (nb_efd > 0 && (efds_need(intr_handle) < 0 || elist_need(intr_handle) < 0))
		return -ENOMEM;
	intr_handle->nb_efd = nb_efd;
	return 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_nb_efd_get)
int
rte_intr_nb_efd_get(const struct rte_intr_handle *intr_handle)
{
	return intr_handle == NULL ? fail(EINVAL) : (int)intr_handle->nb_efd;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_nb_intr_get)
int
rte_intr_nb_intr_get(const struct rte_intr_handle *intr_handle)
{
	return intr_handle == NULL ? fail(EINVAL) : (int)intr_handle->nb_intr;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_efd_counter_size_set)
int
rte_intr_efd_counter_size_set(struct rte_intr_handle *intr_handle, uint8_t efd_counter_size)
{
	if (intr_handle == NULL)
		return fail(EINVAL);
	intr_handle->efd_counter_size = efd_counter_size;
	return 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_efd_counter_size_get)
int
rte_intr_efd_counter_size_get(const struct rte_intr_handle *intr_handle)
{
	return intr_handle == NULL ? fail(EINVAL) : (int)intr_handle->efd_counter_size;
}

static int
index_check(const struct rte_intr_handle *handle, int index)
{
	if (handle == NULL)
		return fail(EINVAL);
	return index < 0 || (uint32_t)index >= handle->nb_intr ? fail(ERANGE) : 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_efds_index_set)
int
rte_intr_efds_index_set(struct rte_intr_handle *intr_handle, int index, int fd)
{
	int rc = index_check(intr_handle, index);

	if (rc == 0)
		rc = efds_need(intr_handle);
	if (rc == 0)
		intr_handle->efds[index] = fd;
	return rc;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_efds_index_get)
int
rte_intr_efds_index_get(const struct rte_intr_handle *intr_handle, int index)
{
	int rc = index_check(intr_handle, index);

	if (rc < 0)
		return rc;
	return intr_handle->efds == NULL ? -1 : intr_handle->efds[index];
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_elist_index_set)
int
rte_intr_elist_index_set(struct rte_intr_handle *intr_handle, int index,
		struct rte_epoll_event elist)
{
	int rc = index_check(intr_handle, index);

	if (rc == 0)
		rc = elist_need(intr_handle);
	if (rc == 0)
		intr_handle->elist[index] = elist;
	return rc;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_elist_index_get)
struct rte_epoll_event *
rte_intr_elist_index_get(struct rte_intr_handle *intr_handle, int index)
{
	if (index_check(intr_handle, index) < 0 || elist_need(intr_handle) < 0)
		return NULL;
	return &intr_handle->elist[index];
}

/* An epoll set holds addresses of the objects in it, which a larger list would move. */
static int
elist_is_idle(const struct rte_intr_handle *handle)
{
	uint32_t i;

	for (i = 0; handle->elist != NULL && i < handle->nb_intr; i++)
		if (__atomic_load_n(&handle->elist[i].status, __ATOMIC_ACQUIRE) !=
				RTE_EPOLL_INVALID)
			return 0;
	return 1;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_event_list_update)
int
rte_intr_event_list_update(struct rte_intr_handle *intr_handle, int size)
{
	struct rte_epoll_event *elist = NULL;

	if (intr_handle == NULL || size < 1 || size > UINT16_MAX ||
			(uint32_t)size < RTE_MAX(intr_handle->nb_efd, intr_handle->max_intr))
		return fail(EINVAL);
	if (!elist_is_idle(intr_handle))
		return fail(EBUSY);
	if (intr_handle->elist != NULL) {
		elist = calloc(size, sizeof(*elist));
		if (elist == NULL)
			return fail(ENOMEM);
	}
	if (intr_handle->efds != NULL &&
			efds_resize(intr_handle, intr_handle->nb_intr, size) < 0) {
		free(elist);
		return -ENOMEM;
	}
	free(intr_handle->elist);
	intr_handle->elist = elist;
	intr_handle->nb_intr = size;
	return 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_vec_list_alloc)
int
rte_intr_vec_list_alloc(struct rte_intr_handle *intr_handle, const char *name, int size)
{
	int *list;

	(void)name;
	if (intr_handle == NULL || size < 1)
		return fail(EINVAL);
	if ((uint32_t)size <= intr_handle->vec_list_size)
		return 0;
	list = calloc(size, sizeof(*list));
	if (list == NULL)
		return fail(ENOMEM);
	if (intr_handle->vec_list != NULL)
		memcpy(list, intr_handle->vec_list, intr_handle->vec_list_size * sizeof(*list));
	free(intr_handle->vec_list);
	intr_handle->vec_list = list;
	intr_handle->vec_list_size = size;
	return 0;
}

static int
vec_list_check(const struct rte_intr_handle *handle, int index)
{
	if (handle == NULL)
		return fail(EINVAL);
	if (handle->vec_list == NULL)
		return fail(ENOTSUP);
	return index < 0 || (uint32_t)index >= handle->vec_list_size ? fail(ERANGE) : 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_vec_list_index_set)
int
rte_intr_vec_list_index_set(struct rte_intr_handle *intr_handle, int index, int vec)
{
	int rc = vec_list_check(intr_handle, index);

	if (rc == 0)
		intr_handle->vec_list[index] = vec;
	return rc;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_vec_list_index_get)
int
rte_intr_vec_list_index_get(const struct rte_intr_handle *intr_handle, int index)
{
	int rc = vec_list_check(intr_handle, index);

	return rc < 0 ? rc : intr_handle->vec_list[index];
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_intr_vec_list_free)
void
rte_intr_vec_list_free(struct rte_intr_handle *intr_handle)
{
	if (intr_handle == NULL)
		return;
	free(intr_handle->vec_list);
	intr_handle->vec_list = NULL;
	intr_handle->vec_list_size = 0;
}
