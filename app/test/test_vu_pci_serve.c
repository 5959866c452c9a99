/* SPDX-License-Identifier: BSD-3-Clause */

/* An emulated PCI function as a client sees it. */

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/vfio.h>

#include <rte_common.h>
#include <rte_log.h>
#include <rte_vfio_user_pci.h>

#include "counter.h"
#include "resources.h"
#include "test.h"
#include "vu_peer.h"

#define PAGE 4096u
#define NB_MSIX 3u
#define MSIX_TABLE 0x800u
#define MSIX_PBA   0xc00u
#define MEMORY_LEN 0x4000u

static const struct vfio_region_sparse_mmap_area areas[] = {
	{ 0x1000, 0x1000 }, { 0x3000, 0x1000 },
};

/* A function with a BAR of registers, one of memory, and all kinds of interrupts. */
static struct {
	char dir[32];
	char path[64];
	struct rte_vfio_user_pci *pci;
	int memory_fd;
	uint8_t *memory;
	uint32_t reg;
	atomic_uint connected, disconnected, resets;
	struct vu_peer peer;
} f;

static uint64_t
on_read(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t offset, unsigned int width)
{
	(void)pci, (void)bar, (void)width;
	return offset == 0 ? f.reg : UINT64_MAX;
}

static void
on_write(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t offset, unsigned int width,
	uint64_t value)
{
	(void)pci, (void)bar, (void)width;
	if (offset == 0)
		f.reg = (uint32_t)value;
}

static int
on_connected(struct rte_vfio_user_pci *pci)
{
	(void)pci;
	atomic_fetch_add(&f.connected, 1);
	return 0;
}

static void
on_disconnected(struct rte_vfio_user_pci *pci)
{
	(void)pci;
	atomic_fetch_add(&f.disconnected, 1);
}

static int
on_reset(struct rte_vfio_user_pci *pci)
{
	(void)pci;
	f.reg = 0;
	atomic_fetch_add(&f.resets, 1);
	return 0;
}

static const struct rte_vfio_user_pci_ops ops = {
	.connected = on_connected,
	.disconnected = on_disconnected,
	.reset = on_reset,
};

static const struct rte_vfio_user_pci_info info = {
	.size = sizeof(info),
	.vendor_id = 0x1234,
	.device_id = 0x5678,
	.class_code = 0xff0000,
	.interrupt_pin = 1,
};

static void
bars_add(void)
{
	const struct rte_vfio_user_pci_bar registers = {
		.size = PAGE, .read = on_read, .write = on_write,
	};
	const struct rte_vfio_user_pci_bar memory = {
		.size = MEMORY_LEN,
		.flags = RTE_VFIO_USER_PCI_BAR_64 | RTE_VFIO_USER_PCI_BAR_MMAP,
		.base = f.memory, .fd = f.memory_fd, .areas = areas, .nb_areas = RTE_DIM(areas),
	};

	assert_int_equal(rte_vfio_user_pci_set_bar(f.pci, 0, &registers), 0);
	assert_int_equal(rte_vfio_user_pci_set_bar(f.pci, 2, &memory), 0);
	assert_int_equal(rte_vfio_user_pci_set_rom(f.pci, "rom", 3), 0);
}

static void
caps_add(void)
{
	const struct rte_vfio_user_pci_msix msix = {
		.nb_vectors = NB_MSIX, .table_offset = MSIX_TABLE, .pba_offset = MSIX_PBA,
	};

	assert_true(rte_vfio_user_pci_add_msi(f.pci, 4, RTE_VFIO_USER_PCI_MSI_64) > 0);
	assert_true(rte_vfio_user_pci_add_msix(f.pci, &msix) > 0);
}

