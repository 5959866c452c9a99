/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bus_driver.h>
#include <bus_pci_driver.h>
#include <rte_bus.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_interrupts.h>
#include <rte_log.h>

#include "eal_session.h"
#include "fake_backend.h"
#include "fake_sysfs.h"
#include "interpose.h"
#include "pci_device.h"
#include "test.h"

/* A driver that does as it is told and notes what it sees. */
struct tame_driver {
	struct rte_pci_driver pci;
	int probe_rc, remove_rc, dma_rc;
	int (*in_probe)(struct rte_pci_device *dev);	/* called in probe; its result counts */
	unsigned int nb_probes, nb_removes, nb_dma_maps, nb_dma_unmaps;
	struct rte_pci_device *dev;	/* the last one probed */
	unsigned int turn;	/* of its last probe among all drivers */
	/* what was so in probe */
	void *bar0;
	uint16_t max_vfs;
	bool had_handles, was_probed, was_driver;
	/* for teardown() */
	bool registered;
	struct tame_driver *next;
};

static unsigned int last_turn;
static struct tame_driver *tames;

static int
tame_probe(struct rte_pci_driver *driver, struct rte_pci_device *dev)
{
	struct tame_driver *tame = container_of(driver, struct tame_driver, pci);

	tame->nb_probes++;
	tame->dev = dev;
	tame->turn = ++last_turn;
	tame->bar0 = dev->mem_resource[0].addr;
	tame->max_vfs = dev->max_vfs;
	tame->had_handles = dev->intr_handle != NULL && dev->vfio_req_intr_handle != NULL;
	tame->was_probed = rte_dev_is_probed(&dev->device);
	tame->was_driver = dev->driver == driver;
	return tame->in_probe != NULL ? tame->in_probe(dev) : tame->probe_rc;
}

static int
tame_remove(struct rte_pci_device *dev)
{
	struct tame_driver *tame = container_of(dev->driver, struct tame_driver, pci);

	tame->nb_removes++;
	return tame->remove_rc;
}

static int
tame_dma_map(struct rte_pci_device *dev, void *addr, uint64_t iova, size_t len)
{
	struct tame_driver *tame = container_of(dev->driver, struct tame_driver, pci);

	tame->nb_dma_maps++;
	return tame->dma_rc;
}

static int
tame_dma_unmap(struct rte_pci_device *dev, void *addr, uint64_t iova, size_t len)
{
	struct tame_driver *tame = container_of(dev->driver, struct tame_driver, pci);

	tame->nb_dma_unmaps++;
	return tame->dma_rc;
}

static struct tame_driver *
tame_keep(struct tame_driver like)
{
	struct tame_driver *tame = malloc(sizeof(*tame));

	assert_non_null(tame);
	*tame = like;
	tame->next = tames;
	tames = tame;
	return tame;
}

static void
tame_register(struct tame_driver *tame)
{
	rte_pci_register(&tame->pci);
	tame->registered = true;
}

static void
tame_unregister(struct tame_driver *tame)
{
	rte_pci_unregister(&tame->pci);
	tame->registered = false;
}

static const struct rte_pci_id table_1[] = {
	{ RTE_PCI_DEVICE(0x1234, 0x0001) },
	{ .vendor_id = 0 },
};

static const struct rte_pci_id table_2[] = {
	{ RTE_PCI_DEVICE(0x1234, 0x0002) },
	{ .vendor_id = 0 },
};

static const struct rte_pci_id table_all[] = {
	{ RTE_PCI_DEVICE(RTE_PCI_ANY_ID, RTE_PCI_ANY_ID) },
	{ .vendor_id = 0 },
};

/* A driver for the test, which teardown() frees. */
#define tame_new(name_, table_, flags_, ...) tame_keep((struct tame_driver){ \
	.pci = { \
		.driver.name = name_, \
		.probe = tame_probe, \
		.remove = tame_remove, \
		.id_table = table_, \
		.drv_flags = flags_, \
	}, \
	__VA_ARGS__ \
})

#define MAPPED RTE_PCI_DRV_NEED_MAPPING

static const struct fake_pci plain = {
	.id = { 0x020000, 0x1234, 0x0001, 0x1af4, 0x1100 },
	.bar[0] = { .size = 0x10000, .areas = { { 0, 0x4000 }, { 0x8000, 0x4000 } },
		.nb_areas = 2 },
	.bar[2] = { .size = 0x1000 },
};

static struct fake_sysfs *sysfs;
static struct rte_bus *bus;

static int
setup(void **state)
{
	sysfs = fake_sysfs_start();
	fake_backend_start();
	bus = rte_bus_find_by_name("pci");
	assert_non_null(bus);
	last_turn = 0;
	return 0;
}

static int
teardown(void **state)
{
	struct tame_driver *tame;

	rte_eal_cleanup();	/* still runs after a failure */
	while ((tame = tames) != NULL) {
		tames = tame->next;
		if (tame->registered)
			tame_unregister(tame);
		free(tame);
	}
	fake_backend_stop();
	fake_sysfs_stop(sysfs);
	return 0;
}

static struct rte_device *
find(const char *name)
{
	char filter[64];
	struct rte_dev_iterator it;
	struct rte_device *dev, *found = NULL;

	snprintf(filter, sizeof(filter), "bus=pci,addr=%s", name);
	RTE_DEV_FOREACH(dev, filter, &it)
		found = dev;
	return found;
}

static unsigned int
count_devices(void)
{
	struct rte_dev_iterator it;
	struct rte_device *dev;
	unsigned int nb = 0;

	RTE_DEV_FOREACH(dev, "bus=pci", &it)
		nb++;
	return nb;
}

static void
assert_released(const struct rte_pci_device *dev)
{
	unsigned int i;

	assert_null(dev->driver);
	assert_false(rte_dev_is_probed(&dev->device));
	assert_null(dev->intr_handle);
	assert_null(dev->vfio_req_intr_handle);
	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		assert_null(dev->mem_resource[i].addr);
}

