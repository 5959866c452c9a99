/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The bus on the kernel's uio_pci_generic: BARs of memory and ports, write-combining, interrupts,
 * a sysfs that is read-only, a process without privileges, a device that is taken away. EAL runs
 * with physical addresses.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_eal_paging.h>
#include <rte_interrupts.h>

#include "test.h"
#include "vm.h"
#include "vm_bus.h"

#define PAGE ((uint64_t)rte_mem_page_size())
#define TIMEOUT_MS 15000u
#define KERNEL_DRIVER "uio_pci_generic"

#define TESTDEV 0x1b36, 0x0005
#define NVME 0x1b36, 0x0010
#define E1000E 0x8086, 0x10d3
#define VIRTIO_NET 0x1af4, 0x1000
#define IVSHMEM 0x1af4, 0x1110

/* flags in the kernel's resource files: include/linux/ioport.h */
#define RESOURCE_IO 0x100u
#define RESOURCE_MEM 0x200u

/* Registers of e1000e: through the BAR of memory, and by address and data through that of ports. */
#define E1000E_MEM 0
#define E1000E_IO 2
#define E1000E_IOADDR 0
#define E1000E_IODATA 4
static const uint32_t e1000e_registers[] = { 0x0008, 0x5400, 0x5404, 0x0010 };

/* ---- a driver for shared memory that wants write-combining ---- */

static int
shm_probe(struct rte_pci_driver *driver, struct rte_pci_device *dev)
{
	return 0;
}

static int
shm_remove(struct rte_pci_device *dev)
{
	return 0;
}

static const struct rte_pci_id shm_ids[] = {
	{ RTE_PCI_DEVICE(0x1af4, 0x1110) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver shm_driver = {
	.driver = { .name = "vm_shm" },
	.id_table = shm_ids,
	.drv_flags = RTE_PCI_DRV_NEED_MAPPING,
	.probe = shm_probe,
	.remove = shm_remove,
};

/* ---- devices ---- */

static const struct {
	uint16_t vendor, device;
} devices[] = {
	{ TESTDEV }, { NVME }, { E1000E }, { VIRTIO_NET }, { IVSHMEM },
};

static struct rte_pci_device *
probe(uint16_t vendor, uint16_t device)
{
	struct rte_pci_device *dev;
	char bdf[VM_BDF_LEN];

	assert_true(vm_find(vendor, device, bdf));
	dev = vm_bus_probe(bdf, KERNEL_DRIVER, "");
	assert_non_null(dev);
	assert_int_equal(dev->kdrv, RTE_PCI_KDRV_UIO_GENERIC);
	return dev;
}

static const char *
bdf_of(const struct rte_pci_device *dev)
{
	return rte_dev_name(&dev->device);
}

static uint16_t
command(const struct rte_pci_device *dev)
{
	char path[256];
	uint16_t value = 0;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf_of(dev));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &value, sizeof(value), RTE_PCI_COMMAND), sizeof(value));
	close(fd);
	return value;
}

static uint32_t
mem_read(const struct rte_pci_device *dev, int bar, off_t offset)
{
	uint32_t value = 0;

	assert_int_equal(rte_pci_mmio_read(dev, bar, &value, sizeof(value), offset),
		sizeof(value));
	return value;
}

/* ---- BARs ---- */

static void
assert_bar(const struct rte_pci_device *dev, unsigned int bar)
{
	uint64_t flags = vm_bar_flags(bdf_of(dev), bar);
	struct vm_span whole, span[4];
	struct rte_pci_bar_info info;
	size_t nb = vm_mapped_spans(bdf_of(dev), bar, span, RTE_DIM(span));

	assert_int_equal(vm_bar(bdf_of(dev), bar, &whole), 0);
	assert_int_equal(rte_pci_bar_info_get(dev, (int)bar, &info), 0);
	assert_int_equal(info.size, whole.len);
	assert_int_equal((info.flags & RTE_PCI_BAR_F_IOPORT) != 0, (flags & RESOURCE_IO) != 0);
	assert_int_equal(nb, (flags & RESOURCE_MEM) != 0);
	assert_int_equal(dev->mem_resource[bar].addr != NULL, nb != 0);
	if (nb == 0)
		return;
	assert_int_equal(span[0].off, 0);
	assert_int_equal(span[0].len, RTE_ALIGN(whole.len, PAGE));
	assert_int_equal(dev->mem_resource[bar].phys_addr, whole.off);
	assert_int_equal(dev->mem_resource[bar].len, whole.len);
}

