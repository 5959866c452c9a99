/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>

#include "eal_intr.h"
#include "eal_intr_poll.h"
#include "eal_intr_source.h"

struct eal_intr_state eal_intr = {
	.sources = LIST_HEAD_INITIALIZER(eal_intr.sources),
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.round_over = PTHREAD_COND_INITIALIZER,
	.poll_fd = -1,
};

static uint64_t last_id;

void
eal_intr_source_unref(struct intr_source *source)
{
	struct intr_callback *callback;

	if (--source->refs > 0)
		return;
	while ((callback = TAILQ_FIRST(&source->callbacks)) != NULL) {
		TAILQ_REMOVE(&source->callbacks, callback, next);
		free(callback);
	}
	rte_intr_instance_free(source->handle);
	free(source);
}

struct intr_source *
eal_intr_source_new(const struct rte_intr_handle *handle)
{
	struct intr_source *source = calloc(1, sizeof(*source));

	if (source == NULL)
		return NULL;
	source->handle = rte_intr_instance_dup(handle);
	if (source->handle == NULL) {
		free(source);
		return NULL;
	}
	TAILQ_INIT(&source->callbacks);
	source->id = ++last_id;
	source->refs = 1;
	return source;
}

struct intr_source *
eal_intr_source_by_id(uint64_t id)
{
	struct intr_source *source;

	LIST_FOREACH(source, &eal_intr.sources, next)
		if (source->id == id)
			return source;
	return NULL;
}

struct intr_source *
eal_intr_source_by_fd(int fd)
{
	struct intr_source *source;

	LIST_FOREACH(source, &eal_intr.sources, next)
		if (source->handle->fd == fd)
			return source;
	return NULL;
}

int
eal_intr_source_watch(const struct intr_source *source)
{
	return eal_intr.poll_fd < 0 ? 0 :
		eal_intr_poll_add(eal_intr.poll_fd, source->handle->fd, source->id);
}

int
eal_intr_source_watch_again(const struct intr_source *source)
{
	return eal_intr.poll_fd < 0 ? 0 :
		eal_intr_poll_change(eal_intr.poll_fd, source->handle->fd, source->id);
}

static int
source_unwatch(const struct intr_source *source)
{
	return eal_intr.poll_fd < 0 ? 0 :
		eal_intr_poll_remove(eal_intr.poll_fd, source->handle->fd);
}

/* The kernel forgets a descriptor when its file is closed, but the file may be open elsewhere. */
static void
source_unlist(struct intr_source *source)
{
	if (!source->listed)
		return;
	if (source_unwatch(source) < 0)
		eal_intr.leftovers = true;
	LIST_REMOVE(source, next);
	source->listed = false;
	eal_intr_source_unref(source);
}

int
eal_intr_source_list(struct intr_source *source)
{
	int rc = eal_intr_source_watch(source);

	if (rc == -EEXIST)
		rc = eal_intr_source_watch_again(source);
	if (rc < 0)
		return rc;
	LIST_INSERT_HEAD(&eal_intr.sources, source, next);
	source->listed = true;
	return 0;
}

static bool
callback_matches(const struct intr_callback *callback, rte_intr_callback_fn fn, const void *arg)
{
	return !callback->doomed && callback->fn == fn && (arg == ANY_ARG || callback->arg == arg);
}

int
eal_intr_source_doom(struct intr_source *source, rte_intr_callback_fn fn, const void *arg,
		rte_intr_unregister_callback_fn on_gone)
{
	struct intr_callback *callback;
	unsigned int left = 0;
	int n = 0;

	TAILQ_FOREACH(callback, &source->callbacks, next) {
		if (callback_matches(callback, fn, arg)) {
			callback->on_gone = on_gone;
			callback->doomed = true;
			n++;
		}
		left += !callback->doomed;
	}
	if (left == 0)
		source_unlist(source);
	return n;
}

void
eal_intr_source_doom_all(struct intr_source *source)
{
	struct intr_callback *callback;

	TAILQ_FOREACH(callback, &source->callbacks, next)
		callback->doomed = true;
	source_unlist(source);
}

static struct intr_callback *
source_first_doomed(const struct intr_source *source)
{
	struct intr_callback *callback;

	TAILQ_FOREACH(callback, &source->callbacks, next)
		if (callback->doomed)
			return callback;
	return NULL;
}

void
eal_intr_source_bury(struct intr_source *source)
{
	struct intr_callback *callback;

	while ((callback = source_first_doomed(source)) != NULL) {
		TAILQ_REMOVE(&source->callbacks, callback, next);
		if (callback->on_gone != NULL) {
			pthread_mutex_unlock(&eal_intr.lock);
			callback->on_gone(source->handle, callback->arg);
			pthread_mutex_lock(&eal_intr.lock);
		}
		free(callback);
	}
}