static void
test_driver_gets_the_device_that_its_table_names(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED);
	struct tame_driver *two = tame_new("two", table_2, MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);

	tame_register(two);
	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(one->nb_probes, 1);
	assert_int_equal(two->nb_probes, 0);
	assert_true(one->had_handles && one->was_driver);
	assert_false(one->was_probed);
	assert_non_null(one->bar0);
	assert_ptr_equal(one->dev->device.driver, &one->pci.driver);
	assert_ptr_equal(one->dev->device.bus, bus);
	assert_string_equal(one->dev->name, "0000:01:00.0");
	assert_string_equal(one->dev->device.name, "0000:01:00.0");
	assert_string_equal(one->dev->bus_info, "vendor_id=1234, device_id=1");
	assert_int_equal(one->dev->kdrv, RTE_PCI_KDRV_VFIO);
	assert_int_equal(one->dev->id.subsystem_device_id, 0x1100);
	assert_int_equal(one->dev->mem_resource[0].len, 0x10000);
	assert_int_equal(fake->nb_opens, 1);
	eal_session_stop();
	assert_int_equal(one->nb_removes, 1);
}

static void
test_every_byte_is_read_and_written_across_holes(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);
	uint8_t *memory, got[0x10000];
	unsigned int i;

	tame_register(one);
	eal_session_start(NULL);
	memory = fake_pci_bar_memory(fake, 0);
	for (i = 0; i < sizeof(got); i++)
		memory[i] = (uint8_t)(i * 7 + (i >> 8));
	assert_int_equal(rte_pci_mmio_read(one->dev, 0, got, sizeof(got), 0), sizeof(got));
	assert_memory_equal(got, memory, sizeof(got));
	assert_true(fake->nb_reads > 0);
	memset(got, 0x5a, sizeof(got));
	assert_int_equal(rte_pci_mmio_write(one->dev, 0, got, 0x2000, 0x3000), 0x2000);
	assert_memory_equal(got, memory + 0x3000, 0x2000);
	assert_int_equal(rte_pci_mmio_read(one->dev, 2, got, 4, 0xffc), 4);
	assert_int_equal(rte_pci_mmio_read(one->dev, 1, got, 4, 0), -EINVAL);
	munmap(memory, sizeof(got));
	eal_session_stop();
}

static void
test_declined_device_is_mapped_once_for_all_drivers(void **state)
{
	struct tame_driver *no = tame_new("no", table_1, MAPPED, .probe_rc = 1);
	struct tame_driver *nor = tame_new("nor", table_all, MAPPED, .probe_rc = 1);
	struct tame_driver *yes = tame_new("yes", table_1, MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);

	tame_register(no);
	tame_register(nor);
	tame_register(yes);
	eal_session_start(NULL);
	assert_int_equal(no->turn, 1);
	assert_int_equal(nor->turn, 2);
	assert_int_equal(yes->turn, 3);
	assert_non_null(yes->bar0);
	assert_ptr_equal(yes->dev->driver, &yes->pci);
	assert_int_equal(fake->nb_opens, 1);
	eal_session_stop();
	assert_int_equal(no->nb_removes + nor->nb_removes, 0);
}

static void
test_device_that_all_decline_is_released(void **state)
{
	struct tame_driver *no = tame_new("no", table_1, MAPPED, .probe_rc = 1);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);

	tame_register(no);
	eal_session_start(NULL);
	assert_int_equal(no->nb_probes, 1);
	assert_released(no->dev);
	assert_int_equal(fake->nb_closes, 1);
	eal_session_stop();
}

static void
test_kept_mapping_serves_the_next_probe(void **state)
{
	struct tame_driver *no = tame_new("no", table_1, MAPPED | RTE_PCI_DRV_KEEP_MAPPED_RES,
		.probe_rc = 1);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);
	struct rte_pci_device *dev;

	tame_register(no);
	eal_session_start(NULL);
	dev = no->dev;
	assert_null(dev->driver);
	assert_non_null(dev->mem_resource[0].addr);
	assert_int_equal(fake->nb_closes, 0);
	no->probe_rc = 0;
	assert_int_equal(bus->plug(&dev->device), 0);
	assert_int_equal(fake->nb_opens, 1);
	assert_int_equal(rte_dev_remove(&dev->device), 0);
	assert_released(dev);
	no->probe_rc = 1;
	assert_int_equal(bus->plug(&dev->device), 1);
	assert_int_equal(fake->nb_opens, 2);
	assert_int_equal(fake->nb_closes, 1);
	eal_session_stop();	/* closes what was kept */
}

static void
test_probe_error_stops_asking(void **state)
{
	struct tame_driver *bad = tame_new("bad", table_1, MAPPED | RTE_PCI_DRV_KEEP_MAPPED_RES,
		.probe_rc = -EIO);
	struct tame_driver *next = tame_new("next", table_1, MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);

	tame_register(bad);
	tame_register(next);
	eal_session_start(NULL);
	assert_int_equal(next->nb_probes, 0);
	assert_released(bad->dev);
	assert_int_equal(fake->nb_closes, 1);
	assert_int_equal(bus->plug(&bad->dev->device), -EIO);
	eal_session_stop();
}

static void
test_probe_error_ends_what_another_driver_kept(void **state)
{
	struct tame_driver *keeper = tame_new("keeper", table_1,
		MAPPED | RTE_PCI_DRV_KEEP_MAPPED_RES, .probe_rc = 1);
	struct tame_driver *bad = tame_new("bad", table_1, MAPPED, .probe_rc = -EIO);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);

	tame_register(keeper);
	tame_register(bad);
	eal_session_start(NULL);
	assert_non_null(bad->bar0);
	assert_released(bad->dev);
	assert_int_equal(fake->nb_closes, 1);
	eal_session_stop();
}

static void
test_bus_fails_only_if_all_devices_fail(void **state)
{
	struct tame_driver *bad = tame_new("bad", table_1, MAPPED, .probe_rc = -EIO);
	struct tame_driver *good = tame_new("good", table_2, MAPPED);
	struct fake_pci other = plain;

	other.id.device_id = 2;
	fake_pci_add("0000:01:00.0", &plain);
	tame_register(bad);
	tame_register(good);
	eal_session_start(NULL);
	assert_int_equal(bus->probe(), -EIO);
	fake_pci_add("0000:02:00.0", &other);
	assert_int_equal(bus->scan(), 0);
	assert_int_equal(bus->probe(), 0);
	assert_int_equal(good->nb_probes, 1);
	assert_int_equal(bus->probe(), 0);	/* the good one is driven already */
	eal_session_stop();
}