static void
test_bars_of_every_kind_are_what_the_kernel_says(void **state)
{
	struct rte_pci_device *dev;
	struct vm_span span;
	unsigned int bar;
	size_t i;

	for (i = 0; i < RTE_DIM(devices); i++) {
		dev = probe(devices[i].vendor, devices[i].device);
		for (bar = 0; bar < PCI_MAX_RESOURCE; bar++)
			assert_bar(dev, bar);
		rte_pci_unmap_device(dev);
		for (bar = 0; bar < PCI_MAX_RESOURCE; bar++)
			assert_int_equal(vm_mapped_spans(bdf_of(dev), bar, &span, 1), 0);
		assert_int_equal(vm_bus_remove(dev), 0);
	}
}

/* Does a line of the process's mappings name this file, with this protection? */
static bool
maps_have(const char *file, const char *prot)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	bool found = false;

	assert_non_null(maps);
	while (!found && fgets(line, sizeof(line), maps) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		found = strlen(line) > strlen(file) && strstr(line, prot) != NULL &&
			strcmp(line + strlen(line) - strlen(file), file) == 0;
	}
	fclose(maps);
	return found;
}

static void
test_write_combining_is_for_the_driver_that_asks(void **state)
{
	static const char *const files[] = { "/resource2", "/resource2_wc" };
	static const uint32_t flags[] = { 0, RTE_PCI_DRV_WC_ACTIVATE };
	struct rte_pci_device *dev;
	unsigned int i;
	uint32_t value;

	for (i = 0; i < RTE_DIM(files); i++) {
		shm_driver.drv_flags = RTE_PCI_DRV_NEED_MAPPING | flags[i];
		dev = probe(IVSHMEM);
		assert_true(maps_have(files[i], "rw-s"));
		assert_false(maps_have(files[1 - i], "rw-s"));
		value = 0x600df00d;
		assert_int_equal(rte_pci_mmio_write(dev, 2, &value, 4, 0x1000), 4);
		assert_int_equal(mem_read(dev, 2, 0x1000), 0x600df00d);
		assert_int_equal(vm_bus_remove(dev), 0);
	}
}

/* ---- ports ---- */

static uint32_t
port_read(struct rte_pci_ioport *port, off_t offset)
{
	uint32_t value = 0;

	rte_pci_ioport_read(port, &value, sizeof(value), offset);
	return value;
}

static uint32_t
e1000e_read_by_ports(struct rte_pci_ioport *port, uint32_t reg)
{
	rte_pci_ioport_write(port, &reg, sizeof(reg), E1000E_IOADDR);
	return port_read(port, E1000E_IODATA);
}

/* The same registers by two BARs. */
static void
assert_ports_and_memory_agree(struct rte_pci_device *dev)
{
	struct rte_pci_ioport port;
	size_t i;

	assert_int_equal(rte_pci_ioport_map(dev, E1000E_IO, &port), 0);
	for (i = 0; i < RTE_DIM(e1000e_registers); i++)
		assert_int_equal(e1000e_read_by_ports(&port, e1000e_registers[i]),
			mem_read(dev, E1000E_MEM, e1000e_registers[i]));
	assert_int_not_equal(e1000e_read_by_ports(&port, 0x5400), 0);	/* the MAC's start */
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);
}

static void
test_ports_reach_the_registers_that_memory_reaches(void **state)
{
	struct rte_pci_device *dev = probe(E1000E);

	assert_ports_and_memory_agree(dev);
	assert_int_equal(vm_bus_remove(dev), 0);
}

/* The MAC of virtio-net, which reading does not change. */
#define VIRTIO_MAC 0x14
#define MAC_LEN 6u

static void
test_ports_read_as_the_kernel_reads_them(void **state)
{
	int fd = open("/dev/port", O_RDONLY);
	uint8_t expected[MAC_LEN], mac[MAC_LEN];
	struct rte_pci_device *dev;
	struct rte_pci_ioport port;
	struct vm_span span;
	unsigned int i;

	if (fd < 0 && errno == ENOENT)
		skip();	/* kernels for powerpc have none */
	assert_true(fd >= 0);
	dev = probe(VIRTIO_NET);
	assert_int_equal(vm_bar(bdf_of(dev), 0, &span), 0);
	assert_int_equal(pread(fd, expected, MAC_LEN, (off_t)span.off + VIRTIO_MAC), MAC_LEN);
	close(fd);
	assert_int_equal(rte_pci_ioport_map(dev, 0, &port), 0);
	for (i = 0; i < MAC_LEN; i++)
		rte_pci_ioport_read(&port, &mac[i], 1, VIRTIO_MAC + i);
	assert_memory_equal(mac, expected, MAC_LEN);
	memset(mac, 0, MAC_LEN);
	rte_pci_ioport_read(&port, mac, MAC_LEN, VIRTIO_MAC);
	assert_memory_equal(mac, expected, MAC_LEN);
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);
	assert_int_equal(vm_bus_remove(dev), 0);
}

