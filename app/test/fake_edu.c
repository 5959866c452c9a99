/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_pci.h>

#include "fake_edu.h"

#define DMA_BUFFER 0x40000u
#define DMA_REGISTERS 0x80u

#define STATUS_COMPUTING 0x01u
#define STATUS_IRQ 0x80u
#define DMA_RUN 1u
#define DMA_FROM_DEVICE 2u
#define DMA_IRQ 4u
#define IRQ_FACTORIAL 0x001u
#define IRQ_DMA 0x100u

#define COMMAND_MASTER 0x4u

/* Configuration space by words, and the bits that can be written; the rest is zeros. */
static const struct {
	uint8_t offset;
	uint32_t value, writable;
} config_words[] = {
	{ 0x00, 0x11e81234, 0 },
	{ 0x04, 0x00100000, 0x00000407 },	/* status: there are capabilities; command */
	{ 0x08, 0x00ff0010, 0 },
	{ 0x0c, 0, 0x000000ff },
	{ 0x10, 0, (uint32_t)~(FAKE_EDU_REGISTERS_SIZE - 1) },
	{ 0x18, 0x0000000c, (uint32_t)~(FAKE_EDU_MEMORY_SIZE - 1) },	/* 64 bits, prefetchable */
	{ 0x1c, 0, UINT32_MAX },
	{ 0x2c, 0x11001af4, 0 },
	{ 0x34, 0x00000040, 0 },
	{ 0x3c, 0x00000100, 0x000000ff },	/* pin, line */
	{ 0x40, 0x00800005, 0x00010000 },	/* MSI, one vector, 64 bits */
	{ 0x44, 0, 0xfffffffc },
	{ 0x48, 0, UINT32_MAX },
	{ 0x4c, 0, 0x0000ffff },
};

static void
irq_line_set(struct fake_edu *edu, bool up)
{
	eventfd_t count;

	if (edu->no_irq)
		return;
	if (up)
		eventfd_write(edu->irq_fd, 1);
	else
		eventfd_read(edu->irq_fd, &count);
}

static void
irq_raise(struct fake_edu *edu, uint32_t bits)
{
	edu->irq_status |= bits;
	irq_line_set(edu, true);
}

static void
irq_ack(struct fake_edu *edu, uint32_t bits)
{
	edu->irq_status &= ~bits;
	if (edu->irq_status == 0)
		irq_line_set(edu, false);
}

static void
factorial_finish(struct fake_edu *edu)
{
	uint32_t product = 1;

	for (; edu->factorial > 0; edu->factorial--)
		product *= edu->factorial;
	edu->factorial = product;
	edu->status &= ~STATUS_COMPUTING;
	if ((edu->status & STATUS_IRQ) != 0)
		irq_raise(edu, IRQ_FACTORIAL);
}

/* Where the device finds what is at an IOVA, or NULL. */
static uint8_t *
memory_at(const struct fake_edu *edu, uint64_t iova, uint64_t len)
{
	const struct fake_edu_map *map;

	for (map = edu->maps; map < edu->maps + FAKE_EDU_MAPS_MAX; map++)
		if (iova >= map->iova && iova - map->iova <= map->len &&
				len <= map->len - (iova - map->iova))
			return (uint8_t *)map->addr + (iova - map->iova);
	return NULL;
}

static void
dma_copy(struct fake_edu *edu)
{
	bool from = (edu->dma_command & DMA_FROM_DEVICE) != 0;
	uint64_t at = (from ? edu->dma_source : edu->dma_destination) - DMA_BUFFER;
	uint8_t *memory = memory_at(edu, from ? edu->dma_destination : edu->dma_source,
		edu->dma_count);

	/* nobody is told of a transfer to where nothing is */
	if (!edu->bus_master || memory == NULL || at > sizeof(edu->buffer) ||
			edu->dma_count > sizeof(edu->buffer) - at)
		return;
	if (from)
		memcpy(memory, edu->buffer + at, edu->dma_count);
	else
		memcpy(edu->buffer + at, memory, edu->dma_count);
}

static void
dma_finish(struct fake_edu *edu)
{
	dma_copy(edu);
	edu->dma_command &= ~(uint64_t)DMA_RUN;
	if ((edu->dma_command & DMA_IRQ) != 0)
		irq_raise(edu, IRQ_DMA);
}

static void
finish(struct fake_edu *edu)
{
	if ((edu->status & STATUS_COMPUTING) != 0)
		factorial_finish(edu);
	if ((edu->dma_command & DMA_RUN) != 0)
		dma_finish(edu);
}

void
fake_edu_finish(struct fake_edu *edu)
{
	pthread_mutex_lock(&edu->lock);
	finish(edu);
	pthread_mutex_unlock(&edu->lock);
}

void
fake_edu_raise(struct fake_edu *edu, uint32_t bits)
{
	pthread_mutex_lock(&edu->lock);
	irq_raise(edu, bits);
	pthread_mutex_unlock(&edu->lock);
}

static uint64_t
register_read(const struct fake_edu *edu, uint64_t offset)
{
	const struct { uint64_t offset, value; } registers[] = {
		{ 0x00, edu->id },
		{ 0x04, edu->liveness },
		{ 0x08, edu->factorial },
		{ 0x20, edu->status },
		{ 0x24, edu->irq_status },
		{ 0x80, edu->dma_source },
		{ 0x88, edu->dma_destination },
		{ 0x90, edu->dma_count },
		{ 0x98, edu->dma_command },
	};
	size_t i;

	for (i = 0; i < RTE_DIM(registers) && !edu->dead; i++)
		if (registers[i].offset == offset)
			return registers[i].value;
	return UINT64_MAX;
}

