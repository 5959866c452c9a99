/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A device under FreeBSD, by nic_uio and by /dev/pci alone: mapping, configuration space, ports,
 * what is lacking, what fails.
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bus_pci_driver.h>
#include <rte_common.h>
#include <rte_eal.h>
#include <rte_eal_paging.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "eal_session.h"
#include "fake_freebsd.h"
#include "interpose.h"
#include "pci_bsd_conf.h"
#include "pci_device.h"
#include "pci_list.h"
#include "resources.h"
#include "test.h"

#define COMMAND 4
#define COMMAND_IO 1
#define COMMAND_MEMORY 2
#define COMMAND_MASTER 4

#define PORTS 2
#define MEMORY 3
#define SMALL 5

static const struct rte_pci_addr card_addr = { .bus = 10, .devid = 31, .function = 7 };

static const struct fake_freebsd_device card_like = {
	.bus = 10, .slot = 31, .function = 7, .vendor = 0x8086, .device = 0x1572,
	.config = {
		[0x06] = 0x10,	/* there are capabilities */
		[0x34] = 0x40,
		[0x40] = 0x01, 0x50,	/* power management */
		[0x50] = 0x10, 0x00,	/* PCI Express */
		[0x100] = 0x03, 0x00, 0x01, 0x00,	/* extended: serial number */
	},
	.config_len = 4096,
	.bar = {
		[0] = { .base = 0x38000000000c, .length = 0x200000 },
		[PORTS] = { .base = 0xc049, .length = 8 },
		[MEMORY] = { .base = 0xfeb00000, .length = 0x8000 },
		[SMALL] = { .base = 0xfeb10100, .length = 0x100 },
	},
};

/* The two ways to a device; each test goes both. */
static const struct way {
	const char *driver;	/* of the kernel */
	const char *backend;
} ways[] = {
	{ "nic_uio", "nic_uio" },
	{ "", "dev_pci" },
};

static struct fake_freebsd_device *card;
static struct rte_pci_device *dev;
static uint8_t mem[4096];	/* for what a test moves */

/* A machine with the card, EAL with the bus; nothing is mapped. */
static void
begin(const struct way *way)
{
	struct fake_freebsd_device like = card_like;

	fake_freebsd_start();
	strcpy(like.driver, way->driver);
	card = fake_freebsd_add(&like);
	eal_session_start(NULL);
	dev = &pci_list_find(&card_addr)->pub;
}

static void
end(void)
{
	eal_session_stop();
	fake_freebsd_stop();
}

static void
begin_mapped(const struct way *way)
{
	begin(way);
	assert_int_equal(rte_pci_map_device(dev), 0);
}

static void
end_mapped(void)
{
	rte_pci_unmap_device(dev);
	end();
}

#define EACH_WAY(way_) \
	for (const struct way *way_ = ways; way_ < ways + RTE_DIM(ways); way_++)

/* The memory of a BAR as the device has it. */
static uint8_t
card_byte(unsigned int bar, uint64_t offset)
{
	uint8_t byte;

	assert_int_equal(pread(card->bar[bar].memfd, &byte, 1, (off_t)offset), 1);
	return byte;
}

static void
card_fill(unsigned int bar)
{
	uint64_t i;
	uint8_t byte;

	for (i = 0; i < card->bar[bar].length && i < 4096; i++) {
		byte = (uint8_t)(i * 7 + bar);
		assert_int_equal(pwrite(card->bar[bar].memfd, &byte, 1, (off_t)i), 1);
	}
}

/* ---- mapping ---- */