/* QEMU, docs/specs/pci-testdev.rst: a byte selects a test, whose description can be read. */
#define TESTDEV_IO 1
#define TEST_OFFSET 4
#define TEST_DATA 8
#define TEST_COUNT 12
#define TEST_NAME 16

static void
test_port_writes_arrive_and_are_counted(void **state)
{
	struct rte_pci_device *dev = probe(TESTDEV);
	struct rte_pci_ioport port;
	uint8_t number = 0, data;
	char name[8] = "";
	off_t offset;
	uint32_t i;

	assert_int_equal(rte_pci_ioport_map(dev, TESTDEV_IO, &port), 0);
	rte_pci_ioport_write(&port, &number, 1, 0);
	rte_pci_ioport_read(&port, name, 6, TEST_NAME);
	assert_string_equal(name, "portio");
	offset = port_read(&port, TEST_OFFSET);
	data = (uint8_t)port_read(&port, TEST_DATA);
	assert_int_equal(port_read(&port, TEST_COUNT), 0);
	for (i = 1; i <= 10; i++) {
		rte_pci_ioport_write(&port, &data, 1, offset);
		assert_int_equal(port_read(&port, TEST_COUNT), i);
	}
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);
	assert_int_equal(vm_bus_remove(dev), 0);
}

/* ---- interrupts and bus mastering ---- */

static void
test_handle_is_of_uio_if_the_device_has_an_interrupt(void **state)
{
	struct rte_pci_device *dev = probe(E1000E);

	assert_int_equal(rte_intr_type_get(dev->intr_handle), RTE_INTR_HANDLE_UIO_INTX);
	assert_int_equal(rte_intr_disable(dev->intr_handle), 0);
	assert_true((command(dev) & RTE_PCI_COMMAND_INTX_DISABLE) != 0);
	assert_int_equal(rte_intr_enable(dev->intr_handle), 0);
	assert_true((command(dev) & RTE_PCI_COMMAND_INTX_DISABLE) == 0);
	assert_int_equal(vm_bus_remove(dev), 0);
	dev = probe(TESTDEV);
	assert_int_equal(rte_intr_type_get(dev->intr_handle), RTE_INTR_HANDLE_UNKNOWN);
	assert_int_equal(rte_intr_fd_get(dev->intr_handle), -1);
	assert_int_equal(vm_bus_remove(dev), 0);
}

static void
test_device_masters_the_bus_while_it_is_mapped(void **state)
{
	struct rte_pci_device *dev = probe(NVME);

	assert_int_equal(rte_eal_iova_mode(), RTE_IOVA_PA);
	assert_true((command(dev) & RTE_PCI_COMMAND_MASTER) != 0);
	rte_pci_unmap_device(dev);
	assert_true((command(dev) & RTE_PCI_COMMAND_MASTER) == 0);
	assert_int_equal(rte_pci_map_device(dev), 0);
	assert_true((command(dev) & RTE_PCI_COMMAND_MASTER) != 0);
	assert_int_equal(vm_bus_remove(dev), 0);
	assert_true((command(dev) & RTE_PCI_COMMAND_MASTER) == 0);
}

/* ---- sysfs that may not be written ---- */

static void
sysfs_remount(unsigned long flags)
{
	assert_int_equal(mount(NULL, "/sys", NULL, MS_REMOUNT | flags, NULL), 0);
}

