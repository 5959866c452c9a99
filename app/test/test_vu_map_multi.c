/* SPDX-License-Identifier: BSD-3-Clause */

/* DMA_MAP_MULTI: clients that a server does not trust, and servers that a client does not. */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_log.h>
#include <rte_vfio_user.h>

#include "test.h"
#include "vu_served.h"
#include "vu_stand.h"

#define PAGE 4096u
#define NB 8u
#define SAYS "{\"capabilities\":{\"dpdk_map_multiple\":true}}"

struct request {
	struct vu_map_multi fixed;
	struct vu_dma_map map[NB];
};

static struct request
request_make(uint32_t nb)
{
	struct request request = { .fixed = { .count = nb } };
	uint32_t i;

	for (i = 0; i < NB; i++)
		request.map[i] = (struct vu_dma_map) { .argsz = sizeof(struct vu_dma_map),
			.flags = VU_DMA_F_READ, .addr = i * PAGE, .size = PAGE };
	return request;
}

static size_t
request_len(uint32_t nb)
{
	return sizeof(struct vu_map_multi) + nb * sizeof(struct vu_dma_map);
}

/* ---- a server ---- */

static void
test_command_is_unknown_to_who_did_not_ask_for_it(void **state)
{
	struct served *served = *state;
	struct request request = request_make(1);
	int fd = peer_memory(PAGE);
	struct vu_peer peer;

	peer_open(&peer, served->path);
	assert_int_equal(peer_call_fds(&peer, VU_DMA_MAP_MULTI, &request, request_len(1), &fd, 1),
		ENOSYS);
	assert_int_equal(served_nb_regions(served), 0);
	peer_close(&peer);
	close(fd);
}

static void
test_server_says_it_to_who_asks(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;

	peer_connect(&peer, served->path);
	assert_int_equal(peer_version(&peer, SAYS), 0);
	assert_non_null(strstr((char *)peer.payload + 4, "\"dpdk_map_multiple\":true"));
	peer_close(&peer);
	peer_connect(&peer, served->path);
	assert_int_equal(peer_version(&peer, "{}"), 0);
	assert_null(strstr((char *)peer.payload + 4, "dpdk"));
	peer_close(&peer);
}

static void
test_each_has_one_descriptor(void **state)
{
	static const struct {
		uint32_t count;
		uint32_t maps;
		unsigned int fds;
		int err;
	} cases[] = {
		{ 0, 0, 0, EINVAL },
		{ 0, 0, 1, EINVAL },
		{ 2, 2, 0, EINVAL },
		{ 2, 2, 1, EINVAL },
		{ 2, 2, 3, EINVAL },
		{ 1, 2, 2, EINVAL },
		{ 3, 2, 2, EINVAL },
		{ UINT32_MAX, 2, 2, EINVAL },
		{ 2, 2, 2, 0 },
	};
	struct served *served = *state;
	int fd = peer_memory(PAGE), fds[] = { fd, fd, fd };
	struct vu_peer peer;
	unsigned int i;

	peer_connect(&peer, served->path);
	assert_int_equal(peer_version(&peer, SAYS), 0);
	for (i = 0; i < RTE_DIM(cases); i++) {
		struct request request = request_make(cases[i].count);

		assert_int_equal(served_nb_regions(served), 0);
		assert_int_equal(peer_call_fds(&peer, VU_DMA_MAP_MULTI, &request,
			request_len(cases[i].maps), fds, cases[i].fds), cases[i].err);
	}
	assert_int_equal(served_nb_regions(served), 2);
	peer_close(&peer);
	close(fd);
}

/* Those before it are mapped, and the answer says so. */
static void
test_server_stops_at_the_first_that_fails(void **state)
{
	struct served *served = *state;
	int fd = peer_memory(PAGE), fds[NB];
	struct vu_map_multi reply;
	struct vu_peer peer;
	uint32_t i, k;

	peer_connect(&peer, served->path);
	assert_int_equal(peer_version(&peer, SAYS), 0);
	for (i = 0; i < NB; i++)
		fds[i] = fd;
	for (i = 0; i < NB; i++) {
		struct request request = request_make(NB);

		for (k = i; k < NB; k++)
			request.map[k].offset = PAGE;
		assert_int_equal(peer_call_fds(&peer, VU_DMA_MAP_MULTI, &request,
			request_len(NB), fds, NB), i == 0 ? EINVAL : 0);
		assert_int_equal(served_nb_regions(served), i);
		if (i == 0)
			continue;
		memcpy(&reply, peer.payload, sizeof(reply));
		assert_int_equal(reply.count, i);
		assert_int_equal(reply.error, EINVAL);
		assert_int_equal(peer_unmap(&peer, 0, 0, VU_UNMAP_F_ALL), 0);
	}
	peer_close(&peer);
	close(fd);
}

