/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bus_driver.h>
#include <dev_driver.h>
#include <eal_export.h>
#include <rte_class.h>
#include <rte_debug.h>
#include <rte_devargs.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_memory.h>

#include "eal_bus.h"
#include "eal_devargs.h"

/* ---- what a device is ---- */

RTE_EXPORT_SYMBOL(rte_driver_name)
const char *
rte_driver_name(const struct rte_driver *driver)
{
	return driver->name;
}

RTE_EXPORT_SYMBOL(rte_dev_bus)
const struct rte_bus *
rte_dev_bus(const struct rte_device *dev)
{
	return dev->bus;
}

RTE_EXPORT_SYMBOL(rte_dev_bus_info)
const char *
rte_dev_bus_info(const struct rte_device *dev)
{
	return dev->bus_info;
}

RTE_EXPORT_SYMBOL(rte_dev_devargs)
const struct rte_devargs *
rte_dev_devargs(const struct rte_device *dev)
{
	return dev->devargs;
}

RTE_EXPORT_SYMBOL(rte_dev_driver)
const struct rte_driver *
rte_dev_driver(const struct rte_device *dev)
{
	return dev->driver;
}

RTE_EXPORT_SYMBOL(rte_dev_name)
const char *
rte_dev_name(const struct rte_device *dev)
{
	return dev->name;
}

RTE_EXPORT_SYMBOL(rte_dev_numa_node)
int
rte_dev_numa_node(const struct rte_device *dev)
{
	return dev->numa_node;
}

RTE_EXPORT_SYMBOL(rte_dev_is_probed)
int
rte_dev_is_probed(const struct rte_device *dev)
{
	return dev->driver != NULL;
}

/* ---- adding and removing ---- */

struct device_wanted {
	const struct rte_bus *bus;
	const char *name;
	const struct rte_devargs *da;	/* or NULL */
};

/* A name may be too long for devargs; then the bus finds the device by the rest of them. */
static int
device_cmp_wanted(const struct rte_device *dev, const void *data)
{
	const struct device_wanted *wanted = data;

	if (wanted->da != NULL && dev->devargs == wanted->da)
		return 0;
	return !eal_bus_same_device(wanted->bus, dev->name, wanted->name);
}

static struct rte_device *
device_find(const struct rte_bus *bus, const char *name, const struct rte_devargs *da)
{
	struct device_wanted wanted = { bus, name, da };

	return bus->find_device(NULL, device_cmp_wanted, &wanted);
}

/* Find out which device is meant and list its arguments, for the bus to find them. */
static int
devargs_create(const char *text, struct rte_devargs **out)
{
	struct rte_devargs *da;
	int rc;

	da = calloc(1, sizeof(*da));
	if (da == NULL)
		return -ENOMEM;
	rc = rte_devargs_parse(da, text);
	if (rc == 0 && da->bus == NULL)
		rc = -EINVAL;
	if (rc == 0 && da->bus->plug == NULL) {
		RTE_LOG(ERR, EAL, "bus %s cannot add devices\n", da->bus->name);
		rc = -ENOTSUP;
	}
	if (rc < 0) {
		rte_devargs_reset(da);
		free(da);
		return rc;
	}
	*out = da;
	return rte_devargs_insert(out);
}

static int
device_plug(struct rte_device *dev)
{
	int rc;

	rc = dev->bus->plug(dev);
	if (rc == -EEXIST && rte_dev_is_probed(dev))
		return 0;
	if (rc > 0)
		rc = -ENOTSUP;
	if (rc < 0)
		RTE_LOG(ERR, EAL, "device %s: cannot be added: %s\n", dev->name, strerror(-rc));
	return rc;
}

RTE_EXPORT_SYMBOL(rte_dev_probe)
int
rte_dev_probe(const char *devargs)
{
	struct rte_devargs *da;
	struct rte_device *dev;
	int rc;

	if (devargs == NULL)
		return -EINVAL;
	rc = devargs_create(devargs, &da);
	if (rc < 0)
		return rc;
	rc = da->bus->scan();
	if (rc < 0)
		goto err_devargs;
	dev = device_find(da->bus, da->name, da);
	if (dev == NULL) {
		RTE_LOG(ERR, EAL, "bus %s has no device \"%s\"\n", da->bus->name, da->name);
		rc = -ENODEV;
		goto err_devargs;
	}
	return device_plug(dev);

err_devargs:
	rte_devargs_remove(da);
	return rc;
}