static int
setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	strcpy(f.dir, "/tmp/vu-pci-XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	snprintf(f.path, sizeof(f.path), "%s/sock", f.dir);
	f.memory_fd = peer_memory(MEMORY_LEN);
	f.memory = mmap(NULL, MEMORY_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, f.memory_fd, 0);
	assert_int_equal(rte_vfio_user_pci_create(&info, &ops, NULL, &f.pci), 0);
	bars_add();
	caps_add();
	assert_true(rte_vfio_user_pci_start(f.pci, f.path, NULL) >= 0);
	peer_open(&f.peer, f.path);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	peer_close(&f.peer);
	rte_vfio_user_pci_free(f.pci);
	munmap(f.memory, MEMORY_LEN);
	close(f.memory_fd);
	return rmdir(f.dir);
}

static void
config_put(uint32_t off, uint16_t value)
{
	assert_int_equal(peer_write(&f.peer, VFIO_PCI_CONFIG_REGION_INDEX, off, &value, 2), 0);
}

static uint16_t
config_get(uint32_t off)
{
	uint16_t value = 0;

	assert_int_equal(peer_read(&f.peer, VFIO_PCI_CONFIG_REGION_INDEX, off, &value, 2), 0);
	return value;
}

/* ---- what there is ---- */

static void
test_regions_are_those_of_pci(void **state)
{
	static const struct {
		uint64_t size;
		uint32_t flags;
	} regions[VFIO_PCI_NUM_REGIONS] = {
		[VFIO_PCI_BAR0_REGION_INDEX] = { PAGE, 3 },
		[VFIO_PCI_BAR2_REGION_INDEX] = { MEMORY_LEN, 3 | VFIO_REGION_INFO_FLAG_MMAP |
			VFIO_REGION_INFO_FLAG_CAPS },
		[VFIO_PCI_ROM_REGION_INDEX] = { 2048, VFIO_REGION_INFO_FLAG_READ },
		[VFIO_PCI_CONFIG_REGION_INDEX] = { 256, 3 },
	};
	struct vfio_region_info got;
	uint32_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(regions); i++) {
		const struct vfio_region_info ask = { .argsz = sizeof(ask), .index = i };

		assert_int_equal(peer_call(&f.peer, VU_GET_REGION_INFO, &ask, sizeof(ask)), 0);
		memcpy(&got, f.peer.payload, sizeof(got));
		assert_int_equal(got.size, regions[i].size);
		if (i != VFIO_PCI_BAR2_REGION_INDEX)
			assert_int_equal(got.flags, regions[i].flags);
	}
}

static void
test_windows_are_told_with_a_descriptor(void **state)
{
	struct vfio_region_info ask = { .argsz = 256, .index = VFIO_PCI_BAR2_REGION_INDEX };
	const struct vfio_region_info_cap_sparse_mmap *sparse;

	(void)state;
	assert_int_equal(peer_call(&f.peer, VU_GET_REGION_INFO, &ask, sizeof(ask)), 0);
	assert_int_equal(f.peer.nb_fds, 1);
	memcpy(&ask, f.peer.payload, sizeof(ask));
	assert_int_equal(ask.flags, 3 | VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS);
	sparse = (const void *)(f.peer.payload + ask.cap_offset);
	assert_int_equal(sparse->header.id, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
	assert_int_equal(sparse->nr_areas, RTE_DIM(areas));
	assert_memory_equal(sparse->areas, areas, sizeof(areas));
}

static void
test_interrupts_are_those_of_pci(void **state)
{
	static const struct {
		uint32_t count;
		uint32_t flags;
	} types[VFIO_PCI_NUM_IRQS] = { { 1, 7 }, { 4, 9 }, { NB_MSIX, 1 }, { 1, 1 }, { 1, 1 } };
	struct vfio_irq_info got;
	uint32_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(types); i++) {
		const struct vfio_irq_info ask = { .argsz = sizeof(ask), .index = i };

		assert_int_equal(peer_call(&f.peer, VU_GET_IRQ_INFO, &ask, sizeof(ask)), 0);
		memcpy(&got, f.peer.payload, sizeof(got));
		assert_int_equal(got.count, types[i].count);
		assert_int_equal(got.flags, types[i].flags);
	}
}

