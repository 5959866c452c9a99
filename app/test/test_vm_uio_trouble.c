/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The bus on the kernel's uio_pci_generic where not all is as it should be: a sysfs that is
 * read-only, a process without privileges, a device that is taken away.
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_interrupts.h>

#include "test.h"
#include "vm.h"
#include "vm_bus.h"
#include "vm_uio.h"

#define TIMEOUT_MS 15000u

/* ---- sysfs that may not be written ---- */

static void
sysfs_remount(unsigned long flags)
{
	assert_int_equal(mount(NULL, "/sys", NULL, MS_REMOUNT | flags, NULL), 0);
}

static void
test_read_only_sysfs_can_be_read(void **state)
{
	struct rte_pci_device *dev = vm_uio_probe(NVME);
	uint32_t version = vm_uio_mem_read(dev, 0, 8), value = 0;

	rte_pci_unmap_device(dev);
	sysfs_remount(MS_RDONLY);
	assert_int_equal(rte_pci_map_device(dev), 0);
	assert_true(vm_uio_maps_have("/resource0", "r--s"));
	assert_int_equal(vm_uio_mem_read(dev, 0, 8), version);
	assert_int_equal(rte_pci_mmio_write(dev, 0, &value, 4, 0xc), -EACCES);
	assert_int_equal(rte_pci_read_config(dev, &value, 4, 0), 4);
	assert_int_equal(value, 0x00101b36);
	assert_int_equal(rte_pci_write_config(dev, &value, 4, 0), -EACCES);
	assert_int_equal(rte_intr_type_get(dev->intr_handle), RTE_INTR_HANDLE_UNKNOWN);
	rte_pci_unmap_device(dev);
	sysfs_remount(0);
	assert_int_equal(rte_pci_map_device(dev), 0);
	assert_true(vm_uio_maps_have("/resource0", "rw-s"));
	assert_int_equal(vm_bus_remove(dev), 0);
}

/* A thread from before anybody was permitted to use ports: it is permitted when it does. */
struct port_user {
	pthread_barrier_t start;
	struct rte_pci_device *dev;
	bool agrees;
};

static void *
use_ports(void *arg)
{
	struct port_user *user = arg;
	uint32_t expected = 0;
	struct rte_pci_ioport port;

	pthread_barrier_wait(&user->start);
	if (rte_pci_ioport_map(user->dev, VM_UIO_E1000E_IO, &port) == 0 &&
			rte_pci_mmio_read(user->dev, VM_UIO_E1000E_MEM, &expected, 4, 0x5400) == 4)
		user->agrees = vm_uio_read_by_ports(&port, 0x5400) == expected;
	return NULL;
}

static void
test_ports_take_instructions_where_sysfs_is_read_only(void **state)
{
	struct port_user user = { .agrees = false };
	pthread_t thread;

	if (rte_eal_iopl_init() != 0)
		skip();	/* only x86 has them */
	assert_int_equal(pthread_barrier_init(&user.start, NULL, 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, use_ports, &user), 0);
	user.dev = vm_uio_probe(E1000E);
	rte_pci_unmap_device(user.dev);
	sysfs_remount(MS_RDONLY);
	assert_int_equal(rte_pci_map_device(user.dev), 0);
	vm_uio_assert_ports_and_memory_agree(user.dev);
	pthread_barrier_wait(&user.start);
	pthread_join(thread, NULL);
	sysfs_remount(0);
	assert_true(user.agrees);
	pthread_barrier_destroy(&user.start);
	assert_int_equal(vm_bus_remove(user.dev), 0);
}

/* ---- a process without privileges ---- */

#define NOBODY 65534u

static void
give_away(const char *bdf, const char *file)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, file);
	assert_int_equal(chown(path, NOBODY, NOBODY), 0);
}

static void
give_node_away(const char *bdf)
{
	char command_line[256];

	snprintf(command_line, sizeof(command_line),
		"chown %u /dev/$(ls /sys/bus/pci/devices/%s/uio)", NOBODY, bdf);
	assert_int_equal(system(command_line), 0);
}

/* The line modulo 256, never 0: tells where a child failed. */
#define CHECK(condition_) do { \
	if (!(condition_)) \
		return __LINE__ % 255 + 1; \
} while (0)

static int
map_as_nobody(struct rte_pci_device *dev)
{
	uint32_t value = 0;

	CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
	CHECK(rte_pci_map_device(dev) == 0);
	CHECK(rte_pci_mmio_read(dev, 0, &value, 4, 8) == 4);
	CHECK(value == 0x00010400);
	CHECK(rte_pci_read_config(dev, &value, 4, 0) == 4);
	CHECK(rte_pci_read_config(dev, &value, 4, 64) == -EINVAL);
	CHECK(rte_pci_find_capability(dev, RTE_PCI_CAP_ID_MSIX) < 0);
	rte_pci_unmap_device(dev);
	return 0;
}

