/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "test.h"
#include "vu_stand.h"

#define LIMITS "\"max_msg_fds\":8,\"max_dma_maps\":300"

/* ----------------------------------------------------------------------- DMA_MAP ---- */

#define NB_REGIONS 200u

static void
regions_make(struct rte_vfio_user_mem_reg *mem, int *fds, uint32_t nb, int fd)
{
	uint32_t i;

	for (i = 0; i < nb; i++) {
		mem[i] = (struct rte_vfio_user_mem_reg) { .gpa = 0x10000 * (uint64_t)i,
			.size = 0x1000, .fd_offset = 0x1000 * (uint64_t)i,
			.protection = PROT_READ | PROT_WRITE, .flags = RTE_VUSER_MEM_MAPPABLE };
		fds[i] = fd;
	}
}

static void
test_maps_are_not_waited_for_one_by_one(void **state)
{
	struct stand stand = { .json = "{\"capabilities\":{" LIMITS "}}" };
	struct rte_vfio_user_mem_reg mem[NB_REGIONS];
	int fds[NB_REGIONS];
	unsigned int i;
	int fd;

	(void)state;
	stand_start(&stand);
	fd = eventfd(0, EFD_CLOEXEC);
	regions_make(mem, fds, NB_REGIONS, fd);
	fds[3] = -1;
	mem[4].flags = 0;
	assert_int_equal(rte_vfio_user_dma_map(stand.dev_id, mem, fds, NB_REGIONS), 0);
	assert_int_equal(atomic_load(&stand.nb_log), NB_REGIONS);
	for (i = 0; i < NB_REGIONS; i++) {
		struct vu_dma_map map;

		memcpy(&map, stand.log[i].head, sizeof(map));
		assert_int_equal(map.addr, mem[i].gpa);
		assert_int_equal(map.flags, VU_DMA_F_READ | VU_DMA_F_WRITE);
		assert_int_equal(stand.log[i].nb_fds, i == 3 || i == 4 ? 0 : 1);
		assert_int_equal(map.offset, i == 3 || i == 4 ? 0 : mem[i].fd_offset);
	}
	stand_forget(&stand);
	assert_int_equal(rte_vfio_user_dma_unmap(stand.dev_id, mem, NB_REGIONS), 0);
	assert_int_equal(atomic_load(&stand.nb_log), NB_REGIONS);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	stand_end(&stand);
}

/* Refuses to map one address. */
static bool
answer_refuse(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const uint64_t *refused = stand->ctx;
	struct vu_dma_map map;

	(void)len;
	if (hdr->cmd != VU_DMA_MAP)
		return false;
	memcpy(&map, payload, sizeof(map));
	return map.addr == *refused && stand_error(stand, hdr, EEXIST);
}

static void
test_what_was_accepted_is_unmapped_when_one_is_refused(void **state)
{
	static const uint32_t nth[] = { 0, 1, 63, 64, 130, NB_REGIONS - 1 };
	struct rte_vfio_user_mem_reg mem[NB_REGIONS];
	unsigned int i, k, maps, unmaps;
	int fds[NB_REGIONS];
	uint64_t refused;

	(void)state;
	regions_make(mem, fds, NB_REGIONS, -1);
	for (i = 0; i < RTE_DIM(nth); i++) {
		struct stand stand = { .json = "{\"capabilities\":{" LIMITS "}}",
			.answer = answer_refuse, .ctx = &refused };

		refused = mem[nth[i]].gpa;
		stand_start(&stand);
		assert_int_equal(rte_vfio_user_dma_map(stand.dev_id, mem, fds, NB_REGIONS),
			-EEXIST);
		for (k = maps = unmaps = 0; k < atomic_load(&stand.nb_log); k++) {
			maps += stand.log[k].hdr.cmd == VU_DMA_MAP;
			unmaps += stand.log[k].hdr.cmd == VU_DMA_UNMAP;
		}
		assert_int_equal(unmaps, maps - 1);
		/* none of them counts any longer */
		refused = 1;
		assert_int_equal(rte_vfio_user_dma_map(stand.dev_id, mem, fds, NB_REGIONS), 0);
		stand_end(&stand);
	}
}