RTE_EXPORT_SYMBOL(rte_eal_hotplug_add)
int
rte_eal_hotplug_add(const char *busname, const char *devname, const char *drvargs)
{
	char *text;
	int rc;

	if (busname == NULL || devname == NULL)
		return -EINVAL;
	if (drvargs == NULL)
		drvargs = "";
	if (asprintf(&text, "%s:%s%s%s", busname, devname, *drvargs != '\0' ? "," : "",
			drvargs) < 0)
		return -ENOMEM;
	rc = rte_dev_probe(text);
	free(text);
	return rc;
}

RTE_EXPORT_SYMBOL(rte_dev_remove)
int
rte_dev_remove(struct rte_device *dev)
{
	int rc;

	if (dev == NULL || !rte_dev_is_probed(dev))
		return -ENOENT;
	if (dev->bus->unplug == NULL) {
		RTE_LOG(ERR, EAL, "bus %s cannot remove devices\n", dev->bus->name);
		return -ENOTSUP;
	}
	rc = dev->bus->unplug(dev);
	if (rc != 0)
		RTE_LOG(ERR, EAL, "a device cannot be removed: %s\n", strerror(rc < 0 ? -rc : rc));
	return rc > 0 ? -ENOENT : rc;
}

RTE_EXPORT_SYMBOL(rte_eal_hotplug_remove)
int
rte_eal_hotplug_remove(const char *busname, const char *devname)
{
	const struct rte_bus *bus = rte_bus_find_by_name(busname);
	struct rte_device *dev;

	if (bus == NULL) {
		RTE_LOG(ERR, EAL, "there is no bus \"%s\"\n", busname != NULL ? busname : "");
		return -ENOENT;
	}
	dev = devname == NULL ? NULL : device_find(bus, devname, NULL);
	if (dev == NULL) {
		RTE_LOG(ERR, EAL, "bus %s has no device \"%s\"\n", busname,
			devname != NULL ? devname : "");
		return -EINVAL;
	}
	return rte_dev_remove(dev);
}

/* ---- walking ---- */

static int
iterator_fail(int rc)
{
	rte_errno = -rc;
	return rc;
}

static int
iterator_bus_set(struct rte_dev_iterator *it, const char *name)
{
	it->bus = rte_bus_find_by_name(name);
	if (it->bus == NULL)
		return -EFAULT;
	return it->bus->dev_iterate != NULL ? 0 : -ENOTSUP;
}

static int
iterator_class_set(struct rte_dev_iterator *it, const char *name)
{
	it->cls = rte_class_find_by_name(name);
	if (it->cls == NULL)
		return -EFAULT;
	return it->cls->dev_iterate != NULL ? 0 : -ENOTSUP;
}

static int
iterator_layer_set(struct rte_dev_iterator *it, const struct eal_layer *layer,
	int (*set)(struct rte_dev_iterator *it, const char *name))
{
	char *name;
	int rc;

	if (layer->str == NULL)
		return 0;
	name = eal_layer_name(layer);
	if (name == NULL)
		return -ENOMEM;
	rc = set(it, name);
	if (rc < 0)
		RTE_LOG(ERR, EAL, "\"%s\" is not there, or cannot list its devices\n", name);
	free(name);
	return rc;
}

RTE_EXPORT_SYMBOL(rte_dev_iterator_init)
int
rte_dev_iterator_init(struct rte_dev_iterator *it, const char *str)
{
	struct eal_layer layers[EAL_LAYER_NB];
	int rc;

	if (it == NULL)
		return iterator_fail(-EINVAL);
	memset(it, 0, sizeof(*it));
	if (str == NULL || eal_layers_split(str, layers) < 0 ||
			(layers[EAL_LAYER_BUS].str == NULL &&
				layers[EAL_LAYER_CLASS].str == NULL)) {
		RTE_LOG(ERR, EAL, "\"%s\" names neither a bus nor a class\n",
			str != NULL ? str : "");
		return iterator_fail(-EINVAL);
	}
	rc = iterator_layer_set(it, &layers[EAL_LAYER_BUS], iterator_bus_set);
	if (rc == 0)
		rc = iterator_layer_set(it, &layers[EAL_LAYER_CLASS], iterator_class_set);
	if (rc < 0)
		return iterator_fail(rc);
	it->dev_str = str;
	it->bus_str = layers[EAL_LAYER_BUS].str;
	it->cls_str = layers[EAL_LAYER_CLASS].str;
	return 0;
}