static void
test_device_that_cannot_be_opened_is_an_error(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);
	struct rte_pci_device *dev;

	fake->open_rc = -EBUSY;
	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(one->nb_probes, 0);
	dev = RTE_DEV_TO_PCI(find("0000:01:00.0"));
	assert_int_equal(bus->plug(&dev->device), -EBUSY);
	assert_released(dev);
	fake->open_rc = 0;
	fake->start_rc = -EPERM;
	assert_int_equal(bus->plug(&dev->device), -EPERM);
	assert_released(dev);
	assert_int_equal(fake->nb_closes, 1);
	fake->start_rc = 0;
	fake->open_rc = 1;	/* not managed: no error, but not for a driver that maps */
	assert_int_equal(bus->plug(&dev->device), 1);
	assert_int_equal(rte_pci_map_device(dev), 1);
	fake->open_rc = 0;
	assert_int_equal(bus->plug(&dev->device), 0);
	eal_session_stop();
}

static void
test_driver_may_map_by_itself(void **state)
{
	struct tame_driver *self = tame_new("self", table_1, 0, .in_probe = rte_pci_map_device);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);

	tame_register(self);
	eal_session_start(NULL);
	assert_null(self->bar0);
	assert_non_null(self->dev->mem_resource[0].addr);
	assert_int_equal(rte_pci_map_device(self->dev), 0);
	assert_int_equal(fake->nb_opens, 1);
	rte_pci_unmap_device(self->dev);
	rte_pci_unmap_device(self->dev);
	assert_int_equal(fake->nb_closes, 1);
	assert_null(self->dev->mem_resource[0].addr);
	assert_non_null(self->dev->intr_handle);
	assert_int_equal(rte_pci_map_device(self->dev), 0);
	eal_session_stop();
}

static void
test_map_without_a_driver(void **state)
{
	struct rte_pci_device *dev;

	fake_pci_add("0000:01:00.0", &plain);
	eal_session_start(NULL);
	dev = RTE_DEV_TO_PCI(find("0000:01:00.0"));
	assert_int_equal(rte_pci_map_device(NULL), -EINVAL);
	rte_pci_unmap_device(NULL);
	assert_int_equal(rte_pci_map_device(dev), 0);
	assert_non_null(dev->intr_handle);
	rte_pci_unmap_device(dev);
	assert_released(dev);
	assert_int_equal(rte_pci_map_device(dev), 0);
	eal_session_stop();
}

/* ---- matching ---- */

static void
test_tables_match_with_wildcards(void **state)
{
	static const struct {
		struct rte_pci_id row;
		bool fits;
	} cases[] = {
		{ { RTE_CLASS_ANY_ID, 0x1234, 0x0001, 0xffff, 0xffff }, true },
		{ { RTE_CLASS_ANY_ID, 0x1234, 0xffff, 0xffff, 0xffff }, true },
		{ { RTE_CLASS_ANY_ID, 0xffff, 0x0001, 0xffff, 0xffff }, true },
		{ { RTE_CLASS_ANY_ID, 0xffff, 0xffff, 0xffff, 0xffff }, true },
		{ { 0x020000, 0x1234, 0x0001, 0x1af4, 0x1100 }, true },
		{ { 0x020000, 0xffff, 0xffff, 0xffff, 0xffff }, true },
		{ { RTE_CLASS_ANY_ID, 0x1234, 0x0001, 0xffff, 0x1100 }, true },
		{ { RTE_CLASS_ANY_ID, 0x1234, 0x0001, 0x1af4, 0xffff }, true },
		{ { 0x020001, 0x1234, 0x0001, 0xffff, 0xffff }, false },
		{ { RTE_CLASS_ANY_ID, 0x1234, 0x0001, 0x1af5, 0xffff }, false },
		{ { RTE_CLASS_ANY_ID, 0x1234, 0x0001, 0xffff, 0x1101 }, false },
		{ { RTE_CLASS_ANY_ID, 0x1234, 0x0002, 0xffff, 0xffff }, false },
		{ { RTE_CLASS_ANY_ID, 0x1235, 0x0001, 0xffff, 0xffff }, false },
		{ { RTE_CLASS_ANY_ID, 0x1235, 0xffff, 0xffff, 0xffff }, false },
		{ { RTE_CLASS_ANY_ID, 0xffff, 0x0002, 0xffff, 0xffff }, false },
	};
	struct rte_pci_id table[4] = {
		{ RTE_PCI_DEVICE(0x0001, 0x1234) },
		{ RTE_PCI_DEVICE(0xfffe, 0xfffe) },
	};
	struct tame_driver *driver = tame_new("driver", table, 0, .probe_rc = 1);
	unsigned int i;

	fake_pci_add("0000:01:00.0", &plain);
	for (i = 0; i < RTE_DIM(cases); i++) {
		table[2] = cases[i].row;
		driver->nb_probes = 0;
		tame_register(driver);
		eal_session_start(NULL);
		if (driver->nb_probes != cases[i].fits)
			fail_msg("row %u: %u probes", i, driver->nb_probes);
		eal_session_stop();
		tame_unregister(driver);
	}
}

static void
test_order_of_registration_decides_among_many_drivers(void **state)
{
	struct tame_driver *many[64];
	unsigned int i, turn = 0;

	fake_pci_add("0000:01:00.0", &plain);
	for (i = 0; i < RTE_DIM(many); i++) {
		many[i] = tame_new("many", i % 3 == 0 ? table_all : table_1, 0, .probe_rc = 1);
		if (i % 5 == 4)
			many[i]->pci.id_table = table_2;
		if (i % 7 == 6)
			many[i]->pci.id_table = NULL;
		tame_register(many[i]);
	}
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(many); i++) {
		assert_int_equal(many[i]->nb_probes, i % 5 != 4 && i % 7 != 6);
		if (many[i]->nb_probes != 0)
			assert_int_equal(many[i]->turn, ++turn);
	}
	eal_session_stop();
}