static void
test_bars_are_mapped_whole(void **state)
{
	struct rte_pci_bar_window window;

	(void)state;
	EACH_WAY(way) {
		begin_mapped(way);
		assert_string_equal(rte_pci_backend_name(dev), way->backend);
		assert_int_equal(rte_pci_bar_windows_get(dev, 0, &window, 1), 1);
		assert_int_equal(window.offset, 0);
		assert_int_equal(window.size, 0x200000);
		assert_ptr_equal(window.addr, dev->mem_resource[0].addr);
		((uint8_t *)dev->mem_resource[0].addr)[0x1fffff] = 0x42;
		assert_int_equal(card_byte(0, 0x1fffff), 0x42);
		((uint8_t *)dev->mem_resource[MEMORY].addr)[0x7fff] = 0x43;
		assert_int_equal(card_byte(MEMORY, 0x7fff), 0x43);
		assert_int_equal(card->bar[0].nb_calls, 0);
		end_mapped();
	}
}

/* The upper half of a wide BAR, and numbers behind the last one. */
static void
test_bars_that_are_none(void **state)
{
	struct rte_pci_bar_info info;

	(void)state;
	EACH_WAY(way) {
		begin_mapped(way);
		assert_int_equal(rte_pci_bar_info_get(dev, 1, &info), 0);
		assert_int_equal(info.size, 0);
		assert_int_equal(rte_pci_mmio_read(dev, 1, mem, 4, 0), -EINVAL);
		assert_int_equal(rte_pci_mmio_read(dev, 4, mem, 1, 0), -EINVAL);
		assert_int_equal(rte_pci_mmio_read(dev, 6, mem, 1, 0), -EINVAL);
		assert_int_equal(rte_pci_mmio_read(dev, -1, mem, 1, 0), -EINVAL);
		end_mapped();
	}
}

/* Its page may be shared with others, so nobody maps it. */
static void
test_a_bar_smaller_than_a_page_is_reached_by_calls(void **state)
{
	size_t len, offset, i;

	(void)state;
	EACH_WAY(way) {
		begin_mapped(way);
		card_fill(SMALL);
		assert_null(dev->mem_resource[SMALL].addr);
		for (offset = 0; offset < 16; offset++)
			for (len = 0; len <= 17; len++) {
				memset(mem, 0, sizeof(mem));
				assert_int_equal(rte_pci_mmio_read(dev, SMALL, mem, len,
					(off_t)offset), len);
				for (i = 0; i < len; i++)
					assert_int_equal(mem[i],
						(uint8_t)((offset + i) * 7 + SMALL));
			}
		assert_int_equal(rte_pci_mmio_write(dev, SMALL, "abcdefgh", 7, 0xf9), 7);
		assert_int_equal(card_byte(SMALL, 0xf9), 'a');
		assert_int_equal(card_byte(SMALL, 0xff), 'g');
		assert_int_equal(rte_pci_mmio_write(dev, SMALL, "abc", 2, 0xff), -EINVAL);
		end_mapped();
	}
}

/* A register of 4 bytes that is asked for is asked for once. */
static void
test_an_aligned_access_is_one_access(void **state)
{
	static const struct {
		size_t len;
		off_t offset;
		unsigned int calls;
	} rows[] = {
		{ 1, 0, 1 }, { 1, 3, 1 }, { 2, 0, 1 }, { 2, 2, 1 }, { 4, 0, 1 }, { 4, 4, 1 },
		{ 8, 0, 2 }, { 2, 1, 2 }, { 4, 2, 2 }, { 4, 1, 3 }, { 3, 0, 2 },
	};
	unsigned int i;

	(void)state;
	EACH_WAY(way) {
		begin_mapped(way);
		for (i = 0; i < RTE_DIM(rows); i++) {
			card->bar[SMALL].nb_calls = 0;
			assert_int_equal(rte_pci_mmio_read(dev, SMALL, mem, rows[i].len,
				rows[i].offset), rows[i].len);
			assert_int_equal(card->bar[SMALL].nb_calls, rows[i].calls);
		}
		end_mapped();
	}
}

