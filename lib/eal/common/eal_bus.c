/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <bus_driver.h>
#include <dev_driver.h>
#include <eal_export.h>
#include <rte_debug.h>
#include <rte_log.h>

#include "eal_bus.h"

#ifdef RTE_ARCH_64
static_assert(sizeof(struct rte_device) == 64 && offsetof(struct rte_device, name) == 16 &&
	offsetof(struct rte_device, driver) == 32 && offsetof(struct rte_device, devargs) == 56,
	"rte_device is laid out as in DPDK 25.11");
static_assert(offsetof(struct rte_bus, name) == 16 && offsetof(struct rte_bus, conf) == 96 &&
	offsetof(struct rte_bus, get_iommu_class) == 104 &&
	offsetof(struct rte_bus, cleanup) == 136 && sizeof(struct rte_bus) == 144,
	"rte_bus is laid out as in DPDK 25.11");
#endif

static struct rte_bus_list buses = TAILQ_HEAD_INITIALIZER(buses);

/* Devices of this bus are built on devices of others. */
static bool
bus_is_virtual(const struct rte_bus *bus)
{
	return strcmp(bus->name, "vdev") == 0;
}

RTE_EXPORT_SYMBOL(rte_bus_name)
const char *
rte_bus_name(const struct rte_bus *bus)
{
	return bus->name;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_bus_register)
void
rte_bus_register(struct rte_bus *bus)
{
	RTE_VERIFY(bus != NULL);
	RTE_VERIFY(bus->name != NULL && bus->name[0] != '\0');
	RTE_VERIFY(bus->scan != NULL && bus->probe != NULL && bus->find_device != NULL);
	RTE_VERIFY(bus->plug != NULL || bus->unplug == NULL);

	TAILQ_INSERT_TAIL(&buses, bus, next);
	RTE_LOG(DEBUG, EAL, "bus %s is registered\n", bus->name);
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_bus_unregister)
void
rte_bus_unregister(struct rte_bus *bus)
{
	TAILQ_REMOVE(&buses, bus, next);
	RTE_LOG(DEBUG, EAL, "bus %s is unregistered\n", bus->name);
}

/* One bus that fails does not stop the others. */
static void
bus_report(const struct rte_bus *bus, const char *what, int rc)
{
	if (rc != 0)
		RTE_LOG(ERR, EAL, "bus %s: %s failed: %s\n", bus->name, what,
			strerror(rc < 0 ? -rc : rc));
}

RTE_EXPORT_SYMBOL(rte_bus_scan)
int
rte_bus_scan(void)
{
	struct rte_bus *bus;

	TAILQ_FOREACH(bus, &buses, next)
		bus_report(bus, "scan", bus->scan());
	return 0;
}

static void
buses_probe(bool virtual)
{
	struct rte_bus *bus;

	TAILQ_FOREACH(bus, &buses, next)
		if (bus_is_virtual(bus) == virtual)
			bus_report(bus, "probe", bus->probe());
}

RTE_EXPORT_SYMBOL(rte_bus_probe)
int
rte_bus_probe(void)
{
	buses_probe(false);
	buses_probe(true);
	return 0;
}

static void
buses_cleanup(bool virtual)
{
	struct rte_bus *bus;

	TAILQ_FOREACH(bus, &buses, next) {
		if (bus_is_virtual(bus) != virtual)
			continue;
		if (bus->cleanup != NULL)
			bus_report(bus, "cleanup", bus->cleanup());
		bus->conf.scan_mode = RTE_BUS_SCAN_UNDEFINED;
	}
}

int
eal_bus_cleanup(void)
{
	buses_cleanup(true);
	buses_cleanup(false);
	return 0;
}

RTE_EXPORT_SYMBOL(rte_bus_dump)
void
rte_bus_dump(FILE *f)
{
	const struct rte_bus *bus;

	TAILQ_FOREACH(bus, &buses, next)
		fprintf(f, "bus %s\n", bus->name);
}

RTE_EXPORT_SYMBOL(rte_bus_find)
struct rte_bus *
rte_bus_find(const struct rte_bus *start, rte_bus_cmp_t cmp, const void *data)
{
	struct rte_bus *bus;

	bus = start == NULL ? TAILQ_FIRST(&buses) : TAILQ_NEXT(start, next);
	while (bus != NULL && cmp(bus, data) != 0)
		bus = TAILQ_NEXT(bus, next);
	return bus;
}

static int
device_cmp(const struct rte_device *dev, const void *data)
{
	return dev != data;
}

static int
bus_cmp_device(const struct rte_bus *bus, const void *data)
{
	return bus->find_device(NULL, device_cmp, data) == NULL;
}

RTE_EXPORT_SYMBOL(rte_bus_find_by_device)
struct rte_bus *
rte_bus_find_by_device(const struct rte_device *dev)
{
	return rte_bus_find(NULL, bus_cmp_device, dev);
}

static int
bus_cmp_name(const struct rte_bus *bus, const void *data)
{
	return strcmp(bus->name, data);
}

RTE_EXPORT_SYMBOL(rte_bus_find_by_name)
struct rte_bus *
rte_bus_find_by_name(const char *busname)
{
	return busname == NULL ? NULL : rte_bus_find(NULL, bus_cmp_name, busname);
}

static int
bus_cmp_device_name(const struct rte_bus *bus, const void *data)
{
	return bus->parse == NULL ? -1 : bus->parse(data, NULL);
}

struct rte_bus *
rte_bus_find_by_device_name(const char *name)
{
	return rte_bus_find(NULL, bus_cmp_device_name, name);
}

/* More than any bus's address takes. A byte that is not an address's stays as it is. */
struct bus_address {
	uint64_t words[32];
};

static int
bus_address_parse(const struct rte_bus *bus, const char *name, struct bus_address *addr)
{
	memset(addr, 0xa5, sizeof(*addr));
	return bus->parse(name, addr);
}

bool
eal_bus_same_device(const struct rte_bus *bus, const char *name, const char *other)
{
	struct bus_address untouched, a, b;

	if (strcmp(name, other) == 0)
		return true;
	/* what the virtual bus makes of a name is the driver, the same for many devices */
	if (bus->parse == NULL || bus_is_virtual(bus))
		return false;
	if (bus_address_parse(bus, name, &a) != 0 || bus_address_parse(bus, other, &b) != 0)
		return false;
	memset(&untouched, 0xa5, sizeof(untouched));
	return memcmp(&a, &untouched, sizeof(a)) != 0 && memcmp(&a, &b, sizeof(a)) == 0;
}

RTE_EXPORT_SYMBOL(rte_bus_get_iommu_class)
enum rte_iova_mode
rte_bus_get_iommu_class(void)
{
	unsigned int wanted = RTE_IOVA_DC;
	const struct rte_bus *bus;

	TAILQ_FOREACH(bus, &buses, next)
		if (bus->get_iommu_class != NULL)
			wanted |= bus->get_iommu_class();
	if (wanted == (RTE_IOVA_PA | RTE_IOVA_VA)) {
		RTE_LOG(WARNING, EAL, "some buses want physical addresses, others virtual ones; "
			"devices of one kind will not work\n");
		return RTE_IOVA_DC;
	}
	return (enum rte_iova_mode)wanted;
}
