/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The table of driver tests over FreeBSD's ways to a device: the same driver, by nic_uio or by
 * /dev/pci alone, with DMA where contigmem is.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_common.h>

#include "driver_tests.h"
#include "fake_edu.h"
#include "fake_freebsd.h"

#define CONFIG 7
#define BUFFERS 2
#define BUFFER_SIZE (UINT64_C(16) << 20)

/* A device in a machine; its memory is the machine's. */
struct machine {
	struct fake_edu edu[DRIVER_DEVICES_MAX];
	void *buffer[BUFFERS];
};

/* Whoever accesses a BAR by calls has 4 bytes at a time, of registers that may have 8. */
static bool
is_upper_half(uint32_t offset)
{
	return offset >= 0x80 && offset < 0xa0 && offset % 8 == 4;
}

static int
registers_access(struct fake_freebsd_device *dev, unsigned int bar, bool write, uint32_t offset,
	uint32_t width, uint32_t *value)
{
	int rc = (int)width;

	if (is_upper_half(offset))
		*value = write ? *value : 0;
	else if (write)
		rc = fake_edu_write(dev->priv, bar, value, width, offset);
	else
		rc = fake_edu_read(dev->priv, bar, value, width, offset);
	return rc < 0 ? rc : 0;
}

/* The device knows which bits of its configuration space can be written. */
static void
config_written(struct fake_freebsd_device *dev)
{
	struct fake_edu *edu = dev->priv;

	fake_edu_write(edu, CONFIG, dev->config, sizeof(edu->config), 0);
	memcpy(dev->config, edu->config, sizeof(edu->config));
}

/* The device sees all buffers, where they are in physical memory. */
static void
memory_show(struct machine *machine, struct fake_edu *edu)
{
	unsigned int n;

	for (n = 0; n < fake_freebsd.nb_buffers; n++)
		edu->maps[n] = (struct fake_edu_map){
			.addr = machine->buffer[n],
			.iova = fake_freebsd.physaddr[n],
			.len = BUFFER_SIZE,
		};
}

static void
device_add(struct machine *machine, struct fake_edu *edu, const char *driver, uint8_t slot)
{
	struct fake_freebsd_device like = {
		.slot = slot, .vendor = 0x1234, .device = 0x11e8, .class_id = 0x00ff00,
		.config_written = config_written, .priv = edu,
		.bar[FAKE_EDU_REGISTERS] = {
			.base = 0xfea00000 + slot * FAKE_EDU_REGISTERS_SIZE,
			.length = FAKE_EDU_REGISTERS_SIZE,
			.map_rc = -ENOMEM, .access = registers_access,
		},
		.bar[FAKE_EDU_MEMORY] = {
			.base = (0x380000000000 + slot * FAKE_EDU_MEMORY_SIZE) | 0xc,
			.length = FAKE_EDU_MEMORY_SIZE,
		},
	};
	struct fake_freebsd_device *dev;

	*edu = (struct fake_edu){ .id = 0x010000ed, .no_irq = true, .irq_fd = -1 };
	pthread_mutex_init(&edu->lock, NULL);
	strcpy(like.driver, driver);
	dev = fake_freebsd_add(&like);
	edu->memory_fd = dev->bar[FAKE_EDU_MEMORY].memfd;
	fake_edu_reset(edu);
	memcpy(dev->config, edu->config, sizeof(edu->config));
	memory_show(machine, edu);
}

/* Where a device with 28 bits for an address reaches them. */
static void
contigmem_load(struct machine *machine)
{
	unsigned int n;

	fake_freebsd_contigmem(BUFFERS, BUFFER_SIZE);
	for (n = 0; n < BUFFERS; n++) {
		fake_freebsd.physaddr[n] = BUFFER_SIZE * (2 * (BUFFERS - n) + 1);
		machine->buffer[n] = fake_freebsd_buffer(n);
	}
}

static void
setup(struct driver_case *c)
{
	struct machine *machine = calloc(1, sizeof(*machine));
	unsigned int i;

	assert_non_null(machine);
	c->priv = machine;
	fake_freebsd_start();
	if (c->transport->huge_pages)
		contigmem_load(machine);
	for (i = 0; i < c->nb; i++) {
		device_add(machine, &machine->edu[i], c->transport->priv, (uint8_t)(4 + i));
		snprintf(c->device[i].devargs, sizeof(c->device[i].devargs), "0000:00:%02x.0",
			4 + i);
	}
}

static void
teardown(struct driver_case *c)
{
	struct machine *machine = c->priv;
	unsigned int i;

	for (i = 0; i < c->nb; i++) {
		assert_false(machine->edu[i].bus_master);
		pthread_mutex_destroy(&machine->edu[i].lock);
	}
	for (i = 0; i < BUFFERS; i++)
		if (machine->buffer[i] != NULL)
			munmap(machine->buffer[i], BUFFER_SIZE);
	fake_freebsd_stop();
	free(machine);
}

#define FREEBSD \
	.setup = setup, \
	.teardown = teardown, \
	.intr = RTE_INTR_HANDLE_UNKNOWN, \
	.window = { .size = FAKE_EDU_MEMORY_SIZE }

#define LACKS \
	[DRIVER_INTERRUPTS] = "FreeBSD has no way for them", \
	[DRIVER_IOVA] = "addresses are physical", \
	[DRIVER_OWN_MEMORY] = "only contigmem has physical addresses", \
	[DRIVER_TRAPPED] = "BARs are mapped whole", \
	[DRIVER_RESET] = "FreeBSD does not reset a device that is opened", \
	[DRIVER_WIDE] = "the kernel accesses four bytes at a time"

#define ONE [DRIVER_SEVERAL] = "there is one, the last row has more"

static const struct driver_transport transports[] = {
	{
		.name = "nic_uio and contigmem", .nb = 1, FREEBSD,
		.backend = "nic_uio", .priv = "nic_uio", .huge_pages = true,
		.lacks = { LACKS, ONE },
	},
	{
		.name = "/dev/pci and contigmem", .nb = 1, FREEBSD,
		.backend = "dev_pci", .priv = "", .huge_pages = true,
		.lacks = { LACKS, ONE },
	},
	{
		.name = "/dev/pci, no kernel module", .nb = 1, FREEBSD,
		.backend = "dev_pci", .priv = "",
		.lacks = { LACKS, ONE, [DRIVER_DMA] = "there is no contigmem" },
	},
	{
		.name = "several", .nb = DRIVER_DEVICES_MAX, FREEBSD,
		.backend = "nic_uio", .priv = "nic_uio", .huge_pages = true,
		.lacks = { LACKS },
	},
};

DRIVER_SUITE(driver_freebsd, "functional", transports)