static void
test_drivers_may_come_go_and_change_their_tables(void **state)
{
	struct tame_driver *early = tame_new("early", table_2, 0);
	struct tame_driver *late = tame_new("late", table_1, 0);
	struct rte_device *dev;

	fake_pci_add("0000:01:00.0", &plain);
	tame_register(early);
	eal_session_start(NULL);
	dev = find("0000:01:00.0");
	assert_int_equal(bus->plug(dev), 1);
	early->pci.id_table = table_1;
	assert_int_equal(bus->plug(dev), 0);
	assert_int_equal(rte_dev_remove(dev), 0);
	tame_unregister(early);
	assert_int_equal(bus->plug(dev), 1);
	tame_register(late);
	assert_int_equal(bus->plug(dev), 0);
	assert_int_equal(late->nb_probes, 1);
	eal_session_stop();
}

static struct tame_driver *leaving;

static int
unregister_in_probe(struct rte_pci_device *dev)
{
	tame_unregister(leaving);
	memset(&leaving->pci, 0xff, sizeof(leaving->pci));
	return 1;
}

static void
test_driver_that_goes_during_a_probe_is_not_asked(void **state)
{
	struct tame_driver *first = tame_new("first", table_1, 0, .in_probe = unregister_in_probe);
	struct tame_driver *last = tame_new("last", table_1, 0);

	leaving = tame_new("leaving", table_1, 0);
	fake_pci_add("0000:01:00.0", &plain);
	tame_register(first);
	tame_register(leaving);
	tame_register(last);
	eal_session_start(NULL);
	assert_int_equal(last->nb_probes, 1);
	eal_session_stop();
}

/* ---- flags ---- */

static void
test_driven_device_is_probed_again_only_if_its_driver_wants_it(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);

	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(bus->plug(&one->dev->device), -EEXIST);
	assert_int_equal(one->nb_probes, 1);
	one->pci.drv_flags |= RTE_PCI_DRV_PROBE_AGAIN;
	assert_int_equal(bus->plug(&one->dev->device), 0);
	assert_int_equal(one->nb_probes, 2);
	assert_true(one->was_probed);
	one->probe_rc = -EIO;	/* nothing of the first probe is undone */
	assert_int_equal(bus->plug(&one->dev->device), -EIO);
	assert_true(rte_dev_is_probed(&one->dev->device));
	assert_non_null(one->dev->mem_resource[0].addr);
	assert_int_equal(fake->nb_opens, 1);
	eal_session_stop();
	assert_int_equal(one->nb_removes, 1);
}

static void
test_driver_that_needs_va_is_not_asked_under_pa(void **state)
{
	char name[] = "dpdk-test", *args[] = { name, NULL };
	struct tame_driver *va = tame_new("va", table_1, MAPPED | RTE_PCI_DRV_NEED_IOVA_AS_VA);
	struct tame_driver *pa = tame_new("pa", table_2, MAPPED, .probe_rc = 1);
	struct fake_pci other = plain;
	struct rte_device *dev;

	other.id.device_id = 2;
	other.iova_mode = RTE_IOVA_PA;
	fake_pci_add("0000:01:00.0", &plain);
	fake_pci_add("0000:02:00.0", &other);
	tame_register(va);
	tame_register(pa);
	if (rte_eal_init(RTE_DIM(args) - 1, args) < 0)
		skip();	/* EAL cannot have PA on this machine */
	assert_int_equal(rte_eal_iova_mode(), RTE_IOVA_PA);
	dev = find("0000:01:00.0");
	assert_int_equal(va->nb_probes, 0);
	assert_int_equal(bus->plug(dev), -EINVAL);
	assert_released(RTE_DEV_TO_PCI(dev));
	eal_session_stop();
}

static void
test_iova_mode_is_what_the_devices_of_drivers_need(void **state)
{
	static const struct {
		uint32_t flags;
		enum rte_iova_mode first, second, bus;
	} cases[] = {
		{ MAPPED, RTE_IOVA_DC, RTE_IOVA_DC, RTE_IOVA_DC },
		{ MAPPED | RTE_PCI_DRV_NEED_IOVA_AS_VA, RTE_IOVA_DC, RTE_IOVA_DC, RTE_IOVA_VA },
		/* nobody drives the second */
		{ MAPPED, RTE_IOVA_DC, RTE_IOVA_PA, RTE_IOVA_DC },
		{ MAPPED, RTE_IOVA_PA, RTE_IOVA_VA, RTE_IOVA_PA },
		{ MAPPED, RTE_IOVA_VA, RTE_IOVA_DC, RTE_IOVA_VA },
	};
	struct tame_driver *one = tame_new("one", table_1, 0, .probe_rc = 1);
	struct fake_pci other = plain, *first, *second;
	unsigned int i;

	other.id.device_id = 2;
	first = fake_pci_add("0000:01:00.0", &plain);
	second = fake_pci_add("0000:02:00.0", &other);
	tame_register(one);
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(cases); i++) {
		one->pci.drv_flags = cases[i].flags;
		first->iova_mode = cases[i].first;
		second->iova_mode = cases[i].second;
		if (bus->get_iommu_class() != cases[i].bus)
			fail_msg("case %u: mode %d", i, bus->get_iommu_class());
	}
	one->pci.id_table = table_all;
	first->iova_mode = RTE_IOVA_VA;
	second->iova_mode = RTE_IOVA_PA;
	assert_int_equal(bus->get_iommu_class(), RTE_IOVA_PA);
	eal_session_stop();
}

/* ---- what the user wants ---- */

static void
test_allow_list_lists_no_other_device(void **state)
{
	static const char *const allow[] = { "-a", "02:00.0,key=value", NULL };
	struct tame_driver *one = tame_new("one", table_1, MAPPED);

	fake_pci_add("0000:01:00.0", &plain);
	fake_pci_add("0000:02:00.0", &plain);
	tame_register(one);
	eal_session_start(allow);
	assert_int_equal(count_devices(), 1);
	assert_int_equal(one->nb_probes, 1);
	assert_string_equal(one->dev->name, "0000:02:00.0");
	assert_non_null(one->dev->device.devargs);
	assert_string_equal(one->dev->device.devargs->args, "key=value");
	assert_ptr_equal(find("2:0.0"), &one->dev->device);
	assert_null(find("01:00.0"));
	eal_session_stop();
}