static void
test_a_bar_that_cannot_be_mapped_is_reached_by_calls(void **state)
{
	(void)state;
	EACH_WAY(way) {
		begin(way);
		card->bar[MEMORY].map_rc = -ENOMEM;
		eal_log_capture();
		assert_int_equal(rte_pci_map_device(dev), 0);
		assert_int_equal(eal_log_lines_with(eal_log_text(), "BAR3: cannot map"), 1);
		eal_log_release();
		assert_null(dev->mem_resource[MEMORY].addr);
		assert_non_null(dev->mem_resource[0].addr);
		assert_int_equal(rte_pci_mmio_write(dev, MEMORY, "abcd", 4, 0x7ffc), 4);
		assert_int_equal(card_byte(MEMORY, 0x7fff), 'd');
		end_mapped();
	}
}

/* The kernel of FreeBSD 13 has no calls for that. */
static void
test_without_calls_such_a_bar_is_not_reached(void **state)
{
	(void)state;
	EACH_WAY(way) {
		begin(way);
		fake_freebsd.release = 13;
		assert_int_equal(rte_pci_map_device(dev), 0);
		assert_int_equal(rte_pci_mmio_read(dev, SMALL, mem, 4, 0), -ENOTSUP);
		fake_freebsd.release = 14;
		card->bar[SMALL].held = true;
		assert_int_equal(rte_pci_mmio_read(dev, SMALL, mem, 4, 0), -EBUSY);
		end_mapped();
	}
}

static int
spoil_elsewhere(unsigned long request, void *arg, int rc)
{
	struct pci_bsd_map_bar *answer = arg;
	void *other;

	if (request != PCI_BSD_MAP_BAR || rc != 0)
		return rc;
	other = mmap(NULL, answer->map_length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(other, MAP_FAILED);
	answer->map_base = other;
	return 0;
}

static int
spoil_length(unsigned long request, void *arg, int rc)
{
	struct pci_bsd_map_bar *answer = arg;

	if (request == PCI_BSD_MAP_BAR)
		answer->map_length /= 2;
	return rc;
}

static int
spoil_start(unsigned long request, void *arg, int rc)
{
	struct pci_bsd_map_bar *answer = arg;

	if (request == PCI_BSD_MAP_BAR)
		answer->bar_off = 0x100;
	return rc;
}

/* /dev/pci maps by itself, and says where: what it says must be what was asked for. */
static void
test_a_mapping_that_is_not_as_asked_for_is_none(void **state)
{
	static int (*const spoils[])(unsigned long request, void *arg, int rc) = {
		spoil_elsewhere, spoil_length, spoil_start,
	};
	struct resources before;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(spoils); i++) {
		begin(&ways[1]);
		assert_int_equal(rte_pci_map_device(dev), 0);
		rte_pci_unmap_device(dev);
		resources_take(&before);
		fake_freebsd.spoil = spoils[i];
		assert_int_equal(rte_pci_map_device(dev), 0);
		assert_null(dev->mem_resource[0].addr);
		assert_int_equal(rte_pci_mmio_write(dev, 0, "x", 1, 0), 1);
		assert_int_equal(card_byte(0, 0), 'x');
		rte_pci_unmap_device(dev);
		resources_assert_same(&before);
		resources_drop(&before);
		end();
	}
}

static struct rte_pci_driver combining = {
	.drv_flags = RTE_PCI_DRV_NEED_MAPPING | RTE_PCI_DRV_WC_ACTIVATE,
};

/* Of two BARs one is prefetchable. */
static void
test_write_combining_for_who_asks_for_it(void **state)
{
	(void)state;
	begin_mapped(&ways[1]);
	assert_int_equal(fake_freebsd.nb_combining, 0);
	rte_pci_unmap_device(dev);
	dev->driver = &combining;
	assert_int_equal(rte_pci_map_device(dev), 0);
	dev->driver = NULL;
	assert_int_equal(fake_freebsd.nb_combining, 1);
	end_mapped();
}

/* ---- the command register ---- */

