/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <eal_export.h>
#include <rte_common.h>

#include "eal_uevent.h"

/* Finds @p key=value after the first string. All strings are known to end inside the message. */
static const char *
value_find(const char *msg, size_t len, const char *key)
{
	size_t key_len = strlen(key);
	const char *at;

	for (at = msg + strlen(msg) + 1; at < msg + len; at += strlen(at) + 1)
		if (strncmp(at, key, key_len) == 0 && at[key_len] == '=')
			return at + key_len + 1;
	return NULL;
}

static int
type_parse(const char *action, enum rte_dev_event_type *type)
{
	static const char *const actions[RTE_DEV_EVENT_MAX] = {
		[RTE_DEV_EVENT_ADD] = "add",
		[RTE_DEV_EVENT_REMOVE] = "remove",
	};
	unsigned int i;

	for (i = 0; action != NULL && i < RTE_DIM(actions); i++) {
		if (strcmp(action, actions[i]) == 0) {
			*type = i;
			return 0;
		}
	}
	return -ENOENT;
}

/* A name goes into logs and to callbacks, so it is nothing but an address. */
static int
name_parse(const char *slot, char *name, size_t size)
{
	size_t len;

	if (slot == NULL)
		return -ENOENT;
	len = strlen(slot);
	if (len == 0 || len >= size || strspn(slot, "0123456789abcdefABCDEF:.") != len)
		return -EINVAL;
	memcpy(name, slot, len + 1);
	return 0;
}

static bool
is_kernel_message(const char *msg, size_t len)
{
	return len > 0 && msg[len - 1] == '\0' && strchr(msg, '@') != NULL;
}

RTE_EXPORT_INTERNAL_SYMBOL(eal_uevent_parse)
int
eal_uevent_parse(const char *msg, size_t len, struct eal_uevent *event)
{
	const char *subsystem;
	int rc;

	if (!is_kernel_message(msg, len))
		return -EINVAL;
	subsystem = value_find(msg, len, "SUBSYSTEM");
	if (subsystem == NULL || strcmp(subsystem, "pci") != 0)
		return -ENOENT;
	rc = type_parse(value_find(msg, len, "ACTION"), &event->type);
	if (rc < 0)
		return rc;
	return name_parse(value_find(msg, len, "PCI_SLOT_NAME"), event->name, sizeof(event->name));
}
