/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "test.h"
#include "vu_floor.h"
#include "vu_served.h"

#define RUNS 21

#define TOTAL 160000u
#define PER_SEND 16u

/* REGION_WRITE of 4 bytes that wants no reply. */
struct posted {
	struct vu_hdr hdr;
	struct vu_region_access access;
	uint32_t value;
} __rte_packed;

static const struct posted posted = {
	.hdr = { .cmd = VU_REGION_WRITE, .size = sizeof(posted), .flags = VU_F_NO_REPLY },
	.access = { .offset = 0x10, .region = SERVED_REGS, .count = 4 },
	.value = 0x12345678,
};

/* The writes, and a read behind them, which is answered when all are done. */
static double
posted_per_s(struct vu_peer *peer)
{
	struct vu_floor_sender sender = { .sock = peer->sock, .msg = &posted,
		.size = sizeof(posted), .per_send = PER_SEND, .total = TOTAL };
	double start = vu_floor_now_ns();
	uint32_t value;

	vu_floor_sender_start(&sender);
	vu_floor_sender_join(&sender);
	assert_int_equal(peer_read(peer, SERVED_REGS, 0x10, &value, sizeof(value)), 0);
	start = vu_floor_now_ns() - start;
	assert_int_equal(value, posted.value);
	return TOTAL / start * 1e9;
}

static void
bench_posted(void **state)
{
	struct served *served = calloc(1, sizeof(*served));
	struct vu_floor_runs runs = { .nb = 0 };
	struct vu_peer peer;
	unsigned int run;
	double ratio;
	cpu_set_t saved;

	(void)state;
	vu_floor_pin(&saved);
	served_start(served, NULL);
	peer_open(&peer, served->path);
	for (run = 0; run < RUNS; run++) {
		double bare = vu_floor_swallow_per_s(sizeof(posted), PER_SEND, TOTAL);

		vu_floor_run(&runs, posted_per_s(&peer), bare);
	}
	ratio = vu_floor_ratio(&runs);
	printf("posted writes, %u a send: %.2f M/s, bare receiver %.2f M/s: %.2fx "
		"(at least 0.60x wanted)%s\n", PER_SEND, vu_floor_ours(&runs) / 1e6,
		vu_floor_floor(&runs) / 1e6, ratio, vu_floor_verdict(ratio >= 0.6));
	peer_close(&peer);
	served_stop(served);
	vu_floor_unpin(&saved);
	free(served);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bench_posted),
};

TEST_SUITE(vu_posted, "benchmark", tests, served_warm_up, NULL)