static void
test_the_device_listens_while_it_is_mapped(void **state)
{
	(void)state;
	EACH_WAY(way) {
		begin_mapped(way);
		assert_int_equal(card->config[COMMAND] & 3, COMMAND_IO | COMMAND_MEMORY);
		rte_pci_unmap_device(dev);
		assert_int_equal(card->config[COMMAND], 0);
		end();
	}
}

static void
test_a_device_that_listens_already_goes_on(void **state)
{
	(void)state;
	EACH_WAY(way) {
		begin(way);
		card->config[COMMAND] = COMMAND_MEMORY;
		card->config[COMMAND + 1] = 0x04;	/* INTx off */
		assert_int_equal(rte_pci_map_device(dev), 0);
		rte_pci_unmap_device(dev);
		assert_int_equal(card->config[COMMAND], COMMAND_MEMORY);
		assert_int_equal(card->config[COMMAND + 1], 0x04);
		end();
	}
}

/* Addresses that are not physical would reach the memory of others. */
static void
test_no_dma_without_contigmem(void **state)
{
	(void)state;
	EACH_WAY(way) {
		begin(way);
		card->config[COMMAND] = COMMAND_MASTER;
		eal_log_capture();
		assert_int_equal(rte_pci_map_device(dev), 0);
		assert_int_equal(eal_log_lines_with(eal_log_text(), "no contigmem"), 1);
		eal_log_release();
		assert_int_equal(card->config[COMMAND] & COMMAND_MASTER, 0);
		assert_true(rte_pci_set_bus_master(dev, true) < 0);
		assert_int_equal(card->config[COMMAND] & COMMAND_MASTER, 0);
		end_mapped();
	}
}

static int
spoil_command_write(unsigned long request, void *arg, int rc)
{
	const struct pci_bsd_reg *reg = arg;

	return request == PCI_BSD_WRITE && reg->reg == COMMAND ? -EIO : rc;
}

static int
spoil_command_read(unsigned long request, void *arg, int rc)
{
	const struct pci_bsd_reg *reg = arg;

	return request == PCI_BSD_READ && reg->reg == COMMAND ? -EIO : rc;
}

/* A device that cannot be kept from the memory of others, or cannot reach its own, is not used. */
static void
test_a_device_whose_bus_mastering_cannot_be_set_is_not_used(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 2 * RTE_DIM(ways); i++) {
		begin(&ways[i / 2]);
		card->config[COMMAND] = COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER;
		fake_freebsd.spoil = i % 2 == 0 ? spoil_command_write : spoil_command_read;
		eal_log_capture();
		assert_int_equal(rte_pci_map_device(dev), -EIO);
		assert_int_equal(eal_log_lines_with(eal_log_text(),
			"cannot disable bus mastering: Input/output error"), 1);
		eal_log_release();
		assert_null(dev->mem_resource[0].addr);
		end();
	}
}

static void
test_no_interrupts(void **state)
{
	(void)state;
	EACH_WAY(way) {
		begin_mapped(way);
		assert_int_equal(rte_intr_fd_get(dev->intr_handle), -1);
		assert_int_equal(rte_intr_enable(dev->intr_handle), -ENOTSUP);
		end_mapped();
	}
}

/* ---- configuration space ---- */

static void
config_fill(void)
{
	unsigned int i;

	for (i = 0x80; i < 0x100; i++)
		card->config[i] = (uint8_t)(i * 5);
}

static void
test_config_is_read_at_any_offset_and_length(void **state)
{
	size_t len;
	off_t at;

	(void)state;
	EACH_WAY(way) {
		begin_mapped(way);
		config_fill();
		for (at = 0x80; at < 0x90; at++)
			for (len = 0; len <= 64; len++) {
				memset(mem, 0, sizeof(mem));
				assert_int_equal(rte_pci_read_config(dev, mem, len, at), len);
				assert_memory_equal(mem, card->config + at, len);
			}
		assert_int_equal(rte_pci_read_config(dev, mem, 4096, 0), 4096);
		assert_memory_equal(mem, card->config, 4096);
		end_mapped();
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
		begin_mapped(way);
		memset(mem, 0x3c, sizeof(mem));
		for (at = 0x80; at < 0x90; at++)
			for (len = 0; len <= 33; len++) {
				config_fill();
				memcpy(expected, card->config, sizeof(expected));
				memset(expected + at, 0x3c, len);
				assert_int_equal(rte_pci_write_config(dev, mem, len, at), len);
				assert_memory_equal(card->config, expected, sizeof(expected));
			}
		end_mapped();
	}
}

