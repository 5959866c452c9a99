/* SPDX-License-Identifier: BSD-3-Clause */

/* What a client learns of a served device: GET_INFO, GET_REGION_INFO, GET_IRQ_INFO; and RESET. */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_served.h"

#include "test.h"

static int
region_info(struct vu_peer *peer, uint32_t index, uint32_t argsz, struct vfio_region_info *info)
{
	struct vfio_region_info request = { .argsz = argsz, .index = index };
	int err = peer_call(peer, VU_GET_REGION_INFO, &request, sizeof(request));

	if (err != 0)
		return err;
	assert_true(peer->len >= sizeof(*info));
	memcpy(info, peer->payload, sizeof(*info));
	return 0;
}

static void
test_device_info_is_what_was_set(void **state)
{
	struct served *served = *state;
	uint32_t request[4] = { 16 };
	const uint32_t expected[4] = { 16, VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
		SERVED_REGIONS, SERVED_IRQS };
	struct vu_peer peer;

	peer_open(&peer, served->path);
	assert_int_equal(peer_call(&peer, VU_GET_INFO, request, sizeof(request)), 0);
	assert_int_equal(peer.len, 16);
	assert_memory_equal(peer.payload, expected, 16);
	request[0] = 32;
	assert_int_equal(peer_call(&peer, VU_GET_INFO, request, sizeof(request)), 0);
	request[0] = 15;
	assert_int_equal(peer_call(&peer, VU_GET_INFO, request, sizeof(request)), EINVAL);
	request[0] = 16;
	assert_int_equal(peer_call(&peer, VU_GET_INFO, request, 12), EINVAL);
	peer_close(&peer);
}

static void
test_region_without_capabilities(void **state)
{
	struct served *served = *state;
	struct vfio_region_info info;
	struct vu_peer peer;

	peer_open(&peer, served->path);
	assert_int_equal(region_info(&peer, SERVED_REGS, 32, &info), 0);
	assert_int_equal(peer.len, 32);
	assert_int_equal(peer.nb_fds, 0);
	assert_int_equal(info.argsz, 32);
	assert_int_equal(info.flags, VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE);
	assert_int_equal(info.index, SERVED_REGS);
	assert_int_equal(info.cap_offset, 0);
	assert_int_equal(info.size, 4096);
	assert_int_equal(region_info(&peer, SERVED_WHOLE, 32, &info), 0);
	assert_int_equal(peer.nb_fds, 1);
	peer_close(&peer);
}

static void
test_region_that_is_absent_and_region_beyond(void **state)
{
	struct served *served = *state;
	struct vfio_region_info info;
	struct vu_peer peer;

	peer_open(&peer, served->path);
	assert_int_equal(region_info(&peer, 6, 32, &info), 0);
	assert_int_equal(info.size, 0);
	assert_int_equal(info.flags, 0);
	assert_int_equal(region_info(&peer, SERVED_REGIONS, 32, &info), EINVAL);
	assert_int_equal(region_info(&peer, UINT32_MAX, 32, &info), EINVAL);
	assert_int_equal(region_info(&peer, 0, 31, &info), EINVAL);
	peer_close(&peer);
}

/* Protocol reference 5.4: a client asks twice; the descriptor comes once. */
static void
test_capabilities_and_descriptor_come_with_the_full_answer_only(void **state)
{
	struct served *served = *state;
	const uint64_t areas[] = { 4096, 4096, 32768, 8192 };
	struct vfio_region_info info;
	struct vu_peer peer;
	uint8_t *map;
	int fd;

	peer_open(&peer, served->path);
	assert_int_equal(region_info(&peer, SERVED_MAPPABLE, 32, &info), 0);
	assert_int_equal(peer.len, 32);
	assert_int_equal(peer.nb_fds, 0);
	assert_int_equal(info.argsz, 80);
	assert_true(info.flags & VFIO_REGION_INFO_FLAG_MMAP);
	assert_int_equal(info.cap_offset, 0);
	assert_int_equal(region_info(&peer, SERVED_MAPPABLE, 79, &info), 0);
	assert_int_equal(peer.len, 32);
	assert_int_equal(region_info(&peer, SERVED_MAPPABLE, 4096, &info), 0);
	assert_int_equal(peer.len, 80);
	assert_int_equal(info.argsz, 80);
	assert_true(info.flags & VFIO_REGION_INFO_FLAG_CAPS);
	assert_int_equal(info.cap_offset, 32);
	assert_memory_equal(peer.payload + 48, areas, sizeof(areas));
	assert_int_equal(peer.nb_fds, 1);
	fd = peer_take_fd(&peer, 0);
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	assert_ptr_not_equal(map, MAP_FAILED);
	map[5] = 0x5a;
	assert_int_equal(served->map[4096 + 5], 0x5a);
	munmap(map, 4096);
	close(fd);
	peer_close(&peer);
}