static void
test_servers_limit_of_regions_is_kept(void **state)
{
	struct stand stand = { .json = "{\"capabilities\":{\"max_dma_maps\":2}}" };
	struct rte_vfio_user_mem_reg mem[3];
	int fds[3];

	(void)state;
	regions_make(mem, fds, 3, -1);
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_dma_map(stand.dev_id, mem, fds, 3), -ENOSPC);
	assert_int_equal(rte_vfio_user_dma_map(stand.dev_id, mem, fds, 2), 0);
	assert_int_equal(rte_vfio_user_dma_map(stand.dev_id, mem + 2, fds, 1), -ENOSPC);
	assert_int_equal(atomic_load(&stand.nb_log), 2);
	assert_int_equal(rte_vfio_user_dma_unmap(stand.dev_id, mem, 1), 0);
	assert_int_equal(rte_vfio_user_dma_map(stand.dev_id, mem + 2, fds, 1), 0);
	assert_int_equal(rte_vfio_user_dma_unmap_all(stand.dev_id), 0);
	assert_int_equal(rte_vfio_user_dma_map(stand.dev_id, mem, fds, 2), 0);
	stand_end(&stand);
}

static void
test_regions_that_cannot_be(void **state)
{
	static const struct rte_vfio_user_mem_reg bad[] = {
		{ .gpa = 0, .size = 0, .protection = PROT_READ },
		{ .gpa = UINT64_MAX, .size = 2, .protection = PROT_READ },
		{ .gpa = 0, .size = 2, .fd_offset = UINT64_MAX, .protection = PROT_READ },
		{ .gpa = 0, .size = 1, .protection = 0 },
		{ .gpa = 0, .size = 1, .protection = PROT_EXEC },
		{ .gpa = 0, .size = 1, .protection = PROT_READ, .flags = 2 },
	};
	struct stand stand = { .answer = NULL };
	struct rte_vfio_user_mem_reg mem;
	size_t i;

	(void)state;
	stand_start(&stand);
	for (i = 0; i < RTE_DIM(bad); i++) {
		mem = bad[i];
		assert_int_equal(rte_vfio_user_dma_map(stand.dev_id, &mem, NULL, 1), -EINVAL);
	}
	assert_int_equal(atomic_load(&stand.nb_log), 0);
	stand_end(&stand);
}

static void
test_server_without_room_for_descriptors_gets_none(void **state)
{
	struct stand stand = { .json = "{\"capabilities\":{\"max_msg_fds\":0}}" };
	struct rte_vfio_user_mem_reg mem;
	int fd = 0;

	(void)state;
	stand_start(&stand);
	regions_make(&mem, &fd, 1, 0);
	assert_int_equal(rte_vfio_user_dma_map(stand.dev_id, &mem, &fd, 1), 0);
	assert_int_equal(stand.log[0].nb_fds, 0);
	stand_end(&stand);
}

/* ---------------------------------------------------------------------- SET_IRQS ---- */

struct irq_set {
	struct vfio_irq_set set;
	int32_t fds[20];
};

