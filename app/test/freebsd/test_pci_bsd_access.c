/* SPDX-License-Identifier: BSD-3-Clause */

/* A device under FreeBSD, by nic_uio and by /dev/pci alone: configuration space, and ports. */

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <bus_pci_driver.h>
#include <rte_common.h>

#include "bsd_card.h"
#include "pci_bsd_conf.h"
#include "test.h"

/* ---- configuration space ---- */

static void
config_fill(void)
{
	unsigned int i;

	for (i = 0x80; i < 0x100; i++)
		bsd_card->config[i] = (uint8_t)(i * 5);
}

static void
test_config_is_read_at_any_offset_and_length(void **state)
{
	size_t len;
	off_t at;

	(void)state;
	EACH_WAY(way) {
		bsd_begin_mapped(way);
		config_fill();
		for (at = 0x80; at < 0x90; at++)
			for (len = 0; len <= 64; len++) {
				memset(bsd_mem, 0, sizeof(bsd_mem));
				assert_int_equal(rte_pci_read_config(bsd_dev, bsd_mem, len,
					at), len);
				assert_memory_equal(bsd_mem, bsd_card->config + at, len);
			}
		assert_int_equal(rte_pci_read_config(bsd_dev, bsd_mem, 4096, 0), 4096);
		assert_memory_equal(bsd_mem, bsd_card->config, 4096);
		bsd_end_mapped();
	}
}

/* As on Linux, and unlike DPDK on FreeBSD, what is answered is how much was written. */
static void
test_config_is_written_at_any_offset_and_length(void **state)
{
	uint8_t expected[4096];
	size_t len;
	off_t at;

	(void)state;
	EACH_WAY(way) {
		bsd_begin_mapped(way);
		memset(bsd_mem, 0x3c, sizeof(bsd_mem));
		for (at = 0x80; at < 0x90; at++)
			for (len = 0; len <= 33; len++) {
				config_fill();
				memcpy(expected, bsd_card->config, sizeof(expected));
				memset(expected + at, 0x3c, len);
				assert_int_equal(rte_pci_write_config(bsd_dev, bsd_mem, len,
					at), len);
				assert_memory_equal(bsd_card->config, expected, sizeof(expected));
			}
		bsd_end_mapped();
	}
}

static void
test_config_ends_where_the_device_says(void **state)
{
	(void)state;
	EACH_WAY(way) {
		bsd_begin_mapped(way);
		assert_int_equal(rte_pci_read_config(bsd_dev, bsd_mem, 1, 4096), -EINVAL);
		assert_int_equal(rte_pci_read_config(bsd_dev, bsd_mem, 2, 4095), -EINVAL);
		assert_int_equal(rte_pci_read_config(bsd_dev, bsd_mem, 1, -1), -EINVAL);
		assert_int_equal(rte_pci_write_config(bsd_dev, bsd_mem, SIZE_MAX, 4), -EINVAL);
		rte_pci_unmap_device(bsd_dev);
		bsd_card->config_len = 256;
		assert_int_equal(rte_pci_map_device(bsd_dev), 0);
		assert_int_equal(rte_pci_read_config(bsd_dev, bsd_mem, 2, 254), 2);
		assert_int_equal(rte_pci_read_config(bsd_dev, bsd_mem, 1, 256), -EINVAL);
		bsd_end_mapped();
	}
}

static void
test_capabilities_are_found(void **state)
{
	(void)state;
	EACH_WAY(way) {
		bsd_begin_mapped(way);
		assert_int_equal(rte_pci_find_capability(bsd_dev, 0x10), 0x50);
		assert_int_equal(rte_pci_find_capability(bsd_dev, 0x05), 0);
		assert_int_equal(rte_pci_find_ext_capability(bsd_dev, 3), 0x100);
		assert_int_equal(rte_pci_find_ext_capability(bsd_dev, 1), 0);
		bsd_end_mapped();
	}
}

