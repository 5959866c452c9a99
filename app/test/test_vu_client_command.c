/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "test.h"
#include "vu_stand.h"

/* -------------------------------------------------------------- commands of the server ---- */

static uint8_t host_memory[8192];

static int
host_handler(int dev_id, uint64_t addr, void *buf, uint64_t len, bool write, void *ctx)
{
	(void)ctx;
	/* who waits for the server cannot ask it */
	if (rte_vfio_user_reset(dev_id) != -EDEADLK)
		return -EIO;
	if (addr >= sizeof(host_memory) || len > sizeof(host_memory) - addr)
		return -EFAULT;
	if (write)
		memcpy(host_memory + addr, buf, len);
	else
		memcpy(buf, host_memory + addr, len);
	return 0;
}

/* A command of the server and what must come back. */
struct command_case {
	uint16_t cmd;
	uint64_t addr;
	uint64_t count;
	uint32_t error;
};

static const struct command_case command_cases[] = {
	{ VU_DMA_READ, 16, 100, 0 },
	{ VU_DMA_WRITE, 16, 100, 0 },
	{ VU_DMA_READ, 0, sizeof(host_memory), 0 },
	{ VU_DMA_READ, sizeof(host_memory), 1, EFAULT },
	{ VU_DMA_READ, 0, 0, EINVAL },
	{ VU_DMA_READ, UINT64_MAX, 2, EINVAL },
	{ VU_DMA_READ, 0, UINT64_MAX, E2BIG },
	{ VU_DMA_READ, 0, 1048577, E2BIG },
	{ VU_REGION_READ, 0, 4, ENOSYS },
	{ 99, 0, 4, ENOSYS },
};

/* Asks for memory before it answers a reset. */
static bool
answer_command(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const struct command_case *c = stand->ctx;
	struct vu_dma_access access = { .count = 0 };
	static uint8_t data[16384];
	struct vu_hdr reply;
	long n;

	(void)payload;
	(void)len;
	if (hdr->cmd != VU_RESET)
		return false;
	access.addr = c->addr;
	access.count = c->count;
	memset(data, 0x77, sizeof(data));
	memcpy(data, &access, sizeof(access));
	stand_command(stand->sock, 0x1234, c->cmd, data,
		sizeof(access) + (c->cmd == VU_DMA_WRITE ? c->count : 0));
	n = stand_receive(stand->sock, &reply, data, sizeof(data));
	if (n < 0 || reply.id != 0x1234 || reply.cmd != c->cmd || reply.error != c->error)
		return stand_error(stand, hdr, EPROTO);
	if (c->error == 0 && n != (long)(16 + (c->cmd == VU_DMA_READ ? c->count : 0)))
		return stand_error(stand, hdr, EMSGSIZE);
	return stand_reply(stand, hdr, NULL, 0, NULL, 0);
}

static void
test_commands_are_served_while_an_answer_is_awaited(void **state)
{
	struct stand stand = { .answer = answer_command };
	uintptr_t ctx;
	size_t i;

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_set_dma_handler(stand.dev_id, host_handler, NULL), 0);
	for (i = 0; i < RTE_DIM(command_cases); i++) {
		ctx = (uintptr_t)&command_cases[i];
		stand.ctx = (void *)ctx;
		if (rte_vfio_user_reset(stand.dev_id) != 0)
			fail_msg("case %zu", i);
	}
	assert_int_equal(host_memory[16], 0x77);
	assert_int_equal(host_memory[15], 0);
	stand_end(&stand);
}

static void
test_memory_told_of_is_served_without_a_handler(void **state)
{
	static const struct command_case across = { VU_DMA_WRITE, 0x1ff0, 32, 0 };
	static const struct command_case forbidden = { VU_DMA_WRITE, 0x3000, 4, EACCES };
	static const struct command_case missing = { VU_DMA_READ, 0x2ff0, 17, EFAULT };
	const struct command_case *cases[] = { &across, &forbidden, &missing };
	struct stand stand = { .answer = answer_command };
	uint8_t *a = calloc(1, 4096), *b = calloc(1, 4096);
	uintptr_t ctx;
	size_t i;

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0x1000, 0x1000, a,
		PROT_READ | PROT_WRITE), 0);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0x2000, 0x800, b,
		PROT_READ | PROT_WRITE), 0);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0x3000, 0x800, b, PROT_READ), 0);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0x27ff, 1, b, PROT_READ), -EEXIST);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0, 0, b, PROT_READ), -EINVAL);
	for (i = 0; i < RTE_DIM(cases); i++) {
		ctx = (uintptr_t)cases[i];
		stand.ctx = (void *)ctx;
		assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	}
	assert_int_equal(a[0xfef], 0);
	assert_int_equal(a[0xff0], 0x77);
	assert_int_equal(b[15], 0x77);
	assert_int_equal(b[16], 0);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0x1000, 0x1000, NULL, 0), 0);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0x1000, 0x1000, NULL, 0), -ENOENT);
	stand_end(&stand);
	free(a);
	free(b);
}