static void
test_config_ends_where_the_device_says(void **state)
{
	(void)state;
	EACH_WAY(way) {
		begin_mapped(way);
		assert_int_equal(rte_pci_read_config(dev, mem, 1, 4096), -EINVAL);
		assert_int_equal(rte_pci_read_config(dev, mem, 2, 4095), -EINVAL);
		assert_int_equal(rte_pci_read_config(dev, mem, 1, -1), -EINVAL);
		assert_int_equal(rte_pci_write_config(dev, mem, SIZE_MAX, 4), -EINVAL);
		rte_pci_unmap_device(dev);
		card->config_len = 256;
		assert_int_equal(rte_pci_map_device(dev), 0);
		assert_int_equal(rte_pci_read_config(dev, mem, 2, 254), 2);
		assert_int_equal(rte_pci_read_config(dev, mem, 1, 256), -EINVAL);
		end_mapped();
	}
}

static void
test_capabilities_are_found(void **state)
{
	(void)state;
	EACH_WAY(way) {
		begin_mapped(way);
		assert_int_equal(rte_pci_find_capability(dev, 0x10), 0x50);
		assert_int_equal(rte_pci_find_capability(dev, 0x05), 0);
		assert_int_equal(rte_pci_find_ext_capability(dev, 3), 0x100);
		assert_int_equal(rte_pci_find_ext_capability(dev, 1), 0);
		end_mapped();
	}
}

static void
test_config_of_a_device_that_has_vanished(void **state)
{
	(void)state;
	EACH_WAY(way) {
		begin_mapped(way);
		card->absent = true;
		assert_int_equal(rte_pci_read_config(dev, mem, 4, 0), -ENODEV);
		assert_int_equal(rte_pci_write_config(dev, mem, 4, 0x10), -ENODEV);
		assert_int_equal(rte_pci_mmio_read(dev, SMALL, mem, 4, 0), -ENODEV);
		end_mapped();
	}
}

/* ---- ports ---- */

static void
ports_use(void)
{
	struct rte_pci_ioport port;

	assert_int_equal(rte_pci_ioport_map(dev, PORTS, &port), 0);
	rte_pci_ioport_write(&port, "abcdefgh", 8, 0);
	assert_int_equal(card_byte(PORTS, 0), 'a');
	assert_int_equal(card_byte(PORTS, 7), 'h');
	memset(mem, 0, sizeof(mem));
	rte_pci_ioport_read(&port, mem, 5, 3);
	assert_memory_equal(mem, "defgh", 6);
	assert_int_equal(rte_pci_ioport_unmap(&port), 0);
}

static void
test_ports_are_reached_by_the_kernel(void **state)
{
	(void)state;
	EACH_WAY(way) {
		begin_mapped(way);
		assert_null(dev->mem_resource[PORTS].addr);
		ports_use();
		assert_int_equal(card->bar[PORTS].nb_by_port, 0);
		/* the bus's other functions do not take a port for an address */
		assert_int_equal(rte_pci_mmio_read(dev, PORTS, mem, 4, 0), 4);
		assert_int_equal(rte_pci_mmio_read(dev, PORTS, mem, 4, 5), -EINVAL);
		end_mapped();
	}
}