/* DPDK 25.11 has it so too. Events of the kernel and EAL's hot add compare the text. */
static void
test_device_is_called_by_its_address_however_it_was_allowed(void **state)
{
	static const char *const allow[] = { "-a", "1:0.0,key=value", NULL };
	struct tame_driver *one = tame_new("one", table_1, MAPPED);

	fake_pci_add("0000:01:00.0", &plain);
	tame_register(one);
	eal_session_start(allow);
	assert_string_equal(one->dev->device.devargs->args, "key=value");
	assert_string_equal(one->dev->device.name, "0000:01:00.0");
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	assert_int_equal(rte_dev_probe("0000:01:00.0,key=other"), 0);
	assert_string_equal(one->dev->device.name, "0000:01:00.0");
	eal_session_stop();
}

static void
test_block_list_leaves_devices_out(void **state)
{
	static const char *const block[] = { "-b", "0000:01:00.0", "-b", "03:00.0", NULL };
	struct tame_driver *one = tame_new("one", table_1, MAPPED);

	fake_pci_add("0000:01:00.0", &plain);
	fake_pci_add("0000:02:00.0", &plain);
	fake_pci_add("0000:03:00.0", &plain);
	tame_register(one);
	eal_session_start(block);
	assert_int_equal(count_devices(), 1);
	assert_int_equal(one->nb_probes, 1);
	assert_string_equal(one->dev->name, "0000:02:00.0");
	eal_session_stop();
}

static void
test_device_that_is_blocked_later_is_not_probed(void **state)
{
	static const char *const allow[] = { "-a", "01:00.0", NULL };
	struct tame_driver *one = tame_new("one", table_1, MAPPED, .probe_rc = 1);

	fake_pci_add("0000:01:00.0", &plain);
	tame_register(one);
	eal_session_start(allow);
	assert_int_equal(one->nb_probes, 1);
	one->dev->device.devargs->policy = RTE_DEV_BLOCKED;
	assert_int_equal(bus->plug(&one->dev->device), 1);
	assert_int_equal(one->nb_probes, 1);
	one->dev->device.devargs->policy = RTE_DEV_ALLOWED;
	eal_session_stop();
}

static void
test_entry_that_is_no_address_is_named(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED);
	const char *text;

	fake_pci_add("0000:01:00.0", &plain);
	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_BLOCKED, "01:00.0"), 0);
	rte_devargs_next("pci", NULL)->name[0] = 'x';
	eal_log_capture();
	assert_int_equal(bus->scan(), 0);
	text = eal_log_text();
	assert_int_equal(eal_log_lines_with(text, "\"x1:00.0\""), 1);
	eal_log_release();
	eal_session_stop();
}

static void
test_devargs_name_the_device(void **state)
{
	struct rte_devargs da = { .type = RTE_DEVTYPE_ALLOWED };
	struct rte_pci_addr addr = { 1, 2, 3, 4 };

	eal_session_start(NULL);
	assert_int_equal(rte_devargs_parse(&da, "bus=pci,addr=1:2.3"), 0);
	assert_string_equal(da.name, "0000:01:02.3");
	rte_devargs_reset(&da);
	assert_true(rte_devargs_parse(&da, "bus=pci,addr=1:2.g") < 0);
	rte_devargs_reset(&da);
	assert_int_equal(bus->parse("0001:02:03.4", &addr), 0);
	assert_int_equal(addr.domain, 1);
	assert_int_equal(bus->parse("02:03.4", NULL), 0);
	assert_int_not_equal(bus->parse("net_null0", &addr), 0);
	assert_int_equal(addr.domain, 1);
	eal_session_stop();
}

/* ---- walking ---- */

static int
cmp_numa(const struct rte_device *dev, const void *data)
{
	return rte_dev_numa_node(dev) != *(const int *)data;
}

static void
test_search_goes_on_after_a_device_in_order_of_addresses(void **state)
{
	static const char *const names[] = { "0000:00:01.0", "0000:00:01.1", "0000:05:00.0",
		"0001:00:00.0", "10000:00:00.0" };
	const unsigned int shuffled[] = { 3, 0, 4, 2, 1 };
	struct fake_pci like = plain;
	struct rte_device *dev = NULL;
	unsigned int i;
	int node = 1;

	like.numa_node = 1;
	for (i = 0; i < RTE_DIM(shuffled); i++)
		fake_pci_add(names[shuffled[i]], &like);
	like.numa_node = 0;
	fake_pci_add("0000:03:00.0", &like);
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(names); i++) {
		dev = bus->find_device(dev, cmp_numa, &node);
		assert_non_null(dev);
		assert_string_equal(dev->name, names[i]);
	}
	assert_null(bus->find_device(dev, cmp_numa, &node));
	assert_int_equal(count_devices(), 6);
	eal_session_stop();
}

static void
test_filter_with_an_unknown_key_is_an_error(void **state)
{
	static const char *const bad[] = { "colour=red", "addr=nowhere", "addr=", "addr" };
	unsigned int i;

	fake_pci_add("0000:01:00.0", &plain);
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(bad); i++) {
		rte_errno = 0;
		eal_log_capture();
		assert_null(bus->dev_iterate(NULL, bad[i], NULL));
		assert_int_equal(eal_log_lines_with(eal_log_text(), bad[i]), 1);
		eal_log_release();
		assert_int_equal(rte_errno, EINVAL);
	}
	assert_non_null(bus->dev_iterate(NULL, "", NULL));
	assert_non_null(bus->dev_iterate(NULL, NULL, NULL));
	eal_session_stop();
}

