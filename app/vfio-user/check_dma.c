/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include "check_rule.h"

#define MAP "VFIO_USER_DMA_MAP"
#define UNMAP "VFIO_USER_DMA_UNMAP"
#define LEAVE "Client Disconnection"

#define RW (WIRE_MAP_READ | WIRE_MAP_WRITE)
#define BASE (UINT64_C(1) << 32)
#define PAGE UINT64_C(4096)
#define LEN (16 * PAGE)
#define MANY 256u

/* Where some rules have their memory. */
#define APART (UINT64_C(1) << 33)
#define APART_TOO (UINT64_C(1) << 34)

/* What a rule begins with: LEN bytes at BASE, shared when there is a descriptor. */
static void
map_one(struct check *c, int fd)
{
	if (check_map(c, BASE, LEN, RW, fd, 0) != CHECK_DONE)
		check_skip(c, "DMA_MAP does not succeed");
}

static void
run_map(struct check *c)
{
	check_open(c);
	check_done(c, check_map(c, BASE, LEN, RW, check_memory(c, LEN), 0), "DMA_MAP");
	check_len(c, 0);
	check_done(c, check_unmap(c, BASE, LEN, 0), "DMA_UNMAP");
}

static void
run_map_messages(struct check *c)
{
	check_open(c);
	check_done(c, check_map(c, APART, LEN, RW, -1, 0), "DMA_MAP without a descriptor");
	check_done(c, check_unmap(c, APART, LEN, 0), "DMA_UNMAP");
}

static void
run_map_offset(struct check *c)
{
	int fd;

	check_open(c);
	fd = check_memory(c, 4 * LEN);
	check_done(c, check_map(c, BASE, LEN, RW, fd, 2 * LEN), "DMA_MAP in the middle of a file");
	check_done(c, check_map(c, BASE + LEN, LEN, RW, fd, 2 * LEN), "the same bytes beside it");
}

static void
run_map_readonly(struct check *c)
{
	check_open(c);
	check_done(c, check_map(c, BASE, LEN, WIRE_MAP_READ, check_memory(c, LEN), 0),
		"DMA_MAP for reading");
}

static void
run_map_adjacent(struct check *c)
{
	check_open(c);
	map_one(c, -1);
	check_done(c, check_map(c, BASE + LEN, LEN, RW, -1, 0), "DMA_MAP behind another");
	check_done(c, check_map(c, BASE - LEN, LEN, RW, -1, 0), "DMA_MAP in front of another");
}

static const struct {
	uint64_t addr, size;
	const char *what;
} overlaps[] = {
	{ BASE + PAGE, LEN, "DMA_MAP over the end of another" },
	{ BASE - PAGE, 2 * PAGE, "DMA_MAP over the start of another" },
	{ BASE + PAGE, PAGE, "DMA_MAP inside another" },
	{ BASE - PAGE, LEN + 2 * PAGE, "DMA_MAP around another" },
};

static void
run_overlap(struct check *c)
{
	unsigned int i;

	check_open(c);
	map_one(c, -1);
	for (i = 0; i < RTE_DIM(overlaps); i++)
		check_refused(c, check_map(c, overlaps[i].addr, overlaps[i].size, RW, -1, 0),
			overlaps[i].what);
}

static void
run_overlap_errno(struct check *c)
{
	int err;

	check_open(c);
	map_one(c, -1);
	err = check_map(c, overlaps[0].addr, overlaps[0].size, RW, -1, 0);
	check_refused(c, err, overlaps[0].what);
	CHECK_EXPECT(c, err == EEXIST, "the error is %d, not EEXIST (%d)", err, EEXIST);
}

/* libvfio-user takes the same once more. */
static void
run_again(struct check *c)
{
	int fd;

	check_open(c);
	fd = check_memory(c, LEN);
	map_one(c, fd);
	check_refused(c, check_map(c, BASE, LEN, RW, fd, 0), "the same DMA_MAP once more");
}

static void
run_overlap_fd(struct check *c)
{
	int ends[2];
	char byte;

	check_open(c);
	map_one(c, -1);
	check_pipe(c, ends);
	check_map(c, BASE, LEN, RW, ends[1], 0);
	check_own_close(c, ends[1]);
	while (read(ends[0], &byte, 1) < 0) {
		CHECK_EXPECT(c, errno == EAGAIN && check_left_ms(c) > 0,
			"the descriptor of a DMA_MAP that failed is kept");
		usleep(1000);
	}
}

static void
run_many(struct check *c)
{
	const unsigned int nb = (unsigned int)RTE_MIN(c->facts.max_maps, (uint64_t)MANY);
	unsigned int i;
	int fd;

	check_open(c);
	fd = check_memory(c, PAGE);
	for (i = 0; i < nb; i++)
		check_done(c, check_map(c, BASE + 2 * i * PAGE, PAGE, RW, i % 2 ? fd : -1, 0),
			"one of many DMA_MAPs");
	for (i = 0; i < nb; i++)
		check_done(c, check_unmap(c, BASE + 2 * i * PAGE, PAGE, 0), "its DMA_UNMAP");
}