/* FreeBSD 13 does not access BARs for programs. */
static void
test_ports_are_reached_by_dev_io_where_the_kernel_is_old(void **state)
{
	(void)state;
	EACH_WAY(way) {
		begin(way);
		fake_freebsd.release = 13;
		assert_int_equal(rte_pci_map_device(dev), 0);
		ports_use();
		assert_true(card->bar[PORTS].nb_by_port > 0);
		assert_int_equal(card->bar[PORTS].nb_by_port, card->bar[PORTS].nb_calls);
		end_mapped();
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
		begin(way);
		fake_freebsd.release = 13;
		fake_freebsd.spoil = spoil_count;
		nb_bar_io = 0;
		assert_int_equal(rte_pci_map_device(dev), 0);
		ports_use();
		ports_use();
		assert_int_equal(nb_bar_io, 1);
		end_mapped();
	}
}

static void
test_ports_are_reached_by_dev_io_where_a_driver_has_them(void **state)
{
	(void)state;
	EACH_WAY(way) {
		begin(way);
		card->bar[PORTS].held = true;
		assert_int_equal(rte_pci_map_device(dev), 0);
		ports_use();
		assert_true(card->bar[PORTS].nb_by_port > 0);
		end_mapped();
	}
}

static void
test_ports_that_are_not_reached_read_as_ones(void **state)
{
	struct rte_pci_ioport port;
	uint32_t value = 0;

	(void)state;
	EACH_WAY(way) {
		begin(way);
		fake_freebsd.release = 13;
		fake_freebsd.io_rc = -EPERM;
		assert_int_equal(rte_pci_map_device(dev), 0);
		assert_int_equal(rte_pci_mmio_read(dev, PORTS, &value, 4, 0), -EPERM);
		assert_int_equal(rte_pci_ioport_map(dev, PORTS, &port), 0);
		rte_pci_ioport_read(&port, &value, 4, 0);
		assert_int_equal(value, UINT32_MAX);
		end_mapped();
	}
}

/* What is above what a PC can have is no port. */
static void
test_a_port_that_is_none_is_refused(void **state)
{
	(void)state;
	begin(&ways[1]);
	fake_freebsd.release = 13;
	card->bar[PORTS].base = 0xfffd;	/* 0xfffc, 8 bytes */
	assert_int_equal(rte_pci_map_device(dev), 0);
	assert_int_equal(rte_pci_mmio_read(dev, PORTS, mem, 4, 0), 4);
	assert_int_equal(rte_pci_mmio_read(dev, PORTS, mem, 4, 4), -ERANGE);
	end_mapped();
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
		reader->wrong += rte_pci_read_config(dev, &value, 4, 0) != 4 ||
			value != 0x15728086;
		reader->wrong += rte_pci_mmio_read(dev, PORTS, &value, 4, 0) != 4 ||
			value != 0x64636261;
		reader->wrong += rte_pci_mmio_read(dev, SMALL, &value, 4, 8) != 4;
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
		begin(way);
		fake_freebsd.release = way == ways ? 13 : 14;
		card->bar[SMALL].length = way == ways ? 0 : 0x100;
		assert_int_equal(rte_pci_map_device(dev), 0);
		assert_int_equal(rte_pci_mmio_write(dev, PORTS, "abcd", 4, 0), 4);
		for (i = 0; i < RTE_DIM(readers); i++) {
			readers[i].wrong = 0;
			assert_int_equal(pthread_create(&readers[i].thread, NULL, read_all,
				&readers[i]), 0);
		}
		for (i = 0; i < RTE_DIM(readers); i++) {
			pthread_join(readers[i].thread, NULL);
			assert_int_equal(readers[i].wrong, way == ways ? 200 : 0);
		}
		end_mapped();
	}
}

/* ---- what is lacking ---- */

