/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bus_driver.h>
#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_devargs.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_kvargs.h>
#include <rte_string_fns.h>
#include <rte_vfio_user.h>

#include "pci_addr.h"
#include "pci_backend.h"
#include "pci_backends.h"
#include "pci_log.h"
#include "pci_scan.h"
#include "pci_vfio_user.h"

/*
 * A device that the user named. The connection is made by the scan, which reads what the device
 * is, and kept for who opens the device: many servers serve one client in their life.
 */
struct pci_vfio_user_link {
	struct pci_vfio_user_link *next;
	struct rte_pci_addr addr;
	struct pci_vfio_user_target target;
	int dev_id;	/* -ENOTCONN: not attached */
	bool open;
	bool wanted;	/* by the scan that runs */
	bool nagged;	/* the log says why it cannot be attached to */
	struct pci_ident ident;
	char name[RTE_DEV_NAME_MAX_LEN];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct pci_vfio_user_link *links;

/* ---- names ---- */

static const char prefix[] = "vfio-user:";

static const char key_path[] = "path";
static const char key_timeout[] = "timeout_ms";

static const char *const target_keys[] = {
	"bus",
	"backend",
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
	return 0;
}

/* A name if there is room for it, else the address, which is as good. */
static void
target_name(const struct pci_vfio_user_target *target, char *name, size_t size)
{
	const struct rte_pci_addr addr = path_addr(target->path);

	if (strlen(prefix) + strlen(target->path) < size)
		snprintf(name, size, "%s%s", prefix, target->path);
	else
		rte_pci_device_name(&addr, name, size);
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
		target_name(&target, name, size);
	return rc;
}

/* Which device of ours an entry of the allow list means. -ENOENT: none. */
static int
devargs_target(const struct rte_devargs *devargs, struct pci_vfio_user_target *target)
{
	const char *path = name_path(devargs->name);
	struct rte_kvargs *kvargs;
	const char *backend;
	int rc = -ENOENT;

	if (devargs->policy == RTE_DEV_BLOCKED)
		return -ENOENT;
	memset(target, 0, sizeof(*target));
	if (devargs->bus_str == NULL || devargs->data == NULL) {
		if (path != NULL)
			strlcpy(target->path, path, sizeof(target->path));
		return path != NULL ? 0 : -ENOENT;
	}
	kvargs = rte_kvargs_parse(devargs->bus_str, NULL);
	if (kvargs == NULL)
		return -ENOENT;
	backend = rte_kvargs_get(kvargs, "backend");
	if (backend != NULL && strcmp(backend, pci_vfio_user_backend.name) == 0)
		rc = target_parse(kvargs, target);
	else if (path != NULL)
		rc = (int)strlcpy(target->path, path, sizeof(target->path)) < 0;
	rte_kvargs_free(kvargs);
	return rc;
}

/* ---- connecting ---- */

static const struct {
	int rc;
	const char *why;
} attach_errors[] = {
	{ -ENOENT, "there is no such socket" },
	{ -ECONNREFUSED, "nobody listens at this socket" },
	{ -EACCES, "permission denied" },
	{ -ENOTSOCK, "this is not a socket" },
	{ -EPROTO, "who listens is not a vfio-user server, or not a sound one" },
	{ -EPROTONOSUPPORT, "the server speaks another version of vfio-user" },
	{ -EPROTOTYPE, "this is not a stream socket" },
	{ -ENODEV, "the server's device is not a PCI device" },
	{ -ETIMEDOUT, "the server does not answer" },
	{ -ENOSPC, "too many vfio-user devices" },
};

static void
link_nag(struct pci_vfio_user_link *link, int rc)
{
	const char *why = rte_strerror(-rc);
	size_t i;

	if (link->nagged)
		return;
	link->nagged = true;
	for (i = 0; i < RTE_DIM(attach_errors); i++)
		if (attach_errors[i].rc == rc)
			why = attach_errors[i].why;
	PCI_LOG(ERR, "%s: cannot attach to the device at %s: %s", link->name, link->target.path,
		why);
}

static int
config_region_check(int dev_id)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = PCI_REGION_CONFIG };
	int rc;

	rc = rte_vfio_user_get_reg_info(dev_id, &info, NULL);
	if (rc != 0)
		return rc == -EINVAL ? -EPROTO : rc;
	return info.size >= 64 ? 0 : -EPROTO;
}

static uint16_t
le16_at(const uint8_t *bytes, size_t offset)
{
	return (uint16_t)(bytes[offset] | bytes[offset + 1] << 8);
}

/* PCI Local Bus Specification 3.0, 6.1: header type 0 has the subsystem. */
static void
ident_set_id(struct pci_ident *ident, const uint8_t *config)
{
	ident->id = (struct rte_pci_id){
		.vendor_id = le16_at(config, 0x00),
		.device_id = le16_at(config, 0x02),
		.class_id = (uint32_t)config[0x0b] << 16 | le16_at(config, 0x09),
	};
	if ((config[0x0e] & 0x7f) != 0)
		return;
	ident->id.subsystem_vendor_id = le16_at(config, 0x2c);
	ident->id.subsystem_device_id = le16_at(config, 0x2e);
}

