/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <eal_export.h>
#include <rte_interrupts.h>

#include "eal_intr.h"
#include "eal_intr_source.h"
#include "eal_log.h"

/*
 * A descriptor number may have been closed and opened again without a word to us: then the
 * kernel does not find it, and the callbacks registered for the former file will never have an
 * event.
 */
static struct intr_source *
source_for_registration(int fd)
{
	struct intr_source *source = eal_intr_source_by_fd(fd);

	if (source == NULL || eal_intr_source_watch_again(source) == 0)
		return source;
	EAL_LOG(DEBUG, "Interrupt fd %d was closed with callbacks registered", fd);
	source->refs++;
	eal_intr_source_doom_all(source);
	if (!source->active)
		eal_intr_source_bury(source);
	eal_intr_source_unref(source);
	return NULL;
}

static int
callback_add(const struct rte_intr_handle *handle, struct intr_callback *callback)
{
	struct intr_source *source = source_for_registration(handle->fd);
	int rc;

	callback->round = eal_intr.round_nb + 1;
	if (source != NULL) {
		TAILQ_INSERT_TAIL(&source->callbacks, callback, next);
		return 0;
	}
	source = eal_intr_source_new(handle);
	if (source == NULL)
		return -ENOMEM;
	rc = eal_intr_source_list(source);
	if (rc < 0) {
		eal_intr_source_unref(source);
		return rc;
	}
	TAILQ_INSERT_TAIL(&source->callbacks, callback, next);
	return 0;
}

static bool
arguments_are_wrong(const struct rte_intr_handle *handle, rte_intr_callback_fn fn)
{
	return handle == NULL || handle->fd < 0 || fn == NULL;
}

RTE_EXPORT_SYMBOL(rte_intr_callback_register)
int
rte_intr_callback_register(const struct rte_intr_handle *intr_handle,
		rte_intr_callback_fn cb, void *cb_arg)
{
	struct intr_callback *callback;
	int rc;

	if (arguments_are_wrong(intr_handle, cb))
		return -EINVAL;
	callback = calloc(1, sizeof(*callback));
	if (callback == NULL)
		return -ENOMEM;
	callback->fn = cb;
	callback->arg = cb_arg;
	pthread_mutex_lock(&eal_intr.lock);
	rc = callback_add(intr_handle, callback);
	pthread_mutex_unlock(&eal_intr.lock);
	if (rc < 0) {
		EAL_LOG(ERR, "Cannot wait for %s interrupt of fd %d: %s",
			eal_intr_type(intr_handle->type)->name, intr_handle->fd, strerror(-rc));
		free(callback);
	}
	return rc;
}

static int
doom_and_bury(struct intr_source *source, rte_intr_callback_fn fn, const void *arg)
{
	int n;

	source->refs++;
	n = eal_intr_source_doom(source, fn, arg, NULL);
	eal_intr_source_bury(source);
	eal_intr_source_unref(source);
	return n;
}

RTE_EXPORT_SYMBOL(rte_intr_callback_unregister)
int
rte_intr_callback_unregister(const struct rte_intr_handle *intr_handle,
		rte_intr_callback_fn cb, void *cb_arg)
{
	struct intr_source *source;
	int rc;

	if (arguments_are_wrong(intr_handle, cb))
		return -EINVAL;
	pthread_mutex_lock(&eal_intr.lock);
	source = eal_intr_source_by_fd(intr_handle->fd);
	if (source == NULL)
		rc = -ENOENT;
	else if (source->active)
		rc = -EAGAIN;
	else
		rc = doom_and_bury(source, cb, cb_arg);
	pthread_mutex_unlock(&eal_intr.lock);
	return rc;
}

RTE_EXPORT_SYMBOL(rte_intr_callback_unregister_pending)
int
rte_intr_callback_unregister_pending(const struct rte_intr_handle *intr_handle,
		rte_intr_callback_fn cb_fn, void *cb_arg,
		rte_intr_unregister_callback_fn ucb_fn)
{
	struct intr_source *source;
	int rc;

	if (arguments_are_wrong(intr_handle, cb_fn))
		return -EINVAL;
	pthread_mutex_lock(&eal_intr.lock);
	source = eal_intr_source_by_fd(intr_handle->fd);
	if (source == NULL)
		rc = -ENOENT;
	else if (!source->active)
		rc = -EAGAIN;
	else
		rc = eal_intr_source_doom(source, cb_fn, cb_arg, ucb_fn);
	pthread_mutex_unlock(&eal_intr.lock);
	return rc;
}

/* The source whose round it is may be unlisted already and yet be what the caller means. */
static struct intr_source *
source_to_wait_for(int fd)
{
	struct intr_source *source = eal_intr_source_by_fd(fd);

	if (source == NULL && eal_intr.running != NULL && eal_intr.running->handle->fd == fd)
		source = eal_intr.running;
	return source;
}

static int
unregister_and_wait(struct intr_source *source, rte_intr_callback_fn fn, const void *arg)
{
	uint64_t round = eal_intr.round_nb;
	int n;

	if (!source->active)
		return doom_and_bury(source, fn, arg);
	source->refs++;
	n = source->listed ? eal_intr_source_doom(source, fn, arg, NULL) : -ENOENT;
	while (source->active && eal_intr.round_nb == round && !rte_thread_is_intr())
		pthread_cond_wait(&eal_intr.round_over, &eal_intr.lock);
	eal_intr_source_unref(source);
	return n;
}

RTE_EXPORT_SYMBOL(rte_intr_callback_unregister_sync)
int
rte_intr_callback_unregister_sync(const struct rte_intr_handle *intr_handle,
		rte_intr_callback_fn cb, void *cb_arg)
{
	struct intr_source *source;
	int rc = -ENOENT;

	if (arguments_are_wrong(intr_handle, cb))
		return -EINVAL;
	pthread_mutex_lock(&eal_intr.lock);
	source = source_to_wait_for(intr_handle->fd);
	if (source != NULL)
		rc = unregister_and_wait(source, cb, cb_arg);
	pthread_mutex_unlock(&eal_intr.lock);
	return rc;
}