static void
refused_map(struct check *c, uint64_t addr, uint64_t size, uint32_t flags, int fd, uint64_t offset,
	const char *what)
{
	check_refused(c, check_map(c, addr, size, flags, fd, offset), what);
}

static void
run_map_nothing(struct check *c)
{
	check_open(c);
	refused_map(c, BASE, 0, RW, -1, 0, "DMA_MAP of no bytes");
}

static void
run_map_wrap(struct check *c)
{
	check_open(c);
	refused_map(c, UINT64_MAX - PAGE + 1, 2 * PAGE, RW, -1, 0,
		"DMA_MAP across the last address");
}

static void
run_map_flags(struct check *c)
{
	check_open(c);
	refused_map(c, BASE, LEN, RW | 0x80000000, -1, 0, "a flag that nobody knows");
}

static void
run_map_argsz(struct check *c)
{
	const struct wire_map map = { .argsz = sizeof(map) - 1, .flags = RW, .addr = BASE,
		.size = LEN };

	check_open(c);
	check_refused(c, check_call(c, WIRE_DMA_MAP, &map, sizeof(map)), "argsz of 31");
}

static void
run_map_bad_fd(struct check *c)
{
	int ends[2];

	check_open(c);
	check_pipe(c, ends);
	refused_map(c, BASE, LEN, RW, ends[1], 0, "DMA_MAP of a pipe");
}

static void
run_map_short_file(struct check *c)
{
	check_open(c);
	refused_map(c, BASE, LEN, RW, check_memory(c, PAGE), 0,
		"DMA_MAP of more than the file has");
	refused_map(c, BASE, LEN, RW, check_memory(c, LEN), PAGE, "DMA_MAP behind the file's end");
}

static void
run_map_fds(struct check *c)
{
	const struct wire_map map = { .argsz = sizeof(map), .flags = RW, .addr = BASE,
		.size = LEN };
	int fds[2];

	check_open(c);
	fds[0] = check_memory(c, LEN);
	fds[1] = check_memory(c, LEN);
	check_refused_or_closed(c, check_call_fds(c, WIRE_DMA_MAP, &map, sizeof(map), fds,
		RTE_DIM(fds)), "DMA_MAP with two descriptors");
}

/* ---- unmap ---- */

static void
run_unmap(struct check *c)
{
	const struct wire_unmap expected = { .argsz = sizeof(expected), .addr = BASE, .size = LEN };

	check_open(c);
	map_one(c, -1);
	check_done(c, check_unmap(c, BASE, LEN, 0), "DMA_UNMAP");
	check_len(c, sizeof(expected));
	CHECK_EXPECT(c, memcmp(c->payload + 8, &expected.addr, 16) == 0,
		"address or size is not that of the request");
}

static void
run_unmap_again(struct check *c)
{
	check_open(c);
	map_one(c, -1);
	check_done(c, check_unmap(c, BASE, LEN, 0), "DMA_UNMAP");
	check_done(c, check_map(c, BASE, LEN, RW, -1, 0), "the same DMA_MAP after it");
}

/* Known by that it cannot be mapped once more. */
static bool
is_mapped(struct check *c, uint64_t addr)
{
	return check_map(c, addr, PAGE, RW, -1, 0) != CHECK_DONE;
}

/* Clients must not do it; some servers refuse, others take it as the kernel does. */
static void
run_unmap_unknown(struct check *c)
{
	check_open(c);
	map_one(c, -1);
	CHECK_EXPECT(c, check_unmap(c, APART, LEN, 0) != CHECK_CLOSED, "the connection is closed");
	CHECK_EXPECT(c, is_mapped(c, BASE), "another region went with it");
}

static void
run_unmap_part(struct check *c)
{
	check_open(c);
	map_one(c, -1);
	check_refused(c, check_unmap(c, BASE, PAGE, 0), "DMA_UNMAP of the first page");
	check_refused(c, check_unmap(c, BASE + LEN - PAGE, 2 * PAGE, 0),
		"DMA_UNMAP across the end");
}

static void
run_unmap_span(struct check *c)
{
	bool done;

	check_open(c);
	map_one(c, -1);
	if (check_map(c, BASE + LEN, LEN, RW, -1, 0) != CHECK_DONE)
		check_skip(c, "DMA_MAP does not succeed");
	done = check_unmap(c, BASE, 2 * LEN, 0) == CHECK_DONE;
	CHECK_EXPECT(c, is_mapped(c, BASE) != done, "it %s, and the first is%s mapped",
		done ? "succeeds" : "fails", done ? "" : " not");
	CHECK_EXPECT(c, is_mapped(c, BASE + LEN) != done, "it %s, and the second is%s mapped",
		done ? "succeeds" : "fails", done ? "" : " not");
}