static void
test_eventfds_are_split_at_holes_and_limits(void **state)
{
	struct stand stand = { .json = "{\"capabilities\":{\"max_msg_fds\":4}}" };
	/* vectors: 6 bound, 2 not, 1 bound */
	static const struct { uint32_t start, count, fds; } runs[] = {
		{ 5, 4, 4 }, { 9, 2, 2 }, { 11, 2, 0 }, { 13, 1, 1 },
	};
	struct irq_set irqs = { .set = { .index = 2, .start = 5, .count = 9,
		.argsz = sizeof(struct vfio_irq_set) + 9 * sizeof(int32_t),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER } };
	struct vfio_irq_set sent;
	unsigned int i;
	int fd;

	(void)state;
	stand_start(&stand);
	fd = eventfd(0, EFD_CLOEXEC);
	for (i = 0; i < 9; i++) {
		int32_t value = i == 6 || i == 7 ? -1 : fd;

		memcpy((char *)&irqs + sizeof(irqs.set) + i * 4, &value, 4);
	}
	assert_int_equal(rte_vfio_user_set_irqs(stand.dev_id, &irqs.set), 0);
	assert_int_equal(atomic_load(&stand.nb_log), RTE_DIM(runs));
	for (i = 0; i < RTE_DIM(runs); i++) {
		memcpy(&sent, stand.log[i].head, sizeof(sent));
		assert_int_equal(sent.argsz, sizeof(sent));
		assert_int_equal(sent.start, runs[i].start);
		assert_int_equal(sent.count, runs[i].count);
		assert_int_equal(stand.log[i].nb_fds, runs[i].fds);
	}
	close(fd);
	stand_end(&stand);
}

static void
test_interrupt_sets_that_make_no_sense(void **state)
{
	struct stand stand = { .json = "{\"capabilities\":{\"max_msg_fds\":0}}" };
	struct irq_set irqs = { .set = { .argsz = 19, .flags = 0x21 } };

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_set_irqs(stand.dev_id, &irqs.set), -EINVAL);
	irqs.set.argsz = sizeof(irqs.set);
	irqs.set.flags = 0x3f;
	assert_int_equal(rte_vfio_user_set_irqs(stand.dev_id, &irqs.set), -EINVAL);
	irqs.set.flags = 0x24;
	irqs.set.count = 1;
	assert_int_equal(rte_vfio_user_set_irqs(stand.dev_id, &irqs.set), -EINVAL);
	irqs.set.argsz = sizeof(irqs.set) + 4;
	assert_int_equal(rte_vfio_user_set_irqs(stand.dev_id, &irqs.set), -ENOTSUP);
	assert_int_equal(atomic_load(&stand.nb_log), 0);
	stand_end(&stand);
}

/* --------------------------------------------------------------- GET_REGION_INFO ---- */

struct region_answer {
	const char *name;
	struct vfio_region_info info;
	struct vfio_region_info_cap_sparse_mmap cap;
	struct vfio_region_sparse_mmap_area areas[2];
	size_t len;	/* bytes sent; 0: all */
	enum { NO_FD, MEMFD, PIPE, DIRECTORY } fd;
	off_t file;	/* bytes of the memfd; 0: 1 MiB */
	int rc;
};

#define FULL (sizeof(struct vfio_region_info) + sizeof(struct vfio_region_info_cap_sparse_mmap) + \
	2 * sizeof(struct vfio_region_sparse_mmap_area))
#define INFO(argsz_, index_, cap_, offset_) { .argsz = argsz_, .index = index_, \
	.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_MMAP | \
	VFIO_REGION_INFO_FLAG_CAPS, .size = 0x100000, .cap_offset = cap_, .offset = offset_ }
#define MAPPABLE INFO(FULL, 2, sizeof(struct vfio_region_info), 0)
#define SPARSE(nb) { .header = { .id = VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1 }, \
	.nr_areas = nb }
#define AREAS { { .offset = 0x1000, .size = 0x1000 }, { .offset = 0x8000, .size = 0x1000 } }