static void
test_registers_and_configuration_space_are_reached(void **state)
{
	uint32_t value = 0xcafe;
	uint8_t config[256];

	(void)state;
	assert_int_equal(peer_write(&f.peer, 0, 0, &value, 4), 0);
	assert_int_equal(f.reg, 0xcafe);
	value = 0;
	assert_int_equal(peer_read(&f.peer, 0, 0, &value, 4), 0);
	assert_int_equal(value, 0xcafe);
	assert_int_equal(peer_read(&f.peer, VFIO_PCI_CONFIG_REGION_INDEX, 0, config, 256), 0);
	assert_memory_equal(config, "\x34\x12\x78\x56", 4);
	assert_int_not_equal(peer_read(&f.peer, VFIO_PCI_CONFIG_REGION_INDEX, 0x100, config, 1), 0);
	assert_int_not_equal(peer_write(&f.peer, VFIO_PCI_ROM_REGION_INDEX, 0, config, 1), 0);
}

static void
test_memory_is_the_same_by_window_and_by_message(void **state)
{
	uint32_t value = 0x12345678;

	(void)state;
	assert_int_equal(peer_write(&f.peer, 2, 0x1ffe, &value, 4), 0);
	assert_memory_equal(&f.memory[0x1ffe], &value, 4);
	f.memory[0x3000] = 0x5a;
	assert_int_equal(peer_read(&f.peer, 2, 0x3000, &value, 1), 0);
	assert_int_equal(value & 0xff, 0x5a);
}

/* ---- memory of the client ---- */

static void
test_memory_is_for_bus_masters(void **state)
{
	int fd = peer_memory(PAGE);
	uint32_t value = 0x5eed;

	(void)state;
	assert_int_equal(peer_map(&f.peer, 0x10000, PAGE, 3, fd, 0), 0);
	assert_int_equal(rte_vfio_user_pci_dma_write(f.pci, 0x10008, &value, 4), -EACCES);
	assert_int_equal(rte_vfio_user_pci_dma_read(f.pci, 0x10008, &value, 4), -EACCES);
	config_put(4, 0x4);
	assert_int_equal(rte_vfio_user_pci_dma_write(f.pci, 0x10008, &value, 4), 0);
	assert_int_equal(pread(fd, &value, 4, 8), 4);
	assert_int_equal(value, 0x5eed);
	value = 0;
	assert_int_equal(rte_vfio_user_pci_dma_read(f.pci, 0x10008, &value, 4), 0);
	assert_int_equal(value, 0x5eed);
	assert_int_equal(rte_vfio_user_pci_dma_read(f.pci, 0x10ffe, &value, 4), -EFAULT);
	close(fd);
}

/* ---- coming and going ---- */

static void
test_reset_reaches_all_of_the_function(void **state)
{
	(void)state;
	f.reg = 5;
	config_put(4, 0x7);
	assert_int_equal(rte_vfio_user_pci_intx(f.pci, true), 0);
	assert_int_equal(peer_call(&f.peer, VU_RESET, NULL, 0), 0);
	assert_int_equal(atomic_load(&f.resets), 1);
	assert_int_equal(f.reg, 0);
	assert_int_equal(config_get(4), 0);
	assert_int_equal(config_get(6) & 0x8, 0);
}

static void
test_state_stays_from_client_to_client(void **state)
{
	uint32_t value = 77;

	(void)state;
	counter_wait(&f.connected, 1);
	assert_int_equal(peer_write(&f.peer, 0, 0, &value, 4), 0);
	config_put(4, 0x6);
	peer_close(&f.peer);
	peer_open(&f.peer, f.path);
	counter_wait(&f.disconnected, 1);
	counter_wait(&f.connected, 2);
	assert_int_equal(peer_read(&f.peer, 0, 0, &value, 4), 0);
	assert_int_equal(value, 77);
	assert_int_equal(config_get(4), 0x6);
}

