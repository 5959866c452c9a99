/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_interrupts.h>

#include "eal_dev_event.h"
#include "eal_log.h"

#define ANY_ARG ((void *)-1)

struct event_callback {
	TAILQ_ENTRY(event_callback) next;
	rte_dev_event_cb_fn fn;
	void *arg;
	unsigned int running;	/* threads that are in it, which keep it listed */
	char *name;		/* of the device, NULL for all */
};

static TAILQ_HEAD(, event_callback) callbacks = TAILQ_HEAD_INITIALIZER(callbacks);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool
names_are_equal(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
callback_free(struct event_callback *callback)
{
	if (callback == NULL)
		return;
	free(callback->name);
	free(callback);
}

static struct event_callback *
callback_new(const char *name, rte_dev_event_cb_fn fn, void *arg)
{
	struct event_callback *callback = calloc(1, sizeof(*callback));

	if (callback == NULL)
		return NULL;
	callback->fn = fn;
	callback->arg = arg;
	if (name == NULL)
		return callback;
	callback->name = strdup(name);
	if (callback->name != NULL)
		return callback;
	callback_free(callback);
	return NULL;
}

static bool
is_registered(const struct event_callback *like)
{
	const struct event_callback *callback;

	TAILQ_FOREACH(callback, &callbacks, next)
		if (callback->fn == like->fn && callback->arg == like->arg &&
				names_are_equal(callback->name, like->name))
			return true;
	return false;
}

RTE_EXPORT_SYMBOL(rte_dev_event_callback_register)
int
rte_dev_event_callback_register(const char *device_name, rte_dev_event_cb_fn cb_fn, void *cb_arg)
{
	struct event_callback *callback;
	int rc = 0;

	if (cb_fn == NULL)
		return -EINVAL;
	callback = callback_new(device_name, cb_fn, cb_arg);
	if (callback == NULL)
		return -ENOMEM;
	pthread_mutex_lock(&lock);
	if (is_registered(callback))
		rc = -EEXIST;
	else
		TAILQ_INSERT_TAIL(&callbacks, callback, next);
	pthread_mutex_unlock(&lock);
	if (rc < 0)
		callback_free(callback);
	return rc;
}

static bool
is_meant(const struct event_callback *callback, const char *name, rte_dev_event_cb_fn fn,
		const void *arg)
{
	return callback->fn == fn && (arg == ANY_ARG || callback->arg == arg) &&
		(name == NULL || names_are_equal(callback->name, name));
}

/* All or none: -EAGAIN leaves everything registered. */
static int
count_meant(const char *name, rte_dev_event_cb_fn fn, const void *arg)
{
	const struct event_callback *callback;
	int n = 0;

	TAILQ_FOREACH(callback, &callbacks, next) {
		if (!is_meant(callback, name, fn, arg))
			continue;
		if (callback->running > 0)
			return -EAGAIN;
		n++;
	}
	return n > 0 ? n : -ENOENT;
}

static void
remove_meant(const char *name, rte_dev_event_cb_fn fn, const void *arg)
{
	struct event_callback *callback, *after;

	for (callback = TAILQ_FIRST(&callbacks); callback != NULL; callback = after) {
		after = TAILQ_NEXT(callback, next);
		if (!is_meant(callback, name, fn, arg))
			continue;
		TAILQ_REMOVE(&callbacks, callback, next);
		callback_free(callback);
	}
}

RTE_EXPORT_SYMBOL(rte_dev_event_callback_unregister)
int
rte_dev_event_callback_unregister(const char *device_name, rte_dev_event_cb_fn cb_fn, void *cb_arg)
{
	int rc;

	if (cb_fn == NULL)
		return -EINVAL;
	pthread_mutex_lock(&lock);
	rc = count_meant(device_name, cb_fn, cb_arg);
	if (rc > 0)
		remove_meant(device_name, cb_fn, cb_arg);
	pthread_mutex_unlock(&lock);
	return rc;
}

/* A callback that is running stays listed, so its successor can be found when it is done. */
static void
callbacks_run(const char *name, enum rte_dev_event_type event)
{
	struct event_callback *callback;

	pthread_mutex_lock(&lock);
	TAILQ_FOREACH(callback, &callbacks, next) {
		if (callback->name != NULL && strcmp(callback->name, name) != 0)
			continue;
		callback->running++;
		pthread_mutex_unlock(&lock);
		callback->fn(name, event, callback->arg);
		pthread_mutex_lock(&lock);
		callback->running--;
	}
	pthread_mutex_unlock(&lock);
}

void
eal_dev_event_cleanup(void)
{
	struct event_callback *callback;

	pthread_mutex_lock(&lock);
	while ((callback = TAILQ_FIRST(&callbacks)) != NULL) {
		TAILQ_REMOVE(&callbacks, callback, next);
		callback_free(callback);
	}
	pthread_mutex_unlock(&lock);
}

/* Events from signal handlers: slots that one thread claims, fills in and hands over. */

enum slot_state { SLOT_FREE, SLOT_CLAIMED, SLOT_READY };

struct slot {
	int state;
	enum rte_dev_event_type event;
	char name[RTE_DEV_NAME_MAX_LEN];
};

static struct slot slots[32];
static unsigned int lost;	/* events for which there was no slot */
static int wake_fd = -1;
static struct rte_intr_handle *wake_handle;

/* No lazy allocation at first use, which would be in the signal handler. */
static __thread bool deferring __attribute__((tls_model("initial-exec")));

void
eal_dev_event_defer(bool on)
{
	deferring = on;
}

static bool
slot_move(struct slot *slot, int from, int to)
{
	return __atomic_compare_exchange_n(&slot->state, &from, to, false,
		__ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static struct slot *
slot_claim(void)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(slots); i++)
		if (slot_move(&slots[i], SLOT_FREE, SLOT_CLAIMED))
			return &slots[i];
	return NULL;
}

/* In a signal handler: no lock, no allocation, no log. */
static void
event_defer(const char *name, enum rte_dev_event_type event)
{
	struct slot *slot = slot_claim();
	unsigned int i;

	if (slot == NULL) {
		__atomic_fetch_add(&lost, 1, __ATOMIC_RELAXED);
		return;
	}
	for (i = 0; i + 1 < sizeof(slot->name) && name[i] != '\0'; i++)
		slot->name[i] = name[i];
	slot->name[i] = '\0';
	slot->event = event;
	__atomic_store_n(&slot->state, SLOT_READY, __ATOMIC_RELEASE);
	eventfd_write(wake_fd, 1);
}

static void
deferred_deliver(void *arg)
{
	struct slot slot;
	unsigned int i;

	(void)arg;
	eventfd_read(wake_fd, &(eventfd_t){ 0 });
	for (i = 0; i < RTE_DIM(slots); i++) {
		if (__atomic_load_n(&slots[i].state, __ATOMIC_ACQUIRE) != SLOT_READY)
			continue;
		slot = slots[i];
		__atomic_store_n(&slots[i].state, SLOT_FREE, __ATOMIC_RELEASE);
		callbacks_run(slot.name, slot.event);
	}
	i = __atomic_exchange_n(&lost, 0, __ATOMIC_RELAXED);
	if (i > 0)
		EAL_LOG(ERR, "%u device events came faster than they could be stored", i);
}

static int
wake_handle_make(int fd)
{
	wake_handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	if (wake_handle == NULL)
		return -ENOMEM;
	rte_intr_fd_set(wake_handle, fd);
	rte_intr_type_set(wake_handle, RTE_INTR_HANDLE_DEV_EVENT);
	return rte_intr_callback_register(wake_handle, deferred_deliver, NULL);
}

int
eal_dev_event_defer_init(void)
{
	int rc;

	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0)
		return -errno;
	rc = wake_handle_make(wake_fd);
	if (rc < 0)
		eal_dev_event_defer_cleanup();
	return rc;
}

void
eal_dev_event_defer_cleanup(void)
{
	unsigned int i;

	if (wake_handle != NULL)
		rte_intr_callback_unregister_sync(wake_handle, deferred_deliver, NULL);
	rte_intr_instance_free(wake_handle);
	wake_handle = NULL;
	if (wake_fd >= 0)
		close(wake_fd);
	wake_fd = -1;
	for (i = 0; i < RTE_DIM(slots); i++)
		slot_move(&slots[i], SLOT_READY, SLOT_FREE);
}

RTE_EXPORT_SYMBOL(rte_dev_event_callback_process)
void
rte_dev_event_callback_process(const char *device_name, enum rte_dev_event_type event)
{
	if (device_name == NULL || (unsigned int)event >= RTE_DEV_EVENT_MAX)
		return;
	if (deferring)
		event_defer(device_name, event);
	else
		callbacks_run(device_name, event);
}