static void
test_config_of_a_device_that_has_vanished(void **state)
{
	(void)state;
	EACH_WAY(way) {
		bsd_begin_mapped(way);
		bsd_card->absent = true;
		assert_int_equal(rte_pci_read_config(bsd_dev, bsd_mem, 4, 0), -ENODEV);
		assert_int_equal(rte_pci_write_config(bsd_dev, bsd_mem, 4, 0x10), -ENODEV);
		assert_int_equal(rte_pci_mmio_read(bsd_dev, SMALL, bsd_mem, 4, 0), -ENODEV);
		bsd_end_mapped();
	}
}

/* ---- ports ---- */

static void
ports_use(void)
{
	struct rte_pci_ioport port;

	assert_int_equal(rte_pci_ioport_map(bsd_dev, PORTS, &port), 0);
	rte_pci_ioport_write(&port, "abcdefgh", 8, 0);
	assert_int_equal(bsd_card_byte(PORTS, 0), 'a');
	assert_int_equal(bsd_card_byte(PORTS, 7), 'h');
	memset(bsd_mem, 0, sizeof(bsd_mem));
	rte_pci_ioport_read(&port, bsd_mem, 5, 3);
	assert_memory_equal(bsd_mem, "defgh", 6);
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);
}

static void
test_ports_are_reached_by_the_kernel(void **state)
{
	(void)state;
	EACH_WAY(way) {
		bsd_begin_mapped(way);
		assert_null(bsd_dev->mem_resource[PORTS].addr);
		ports_use();
		assert_int_equal(bsd_card->bar[PORTS].nb_by_port, 0);
		/* the bus's other functions do not take a port for an address */
		assert_int_equal(rte_pci_mmio_read(bsd_dev, PORTS, bsd_mem, 4, 0), 4);
		assert_int_equal(rte_pci_mmio_read(bsd_dev, PORTS, bsd_mem, 4, 5), -EINVAL);
		bsd_end_mapped();
	}
}

/* FreeBSD 13 does not access BARs for programs. */
static void
test_ports_are_reached_by_dev_io_where_the_kernel_is_old(void **state)
{
	(void)state;
	EACH_WAY(way) {
		bsd_begin(way);
		fake_freebsd.release = 13;
		assert_int_equal(rte_pci_map_device(bsd_dev), 0);
		ports_use();
		assert_true(bsd_card->bar[PORTS].nb_by_port > 0);
		assert_int_equal(bsd_card->bar[PORTS].nb_by_port, bsd_card->bar[PORTS].nb_calls);
		bsd_end_mapped();
	}
}

static unsigned int nb_bar_io;

static int
spoil_count(unsigned long request, void *arg, int rc)
{
	(void)arg;
	nb_bar_io += request == PCI_BSD_BAR_IO;
	return rc;
}

/* What the kernel cannot do it is asked for once. */
static void
test_the_way_to_ports_is_looked_for_once(void **state)
{
	(void)state;
	EACH_WAY(way) {
		bsd_begin(way);
		fake_freebsd.release = 13;
		fake_freebsd.spoil = spoil_count;
		nb_bar_io = 0;
		assert_int_equal(rte_pci_map_device(bsd_dev), 0);
		ports_use();
		ports_use();
		assert_int_equal(nb_bar_io, 1);
		bsd_end_mapped();
	}
}

static void
test_ports_are_reached_by_dev_io_where_a_driver_has_them(void **state)
{
	(void)state;
	EACH_WAY(way) {
		bsd_begin(way);
		bsd_card->bar[PORTS].held = true;
		assert_int_equal(rte_pci_map_device(bsd_dev), 0);
		ports_use();
		assert_true(bsd_card->bar[PORTS].nb_by_port > 0);
		bsd_end_mapped();
	}
}

