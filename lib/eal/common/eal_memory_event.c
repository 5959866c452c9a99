/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <rte_errno.h>
#include <rte_memory.h>
#include <rte_rwlock.h>

#include "eal_export.h"
#include "eal_errno.h"
#include "eal_log.h"
#include "eal_memory.h"

/* A registration of either kind: name and arg identify a callback, name and socket a validator. */
struct listener {
	TAILQ_ENTRY(listener) next;
	char name[RTE_MEM_EVENT_CALLBACK_NAME_LEN];
	rte_mem_event_callback_t callback;
	void *arg;
	rte_mem_alloc_validator_t validator;
	int socket;
	size_t limit;
};

static_assert(RTE_MEM_EVENT_CALLBACK_NAME_LEN == RTE_MEM_ALLOC_VALIDATOR_NAME_LEN,
	"both names fit into a listener");

TAILQ_HEAD(listener_list, listener);

static struct listener_list callbacks = TAILQ_HEAD_INITIALIZER(callbacks);
static struct listener_list validators = TAILQ_HEAD_INITIALIZER(validators);

/* Held for reading while listeners run: who unregisters one knows that it does not run any more. */
static rte_rwlock_t listeners_lock = RTE_RWLOCK_INITIALIZER;

/* Whether the calling thread runs a listener and would wait for itself. */
static __thread bool in_listener;

static bool
name_ok(const char *name)
{
	return name != NULL && name[0] != '\0' &&
		strnlen(name, RTE_MEM_EVENT_CALLBACK_NAME_LEN) < RTE_MEM_EVENT_CALLBACK_NAME_LEN;
}

static struct listener *
listener_find(const struct listener_list *list, const char *name, const void *arg, int socket)
{
	struct listener *l;

	TAILQ_FOREACH(l, list, next)
		if (strcmp(l->name, name) == 0 && l->arg == arg && l->socket == socket)
			return l;
	return NULL;
}

static int
listener_add(struct listener_list *list, const char *name, const struct listener *what)
{
	struct listener *l;

	if (listener_find(list, name, what->arg, what->socket) != NULL)
		return -EEXIST;
	l = malloc(sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	*l = *what;
	memcpy(l->name, name, strlen(name) + 1);
	TAILQ_INSERT_TAIL(list, l, next);
	return 0;
}

static int
listener_remove(struct listener_list *list, const char *name, const void *arg, int socket)
{
	struct listener *l = listener_find(list, name, arg, socket);

	if (l == NULL)
		return -ENOENT;
	TAILQ_REMOVE(list, l, next);
	free(l);
	return 0;
}

static int
registration(struct listener_list *list, const char *name, const struct listener *what)
{
	int rc;

	if (in_listener)
		return eal_errno_result(-EDEADLK);
	rte_rwlock_write_lock(&listeners_lock);
	rc = listener_add(list, name, what);
	rte_rwlock_write_unlock(&listeners_lock);
	return eal_errno_result(rc);
}

static int
unregistration(struct listener_list *list, const char *name, const void *arg, int socket)
{
	int rc;

	if (in_listener)
		return eal_errno_result(-EDEADLK);
	rte_rwlock_write_lock(&listeners_lock);
	rc = listener_remove(list, name, arg, socket);
	rte_rwlock_write_unlock(&listeners_lock);
	return eal_errno_result(rc);
}

RTE_EXPORT_SYMBOL(rte_mem_event_callback_register)
int
rte_mem_event_callback_register(const char *name, rte_mem_event_callback_t clb, void *arg)
{
	const struct listener what = { .callback = clb, .arg = arg };

	if (!name_ok(name) || clb == NULL)
		return eal_errno_result(-EINVAL);
	return registration(&callbacks, name, &what);
}

RTE_EXPORT_SYMBOL(rte_mem_event_callback_unregister)
int
rte_mem_event_callback_unregister(const char *name, void *arg)
{
	if (!name_ok(name))
		return eal_errno_result(-EINVAL);
	return unregistration(&callbacks, name, arg, 0);
}

RTE_EXPORT_SYMBOL(rte_mem_alloc_validator_register)
int
rte_mem_alloc_validator_register(const char *name, rte_mem_alloc_validator_t clb, int socket_id,
		size_t limit)
{
	const struct listener what = { .validator = clb, .socket = socket_id, .limit = limit };

	if (!name_ok(name) || clb == NULL || socket_id < 0)
		return eal_errno_result(-EINVAL);
	return registration(&validators, name, &what);
}

RTE_EXPORT_SYMBOL(rte_mem_alloc_validator_unregister)
int
rte_mem_alloc_validator_unregister(const char *name, int socket_id)
{
	if (!name_ok(name) || socket_id < 0)
		return eal_errno_result(-EINVAL);
	return unregistration(&validators, name, NULL, socket_id);
}

static void
listeners_begin(void)
{
	rte_rwlock_read_lock(&listeners_lock);
	in_listener = true;
}

static void
listeners_end(void)
{
	in_listener = false;
	rte_rwlock_read_unlock(&listeners_lock);
}

void
eal_memory_notify(enum rte_mem_event event, const struct eal_piece *piece)
{
	struct listener *l;

	listeners_begin();
	TAILQ_FOREACH(l, &callbacks, next) {
		EAL_LOG(DEBUG, "memory %s %p+%zu: telling %s",
			event == RTE_MEM_EVENT_ALLOC ? "comes at" : "goes from",
			(void *)piece->addr, piece->len, l->name);
		l->callback(event, piece->addr, piece->len, l->arg);
	}
	listeners_end();
}

static bool
refuses(const struct listener *l, int socket, size_t new_len)
{
	return l->socket == socket && new_len > l->limit &&
		l->validator(socket, l->limit, new_len) < 0;
}

int
eal_memory_validate(int socket, size_t new_len)
{
	struct listener *l;
	int rc = 0;

	listeners_begin();
	TAILQ_FOREACH(l, &validators, next) {
		if (refuses(l, socket, new_len)) {
			EAL_LOG(DEBUG, "%s refuses %zu bytes on NUMA node %d", l->name, new_len,
				socket);
			rc = -EPERM;
			break;
		}
	}
	listeners_end();
	return rc;
}

static void
listeners_drop(struct listener_list *list)
{
	struct listener *l;

	while ((l = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, l, next);
		free(l);
	}
}

void
eal_memory_callbacks_forget(void)
{
	rte_rwlock_write_lock(&listeners_lock);
	listeners_drop(&callbacks);
	listeners_drop(&validators);
	rte_rwlock_write_unlock(&listeners_lock);
}