static const struct region_answer region_answers[] = {
	{ "right", MAPPABLE, SPARSE(2), AREAS, .fd = MEMFD },
	{ "areas behind the file", MAPPABLE, SPARSE(2), AREAS, .fd = MEMFD, .file = 0x8fff,
		.rc = -EPROTO },
	{ "a pipe", MAPPABLE, SPARSE(2), AREAS, .fd = PIPE, .rc = -EPROTO },
	{ "a directory", MAPPABLE, SPARSE(2), AREAS, .fd = DIRECTORY, .rc = -EPROTO },
	{ "another region", INFO(FULL, 3, 32, 0), SPARSE(2), AREAS, .rc = -EPROTO },
	{ "too many areas", MAPPABLE, SPARSE(3), AREAS, .fd = MEMFD, .rc = -EPROTO },
	{ "a huge number of areas", MAPPABLE, SPARSE(UINT32_MAX), AREAS, .rc = -EPROTO },
	{ "an area outside", MAPPABLE, SPARSE(2),
		{ { .offset = 0xff000, .size = 0x2000 } }, .rc = -EPROTO },
	{ "an area that wraps", MAPPABLE, SPARSE(2),
		{ { .offset = 0x1000, .size = UINT64_MAX } }, .rc = -EPROTO },
	{ "a chain that loops", MAPPABLE, { .header = { .id = 1, .version = 1,
		.next = sizeof(struct vfio_region_info) } }, AREAS, .rc = -EPROTO },
	{ "a chain that leaves", INFO(FULL, 2, 0x1000, 0), SPARSE(2), AREAS, .rc = -EPROTO },
	{ "a region that wraps", INFO(FULL, 2, 32, UINT64_MAX - 5), SPARSE(2), AREAS,
		.rc = -EPROTO },
	{ "less than promised", MAPPABLE, SPARSE(2), AREAS, .len = FULL - 1, .rc = -EPROTO },
	{ "more than wanted", INFO(0x40000000, 2, 32, 0), SPARSE(2), AREAS, .rc = -EPROTO },
};

static int
region_answer_fd(const struct region_answer *answer)
{
	int fds[2];

	if (answer->fd == DIRECTORY)
		return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (answer->fd == PIPE) {
		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		close(fds[1]);
		return fds[0];
	}
	fds[0] = memfd_create("region", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fds[0], answer->file > 0 ? answer->file : 0x100000), 0);
	return fds[0];
}

static bool
answer_region(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const struct region_answer *answer = stand->ctx;
	struct vfio_region_info request;
	uint8_t reply[FULL];
	int fd = -1;

	(void)len;
	if (hdr->cmd != VU_GET_REGION_INFO)
		return false;
	memcpy(&request, payload, sizeof(request));
	memcpy(reply, &answer->info, 32);
	memcpy(reply + 32, &answer->cap, 16);
	memcpy(reply + 48, answer->areas, 32);
	if (request.argsz < FULL)
		return stand_reply(stand, hdr, reply, 32, NULL, 0);
	if (answer->fd != NO_FD)
		fd = region_answer_fd(answer);
	stand_reply(stand, hdr, reply, answer->len > 0 ? answer->len : FULL, &fd, fd >= 0);
	if (fd >= 0)
		close(fd);
	return true;
}

static void
check_region_answer(const struct region_answer *answer)
{
	union {
		struct vfio_region_info info;
		uint8_t room[FULL];
	} u = { .info = { .argsz = sizeof(u), .index = 2 } };
	struct stand stand = { .answer = answer_region };
	uintptr_t ctx = (uintptr_t)answer;
	int fd = 7;
	int rc;

	stand.ctx = (void *)ctx;
	stand_start(&stand);
	rc = rte_vfio_user_get_reg_info(stand.dev_id, &u.info, &fd);
	if (rc != answer->rc || (fd >= 0) != (rc == 0 && answer->fd == MEMFD))
		fail_msg("%s: %d, fd %d", answer->name, rc, fd);
	if (rc < 0)
		assert_int_equal(u.info.size, 0);
	if (fd >= 0)
		close(fd);
	stand_end(&stand);
}

static void
test_descriptions_of_regions_are_checked(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(region_answers); i++)
		check_region_answer(&region_answers[i]);
}