static void
test_dump_shows_what_there_is(void **state)
{
	static const char *const words[] = { "0000:01:00.0", "vendor:1234", "device:1",
		"class:020000", "driver: one", "backend: fake", "BAR0", "window 0-0x3fff rw",
		"window 0x8000-0xbfff rw", "BAR2", "interrupts:" };
	struct tame_driver *one = tame_new("one", table_1, MAPPED);
	char *text = NULL;
	size_t size = 0;
	unsigned int i;
	FILE *f;

	fake_pci_add("0000:01:00.0", &plain);
	tame_register(one);
	eal_session_start(NULL);
	f = open_memstream(&text, &size);
	rte_pci_dump(f);
	fclose(f);
	for (i = 0; i < RTE_DIM(words); i++)
		if (strstr(text, words[i]) == NULL)
			fail_msg("no \"%s\" in\n%s", words[i], text);
	free(text);
	eal_session_stop();
}

/* ---- coming and going ---- */

static void
test_device_is_added_and_removed_at_run_time(void **state)
{
	static const char *const forms[] = { "0000:01:00.0", "01:00.0", "1:0.0", "pci:01:00.0",
		"bus=pci,addr=0000:01:00.0", "bus=pci,addr=1:0.0" };
	struct tame_driver *one = tame_new("one", table_1, MAPPED);
	struct fake_pci *fake;
	unsigned int i;

	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(rte_dev_probe("01:00.0"), -ENODEV);
	fake = fake_pci_add("0000:01:00.0", &plain);
	for (i = 0; i < RTE_DIM(forms); i++) {
		assert_int_equal(rte_dev_probe(forms[i]), 0);
		assert_int_equal(one->nb_probes, i + 1);
		assert_int_equal(rte_dev_probe(forms[i]), -EEXIST);
		assert_int_equal(rte_dev_remove(&one->dev->device), 0);
		assert_released(one->dev);
	}
	assert_int_equal(fake->nb_closes, i);
	eal_session_stop();
}

static void
test_user_wish_outlives_an_unplug(void **state)
{
	static const char *const allow[] = { "-a", "0000:01:00.0,key=value", NULL };
	struct tame_driver *one = tame_new("one", table_1, MAPPED);

	fake_pci_add("0000:01:00.0", &plain);
	tame_register(one);
	eal_session_start(allow);
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	assert_int_equal(bus->scan(), 0);
	assert_int_equal(count_devices(), 1);
	assert_int_equal(bus->plug(find("01:00.0")), 0);
	assert_int_equal(one->nb_probes, 2);
	assert_string_equal(one->dev->device.devargs->args, "key=value");
	eal_session_stop();
}

static void
test_devargs_that_eal_frees_are_not_used(void **state)
{
	static const char *const allow[] = { "-a", "01:00.0,key=value", "-a", "02:00.0", NULL };
	struct tame_driver *one = tame_new("one", table_1, MAPPED);

	fake_pci_add("0000:01:00.0", &plain);
	tame_register(one);
	eal_session_start(allow);
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	assert_int_equal(bus->scan(), 0);
	assert_int_equal(rte_devargs_remove(rte_devargs_next("pci", NULL)), 0);
	assert_int_equal(bus->plug(find("01:00.0")), 0);
	assert_null(one->dev->device.devargs);
	assert_string_equal(one->dev->device.name, "0000:01:00.0");
	eal_session_stop();
}

static void
test_devargs_that_eal_frees_late_are_not_used(void **state)
{
	static const char *const allow[] = { "-a", "01:00.0,key=value", "-a", "02:00.0", NULL };
	struct tame_driver *one = tame_new("one", table_1, MAPPED);

	fake_pci_add("0000:01:00.0", &plain);
	tame_register(one);
	eal_session_start(allow);
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	assert_int_equal(bus->scan(), 0);
	assert_ptr_equal(find("01:00.0"), &one->dev->device);
	assert_int_equal(rte_devargs_remove(rte_devargs_next("pci", NULL)), 0);
	assert_int_equal(bus->plug(&one->dev->device), 0);
	assert_null(one->dev->device.devargs);
	eal_session_stop();
}

static void
test_driver_may_refuse_to_let_go(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED, .remove_rc = -EBUSY);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);

	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(rte_dev_remove(&one->dev->device), -EBUSY);
	assert_true(rte_dev_is_probed(&one->dev->device));
	assert_non_null(one->dev->mem_resource[0].addr);
	assert_int_equal(fake->nb_closes, 0);
	rte_eal_cleanup();	/* does not ask twice */
	assert_int_equal(one->nb_removes, 2);
	assert_int_equal(fake->nb_closes, 1);
}

static int
remove_in_probe(struct rte_pci_device *dev)
{
	assert_int_equal(rte_bus_find_by_name("pci")->unplug(&dev->device), -EBUSY);
	assert_int_equal(rte_bus_find_by_name("pci")->plug(&dev->device), -EBUSY);
	return 0;
}

static void
test_device_is_not_removed_during_its_probe(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED, .in_probe = remove_in_probe);

	fake_pci_add("0000:01:00.0", &plain);
	tame_register(one);
	eal_session_start(NULL);
	assert_true(rte_dev_is_probed(&one->dev->device));
	eal_session_stop();
}

static struct fake_pci *vanishing;

static int
scan_in_probe(struct rte_pci_device *dev)
{
	vanishing->absent = true;
	assert_int_equal(rte_bus_scan(), 0);
	assert_int_equal(dev->id.vendor_id, 0x1234);
	return 1;
}

static void
test_device_that_vanishes_during_its_probe_stays_valid(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED, .in_probe = scan_in_probe);

	vanishing = fake_pci_add("0000:00:00.0", &plain);
	fake_pci_add("0000:01:00.0", &plain);
	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(one->nb_probes, 2);
	assert_int_equal(bus->scan(), 0);
	assert_int_equal(count_devices(), 1);
	eal_session_stop();
}

static void
test_vanished_device_leaves_when_nobody_uses_it(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);

	tame_register(one);
	eal_session_start(NULL);
	fake->absent = true;
	assert_int_equal(bus->scan(), 0);
	assert_ptr_equal(find("01:00.0"), &one->dev->device);
	assert_non_null(one->dev->mem_resource[0].addr);
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	assert_int_equal(bus->scan(), 0);
	assert_null(find("01:00.0"));
	eal_session_stop();
}