/* More than the server said it takes; the regions are fewer. */
static void
test_too_many_descriptors_end_the_session(void **state)
{
	struct served *served = *state;
	struct request request = request_make(NB);
	int fd = peer_memory(PAGE), fds[17];
	struct vu_peer peer;
	unsigned int i;

	for (i = 0; i < RTE_DIM(fds); i++)
		fds[i] = fd;
	peer_connect(&peer, served->path);
	assert_int_equal(peer_version(&peer, SAYS), 0);
	peer_send(&peer, VU_DMA_MAP_MULTI, 0, &request, request_len(NB), fds, RTE_DIM(fds));
	peer_expect_closed(&peer);
	peer_close(&peer);
	close(fd);
}

/* ---- a client ---- */

/* Answers DMA_MAP_MULTI with this. */
struct answer {
	struct vu_map_multi reply;
	size_t len;
	int fd;	/* sent with it; -1: none */
	bool silent;
	int rc;	/* what the client makes of it */
	uint32_t undone;	/* regions that it unmaps */
};

static bool
answer_map_multi(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const struct answer *answer = stand->ctx;
	uint8_t reply[16] = { 0 };

	(void)payload;
	if (hdr->cmd != VU_DMA_MAP_MULTI)
		return false;
	assert_int_equal(len, request_len(NB));
	assert_int_equal(stand->nb_fds, NB);
	memcpy(reply, &answer->reply, sizeof(answer->reply));
	return answer->silent || stand_reply(stand, hdr, reply, answer->len, &answer->fd,
		answer->fd >= 0 ? 1 : 0);
}

static unsigned int
stand_count(const struct stand *stand, uint16_t cmd)
{
	unsigned int i, nb = 0;

	for (i = 0; i < atomic_load(&stand->nb_log); i++)
		nb += stand->log[i].hdr.cmd == cmd;
	return nb;
}

static void
client_case(const struct answer *answer)
{
	static struct stand stand;

	uintptr_t ctx = (uintptr_t)answer;
	struct rte_vfio_user_mem_reg mem[NB];
	int fds[NB], fd;
	uint32_t i;

	stand = (struct stand) { .answer = answer_map_multi, .ctx = (void *)ctx,
		.timeout_ms = answer->silent ? 500 : 0,
		.json = "{\"capabilities\":{\"max_msg_fds\":8,\"dpdk_map_multiple\":true}}" };
	stand_start(&stand);
	fd = peer_memory(PAGE);
	for (i = 0; i < NB; i++) {
		fds[i] = fd;
		mem[i] = (struct rte_vfio_user_mem_reg) { .gpa = i * PAGE, .size = PAGE,
			.protection = PROT_READ, .flags = RTE_VUSER_MEM_MAPPABLE };
	}
	assert_int_equal(rte_vfio_user_dma_map(stand.dev_id, mem, fds, NB), answer->rc);
	assert_int_equal(stand_count(&stand, VU_DMA_MAP_MULTI), 1);
	assert_int_equal(stand_count(&stand, VU_DMA_UNMAP), answer->undone);
	close(fd);
	stand_end(&stand);
}

static void
test_client_believes_what_makes_sense(void **state)
{
	static const struct answer cases[] = {
		{ { NB, 0 }, 8, -1, false, 0, 0 },
		{ { 3, EEXIST }, 8, -1, false, -EEXIST, 3 },
		{ { 0, ENOSPC }, 8, -1, false, -ENOSPC, 0 },
		{ { NB + 1, 0 }, 8, -1, false, -EPROTO, 0 },
		{ { UINT32_MAX, EEXIST }, 8, -1, false, -EPROTO, 0 },
		{ { NB, EEXIST }, 8, -1, false, -EPROTO, 0 },
		{ { 3, 0 }, 8, -1, false, -EPROTO, 0 },
		{ { 3, 4096 }, 8, -1, false, -EPROTO, 0 },
		{ { NB, 0 }, 4, -1, false, -EPROTO, 0 },
		{ { NB, 0 }, 12, -1, false, -EPROTO, 0 },
		{ { NB, 0 }, 8, 0, false, -EPROTO, 0 },
		/* nobody knows what it did, so all is undone */
		{ { 0, 0 }, 0, -1, true, -ETIMEDOUT, NB },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++)
		client_case(&cases[i]);
}

static int
suite_setup(void **state)
{
	rte_log_set_level_pattern("lib.vfio_user", RTE_LOG_CRIT);
	return served_warm_up(state);
}

static int
suite_teardown(void **state)
{
	(void)state;
	rte_log_set_level_pattern("lib.vfio_user", RTE_LOG_NOTICE);
	return 0;
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, served_setup, served_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_command_is_unknown_to_who_did_not_ask_for_it),
	TEST(test_server_says_it_to_who_asks),
	TEST(test_each_has_one_descriptor),
	TEST(test_server_stops_at_the_first_that_fails),
	TEST(test_too_many_descriptors_end_the_session),
	cmocka_unit_test(test_client_believes_what_makes_sense),
};

TEST_SUITE(vu_map_multi, "functional", tests, suite_setup, suite_teardown)
