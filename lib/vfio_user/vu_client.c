/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <eal_export.h>
#include <rte_branch_prediction.h>

#include "vu_client.h"

/* An id is an index. Whoever uses a client is counted, and a client goes when nobody does. */
struct client_entry {
	_Atomic uint32_t users;	/* and ENTRY_* */
	struct vu_client *client;
};

#define ENTRY_LIVE     0x80000000u	/* may be used */
#define ENTRY_RESERVED 0x40000000u	/* not free */
#define ENTRY_USERS    0x3fffffffu

static struct client_entry entries[RTE_VFIO_USER_MAX_CLIENTS];

static void
entry_put(struct client_entry *entry)
{
	uint32_t users = atomic_fetch_sub(&entry->users, 1) - 1;

	if (unlikely(!(users & ENTRY_LIVE)) && (users & ENTRY_USERS) == 0)
		vu_futex_wake(&entry->users, INT_MAX);
}

struct vu_client *
vu_client_get(int dev_id)
{
	struct client_entry *entry;

	if (unlikely(dev_id < 0 || dev_id >= RTE_VFIO_USER_MAX_CLIENTS))
		return NULL;
	entry = &entries[dev_id];
	if (likely(atomic_fetch_add(&entry->users, 1) & ENTRY_LIVE))
		return entry->client;
	entry_put(entry);
	return NULL;
}

void
vu_client_put(struct vu_client *client)
{
	entry_put(&entries[client->dev_id]);
}

/* An entry that is nobody else's, or -ENOSPC. */
static int
entry_reserve(void)
{
	uint32_t users;
	int i;

	for (i = 0; i < RTE_VFIO_USER_MAX_CLIENTS; i++) {
		users = 0;
		if (atomic_compare_exchange_strong(&entries[i].users, &users, ENTRY_RESERVED))
			return i;
	}
	return -ENOSPC;
}

/* Others may still try an id that is no longer valid, so their count is left alone. */
static void
entry_release(struct client_entry *entry)
{
	atomic_fetch_and(&entry->users, ~ENTRY_RESERVED);
}

/* Give a reserved entry a client. */
static void
client_place(int dev_id, struct vu_client *client)
{
	client->dev_id = dev_id;
	entries[dev_id].client = client;
	atomic_fetch_or(&entries[dev_id].users, ENTRY_LIVE);
}

static int
attach(const char *path, const struct rte_vfio_user_attach_options *opt, int dev_id)
{
	struct client_entry *entry = &entries[dev_id];
	int rc;

	rc = vu_client_open(path, opt, &entry->client);
	if (rc < 0) {
		entry_release(entry);
		return rc;
	}
	client_place(dev_id, entry->client);
	return dev_id;
}

/* What the caller knows of the options; the rest is zero. */
static int
options_copy(const struct rte_vfio_user_attach_options *from,
	struct rte_vfio_user_attach_options *to)
{
	const uint32_t known = RTE_VFIO_USER_ATTACH_F_SOCK_FD | RTE_VFIO_USER_ATTACH_F_NO_TWIN;

	memset(to, 0, sizeof(*to));
	if (from == NULL)
		return 0;
	if (from->size < sizeof(from->size) || from->size > sizeof(*to))
		return -EINVAL;
	memcpy(to, from, from->size);
	return (to->flags & ~known) == 0 ? 0 : -EINVAL;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_attach_dev_opt, 25.11)
int
rte_vfio_user_attach_dev_opt(const char *sock_addr, const struct rte_vfio_user_attach_options *opt)
{
	struct rte_vfio_user_attach_options options;
	int rc;

	rc = options_copy(opt, &options);
	if (rc < 0)
		return rc;
	rc = sock_addr != NULL && sock_addr[0] != '\0' ? entry_reserve() : -EINVAL;
	if (rc >= 0)
		return attach(sock_addr, &options, rc);
	if (options.flags & RTE_VFIO_USER_ATTACH_F_SOCK_FD && options.sock_fd >= 0)
		close(options.sock_fd);
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_attach_dev, 25.11)
int
rte_vfio_user_attach_dev(const char *sock_addr)
{
	return rte_vfio_user_attach_dev_opt(sock_addr, NULL);
}

/* Wait until nobody uses an entry that is no longer valid. */
static void
entry_drain(struct client_entry *entry)
{
	uint32_t users;

	while (((users = atomic_load(&entry->users)) & ENTRY_USERS) > 0)
		vu_futex_wait(&entry->users, users, vu_now_ms() + VU_CLIENT_WAIT_MS);
}

/*
 * Take a client out of its entry, which stays reserved. On return nobody uses it: requests have
 * failed, or else come to their end.
 */
static int
client_take(int dev_id, bool fail, struct vu_client **out)
{
	struct vu_client *client = vu_client_get(dev_id);
	struct client_entry *entry;

	if (client == NULL)
		return -ENODEV;
	entry = &entries[dev_id];
	if (vu_client_serving(client)) {
		entry_put(entry);
		return -EDEADLK;
	}
	/* of several threads that take it, one does */
	if (!(atomic_fetch_and(&entry->users, ~ENTRY_LIVE) & ENTRY_LIVE)) {
		entry_put(entry);
		return -ENODEV;
	}
	if (fail)
		vu_client_fail(client, -ENOTCONN);
	atomic_store(&client->moves, true);
	entry_put(entry);
	entry_drain(entry);
	atomic_store(&client->moves, false);
	*out = client;
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_detach_dev, 25.11)
int
rte_vfio_user_detach_dev(int dev_id)
{
	struct vu_client *client;
	int rc;

	rc = client_take(dev_id, true, &client);
	if (rc < 0)
		return rc;
	vu_client_free(client);
	entry_release(&entries[dev_id]);
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_replace_dev, 25.11)
int
rte_vfio_user_replace_dev(int dev_id, int by_dev_id)
{
	struct vu_client *by, *old;
	int rc;

	if (dev_id == by_dev_id)
		return -EINVAL;
	rc = client_take(by_dev_id, false, &by);
	if (rc < 0)
		return rc;
	rc = client_take(dev_id, true, &old);
	if (rc < 0) {
		client_place(by_dev_id, by);
		return rc;
	}
	client_place(dev_id, by);
	vu_client_free(old);
	entry_release(&entries[by_dev_id]);
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_get_limits, 25.11)
int
rte_vfio_user_get_limits(int dev_id, struct rte_vfio_user_limits *limits)
{
	struct vu_client *client = vu_client_get(dev_id);
	const struct vu_caps *caps;

	if (client == NULL)
		return -ENODEV;
	caps = &client->server.caps;
	*limits = (struct rte_vfio_user_limits) {
		.major = client->server.major,
		.minor = client->server.minor,
		.max_msg_fds = caps->max_msg_fds,
		.max_data_xfer_size = caps->max_data_xfer_size,
		.max_dma_maps = caps->max_dma_maps,
		.pgsizes = caps->pgsizes,
		.write_multiple = caps->write_multiple,
		.twin_socket = caps->twin_socket,
		.migration = caps->migration,
		.mig_pgsize = caps->mig_pgsize,
		.mig_max_bitmap_size = caps->mig_max_bitmap_size,
	};
	vu_client_put(client);
	return 0;
}