/* The filter of a layer that the walk was started with; "" when it has none. */
static char *
iterator_args(const struct rte_dev_iterator *it, enum eal_layer_kind kind)
{
	struct eal_layer layers[EAL_LAYER_NB];

	eal_layers_split(it->dev_str, layers);
	return layers[kind].str == NULL ? strdup("") : eal_layer_args(&layers[kind]);
}

/* What follows on a list; NULL also when the memory for the filter runs out. */
static void *
iterate(rte_dev_iterate_t next, const void *start, const struct rte_dev_iterator *it,
	enum eal_layer_kind kind)
{
	char *args = iterator_args(it, kind);
	void *found;

	if (args == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	found = next(start, args, it);
	free(args);
	return found;
}

static int
bus_cmp_can_iterate(const struct rte_bus *bus, const void *data)
{
	RTE_SET_USED(data);
	return bus->dev_iterate == NULL;
}

/* The next device of the bus named, or of all buses. */
static bool
iterator_next_on_bus(struct rte_dev_iterator *it)
{
	if (it->bus == NULL)
		it->bus = rte_bus_find(NULL, bus_cmp_can_iterate, NULL);
	while (it->bus != NULL) {
		it->device = iterate(it->bus->dev_iterate, it->device, it, EAL_LAYER_BUS);
		if (it->device != NULL)
			return true;
		if (it->bus_str != NULL)
			return false;
		it->bus = rte_bus_find(it->bus, bus_cmp_can_iterate, NULL);
	}
	return false;
}

/* The next object of the class that the device at hand has. */
static bool
iterator_next_in_class(struct rte_dev_iterator *it)
{
	it->class_device = iterate(it->cls->dev_iterate, it->class_device, it, EAL_LAYER_CLASS);
	return it->class_device != NULL;
}

RTE_EXPORT_SYMBOL(rte_dev_iterator_next)
struct rte_device *
rte_dev_iterator_next(struct rte_dev_iterator *it)
{
	if (it == NULL || (it->bus_str == NULL && it->cls_str == NULL))
		return NULL;
	if (it->cls != NULL && it->device != NULL && iterator_next_in_class(it))
		return it->device;
	while (iterator_next_on_bus(it))
		if (it->cls == NULL || iterator_next_in_class(it))
			return it->device;
	/* the walk has ended, also for further calls */
	it->bus_str = NULL;
	it->cls_str = NULL;
	return NULL;
}

/* ---- memory ---- */

static int
dma_fail(int error)
{
	rte_errno = error;
	return -1;
}

RTE_EXPORT_SYMBOL(rte_dev_dma_map)
int
rte_dev_dma_map(struct rte_device *dev, void *addr, uint64_t iova, size_t len)
{
	if (dev == NULL)
		return dma_fail(EINVAL);
	if (dev->bus->dma_map == NULL || len == 0)
		return dma_fail(ENOTSUP);
	if (rte_mem_virt2memseg_list(addr) == NULL)
		return dma_fail(EINVAL);
	return dev->bus->dma_map(dev, addr, iova, len);
}

RTE_EXPORT_SYMBOL(rte_dev_dma_unmap)
int
rte_dev_dma_unmap(struct rte_device *dev, void *addr, uint64_t iova, size_t len)
{
	if (dev == NULL)
		return dma_fail(EINVAL);
	if (dev->bus->dma_unmap == NULL || len == 0)
		return dma_fail(ENOTSUP);
	if (rte_mem_virt2memseg_list(addr) == NULL)
		return dma_fail(EINVAL);
	return dev->bus->dma_unmap(dev, addr, iova, len);
}