static void
test_started_function_cannot_be_changed(void **state)
{
	const struct rte_vfio_user_pci_bar bar = { .size = 16 };

	(void)state;
	assert_int_equal(rte_vfio_user_pci_start(f.pci, f.path, NULL), -EBUSY);
	assert_int_equal(rte_vfio_user_pci_set_bar(f.pci, 5, &bar), -EBUSY);
	assert_int_equal(rte_vfio_user_pci_add_pm(f.pci), -EBUSY);
	assert_true(rte_vfio_user_pci_dev_id(f.pci) >= 0);
}

static void
test_stopped_function_starts_again(void **state)
{
	(void)state;
	assert_int_equal(rte_vfio_user_pci_stop(f.pci), 0);
	assert_int_equal(atomic_load(&f.disconnected), 1);
	assert_int_not_equal(access(f.path, F_OK), 0);
	assert_int_equal(rte_vfio_user_pci_dev_id(f.pci), -ENOTCONN);
	peer_close(&f.peer);
	assert_true(rte_vfio_user_pci_start(f.pci, f.path, NULL) >= 0);
	peer_open(&f.peer, f.path);
	assert_int_equal(config_get(0), 0x1234);
}

static void
test_start_that_fails_leaves_nothing(void **state)
{
	struct rte_vfio_user_pci *other;

	(void)state;
	assert_int_equal(rte_vfio_user_pci_create(&info, NULL, NULL, &other), 0);
	assert_int_equal(rte_vfio_user_pci_start(other, f.path, NULL), -EEXIST);
	assert_int_equal(rte_vfio_user_pci_start(other, "", NULL), -EINVAL);
	assert_true(rte_vfio_user_pci_start(other, "/nowhere/at/all", NULL) < 0);
	assert_int_equal(rte_vfio_user_pci_dev_id(other), -ENOTCONN);
	rte_vfio_user_pci_free(other);
	assert_int_equal(config_get(0), 0x1234);
}

/* Where its session cannot end it is neither half stopped nor freed. */
static void
test_function_is_not_stopped_from_a_section(void **state)
{
	int dev_id = rte_vfio_user_pci_dev_id(f.pci);

	(void)state;
	assert_int_equal(rte_vfio_user_dma_enter(dev_id), 0);
	assert_int_equal(rte_vfio_user_pci_stop(f.pci), -EDEADLK);
	rte_vfio_user_pci_free(f.pci);
	rte_vfio_user_dma_leave(dev_id);
	assert_int_equal(rte_vfio_user_pci_dev_id(f.pci), dev_id);
	assert_int_equal(config_get(0), 0x1234);
	assert_int_equal(peer_call(&f.peer, VU_RESET, NULL, 0), 0);
	assert_int_equal(f.resets, 1);
}

static int
suite_setup(void **state)
{
	(void)state;
	return rte_log_set_level_pattern("lib.vfio_user", RTE_LOG_CRIT);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	SERVED(test_regions_are_those_of_pci),
	SERVED(test_windows_are_told_with_a_descriptor),
	SERVED(test_interrupts_are_those_of_pci),
	SERVED(test_registers_and_configuration_space_are_reached),
	SERVED(test_memory_is_the_same_by_window_and_by_message),
	SERVED(test_memory_is_for_bus_masters),
	SERVED(test_reset_reaches_all_of_the_function),
	SERVED(test_state_stays_from_client_to_client),
	SERVED(test_started_function_cannot_be_changed),
	SERVED(test_stopped_function_starts_again),
	SERVED(test_start_that_fails_leaves_nothing),
	SERVED(test_function_is_not_stopped_from_a_section),
};

TEST_SUITE(vu_pci_serve, "functional", tests, suite_setup, NULL)