static void
run_unmap_all(struct check *c)
{
	check_open(c);
	map_one(c, -1);
	check_done(c, check_unmap(c, 0, 0, WIRE_UNMAP_ALL), "DMA_UNMAP of all");
	CHECK_EXPECT(c, !is_mapped(c, BASE), "it leaves a region");
}

/* A file that somebody has mapped for writing cannot be sealed against that. */
static bool
is_free(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0;
}

static void
run_unmap_releases(struct check *c)
{
	int fd;

	check_open(c);
	fd = check_memory(c, LEN);
	map_one(c, fd);
	check_done(c, check_unmap(c, BASE, LEN, 0), "DMA_UNMAP");
	CHECK_EXPECT(c, is_free(fd), "the memory is still mapped when DMA_UNMAP is answered");
}

static void
run_leave(struct check *c)
{
	int fd;

	check_open(c);
	fd = check_memory(c, LEN);
	check_done(c, check_map(c, APART, LEN, RW, fd, 0), "DMA_MAP");
	check_close(c);
	while (!is_free(fd)) {
		CHECK_EXPECT(c, check_left_ms(c) > 0,
			"the memory of a client that left stays mapped");
		usleep(1000);
	}
}

static void
run_leave_forgets(struct check *c)
{
	check_open(c);
	check_done(c, check_map(c, APART_TOO, LEN, RW, -1, 0), "DMA_MAP");
	check_open(c);
	check_done(c, check_map(c, APART_TOO, LEN, RW, -1, 0), "DMA_MAP of the next client");
}

const struct check_rule check_dma_rules[] = {
	{ "dma-map", MAP, 0, "memory with a descriptor can be mapped; the reply has no payload",
		run_map },
	{ "dma-map-messages", MAP, 0, "memory without a descriptor can be mapped",
		run_map_messages },
	{ "dma-map-offset", MAP, 0, "a part of a file can be mapped, more than once",
		run_map_offset },
	{ "dma-map-readonly", MAP, 0, "memory that is only to be read can be mapped",
		run_map_readonly },
	{ "dma-map-adjacent", MAP, 0, "regions may touch each other", run_map_adjacent },
	{ "dma-map-overlap", MAP, 0, "a map over an existing region is refused", run_overlap },
	{ "dma-map-overlap-errno", MAP, CHECK_F_SHOULD, "it is refused with EEXIST",
		run_overlap_errno },
	{ "dma-map-again", MAP, CHECK_F_SHOULD, "the same map once more is refused", run_again },
	{ "dma-map-overlap-fd", MAP, 0, "the descriptor of a map that is refused is closed",
		run_overlap_fd },
	{ "dma-map-many", "VFIO_USER_VERSION", 0, "there is room for max_dma_maps, 256 are tried",
		run_many },
	{ "dma-map-nothing", MAP, CHECK_F_SHOULD, "a map of no bytes is refused", run_map_nothing },
	{ "dma-map-wrap", MAP, CHECK_F_SHOULD, "a map across the last address is refused",
		run_map_wrap },
	{ "dma-map-flags", MAP, CHECK_F_SHOULD, "unknown flags are refused", run_map_flags },
	{ "dma-map-argsz", MAP, CHECK_F_SHOULD, "argsz below 32 is refused", run_map_argsz },
	{ "dma-map-pipe", MAP, CHECK_F_SHOULD, "a descriptor that cannot be mapped is refused",
		run_map_bad_fd },
	{ "dma-map-short-file", MAP, CHECK_F_SHOULD, "a file that is too short is refused",
		run_map_short_file },
	{ "dma-map-two-fds", MAP, CHECK_F_SHOULD, "two descriptors are refused", run_map_fds },
	{ "dma-unmap", UNMAP, 0, "the reply repeats address and size", run_unmap },
	{ "dma-unmap-again", UNMAP, 0, "what was unmapped can be mapped again", run_unmap_again },
	{ "dma-unmap-unknown", UNMAP, 0, "an unmap of nothing takes nothing away",
		run_unmap_unknown },
	{ "dma-unmap-part", UNMAP, 0, "no part of a region can be unmapped", run_unmap_part },
	{ "dma-unmap-span", UNMAP, 0, "an unmap of two at a time does all that it says, or nothing",
		run_unmap_span },
	{ "dma-unmap-all", UNMAP, CHECK_F_SHOULD, "flag 2 unmaps all, as QEMU wants it",
		run_unmap_all },
	{ "dma-unmap-releases", UNMAP, 0, "the memory is let go before the reply",
		run_unmap_releases },
	{ "leave-releases", LEAVE, CHECK_F_SHOULD, "the memory of a client that left is let go",
		run_leave },
	{ "leave-forgets", LEAVE, CHECK_F_SHOULD, "the next client begins without memory",
		run_leave_forgets },
	{ .name = NULL },
};