static int
map_of_others(struct rte_pci_device *dev)
{
	CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
	CHECK(rte_pci_map_device(dev) == -EACCES);
	return 0;
}

static int
in_child(int (*body)(struct rte_pci_device *dev), struct rte_pci_device *dev)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body(dev));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_owner_of_the_files_needs_no_privilege(void **state)
{
	struct rte_pci_device *dev = vm_uio_probe(NVME);

	rte_pci_unmap_device(dev);
	assert_int_equal(in_child(map_of_others, dev), 0);
	give_node_away(vm_bus_bdf(dev));
	give_away(vm_bus_bdf(dev), "config");
	assert_int_equal(in_child(map_of_others, dev), 0);
	give_away(vm_bus_bdf(dev), "resource0");
	assert_int_equal(in_child(map_as_nobody, dev), 0);
	assert_int_equal(vm_bus_remove(dev), 0);
}

/* ---- a device that is taken away ---- */

/* Linux leaves mappings as they are; the bus hears of the removal and replaces them. */
static void
wait_for_ones(const volatile uint32_t *reg)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	unsigned int left = TIMEOUT_MS;

	while (*reg != UINT32_MAX && --left > 0)
		nanosleep(&ms, NULL);
	assert_int_equal(*reg, UINT32_MAX);
}

static void
test_device_that_is_taken_away_does_no_harm(void **state)
{
	char bdf[VM_BDF_LEN], path[256];
	struct rte_pci_device *dev;
	volatile uint32_t *version;
	uint32_t value;

	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	assert_int_equal(rte_dev_event_monitor_start(), 0);
	dev = vm_uio_probe(NVME);
	snprintf(bdf, sizeof(bdf), "%s", vm_bus_bdf(dev));
	version = RTE_PTR_ADD(dev->mem_resource[0].addr, 8);
	assert_int_equal(*version, 0x00010400);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", bdf);
	assert_int_equal(vm_write_file(path, "1"), 0);
	wait_for_ones(version);
	*version = 1;
	assert_int_equal(*version, 1);
	assert_int_equal(rte_pci_mmio_read(dev, 0, &value, 4, 8), -ENODEV);
	assert_false(vm_uio_maps_have("/resource0", "rw-s"));
	assert_true(rte_pci_read_config(dev, &value, 4, 0) < 0);
	assert_int_equal(vm_bus_remove(dev), 0);
	assert_int_equal(vm_write_file("/sys/bus/pci/rescan", "1"), 0);
	dev = vm_uio_probe(NVME);
	assert_int_equal(vm_uio_mem_read(dev, 0, 8), 0x00010400);
	assert_int_equal(vm_bus_remove(dev), 0);
	assert_int_equal(rte_dev_event_monitor_stop(), 0);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
}

static void
count(void *arg)
{
	atomic_fetch_add((atomic_uint *)arg, 1);
}

static uint64_t
cpu_ms(void)
{
	struct timespec used;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
	return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

/* The file of UIO is in error from then on, which nobody may take for an interrupt for ever. */
static void
test_unbinding_in_use_ends_the_interrupt_and_nothing_spins(void **state)
{
	struct rte_pci_device *dev = vm_uio_probe(NVME);
	char bdf[VM_BDF_LEN];
	atomic_uint counter = 0;
	unsigned int calls;
	uint64_t before;

	snprintf(bdf, sizeof(bdf), "%s", vm_bus_bdf(dev));
	assert_int_equal(rte_intr_callback_register(dev->intr_handle, count, &counter), 0);
	assert_int_equal(rte_intr_enable(dev->intr_handle), 0);
	assert_int_equal(vm_bind(bdf, NULL), 0);
	assert_false(vm_is_bound(bdf));
	usleep(100000);
	calls = atomic_load(&counter);
	before = cpu_ms();
	usleep(1000000);
	assert_true(cpu_ms() - before < 500);
	assert_int_equal(atomic_load(&counter), calls);
	assert_int_equal(rte_intr_callback_unregister_sync(dev->intr_handle, count, &counter),
		-ENOENT);
	assert_int_equal(vm_bus_remove(dev), 0);
	dev = vm_uio_probe(NVME);
	assert_int_equal(vm_uio_mem_read(dev, 0, 8), 0x00010400);
	assert_int_equal(vm_bus_remove(dev), 0);
}

static const struct CMUnitTest tests[] = {
	VM_BUS_TEST(test_read_only_sysfs_can_be_read),
	VM_BUS_TEST(test_ports_take_instructions_where_sysfs_is_read_only),
	VM_BUS_TEST(test_owner_of_the_files_needs_no_privilege),
	VM_BUS_TEST(test_device_that_is_taken_away_does_no_harm),
	VM_BUS_TEST(test_unbinding_in_use_ends_the_interrupt_and_nothing_spins),
};

TEST_SUITE(vm_uio_trouble, "vm", tests, vm_uio_setup, vm_bus_teardown)