static void
test_short_answer_tells_the_room_it_needs(void **state)
{
	struct vfio_region_info info = { .argsz = 31, .index = 2 };
	struct stand stand = { .answer = answer_region };
	uintptr_t ctx = (uintptr_t)&region_answers[0];
	int fd = 7;

	(void)state;
	stand.ctx = (void *)ctx;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_get_reg_info(stand.dev_id, &info, &fd), -EINVAL);
	assert_int_equal(fd, -1);
	info.argsz = sizeof(info);
	assert_int_equal(rte_vfio_user_get_reg_info(stand.dev_id, &info, &fd), 0);
	assert_int_equal(info.argsz, FULL);
	assert_int_equal(info.flags & VFIO_REGION_INFO_FLAG_CAPS, 0);
	assert_int_equal(fd, -1);
	stand_end(&stand);
}

/* ------------------------------------------------------------- GET_REGION_IO_FDS ---- */

/* One entry in the layout of *ctx bytes, with one descriptor. */
static bool
answer_io_fds(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const struct vfio_region_info info = { .argsz = 32, .index = 1, .size = 0x100 };
	size_t layout = *(const size_t *)stand->ctx;
	struct vu_region_io_fds fixed = { .argsz = (uint32_t)(16 + layout), .index = 1,
		.count = 1 };
	struct vu_ioeventfd_shadow entry = { .offset = 0x10, .size = 4, .datamatch = 0xd,
		.shadow_offset = layout == 40 ? 0xd : 0 };
	uint8_t reply[64];
	int fd;

	(void)payload;
	(void)len;
	if (hdr->cmd == VU_GET_REGION_INFO)
		return stand_reply(stand, hdr, &info, 32, NULL, 0);
	if (hdr->cmd != VU_GET_REGION_IO_FDS)
		return false;
	memcpy(reply, &fixed, sizeof(fixed));
	memcpy(reply + sizeof(fixed), &entry, sizeof(entry));
	fd = eventfd(0, EFD_CLOEXEC);
	stand_reply(stand, hdr, reply, 16 + layout, &fd, 1);
	close(fd);
	return true;
}

static void
test_io_descriptors_in_both_layouts(void **state)
{
	static const struct { size_t layout; int rc; } cases[] = {
		{ 40, 1 }, { 48, 1 }, { 39, -EPROTO }, { 44, -EPROTO },
	};
	struct rte_vfio_user_io_fd io;
	size_t i, layout;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		struct stand stand = { .answer = answer_io_fds, .ctx = &layout };

		layout = cases[i].layout;
		stand_start(&stand);
		assert_int_equal(rte_vfio_user_get_io_fds(stand.dev_id, 1, &io, 1), cases[i].rc);
		if (cases[i].rc == 1) {
			assert_int_equal(io.offset, 0x10);
			assert_int_equal(io.datamatch, 0xd);
			assert_int_equal(io.shadow_fd, -1);
			assert_int_equal(close(io.fd), 0);
			/* no room: only told how many there are */
			assert_int_equal(rte_vfio_user_get_io_fds(stand.dev_id, 1, NULL, 0), 1);
		}
		stand_end(&stand);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_maps_are_not_waited_for_one_by_one),
	cmocka_unit_test(test_what_was_accepted_is_unmapped_when_one_is_refused),
	cmocka_unit_test(test_servers_limit_of_regions_is_kept),
	cmocka_unit_test(test_regions_that_cannot_be),
	cmocka_unit_test(test_server_without_room_for_descriptors_gets_none),
	cmocka_unit_test(test_eventfds_are_split_at_holes_and_limits),
	cmocka_unit_test(test_interrupt_sets_that_make_no_sense),
	cmocka_unit_test(test_descriptions_of_regions_are_checked),
	cmocka_unit_test(test_short_answer_tells_the_room_it_needs),
	cmocka_unit_test(test_io_descriptors_in_both_layouts),
};

TEST_SUITE(vu_client_memory, "functional", tests, stand_setup, stand_teardown)