/* Asks for memory on a second socket. */
static bool
answer_twin(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const struct vu_dma_access access = { .addr = 0, .count = 8 };
	uint8_t data[64];
	struct vu_hdr reply;

	(void)payload;
	(void)len;
	if (hdr->cmd != VU_RESET)
		return stand_answer_twin(stand, hdr);
	stand_command(stand->twin, 1, VU_DMA_READ, &access, sizeof(access));
	if (stand_receive(stand->twin, &reply, data, sizeof(data)) != 24)
		return stand_error(stand, hdr, EPROTO);
	return false;
}

static void
test_commands_on_the_second_socket(void **state)
{
	struct stand stand = { .answer = answer_twin };

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0, sizeof(host_memory), host_memory,
		PROT_READ), 0);
	assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	stand_end(&stand);
}

static void
test_idle_client_serves_when_told_to(void **state)
{
	const struct vu_dma_access access = { .addr = 1, .count = 1 };
	struct stand stand = { .answer = NULL };

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_serve(stand.dev_id, 0), 0);
	stand_command(stand.sock, 1, VU_DMA_READ, &access, sizeof(access));
	assert_int_equal(rte_vfio_user_serve(stand.dev_id, 1000), 1);
	stand_hang_up(&stand);
	assert_int_equal(rte_vfio_user_serve(stand.dev_id, 1000), -ENOTCONN);
	stand_end(&stand);
}

/* A handler uses another device, whose server has a handler called as well. */
struct chain {
	int outer;	/* the device whose handler comes first */
	int inner;
	int rc_inside[2];	/* of what the inner handler wants of both */
	int rc_after;	/* of what the outer one wants of its own, when the inner one is over */
	int rc_detach;
};

static int
inner_handler(int dev_id, uint64_t addr, void *buf, uint64_t len, bool write, void *ctx)
{
	struct chain *chain = ctx;

	(void)addr;
	(void)write;
	memset(buf, 0, len);
	chain->rc_inside[0] = rte_vfio_user_reset(dev_id);
	chain->rc_inside[1] = rte_vfio_user_reset(chain->outer);
	return 0;
}

static int
outer_handler(int dev_id, uint64_t addr, void *buf, uint64_t len, bool write, void *ctx)
{
	struct chain *chain = ctx;
	int rc;

	(void)addr;
	(void)write;
	memset(buf, 0, len);
	rc = rte_vfio_user_reset(chain->inner);
	chain->rc_after = rte_vfio_user_reset(dev_id);
	chain->rc_detach = rte_vfio_user_detach_dev(dev_id);
	return rc;
}

static void
test_handler_may_use_another_device_only(void **state)
{
	static const struct command_case read = { VU_DMA_READ, 0, 8, 0 };
	uintptr_t ctx = (uintptr_t)&read;
	struct stand outer = { .answer = answer_command, .ctx = (void *)ctx };
	struct stand inner = { .answer = answer_command, .ctx = (void *)ctx };
	struct chain chain;

	(void)state;
	stand_start(&outer);
	/* what it needs for commands is there before the inner one counts what it leaves */
	assert_int_equal(rte_vfio_user_set_dma_handler(outer.dev_id, host_handler, NULL), 0);
	assert_int_equal(rte_vfio_user_reset(outer.dev_id), 0);
	stand_start(&inner);
	chain = (struct chain) { .outer = outer.dev_id, .inner = inner.dev_id };
	assert_int_equal(rte_vfio_user_set_dma_handler(outer.dev_id, outer_handler, &chain), 0);
	assert_int_equal(rte_vfio_user_set_dma_handler(inner.dev_id, inner_handler, &chain), 0);
	assert_int_equal(rte_vfio_user_reset(outer.dev_id), 0);
	assert_int_equal(chain.rc_inside[0], -EDEADLK);
	assert_int_equal(chain.rc_inside[1], -EDEADLK);
	assert_int_equal(chain.rc_after, -EDEADLK);
	assert_int_equal(chain.rc_detach, -EDEADLK);
	assert_int_equal(rte_vfio_user_reset(inner.dev_id), 0);
	stand_end(&inner);
	stand_end(&outer);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_commands_are_served_while_an_answer_is_awaited),
	cmocka_unit_test(test_memory_told_of_is_served_without_a_handler),
	cmocka_unit_test(test_commands_on_the_second_socket),
	cmocka_unit_test(test_idle_client_serves_when_told_to),
	cmocka_unit_test(test_handler_may_use_another_device_only),
};

TEST_SUITE(vu_client_command, "functional", tests, stand_setup, stand_teardown)
