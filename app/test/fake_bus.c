/* SPDX-License-Identifier: BSD-3-Clause */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_devargs.h>
#include <rte_errno.h>
#include <rte_kvargs.h>

#include "fake_bus.h"

struct fake_bus fake_bus;

static const struct rte_driver fake_driver = { .name = "fake_driver" };

static int
fake_parse(const char *name, void *addr)
{
	unsigned long number;
	char *end;

	if (name[0] != 'd' || !isdigit((unsigned char)name[1]))
		return -EINVAL;
	number = strtoul(&name[1], &end, 10);
	if (*end != '\0' || number >= FAKE_BUS_DEVICES)
		return -EINVAL;
	if (addr != NULL)
		*(unsigned int *)addr = (unsigned int)number;
	return 0;
}

static struct rte_devargs *
fake_devargs(unsigned int number)
{
	struct rte_devargs *da;
	unsigned int listed;

	RTE_EAL_DEVARGS_FOREACH("fake", da) {
		if (fake_parse(da->name, &listed) == 0 && listed == number)
			return da;
		if (da->name[0] == '\0' && number == FAKE_BUS_UNNAMED)
			return da;
	}
	return NULL;
}

static bool
fake_is_ignored(const struct rte_devargs *da)
{
	if (fake_bus.bus.conf.scan_mode == RTE_BUS_SCAN_ALLOWLIST)
		return da == NULL || da->policy != RTE_DEV_ALLOWED;
	return da != NULL && da->policy == RTE_DEV_BLOCKED;
}

static void
fake_list(unsigned int number)
{
	struct fake_bus_device *device = &fake_bus.devices[number];
	struct rte_devargs *da = fake_devargs(number);

	device->listed = (fake_bus.present & (1u << number)) != 0 && !fake_is_ignored(da);
	if (!device->listed)
		return;
	snprintf(device->name, sizeof(device->name), "d%u", number);
	device->dev.name = device->name;
	device->dev.bus = &fake_bus.bus;
	device->dev.numa_node = -1;
	device->dev.devargs = da;
}

static int
fake_scan(void)
{
	unsigned int i;

	fake_bus.nb_scans++;
	for (i = 0; i < FAKE_BUS_DEVICES; i++)
		fake_list(i);
	return fake_bus.scan_rc;
}

static int
fake_plug(struct rte_device *dev)
{
	if (dev->driver != NULL)
		return -EEXIST;
	if (fake_bus.plug_rc == 0)
		dev->driver = &fake_driver;
	return fake_bus.plug_rc;
}

static int
fake_probe(void)
{
	unsigned int i;

	fake_bus.nb_probes++;
	for (i = 0; i < FAKE_BUS_DEVICES; i++)
		if (fake_bus.devices[i].listed)
			fake_plug(&fake_bus.devices[i].dev);
	return fake_bus.probe_rc;
}

static int
fake_unplug(struct rte_device *dev)
{
	if (fake_bus.unplug_rc != 0)
		return fake_bus.unplug_rc;
	dev->driver = NULL;
	container_of(dev, struct fake_bus_device, dev)->listed = false;
	return 0;
}

static int
fake_cleanup(void)
{
	fake_bus.nb_cleanups++;
	memset(fake_bus.devices, 0, sizeof(fake_bus.devices));
	return fake_bus.cleanup_rc;
}

static unsigned int
fake_number_after(const struct rte_device *dev)
{
	const struct fake_bus_device *device;

	if (dev == NULL)
		return 0;
	device = container_of(dev, const struct fake_bus_device, dev);
	return (unsigned int)(device - fake_bus.devices) + 1;
}

static struct rte_device *
fake_find_device(const struct rte_device *start, rte_dev_cmp_t cmp, const void *data)
{
	unsigned int i;

	for (i = fake_number_after(start); i < FAKE_BUS_DEVICES; i++)
		if (fake_bus.devices[i].listed && cmp(&fake_bus.devices[i].dev, data) == 0)
			return &fake_bus.devices[i].dev;
	return NULL;
}

/* The key "number" of a layered text. */
static int
fake_number_of_args(const char *args, const char *const keys[], char *name, size_t size)
{
	struct rte_kvargs *kvlist = rte_kvargs_parse(args, keys);
	const char *number;

	if (kvlist == NULL)
		return -EINVAL;
	number = rte_kvargs_get(kvlist, "number");
	name[0] = '\0';
	if (number != NULL)
		snprintf(name, size, "d%s", number);
	rte_kvargs_free(kvlist);
	return name[0] == '\0' ? 0 : fake_parse(name, NULL);
}

static int
fake_devargs_parse(struct rte_devargs *da)
{
	return fake_number_of_args(da->bus_str, NULL, da->name, sizeof(da->name));
}

static int
fake_cmp_name(const struct rte_device *dev, const void *name)
{
	return *(const char *)name != '\0' && strcmp(dev->name, name) != 0;
}

static void *
fake_dev_iterate(const void *start, const char *devstr, const struct rte_dev_iterator *it)
{
	static const char *const keys[] = { "number", NULL };
	char name[16];

	(void)it;
	if (fake_number_of_args(devstr, keys, name, sizeof(name)) < 0) {
		rte_errno = EINVAL;
		return NULL;
	}
	return fake_find_device(start, fake_cmp_name, name);
}

static enum rte_iova_mode
fake_iommu_class(void)
{
	return fake_bus.iova_mode;
}

static void *
fake_class_iterate(const void *start, const char *devstr, const struct rte_dev_iterator *it)
{
	(void)devstr;
	if (start != NULL || it->device == NULL)
		return NULL;
	return (it->device->name[1] & 1) != 0 ? it->device : NULL;
}

struct rte_class fake_class = {
	.name = "fakeclass",
	.dev_iterate = fake_class_iterate,
};

static const struct fake_bus fake_bus_initial = {
	.bus = {
		.name = "fake",
		.scan = fake_scan,
		.probe = fake_probe,
		.find_device = fake_find_device,
		.plug = fake_plug,
		.unplug = fake_unplug,
		.parse = fake_parse,
		.devargs_parse = fake_devargs_parse,
		.dev_iterate = fake_dev_iterate,
		.get_iommu_class = fake_iommu_class,
		.cleanup = fake_cleanup,
	},
	.present = 0xe,
};

void
fake_bus_add(void)
{
	fake_bus = fake_bus_initial;
	rte_bus_register(&fake_bus.bus);
	rte_class_register(&fake_class);
}

void
fake_bus_remove(void)
{
	rte_class_unregister(&fake_class);
	rte_bus_unregister(&fake_bus.bus);
}

struct rte_device *
fake_bus_device(unsigned int number)
{
	struct fake_bus_device *device = &fake_bus.devices[number];

	return device->listed ? &device->dev : NULL;
}
