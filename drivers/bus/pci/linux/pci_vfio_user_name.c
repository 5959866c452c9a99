/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_devargs.h>
#include <rte_kvargs.h>
#include <rte_string_fns.h>

#include "pci_backend.h"
#include "pci_backends.h"
#include "pci_log.h"
#include "pci_vfio_user.h"

static const char prefix[] = "vfio-user:";

static const char key_backend[] = "backend";
static const char key_path[] = "path";
static const char key_timeout[] = "timeout_ms";

static const char *const target_keys[] = {
	"bus",
	key_backend,
	key_path,
	key_timeout,
	NULL,
};

/* FNV-1a, 64 bits, by Fowler, Noll and Vo. */
static uint64_t
text_hash(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text != '\0'; text++)
		hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	return hash;
}

/* Domains of real devices have at most 16 bits, and those that Linux makes up at most 24. */
#define FIRST_DOMAIN UINT32_C(0x1000000)

/*
 * The address depends on the path alone, and so nobody has to remember which path has which. That
 * two of a thousand paths have the same address happens once in ten billion times.
 */
static struct rte_pci_addr
path_addr(const char *path)
{
	const uint64_t hash = text_hash(path);

	return (struct rte_pci_addr){
		.domain = FIRST_DOMAIN + (uint32_t)((hash >> 16) % (UINT32_MAX - FIRST_DOMAIN)),
		.bus = (uint8_t)(hash >> 8),
		.devid = (uint8_t)(hash & 0x1f),
	};
}

/* The path in a name; NULL: it is no name of ours. */
static const char *
name_path(const char *name)
{
	const size_t len = strlen(prefix);

	if (strncmp(name, prefix, len) != 0 || name[len] == '\0' ||
			strlen(name + len) >= PCI_VFIO_USER_PATH_LEN)
		return NULL;
	return name + len;
}

int
pci_vfio_user_name_parse(const char *name, struct rte_pci_addr *addr)
{
	const char *path = name_path(name);

	if (path == NULL)
		return -EINVAL;
	*addr = path_addr(path);
	return 0;
}

static int
number_parse(const char *text, uint32_t *value)
{
	unsigned long number;
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || number > INT32_MAX)
		return -EINVAL;
	*value = (uint32_t)number;
	return 0;
}

static int
target_refuse(const char *key, const char *why)
{
	PCI_LOG(ERR, "backend=vfio-user: %s: %s", key, why);
	return -EINVAL;
}

static int
target_parse(const struct rte_kvargs *kvargs, struct pci_vfio_user_target *target)
{
	const char *path = rte_kvargs_get(kvargs, key_path);

	memset(target, 0, sizeof(*target));
	if (path == NULL || path[0] == '\0')
		return target_refuse(key_path, "the path of a socket is missing");
	if (rte_strscpy(target->path, path, sizeof(target->path)) < 0)
		return target_refuse(key_path, "too long for a socket, which takes 107 characters");
	if (rte_kvargs_count(kvargs, key_timeout) != 0 &&
			number_parse(rte_kvargs_get(kvargs, key_timeout), &target->timeout_ms) != 0)
		return target_refuse(key_timeout, "no number of milliseconds");
	target->addr = path_addr(target->path);
	return 0;
}

void
pci_vfio_user_target_name(const struct pci_vfio_user_target *target, char *name, size_t size)
{
	if (strlen(prefix) + strlen(target->path) < size)
		snprintf(name, size, "%s%s", prefix, target->path);
	else
		rte_pci_device_name(&target->addr, name, size);
}

static int
keys_check(const struct rte_kvargs *kvargs)
{
	unsigned int i, key;

	for (i = 0; i < kvargs->count; i++) {
		for (key = 0; target_keys[key] != NULL; key++)
			if (strcmp(kvargs->pairs[i].key, target_keys[key]) == 0)
				break;
		if (target_keys[key] == NULL)
			return target_refuse(kvargs->pairs[i].key, "there is no such key");
	}
	return 0;
}

int
pci_vfio_user_devargs_name(const struct rte_kvargs *kvargs, char *name, size_t size)
{
	struct pci_vfio_user_target target;
	int rc;

	rc = keys_check(kvargs);
	if (rc == 0)
		rc = target_parse(kvargs, &target);
	if (rc == 0)
		pci_vfio_user_target_name(&target, name, size);
	return rc;
}

static void
target_of_path(const char *path, struct pci_vfio_user_target *target)
{
	memset(target, 0, sizeof(*target));
	strlcpy(target->path, path, sizeof(target->path));
	target->addr = path_addr(path);
}

static bool
backend_is_ours(const struct rte_kvargs *kvargs)
{
	const char *backend = rte_kvargs_get(kvargs, key_backend);

	return backend != NULL && strcmp(backend, pci_vfio_user_backend.name) == 0;
}

/* What the layered form says besides the name. */
static int
target_of_layer(const char *bus_str, struct pci_vfio_user_target *target)
{
	struct rte_kvargs *kvargs = rte_kvargs_parse(bus_str, NULL);
	int rc;

	if (kvargs == NULL)
		return -ENOENT;
	rc = backend_is_ours(kvargs) ? target_parse(kvargs, target) : -ENOENT;
	rte_kvargs_free(kvargs);
	return rc;
}

int
pci_vfio_user_target_of(const struct rte_devargs *devargs, struct pci_vfio_user_target *target)
{
	const char *path = name_path(devargs->name);

	if (devargs->policy == RTE_DEV_BLOCKED)
		return -ENOENT;
	if (devargs->bus_str != NULL && target_of_layer(devargs->bus_str, target) == 0)
		return 0;
	if (path == NULL)
		return -ENOENT;
	target_of_path(path, target);
	return 0;
}