static void
test_nic_uio_goes_on_without_the_right_to_write(void **state)
{
	(void)state;
	begin(&ways[0]);
	card->config[COMMAND] = COMMAND_MEMORY;
	fake_freebsd.write_rc = -EACCES;
	eal_log_capture();
	assert_int_equal(rte_pci_map_device(dev), 0);
	assert_int_equal(eal_log_lines_with(eal_log_text(),
		"cannot open /dev/pci to write, going on without configuration space: "
		"Permission denied (only root may"), 1);
	eal_log_release();
	assert_non_null(dev->mem_resource[0].addr);
	assert_int_equal(rte_pci_read_config(dev, mem, 4, 0), -EINVAL);
	assert_int_equal(rte_pci_mmio_read(dev, SMALL, mem, 4, 0), -EPERM);
	assert_int_equal(card->config[COMMAND], COMMAND_MEMORY);
	eal_log_capture();
	rte_pci_unmap_device(dev);
	assert_string_equal(eal_log_text(), "");
	eal_log_release();
	end();
}

static void
test_a_device_that_does_not_listen_is_told_of(void **state)
{
	(void)state;
	begin(&ways[0]);
	fake_freebsd.write_rc = -EPERM;
	eal_log_capture();
	assert_int_equal(rte_pci_map_device(dev), 0);
	assert_int_equal(eal_log_lines_with(eal_log_text(), "does not listen to its BARs"), 1);
	eal_log_release();
	end_mapped();
}

