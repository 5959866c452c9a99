/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_pair.h"

static struct pair *
pair_new(const struct pair_how *how, struct rte_vfio_user_options *server,
	struct rte_vfio_user_attach_options *client)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	assert_non_null(pair);
	resources_take(&pair->before);
	*server = how != NULL ? how->server : (struct rte_vfio_user_options) { .size = 0 };
	*client = how != NULL ? how->client : (struct rte_vfio_user_attach_options) { .size = 0 };
	server->size = sizeof(*server);
	client->size = sizeof(*client);
	strcpy(pair->served.dir, "/tmp/vu-test-XXXXXX");
	assert_non_null(mkdtemp(pair->served.dir));
	return pair;
}

static void
pair_begin(struct pair *pair, const struct pair_how *how,
	const struct rte_vfio_user_options *server,
	const struct rte_vfio_user_attach_options *client)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/sock", pair->served.dir);
	served_register(&pair->served, path, server);
	if (how != NULL && how->prepare != NULL)
		how->prepare(&pair->served);
	assert_int_equal(rte_vfio_user_start(path), 0);
	pair->dev_id = rte_vfio_user_attach_dev_opt(path, client);
}

int
pair_setup_file(void **state)
{
	const struct pair_how *how = *state;
	struct rte_vfio_user_attach_options client;
	struct rte_vfio_user_options server;
	struct pair *pair = pair_new(how, &server, &client);

	pair_begin(pair, how, &server, &client);
	*state = pair;
	return 0;
}

int
pair_setup_sockets(void **state)
{
	const struct pair_how *how = *state;
	struct rte_vfio_user_attach_options client;
	struct rte_vfio_user_options server;
	struct pair *pair = pair_new(how, &server, &client);
	int sock[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	server.flags |= RTE_VFIO_USER_F_SOCK_FD;
	server.sock_fd = sock[0];
	client.flags |= RTE_VFIO_USER_ATTACH_F_SOCK_FD;
	client.sock_fd = sock[1];
	pair_begin(pair, how, &server, &client);
	*state = pair;
	return 0;
}

int
pair_teardown(void **state)
{
	struct pair *pair = *state;

	if (pair->dev_id >= 0)
		assert_int_equal(rte_vfio_user_detach_dev(pair->dev_id), 0);
	served_wait(&pair->served.destroy_device, atomic_load(&pair->served.new_device));
	served_stop(&pair->served);
	resources_assert_same(&pair->before);
	resources_drop(&pair->before);
	free(pair);
	return 0;
}

int
pair_map(struct pair *pair, uint64_t gpa, uint64_t size, uint32_t prot, int fd, uint64_t fd_offset)
{
	struct rte_vfio_user_mem_reg mem = { .gpa = gpa, .size = size, .fd_offset = fd_offset,
		.protection = prot, .flags = fd >= 0 ? RTE_VUSER_MEM_MAPPABLE : 0 };

	return rte_vfio_user_dma_map(pair->dev_id, &mem, &fd, 1);
}

int
pair_unmap(struct pair *pair, uint64_t gpa, uint64_t size)
{
	struct rte_vfio_user_mem_reg mem = { .gpa = gpa, .size = size };

	return rte_vfio_user_dma_unmap(pair->dev_id, &mem, 1);
}

int
pair_hook(struct pair *pair, uint64_t value)
{
	return rte_vfio_user_region_write(pair->dev_id, SERVED_REGS, SERVED_REG_HOOK,
		sizeof(value), &value);
}

/* ---- migration ---- */

uint8_t pair_state[PAIR_STATE_LEN];
uint32_t pair_mig_state;
static size_t state_at;	/* how far it was read or written */

static int
on_set_state(int dev_id, uint32_t state)
{
	(void)dev_id;
	pair_mig_state = state;
	state_at = 0;
	return 0;
}

static ssize_t
on_read_data(int dev_id, void *buf, size_t len)
{
	size_t n = RTE_MIN(len, sizeof(pair_state) - state_at);

	(void)dev_id;
	memcpy(buf, pair_state + state_at, n);
	state_at += n;
	return (ssize_t)n;
}

static ssize_t
on_write_data(int dev_id, const void *buf, size_t len)
{
	(void)dev_id;
	if (len > sizeof(pair_state) - state_at)
		return -EFBIG;
	memcpy(pair_state + state_at, buf, len);
	state_at += len;
	return (ssize_t)len;
}

void
pair_migratable(struct served *served)
{
	const struct rte_vfio_user_migration_ops ops = {
		.flags = VFIO_MIGRATION_STOP_COPY | 4 /* pre-copy */,
		.set_state = on_set_state,
		.read_data = on_read_data,
		.write_data = on_write_data,
	};

	assert_int_equal(rte_vfio_user_set_migration(served->path, &ops), 0);
}

void
pair_set_state(struct pair *pair, uint32_t state)
{
	struct {
		struct vfio_device_feature head;
		uint32_t data[2];
	} set = { .head = { sizeof(set), VFIO_DEVICE_FEATURE_SET |
		VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE }, .data = { state } };

	assert_int_equal(rte_vfio_user_feature(pair->dev_id, &set.head, sizeof(set)), sizeof(set));
}

void
pair_expect_in_states(struct pair *pair, int (*call)(int dev_id), uint32_t states, int rc)
{
	static const uint32_t each[] = { VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_STOP,
		VFIO_DEVICE_STATE_STOP_COPY, VFIO_DEVICE_STATE_RESUMING, 6 /* pre-copy */ };
	size_t i;

	for (i = 0; i < RTE_DIM(each); i++) {
		pair_set_state(pair, VFIO_DEVICE_STATE_STOP);
		pair_set_state(pair, each[i]);
		assert_int_equal(call(pair->dev_id), states & 1u << each[i] ? rc : -EINVAL);
	}
}