static void
test_ports_that_are_not_reached_read_as_ones(void **state)
{
	struct rte_pci_ioport port;
	uint32_t value = 0;

	(void)state;
	EACH_WAY(way) {
		bsd_begin(way);
		fake_freebsd.release = 13;
		fake_freebsd.io_rc = -EPERM;
		assert_int_equal(rte_pci_map_device(bsd_dev), 0);
		assert_int_equal(rte_pci_mmio_read(bsd_dev, PORTS, &value, 4, 0), -EPERM);
		assert_int_equal(rte_pci_ioport_map(bsd_dev, PORTS, &port), 0);
		rte_pci_ioport_read(&port, &value, 4, 0);
		assert_int_equal(value, UINT32_MAX);
		bsd_end_mapped();
	}
}

/* What is above what a PC can have is no port. */
static void
test_a_port_that_is_none_is_refused(void **state)
{
	(void)state;
	bsd_begin(&bsd_ways[1]);
	fake_freebsd.release = 13;
	bsd_card->bar[PORTS].base = 0xfffd;	/* 0xfffc, 8 bytes */
	assert_int_equal(rte_pci_map_device(bsd_dev), 0);
	assert_int_equal(rte_pci_mmio_read(bsd_dev, PORTS, bsd_mem, 4, 0), 4);
	assert_int_equal(rte_pci_mmio_read(bsd_dev, PORTS, bsd_mem, 4, 4), -ERANGE);
	bsd_end_mapped();
}

struct reader {
	pthread_t thread;
	unsigned int wrong;
};

static void *
read_all(void *arg)
{
	struct reader *reader = arg;
	uint32_t value;
	unsigned int i;

	for (i = 0; i < 200; i++) {
		reader->wrong += rte_pci_read_config(bsd_dev, &value, 4, 0) != 4 ||
			value != 0x15728086;
		reader->wrong += rte_pci_mmio_read(bsd_dev, PORTS, &value, 4, 0) != 4 ||
			value != 0x64636261;
		reader->wrong += rte_pci_mmio_read(bsd_dev, SMALL, &value, 4, 8) != 4;
	}
	return NULL;
}

/* Ports too: no privilege belongs to one thread. */
static void
test_any_thread_may_do_all_that(void **state)
{
	struct reader readers[4];
	unsigned int i;

	(void)state;
	EACH_WAY(way) {
		bsd_begin(way);
		fake_freebsd.release = way == bsd_ways ? 13 : 14;
		bsd_card->bar[SMALL].length = way == bsd_ways ? 0 : 0x100;
		assert_int_equal(rte_pci_map_device(bsd_dev), 0);
		assert_int_equal(rte_pci_mmio_write(bsd_dev, PORTS, "abcd", 4, 0), 4);
		for (i = 0; i < RTE_DIM(readers); i++) {
			readers[i].wrong = 0;
			assert_int_equal(pthread_create(&readers[i].thread, NULL, read_all,
				&readers[i]), 0);
		}
		for (i = 0; i < RTE_DIM(readers); i++) {
			pthread_join(readers[i].thread, NULL);
			assert_int_equal(readers[i].wrong, way == bsd_ways ? 200 : 0);
		}
		bsd_end_mapped();
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_config_is_read_at_any_offset_and_length),
	cmocka_unit_test(test_config_is_written_at_any_offset_and_length),
	cmocka_unit_test(test_config_ends_where_the_device_says),
	cmocka_unit_test(test_capabilities_are_found),
	cmocka_unit_test(test_config_of_a_device_that_has_vanished),
	cmocka_unit_test(test_ports_are_reached_by_the_kernel),
	cmocka_unit_test(test_ports_are_reached_by_dev_io_where_the_kernel_is_old),
	cmocka_unit_test(test_the_way_to_ports_is_looked_for_once),
	cmocka_unit_test(test_ports_are_reached_by_dev_io_where_a_driver_has_them),
	cmocka_unit_test(test_ports_that_are_not_reached_read_as_ones),
	cmocka_unit_test(test_a_port_that_is_none_is_refused),
	cmocka_unit_test(test_any_thread_may_do_all_that),
};

TEST_SUITE(pci_bsd_access, "functional", tests, NULL, NULL)
