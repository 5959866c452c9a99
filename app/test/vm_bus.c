/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_interrupts.h>

#include "test.h"
#include "vm.h"
#include "vm_bus.h"

#define ARGS_MAX 32

static int
take(struct rte_pci_driver *driver, struct rte_pci_device *dev)
{
	return 0;
}

static int
give_back(struct rte_pci_device *dev)
{
	return 0;
}

/* what the guests have and no driver of ours drives */
static const struct rte_pci_id any_ids[] = {
	{ RTE_PCI_DEVICE(0x1af4, 0x1110) },	/* ivshmem */
	{ RTE_PCI_DEVICE(0x1af4, 0x1000) },	/* virtio-net */
	{ RTE_PCI_DEVICE(0x1b36, 0x0005) },	/* pci-testdev */
	{ RTE_PCI_DEVICE(0x1b36, 0x0010) },	/* nvme */
	{ RTE_PCI_DEVICE(0x8086, 0x10d3) },	/* e1000e */
	{ .vendor_id = 0 },
};

static struct rte_pci_driver any_driver = {
	.driver = { .name = "vm_any" },
	.id_table = any_ids,
	.drv_flags = RTE_PCI_DRV_NEED_MAPPING,
	.probe = take,
	.remove = give_back,
};

int
vm_bus_setup(void **state)
{
	static char options[1024];
	char *argv[ARGS_MAX] = { options };
	const char *extra = getenv("DPDK_TEST_EAL_ARGS");
	char *word, *rest;
	int argc = 1;

	rte_pci_register(&any_driver);
	snprintf(options, sizeof(options), "dpdk-test %s", extra == NULL ? "" : extra);
	strtok_r(options, " ", &rest);
	while (argc < ARGS_MAX - 1 && (word = strtok_r(NULL, " ", &rest)) != NULL)
		argv[argc++] = word;
	return rte_eal_init(argc, argv) < 0 ? -1 : 0;
}

int
vm_bus_teardown(void **state)
{
	int rc = rte_eal_cleanup();

	rte_pci_unregister(&any_driver);
	return rc < 0 ? -1 : 0;
}

int
vm_bus_clean(void **state)
{
	struct rte_dev_iterator it;
	struct rte_device *dev;

	do {
		RTE_DEV_FOREACH(dev, "bus=pci", &it)
			if (rte_dev_is_probed(dev))
				break;
	} while (dev != NULL && rte_dev_remove(dev) == 0);
	return dev == NULL ? 0 : -1;
}

struct rte_pci_device *
vm_bus_find(const char *bdf)
{
	struct rte_dev_iterator it;
	struct rte_device *dev, *found = NULL;

	RTE_DEV_FOREACH(dev, "bus=pci", &it)
		if (strcmp(rte_dev_name(dev), bdf) == 0 && rte_dev_is_probed(dev))
			found = dev;
	return found == NULL ? NULL : RTE_DEV_TO_PCI(found);
}

struct rte_pci_device *
vm_bus_probe(const char *bdf, const char *kernel_driver, const char *args)
{
	int rc = vm_bind(bdf, kernel_driver);

	if (rc == 0)
		rc = rte_eal_hotplug_add("pci", bdf, args);
	if (rc != 0)
		fprintf(stderr, "%s: cannot be bound to %s and probed: %s\n",
			bdf, kernel_driver, strerror(-rc));
	return rc == 0 ? vm_bus_find(bdf) : NULL;
}

int
vm_bus_remove(struct rte_pci_device *dev)
{
	return rte_dev_remove(&dev->device);
}

uint64_t
vm_bus_region_offset(const struct rte_pci_device *dev, unsigned int index)
{
	struct vfio_region_info *info;
	uint64_t offset;

	info = vm_vfio_region(rte_intr_dev_fd_get(dev->intr_handle), index);
	if (info == NULL)
		abort();
	offset = info->offset;
	free(info);
	return offset;
}

int
vm_bus_pread(const struct rte_pci_device *dev, unsigned int index, void *buf, size_t len,
		uint64_t off, size_t width)
{
	uint64_t base = vm_bus_region_offset(dev, index) + off;
	int fd = rte_intr_dev_fd_get(dev->intr_handle);
	size_t done, step;

	for (done = 0; done < len; done += step) {
		step = RTE_MIN(width, len - done);
		errno = EIO;
		if (pread(fd, RTE_PTR_ADD(buf, done), step, (off_t)(base + done)) != (ssize_t)step)
			return -errno;
	}
	return 0;
}

int
vm_bus_pwrite(const struct rte_pci_device *dev, unsigned int index, const void *buf, size_t len,
		uint64_t off)
{
	uint64_t base = vm_bus_region_offset(dev, index) + off;

	errno = EIO;
	if (pwrite(rte_intr_dev_fd_get(dev->intr_handle), buf, len, (off_t)base) != (ssize_t)len)
		return -errno;
	return 0;
}

const char *
vm_bus_bdf(const struct rte_pci_device *dev)
{
	return rte_dev_name(&dev->device);
}

uint16_t
vm_bus_command(const struct rte_pci_device *dev)
{
	char path[256];
	uint16_t value = 0;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", vm_bus_bdf(dev));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &value, sizeof(value), RTE_PCI_COMMAND), sizeof(value));
	close(fd);
	return value;
}

static bool
is_master(const struct rte_pci_device *dev)
{
	return (vm_bus_command(dev) & RTE_PCI_COMMAND_MASTER) != 0;
}

void
vm_bus_assert_masters_while_mapped(struct rte_pci_device *dev)
{
	assert_true(is_master(dev));
	rte_pci_unmap_device(dev);
	assert_false(is_master(dev));
	assert_int_equal(rte_pci_map_device(dev), 0);
	assert_true(is_master(dev));
	assert_int_equal(vm_bus_remove(dev), 0);
	assert_false(is_master(dev));
}