/* What cannot be told now will be an error when the device is opened. */
static uint64_t
bar_len(int dev_id, unsigned int bar)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = bar };

	return rte_vfio_user_get_reg_info(dev_id, &info, NULL) == 0 ? info.size : 0;
}

static int
link_identify(struct pci_vfio_user_link *link, int dev_id)
{
	struct pci_ident ident = { .numa_node = -1, .name = link->name };
	uint8_t config[64];
	unsigned int bar;
	int rc;

	rc = config_region_check(dev_id);
	if (rc == 0)
		rc = rte_vfio_user_region_read(dev_id, PCI_REGION_CONFIG, 0, sizeof(config),
			config);
	if (rc != 0)
		return rc;
	ident_set_id(&ident, config);
	for (bar = 0; bar < PCI_MAX_RESOURCE; bar++)
		ident.bar[bar].len = bar_len(dev_id, bar);
	link->ident = ident;
	return 0;
}

static int
link_attach(struct pci_vfio_user_link *link)
{
	const struct rte_vfio_user_attach_options options = {
		.size = sizeof(options),
		.timeout_ms = link->target.timeout_ms,
	};
	int dev_id, rc;

	dev_id = rte_vfio_user_attach_dev_opt(link->target.path, &options);
	if (dev_id < 0)
		return dev_id;
	rc = link_identify(link, dev_id);
	if (rc != 0) {
		rte_vfio_user_detach_dev(dev_id);
		return rc;
	}
	link->dev_id = dev_id;
	link->nagged = false;
	return 0;
}

static void
link_detach(struct pci_vfio_user_link *link)
{
	if (link->dev_id >= 0)
		rte_vfio_user_detach_dev(link->dev_id);
	link->dev_id = -ENOTCONN;
}

/* Have a connection that works, be it the one from before. */
static int
link_ensure(struct pci_vfio_user_link *link)
{
	if (link->dev_id >= 0 && rte_vfio_user_serve(link->dev_id, 0) >= 0)
		return 0;
	link_detach(link);
	return link_attach(link);
}

/* ---- the links; with the lock ---- */

static struct pci_vfio_user_link *
link_find(const struct rte_pci_addr *addr)
{
	struct pci_vfio_user_link *link = links;

	while (link != NULL && rte_pci_addr_cmp(&link->addr, addr) != 0)
		link = link->next;
	return link;
}

static struct pci_vfio_user_link *
link_new(const struct pci_vfio_user_target *target)
{
	struct pci_vfio_user_link *link = calloc(1, sizeof(*link));

	if (link == NULL)
		return NULL;
	link->addr = path_addr(target->path);
	link->dev_id = -ENOTCONN;
	target_name(target, link->name, sizeof(link->name));
	link->next = links;
	links = link;
	return link;
}

static void
links_drop_unwanted(void)
{
	struct pci_vfio_user_link **at = &links, *link;

	while ((link = *at) != NULL) {
		if (link->wanted || link->open) {
			at = &link->next;
			continue;
		}
		*at = link->next;
		link_detach(link);
		free(link);
	}
}

static void
links_want_none(void)
{
	struct pci_vfio_user_link *link;

	for (link = links; link != NULL; link = link->next)
		link->wanted = false;
}

/* What the user says of a device that is open counts when it is opened next. */
static int
target_scan(struct pci_scan *scan, const struct pci_vfio_user_target *target)
{
	const struct rte_pci_addr addr = path_addr(target->path);
	struct pci_vfio_user_link *link = link_find(&addr);
	int rc;

	if (link == NULL)
		link = link_new(target);
	if (link == NULL)
		return -ENOMEM;
	link->wanted = true;
	link->target = *target;
	rc = link->open ? 0 : link_ensure(link);
	if (rc != 0) {
		link_nag(link, rc);
		return 0;
	}
	return rte_pci_scan_emit(scan, &pci_vfio_user_backend, &link->addr, &link->ident);
}

int
pci_vfio_user_scan(struct pci_scan *scan)
{
	struct pci_vfio_user_target target;
	struct rte_devargs *devargs;
	int rc = 0;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return 0;
	pthread_mutex_lock(&lock);
	links_want_none();
	RTE_EAL_DEVARGS_FOREACH("pci", devargs)
		if (rc == 0 && devargs_target(devargs, &target) == 0)
			rc = target_scan(scan, &target);
	if (rc == 0)
		links_drop_unwanted();
	pthread_mutex_unlock(&lock);
	return rc;
}

void
pci_vfio_user_scan_fini(void)
{
	pthread_mutex_lock(&lock);
	links_want_none();
	links_drop_unwanted();
	pthread_mutex_unlock(&lock);
}

int
pci_vfio_user_link_get(const struct rte_pci_addr *addr, struct pci_vfio_user_link **link)
{
	int rc = -ENODEV;

	pthread_mutex_lock(&lock);
	*link = link_find(addr);
	if (*link != NULL && !(*link)->open)
		rc = link_ensure(*link);
	if (rc == 0) {
		(*link)->open = true;
		rc = (*link)->dev_id;
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

void
pci_vfio_user_link_put(struct pci_vfio_user_link *link)
{
	pthread_mutex_lock(&lock);
	link_detach(link);
	link->open = false;
	pthread_mutex_unlock(&lock);
}
