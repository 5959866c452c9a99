/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_devargs.h>
#include <rte_interrupts.h>
#include <rte_string_fns.h>

#include "report.h"

#define PATH_LEN 512

static void
sysfs_path(const struct rte_pci_device *dev, const char *leaf, char *path, size_t len)
{
	const char *folder = rte_pci_get_sysfs_path();

	snprintf(path, len, "%s/%s/%s", folder != NULL ? folder : "", dev->name, leaf);
}

/* The last component of what a link of the device's folder points to, or "". */
static void
sysfs_link_name(const struct rte_pci_device *dev, const char *leaf, char *name, size_t len)
{
	char path[PATH_LEN], target[PATH_LEN];
	const char *slash;
	ssize_t got;

	sysfs_path(dev, leaf, path, sizeof(path));
	got = readlink(path, target, sizeof(target) - 1);
	target[got < 0 ? 0 : got] = '\0';
	slash = strrchr(target, '/');
	strlcpy(name, slash != NULL ? slash + 1 : target, len);
}

static long
iommu_group(const struct rte_pci_device *dev)
{
	char name[32];
	char *end;
	long group;

	sysfs_link_name(dev, "iommu_group", name, sizeof(name));
	group = strtol(name, &end, 10);
	return name[0] != '\0' && *end == '\0' ? group : -1;
}

/* A name with a long path does not fit into the device, which is called by its address then. */
static const char *
user_name(const struct rte_pci_device *dev)
{
	const char *wish = dev->device.devargs != NULL ? dev->device.devargs->bus_str : NULL;

	if (strcmp(dev->device.name, dev->name) != 0)
		return dev->device.name;
	return wish != NULL && strstr(wish, "addr=") == NULL ? wish : NULL;
}

void
report_identify(struct report *report, const struct rte_pci_device *dev)
{
	memset(report, 0, sizeof(*report));
	strlcpy(report->address, dev->name, sizeof(report->address));
	report->name = user_name(dev);
	report->id = dev->id;
	report->backend = rte_pci_backend_name(dev);
	report->numa_node = dev->device.numa_node;
	report->iommu_group = iommu_group(dev);
	sysfs_link_name(dev, "driver", report->kernel_driver, sizeof(report->kernel_driver));
}

/* As much of configuration space as can be had: the kernel shows 64 bytes to everybody. */
static size_t
config_read_sysfs(const struct rte_pci_device *dev, uint8_t *config)
{
	char path[PATH_LEN];
	ssize_t got;
	int fd;

	sysfs_path(dev, "config", path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	got = pread(fd, config, RTE_PCI_CFG_SPACE_EXP_SIZE, 0);
	close(fd);
	return got < 0 ? 0 : (size_t)got;
}

static size_t
config_read(const struct rte_pci_device *dev, uint8_t *config)
{
	const int base = RTE_PCI_CFG_SPACE_SIZE;
	const int extended = RTE_PCI_CFG_SPACE_EXP_SIZE - RTE_PCI_CFG_SPACE_SIZE;

	if (rte_pci_read_config(dev, config, base, 0) != base)
		return config_read_sysfs(dev, config);
	if (rte_pci_read_config(dev, config + base, extended, base) != extended)
		return base;
	return RTE_PCI_CFG_SPACE_EXP_SIZE;
}

static int
caps_gather(struct report *report, const struct rte_pci_device *dev)
{
	uint8_t config[RTE_PCI_CFG_SPACE_EXP_SIZE];
	size_t len;

	report->caps = calloc(CAPS_MAX, sizeof(*report->caps));
	if (report->caps == NULL)
		return -ENOMEM;
	len = report->opened ? config_read(dev, config) : config_read_sysfs(dev, config);
	report->nb_caps = caps_collect(config, len, report->caps);
	report->interrupts = caps_interrupts(config, len, report->caps, report->nb_caps);
	return 0;
}

static int
windows_gather(struct report_bar *bar, const struct rte_pci_device *dev, int number, uint32_t nb)
{
	struct rte_pci_bar_window *windows;
	uint32_t i;

	windows = calloc(nb, sizeof(*windows));
	bar->windows = calloc(nb, sizeof(*bar->windows));
	if (windows == NULL || bar->windows == NULL) {
		free(windows);
		return -ENOMEM;
	}
	rte_pci_bar_windows_get(dev, number, windows, nb);
	for (i = 0; i < nb; i++)
		bar->windows[i] = (struct bar_window){
			windows[i].offset, windows[i].size, windows[i].prot };
	bar->nb_windows = nb;
	free(windows);
	return 0;
}

static int
bar_gather(struct report_bar *bar, const struct rte_pci_device *dev, int number)
{
	struct rte_pci_bar_info info;

	bar->address = dev->mem_resource[number].phys_addr;
	bar->size = dev->mem_resource[number].len;
	if (rte_pci_bar_info_get(dev, number, &info) != 0)
		return 0;
	bar->size = info.size;
	bar->ioport = (info.flags & RTE_PCI_BAR_F_IOPORT) != 0;
	return info.nb_windows == 0 ? 0 : windows_gather(bar, dev, number, info.nb_windows);
}

int
report_inspect(struct report *report, const struct rte_pci_device *dev, bool opened)
{
	int i, rc;

	report->opened = opened;
	for (i = 0; i < PCI_MAX_RESOURCE; i++) {
		rc = bar_gather(&report->bars[i], dev, i);
		if (rc != 0)
			return rc;
	}
	rc = caps_gather(report, dev);
	if (rc != 0 || !opened)
		return rc;
	/* the bus listens to REQ where there is one; Linux has ERR for PCI Express besides */
	report->req_interrupt = rte_intr_fd_get(dev->vfio_req_intr_handle) >= 0;
	report->err_interrupt = report->req_interrupt && report->interrupts.pcie;
	return 0;
}

void
report_free(struct report *report)
{
	int i;

	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		free(report->bars[i].windows);
	free(report->caps);
	memset(report, 0, sizeof(*report));
}