static void
test_scan_changes_nothing_of_a_device_in_use(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);
	unsigned int i;

	tame_register(one);
	eal_session_start(NULL);
	fake->id.device_id = 2;
	eal_log_capture();
	for (i = 0; i < 10; i++)
		assert_int_equal(bus->scan(), 0);
	assert_string_equal(eal_log_text(), "");
	eal_log_release();
	assert_int_equal(one->dev->id.device_id, 1);
	assert_non_null(one->dev->mem_resource[0].addr);
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	assert_int_equal(bus->scan(), 0);
	assert_int_equal(RTE_DEV_TO_PCI(find("01:00.0"))->id.device_id, 2);
	eal_session_stop();
}

static void
test_second_device_at_an_address_is_left_out(void **state)
{
	struct fake_pci other = plain;
	const char *text;

	other.id.device_id = 2;
	eal_session_start(NULL);
	fake_pci_add("0000:01:00.0", &other);
	fake_pci_add("0000:01:00.0", &plain);	/* is found first */
	eal_log_capture();
	assert_int_equal(bus->scan(), 0);
	assert_int_equal(bus->scan(), 0);
	text = eal_log_text();
	assert_int_equal(eal_log_lines_with(text, "0000:01:00.0"), 1);
	eal_log_release();
	assert_int_equal(count_devices(), 1);
	assert_int_equal(RTE_DEV_TO_PCI(find("01:00.0"))->id.device_id, 1);
	eal_session_stop();
}

static char event_name[RTE_DEV_NAME_MAX_LEN];
static unsigned int nb_events;

static void
note_event(const char *name, enum rte_dev_event_type event, void *arg)
{
	snprintf(event_name, sizeof(event_name), "%s", name);
	nb_events += event == RTE_DEV_EVENT_REMOVE;
}

static void
test_owner_that_asks_late_finds_no_device(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);
	uintptr_t token;

	nb_events = 0;
	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(rte_dev_event_callback_register(NULL, note_event, NULL), 0);
	token = fake->token;
	assert_int_equal(rte_pci_ask_back(token), 0);
	assert_int_equal(nb_events, 1);
	assert_string_equal(event_name, "0000:01:00.0");
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	fake->absent = true;
	assert_int_equal(bus->scan(), 0);
	assert_int_equal(rte_pci_ask_back(token), -ENODEV);
	fake->absent = false;
	assert_int_equal(rte_dev_probe("01:00.0"), 0);	/* another one at the same address */
	assert_int_equal(rte_pci_ask_back(token), -ENODEV);
	assert_int_equal(nb_events, 1);
	assert_int_equal(rte_dev_event_callback_unregister(NULL, note_event, NULL), 1);
	eal_session_stop();
}

static void
test_handler_of_removal_reaches_the_backend(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);

	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(bus->hot_unplug_handler(&one->dev->device), 0);
	assert_int_equal(fake->nb_removed, 1);
	assert_int_equal(fake->nb_removed_in_signal, 0);
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	assert_int_equal(bus->hot_unplug_handler(&one->dev->device), 0);
	assert_int_equal(fake->nb_removed, 1);
	eal_session_stop();
}

static void
test_fault_in_a_bar_of_a_pulled_device_is_survived(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);
	uint8_t *bar, *stale;

	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	bar = one->bar0;
	fake_pci_bar_pull(fake, 0);
	assert_int_equal(*(volatile uint8_t *)(bar + 0x8010), 0);	/* SIGBUS on the way */
	assert_int_equal(fake->nb_removed_in_signal, 1);
	assert_int_equal(bus->sigbus_handler(bar - 1), 1);
	assert_int_equal(bus->sigbus_handler(bar + 0x10000), 1);
	assert_int_equal(bus->sigbus_handler(NULL), 1);
	stale = bar;
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	assert_int_equal(bus->sigbus_handler(stale), 1);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
	eal_session_stop();
}

static void
test_fault_is_found_among_many_devices(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED);
	struct fake_pci *fakes[150];
	char name[PCI_PRI_STR_SIZE];
	struct rte_device *dev = NULL;
	unsigned int i;
	void *stale;

	tame_register(one);
	for (i = 0; i < RTE_DIM(fakes); i++) {
		snprintf(name, sizeof(name), "0000:%02x:00.0", i);
		fakes[i] = fake_pci_add(name, &plain);
	}
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(fakes); i++) {
		snprintf(name, sizeof(name), "0000:%02x:00.0", i);
		dev = find(name);
		assert_int_equal(bus->sigbus_handler(RTE_DEV_TO_PCI(dev)->mem_resource[0].addr), 0);
		assert_int_equal(fakes[i]->nb_removed_in_signal, 1);
	}
	stale = RTE_DEV_TO_PCI(dev)->mem_resource[0].addr;
	assert_int_equal(rte_dev_remove(dev), 0);
	assert_int_equal(bus->sigbus_handler(stale), 1);
	eal_session_stop();
}

/* ---- DMA ---- */

static void
test_dma_is_mapped_by_the_driver_or_else_the_backend(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &plain);
	char memory[16];

	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(rte_dev_dma_map(&one->dev->device, memory, 0x1000, sizeof(memory)), 0);
	assert_int_equal(rte_dev_dma_unmap(&one->dev->device, memory, 0x1000, sizeof(memory)), 0);
	assert_int_equal(fake->nb_dma_maps, 1);
	assert_int_equal(fake->nb_dma_unmaps, 1);
	fake->dma_rc = -ENOSPC;
	assert_int_equal(rte_dev_dma_map(&one->dev->device, memory, 0x1000, sizeof(memory)), -1);
	assert_int_equal(rte_errno, ENOSPC);
	one->pci.dma_map = tame_dma_map;
	one->pci.dma_unmap = tame_dma_unmap;
	assert_int_equal(rte_dev_dma_map(&one->dev->device, memory, 0x1000, sizeof(memory)), 0);
	assert_int_equal(rte_dev_dma_unmap(&one->dev->device, memory, 0x1000, sizeof(memory)), 0);
	assert_int_equal(one->nb_dma_maps, 1);
	assert_int_equal(one->nb_dma_unmaps, 1);
	assert_int_equal(fake->nb_dma_maps, 2);
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	assert_int_equal(bus->dma_map(&one->dev->device, memory, 0x1000, sizeof(memory)), -1);
	assert_int_equal(rte_errno, EINVAL);
	eal_session_stop();
}