static void
test_dev_pci_needs_the_right_to_write(void **state)
{
	static const struct {
		int rc;
		const char *hint;
	} rows[] = {
		{ -EPERM, "Operation not permitted (securelevel above 0?)" },
		{ -EACCES, "Permission denied (only root may" },
		{ -ENOENT, "No such file or directory" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(rows); i++) {
		begin(&ways[1]);
		fake_freebsd.write_rc = rows[i].rc;
		eal_log_capture();
		assert_true(rte_pci_map_device(dev) < 0);
		assert_int_equal(rte_errno, -rows[i].rc);
		assert_int_equal(eal_log_lines_with(eal_log_text(), rows[i].hint), 1);
		eal_log_release();
		end();
	}
}

static void
test_nic_uio_needs_the_device_s_file(void **state)
{
	static const struct {
		int rc;
		const char *hint;
	} rows[] = {
		{ -EACCES, "cannot open /dev/uio@pci:10:31:7: Permission denied (it is root's" },
		{ -ENOENT, "No such file or directory (hidden from this jail?)" },
		{ -EIO, "Input/output error" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(rows); i++) {
		begin(&ways[0]);
		fake_freebsd.uio_rc = rows[i].rc;
		eal_log_capture();
		assert_int_equal(rte_pci_map_device(dev), rows[i].rc);
		assert_int_equal(eal_log_lines_with(eal_log_text(), rows[i].hint), 1);
		eal_log_release();
		end();
	}
}

/* nic_uio names files without the domain. */
static void
test_a_file_of_two_devices_is_nobody_s(void **state)
{
	struct fake_freebsd_device like = card_like;

	(void)state;
	fake_freebsd_start();
	strcpy(like.driver, "nic_uio");
	card = fake_freebsd_add(&like);
	like.domain = 1;
	fake_freebsd_add(&like);
	eal_session_start(NULL);
	dev = &pci_list_find(&card_addr)->pub;
	assert_int_equal(rte_pci_map_device(dev), -EEXIST);
	end();
}

static void
test_a_device_of_another_driver_is_left_alone(void **state)
{
	static const struct way way = { "ixl", NULL };

	(void)state;
	begin(&way);
	rte_log_set_level_pattern("bus.pci", RTE_LOG_INFO);
	eal_log_capture();
	assert_int_equal(rte_pci_map_device(dev), 1);
	assert_int_equal(eal_log_lines_with(eal_log_text(), "left to its kernel driver ixl"), 1);
	eal_log_release();
	assert_int_equal(card->config[COMMAND], 0);
	end();
}

/* ---- failures ---- */

static void
use_and_unmap(void)
{
	rte_pci_read_config(dev, mem, 7, 1);
	rte_pci_mmio_read(dev, SMALL, mem, 8, 1);
	rte_pci_mmio_read(dev, PORTS, mem, 8, 0);
	rte_pci_unmap_device(dev);
}

static void
test_each_call_of_the_kernel_fails_in_turn(void **state)
{
	static const int errors[] = { -EIO, -ENODEV, -EPERM, -EINVAL, -EBUSY, -ENOTTY };
	struct resources before;
	unsigned int i, n;

	(void)state;
	EACH_WAY(way) {
		begin_mapped(way);
		fake_freebsd.release = 13;
		use_and_unmap();
		resources_take(&before);
		for (i = 0; i < RTE_DIM(errors); i++) {
			n = 1;
			do {
				fake_freebsd_fail(n++, errors[i]);
				if (rte_pci_map_device(dev) == 0)
					use_and_unmap();
				assert_null(dev->mem_resource[0].addr);
			} while (fake_freebsd_failed());
			/* more than that are not needed */
			assert_in_range(n, 20, 100);
		}
		fake_freebsd_fail(0, 0);
		resources_assert_same(&before);
		resources_drop(&before);
		end();
	}
}

static void
test_each_call_of_libc_fails_in_turn(void **state)
{
	struct interpose_loop loop;

	(void)state;
	EACH_WAY(way) {
		begin(way);
		INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(ALLOC) | INTERPOSE_ONLY(MMAP) |
				INTERPOSE_ONLY(OPEN), 0) {
			if (rte_pci_map_device(dev) == 0)
				use_and_unmap();
			interpose_disarm();
			assert_int_equal(fake_freebsd.nb_open, 1);	/* the scan's */
		}
		end();
	}
}

static void
test_mapping_again_and_again_leaves_nothing(void **state)
{
	struct resources before;
	unsigned int i;

	(void)state;
	EACH_WAY(way) {
		begin_mapped(way);
		use_and_unmap();
		resources_take(&before);
		for (i = 0; i < 100; i++) {
			assert_int_equal(rte_pci_map_device(dev), 0);
			card->bar[0].held = false;
			use_and_unmap();
		}
		resources_assert_same(&before);
		resources_drop(&before);
		end();
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_bars_are_mapped_whole),
	cmocka_unit_test(test_bars_that_are_none),
	cmocka_unit_test(test_a_bar_smaller_than_a_page_is_reached_by_calls),
	cmocka_unit_test(test_an_aligned_access_is_one_access),
	cmocka_unit_test(test_a_bar_that_cannot_be_mapped_is_reached_by_calls),
	cmocka_unit_test(test_without_calls_such_a_bar_is_not_reached),
	cmocka_unit_test(test_a_mapping_that_is_not_as_asked_for_is_none),
	cmocka_unit_test(test_write_combining_for_who_asks_for_it),
	cmocka_unit_test(test_the_device_listens_while_it_is_mapped),
	cmocka_unit_test(test_a_device_that_listens_already_goes_on),
	cmocka_unit_test(test_no_dma_without_contigmem),
	cmocka_unit_test(test_a_device_whose_bus_mastering_cannot_be_set_is_not_used),
	cmocka_unit_test(test_no_interrupts),
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
	cmocka_unit_test(test_nic_uio_goes_on_without_the_right_to_write),
	cmocka_unit_test(test_a_device_that_does_not_listen_is_told_of),
	cmocka_unit_test(test_dev_pci_needs_the_right_to_write),
	cmocka_unit_test(test_nic_uio_needs_the_device_s_file),
	cmocka_unit_test(test_a_file_of_two_devices_is_nobody_s),
	cmocka_unit_test(test_a_device_of_another_driver_is_left_alone),
	cmocka_unit_test(test_each_call_of_the_kernel_fails_in_turn),
	cmocka_unit_test(test_each_call_of_libc_fails_in_turn),
	cmocka_unit_test(test_mapping_again_and_again_leaves_nothing),
};

TEST_SUITE(pci_bsd_device, "functional", tests, NULL, NULL)