static void
test_read_only_sysfs_can_be_read(void **state)
{
	struct rte_pci_device *dev = probe(NVME);
	uint32_t version = mem_read(dev, 0, 8), value = 0;

	rte_pci_unmap_device(dev);
	sysfs_remount(MS_RDONLY);
	assert_int_equal(rte_pci_map_device(dev), 0);
	assert_true(maps_have("/resource0", "r--s"));
	assert_int_equal(mem_read(dev, 0, 8), version);
	assert_int_equal(rte_pci_mmio_write(dev, 0, &value, 4, 0xc), -EACCES);
	assert_int_equal(rte_pci_read_config(dev, &value, 4, 0), 4);
	assert_int_equal(value, 0x00101b36);
	assert_int_equal(rte_pci_write_config(dev, &value, 4, 0), -EACCES);
	assert_int_equal(rte_intr_type_get(dev->intr_handle), RTE_INTR_HANDLE_UNKNOWN);
	rte_pci_unmap_device(dev);
	sysfs_remount(0);
	assert_int_equal(rte_pci_map_device(dev), 0);
	assert_true(maps_have("/resource0", "rw-s"));
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
	if (rte_pci_ioport_map(user->dev, E1000E_IO, &port) == 0 &&
			rte_pci_mmio_read(user->dev, E1000E_MEM, &expected, 4, 0x5400) == 4)
		user->agrees = e1000e_read_by_ports(&port, 0x5400) == expected;
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
	user.dev = probe(E1000E);
	rte_pci_unmap_device(user.dev);
	sysfs_remount(MS_RDONLY);
	assert_int_equal(rte_pci_map_device(user.dev), 0);
	assert_ports_and_memory_agree(user.dev);
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
	struct rte_pci_device *dev = probe(NVME);

	rte_pci_unmap_device(dev);
	assert_int_equal(in_child(map_of_others, dev), 0);
	give_node_away(bdf_of(dev));
	give_away(bdf_of(dev), "config");
	assert_int_equal(in_child(map_of_others, dev), 0);
	give_away(bdf_of(dev), "resource0");
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
	dev = probe(NVME);
	snprintf(bdf, sizeof(bdf), "%s", bdf_of(dev));
	version = RTE_PTR_ADD(dev->mem_resource[0].addr, 8);
	assert_int_equal(*version, 0x00010400);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", bdf);
	assert_int_equal(vm_write_file(path, "1"), 0);
	wait_for_ones(version);
	*version = 1;
	assert_int_equal(*version, 1);
	assert_int_equal(rte_pci_mmio_read(dev, 0, &value, 4, 8), -ENODEV);
	assert_false(maps_have("/resource0", "rw-s"));
	assert_true(rte_pci_read_config(dev, &value, 4, 0) < 0);
	assert_int_equal(vm_bus_remove(dev), 0);
	assert_int_equal(vm_write_file("/sys/bus/pci/rescan", "1"), 0);
	dev = probe(NVME);
	assert_int_equal(mem_read(dev, 0, 8), 0x00010400);
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
	struct rte_pci_device *dev = probe(NVME);
	char bdf[VM_BDF_LEN];
	atomic_uint counter = 0;
	unsigned int calls;
	uint64_t before;

	snprintf(bdf, sizeof(bdf), "%s", bdf_of(dev));
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
	dev = probe(NVME);
	assert_int_equal(mem_read(dev, 0, 8), 0x00010400);
	assert_int_equal(vm_bus_remove(dev), 0);
}

/* ---- the suite ---- */

static int
setup(void **state)
{
	rte_pci_register(&shm_driver);
	return vm_bus_setup(state);
}

static int
teardown(void **state)
{
	int rc = vm_bus_teardown(state);

	rte_pci_unregister(&shm_driver);
	return rc;
}

static const struct CMUnitTest tests[] = {
	VM_BUS_TEST(test_bars_of_every_kind_are_what_the_kernel_says),
	VM_BUS_TEST(test_write_combining_is_for_the_driver_that_asks),
	VM_BUS_TEST(test_ports_reach_the_registers_that_memory_reaches),
	VM_BUS_TEST(test_ports_read_as_the_kernel_reads_them),
	VM_BUS_TEST(test_port_writes_arrive_and_are_counted),
	VM_BUS_TEST(test_handle_is_of_uio_if_the_device_has_an_interrupt),
	VM_BUS_TEST(test_device_masters_the_bus_while_it_is_mapped),
	VM_BUS_TEST(test_read_only_sysfs_can_be_read),
	VM_BUS_TEST(test_ports_take_instructions_where_sysfs_is_read_only),
	VM_BUS_TEST(test_owner_of_the_files_needs_no_privilege),
	VM_BUS_TEST(test_device_that_is_taken_away_does_no_harm),
	VM_BUS_TEST(test_unbinding_in_use_ends_the_interrupt_and_nothing_spins),
};

TEST_SUITE(vm_uio, "vm", tests, setup, teardown)