/* Writes are lost while what they would change is in use. */
static void
factorial_write(struct fake_edu *edu, uint32_t value)
{
	if ((edu->status & STATUS_COMPUTING) != 0)
		return;
	edu->factorial = value;
	edu->status |= STATUS_COMPUTING;
}

static void
dma_write(struct fake_edu *edu, uint64_t *field, uint64_t value)
{
	if ((edu->dma_command & DMA_RUN) == 0)
		*field = value;
}

static void
register_write(struct fake_edu *edu, uint64_t offset, uint64_t value)
{
	switch (offset) {
	case 0x04:
		edu->liveness = ~(uint32_t)value;
		break;
	case 0x08:
		factorial_write(edu, (uint32_t)value);
		break;
	case 0x20:
		edu->status = (edu->status & ~STATUS_IRQ) | ((uint32_t)value & STATUS_IRQ);
		break;
	case 0x60:
		irq_raise(edu, (uint32_t)value);
		break;
	case 0x64:
		irq_ack(edu, (uint32_t)value);
		break;
	case 0x80:
		dma_write(edu, &edu->dma_source, value);
		break;
	case 0x88:
		dma_write(edu, &edu->dma_destination, value);
		break;
	case 0x90:
		dma_write(edu, &edu->dma_count, value);
		break;
	case 0x98:
		dma_write(edu, &edu->dma_command, value);
		break;
	}
	if (!edu->hold)
		finish(edu);
}

static void
config_reset(struct fake_edu *edu)
{
	size_t i;

	memset(edu->config, 0, sizeof(edu->config));
	for (i = 0; i < RTE_DIM(config_words); i++)
		memcpy(&edu->config[config_words[i].offset], &config_words[i].value, 4);
	edu->bus_master = false;
}

static uint8_t
config_writable(uint64_t offset)
{
	size_t i;

	for (i = 0; i < RTE_DIM(config_words); i++)
		if (config_words[i].offset == offset / 4 * 4)
			return (uint8_t)(config_words[i].writable >> (offset % 4 * 8));
	return 0;
}

static void
config_write(struct fake_edu *edu, const uint8_t *buf, size_t len, uint64_t offset)
{
	uint8_t writable;

	for (; len > 0; len--, offset++, buf++) {
		writable = config_writable(offset);
		edu->config[offset] = (edu->config[offset] & ~writable) | (*buf & writable);
	}
	edu->bus_master = (edu->config[RTE_PCI_COMMAND] & COMMAND_MASTER) != 0;
}

/* Only the registers of DMA have eight bytes. */
static bool
is_odd(size_t len, uint64_t offset)
{
	return (len != 4 && (len != 8 || offset < DMA_REGISTERS)) || offset % len != 0;
}

static int
register_access_read(struct fake_edu *edu, void *buf, size_t len, uint64_t offset)
{
	uint64_t value;

	if (edu->io_rc < 0)
		return edu->io_rc;
	memset(buf, 0xff, len);
	edu->nb_odd_accesses += is_odd(len, offset);
	if (is_odd(len, offset))
		return (int)len;
	value = register_read(edu, offset);
	memcpy(buf, &value, len);
	return (int)len;
}

static int
register_access_write(struct fake_edu *edu, const void *buf, size_t len, uint64_t offset)
{
	uint64_t value = 0;

	if (edu->io_rc < 0)
		return edu->io_rc;
	edu->nb_odd_accesses += is_odd(len, offset);
	if (is_odd(len, offset) || edu->dead)
		return (int)len;
	memcpy(&value, buf, len);
	register_write(edu, offset, value);
	return (int)len;
}

static int
access_read(struct fake_edu *edu, unsigned int region, void *buf, size_t len, uint64_t offset)
{
	if (region == FAKE_EDU_REGISTERS)
		return register_access_read(edu, buf, len, offset);
	if (region == FAKE_EDU_MEMORY)
		return (int)pread(edu->memory_fd, buf, len, (off_t)offset);
	memcpy(buf, &edu->config[offset], len);
	return (int)len;
}

static int
access_write(struct fake_edu *edu, unsigned int region, const void *buf, size_t len,
	uint64_t offset)
{
	if (region == FAKE_EDU_REGISTERS)
		return register_access_write(edu, buf, len, offset);
	if (region == FAKE_EDU_MEMORY)
		return (int)pwrite(edu->memory_fd, buf, len, (off_t)offset);
	config_write(edu, buf, len, offset);
	return (int)len;
}

int
fake_edu_read(struct fake_edu *edu, unsigned int region, void *buf, size_t len, uint64_t offset)
{
	int rc;

	pthread_mutex_lock(&edu->lock);
	rc = access_read(edu, region, buf, len, offset);
	pthread_mutex_unlock(&edu->lock);
	return rc;
}

int
fake_edu_write(struct fake_edu *edu, unsigned int region, const void *buf, size_t len,
	uint64_t offset)
{
	int rc;

	pthread_mutex_lock(&edu->lock);
	rc = access_write(edu, region, buf, len, offset);
	pthread_mutex_unlock(&edu->lock);
	return rc;
}

static void
registers_reset(struct fake_edu *edu)
{
	edu->liveness = edu->factorial = edu->status = edu->irq_status = 0;
	edu->dma_source = edu->dma_destination = edu->dma_count = edu->dma_command = 0;
}

void
fake_edu_reset(struct fake_edu *edu)
{
	pthread_mutex_lock(&edu->lock);
	registers_reset(edu);
	config_reset(edu);
	pthread_mutex_unlock(&edu->lock);
}