/* ---- failures ---- */

static void
test_nothing_leaks_whatever_fails_in_plug_and_unplug(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED);
	struct interpose_loop loop;
	struct resources first;
	struct rte_device *dev;
	int rc;

	fake_pci_add("0000:01:00.0", &plain);
	eal_session_start(NULL);
	tame_register(one);
	dev = find("0000:01:00.0");
	rte_log_set_global_level(RTE_LOG_EMERG);
	resources_take(&first);	/* finding the calls that this makes frees memory, once */
	resources_drop(&first);
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0) {
		rc = bus->plug(dev);
		interpose_disarm();
		assert_int_equal(rte_dev_is_probed(dev), rc == 0);
		if (rc == 0)
			assert_int_equal(bus->unplug(dev), 0);
		assert_released(RTE_DEV_TO_PCI(dev));
	}
	rte_log_set_global_level(RTE_LOG_DEBUG);
	eal_session_stop();
}

static void
test_nothing_leaks_whatever_fails_in_a_scan(void **state)
{
	struct interpose_loop loop;
	struct fake_pci *fake;
	int rc;

	fake_pci_add("0000:01:00.0", &plain);
	fake = fake_pci_add("0000:02:00.0", &plain);
	fake_sysfs_add(sysfs, "0000:03:00.0", &(struct fake_sysfs_desc){ .driver = "e1000e" });
	eal_session_start(NULL);
	assert_int_equal(count_devices(), 3);
	rte_log_set_global_level(RTE_LOG_EMERG);
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0) {
		fake->absent = true;
		rc = bus->scan();
		count_devices();
		interpose_disarm();
		assert_true(rc == 0 || interpose_fired());
		fake->absent = false;
		assert_int_equal(bus->scan(), 0);
		assert_int_equal(count_devices(), 3);
	}
	rte_log_set_global_level(RTE_LOG_DEBUG);
	eal_session_stop();
}

static void
test_session_leaves_nothing_behind(void **state)
{
	struct tame_driver *one = tame_new("one", table_1, MAPPED);
	struct resources before;

	fake_pci_add("0000:01:00.0", &plain);
	fake_pci_add("0000:02:00.0", &plain);
	tame_register(one);
	eal_session_start(NULL);
	eal_session_stop();
	resources_take(&before);
	eal_session_start(NULL);
	assert_int_equal(one->nb_probes, 4);
	eal_session_stop();
	resources_assert_same(&before);
	resources_drop(&before);
}

#define BUS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	BUS_TEST(test_driver_gets_the_device_that_its_table_names),
	BUS_TEST(test_every_byte_is_read_and_written_across_holes),
	BUS_TEST(test_declined_device_is_mapped_once_for_all_drivers),
	BUS_TEST(test_device_that_all_decline_is_released),
	BUS_TEST(test_kept_mapping_serves_the_next_probe),
	BUS_TEST(test_probe_error_stops_asking),
	BUS_TEST(test_probe_error_ends_what_another_driver_kept),
	BUS_TEST(test_bus_fails_only_if_all_devices_fail),
	BUS_TEST(test_device_that_cannot_be_opened_is_an_error),
	BUS_TEST(test_driver_may_map_by_itself),
	BUS_TEST(test_map_without_a_driver),
	BUS_TEST(test_tables_match_with_wildcards),
	BUS_TEST(test_order_of_registration_decides_among_many_drivers),
	BUS_TEST(test_drivers_may_come_go_and_change_their_tables),
	BUS_TEST(test_driver_that_goes_during_a_probe_is_not_asked),
	BUS_TEST(test_driven_device_is_probed_again_only_if_its_driver_wants_it),
	BUS_TEST(test_driver_that_needs_va_is_not_asked_under_pa),
	BUS_TEST(test_iova_mode_is_what_the_devices_of_drivers_need),
	BUS_TEST(test_allow_list_lists_no_other_device),
	BUS_TEST(test_device_is_called_by_its_address_however_it_was_allowed),
	BUS_TEST(test_block_list_leaves_devices_out),
	BUS_TEST(test_device_that_is_blocked_later_is_not_probed),
	BUS_TEST(test_entry_that_is_no_address_is_named),
	BUS_TEST(test_devargs_name_the_device),
	BUS_TEST(test_search_goes_on_after_a_device_in_order_of_addresses),
	BUS_TEST(test_filter_with_an_unknown_key_is_an_error),
	BUS_TEST(test_dump_shows_what_there_is),
	BUS_TEST(test_device_is_added_and_removed_at_run_time),
	BUS_TEST(test_user_wish_outlives_an_unplug),
	BUS_TEST(test_devargs_that_eal_frees_are_not_used),
	BUS_TEST(test_devargs_that_eal_frees_late_are_not_used),
	BUS_TEST(test_driver_may_refuse_to_let_go),
	BUS_TEST(test_device_is_not_removed_during_its_probe),
	BUS_TEST(test_device_that_vanishes_during_its_probe_stays_valid),
	BUS_TEST(test_vanished_device_leaves_when_nobody_uses_it),
	BUS_TEST(test_scan_changes_nothing_of_a_device_in_use),
	BUS_TEST(test_second_device_at_an_address_is_left_out),
	BUS_TEST(test_owner_that_asks_late_finds_no_device),
	BUS_TEST(test_handler_of_removal_reaches_the_backend),
	BUS_TEST(test_fault_in_a_bar_of_a_pulled_device_is_survived),
	BUS_TEST(test_fault_is_found_among_many_devices),
	BUS_TEST(test_dma_is_mapped_by_the_driver_or_else_the_backend),
	BUS_TEST(test_nothing_leaks_whatever_fails_in_plug_and_unplug),
	BUS_TEST(test_nothing_leaks_whatever_fails_in_a_scan),
	BUS_TEST(test_session_leaves_nothing_behind),
};

TEST_SUITE(pci_bus, "functional", tests, NULL, NULL)