/* What it could not receive is not promised. */
static void
test_client_without_room_for_descriptors_maps_nothing(void **state)
{
	struct served *served = *state;
	struct vfio_region_info info;
	struct vu_peer peer;
	uint32_t i;

	peer_connect(&peer, served->path);
	assert_int_equal(peer_version(&peer, "{\"capabilities\":{\"max_msg_fds\":0}}"), 0);
	for (i = 0; i < 2; i++) {
		assert_int_equal(region_info(&peer, i == 0 ? SERVED_WHOLE : SERVED_MAPPABLE, 4096,
			&info), 0);
		assert_int_equal(peer.nb_fds, 0);
		assert_int_equal(info.flags,
			VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE);
		assert_int_equal(info.argsz, 32);
		assert_int_equal(info.cap_offset, 0);
		assert_int_equal(info.size, 65536);
		assert_int_equal(peer.len, 32);
	}
	peer_close(&peer);
}

static void
test_irq_info_is_what_was_set(void **state)
{
	struct served *served = *state;
	static const uint32_t counts[SERVED_IRQS] = { 1, 4, SERVED_MSIX_NB, 1, 1 };
	struct vfio_irq_info info = { .argsz = 16 };
	struct vu_peer peer;
	uint32_t i;

	peer_open(&peer, served->path);
	for (i = 0; i < SERVED_IRQS; i++) {
		info.index = i;
		assert_int_equal(peer_call(&peer, VU_GET_IRQ_INFO, &info, sizeof(info)), 0);
		assert_int_equal(peer.len, 16);
		assert_int_equal(((struct vfio_irq_info *)peer.payload)->index, i);
		assert_int_equal(((struct vfio_irq_info *)peer.payload)->count, counts[i]);
	}
	info.index = SERVED_IRQS;
	assert_int_equal(peer_call(&peer, VU_GET_IRQ_INFO, &info, sizeof(info)), EINVAL);
	peer_close(&peer);
}

static void
test_reset_reaches_the_device_and_may_fail(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;

	peer_open(&peer, served->path);
	assert_int_equal(peer_call(&peer, VU_RESET, NULL, 0), 0);
	assert_int_equal(peer.len, 0);
	assert_int_equal(served->reset_device, 1);
	assert_int_equal(served->locks, 1);
	atomic_store(&served->refuse_reset, -EBUSY);
	assert_int_equal(peer_call(&peer, VU_RESET, NULL, 0), EBUSY);
	assert_int_equal(peer_call(&peer, VU_RESET, "x", 1), EINVAL);
	peer_send(&peer, VU_RESET, VU_F_NO_REPLY, NULL, 0, NULL, 0);
	peer_expect_silence(&peer);
	assert_int_equal(served->reset_device, 3);
	peer_close(&peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_setup, served_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_device_info_is_what_was_set),
	TEST(test_region_without_capabilities),
	TEST(test_region_that_is_absent_and_region_beyond),
	TEST(test_capabilities_and_descriptor_come_with_the_full_answer_only),
	TEST(test_client_without_room_for_descriptors_maps_nothing),
	TEST(test_irq_info_is_what_was_set),
	TEST(test_reset_reaches_the_device_and_may_fail),
};

TEST_SUITE(vu_server_info, "functional", tests, served_warm_up, NULL)
