/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * QEMU docs/specs/edu.rst, and a second BAR of plain memory, of which a client may map a part. What
 * takes time is done by a thread: a factorial, and DMA, which must not be done from a callback,
 * where a client that shares no memory cannot answer.
 *
 * With MSI-X there are registers that say by which vector each bit of the interrupt status is told,
 * a byte for each: a driver that leaves them alone gets all by the first vector.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "devices.h"

#define BAR_REGISTERS 0u
#define BAR_MEMORY    2u	/* 64 bits: also 3 */
#define BAR_MSIX      4u
#define BAR_LEN       (UINT64_C(1) << 20)
#define MEMORY_LEN    (UINT64_C(64) << 10)
#define MSIX_LEN      UINT64_C(4096)
#define MSIX_PBA      2048u

#define REG_ID          0x00u
#define REG_LIVENESS    0x04u
#define REG_FACTORIAL   0x08u
#define REG_STATUS      0x20u
#define REG_IRQ_STATUS  0x24u
#define REG_IRQ_VECTORS 0x40u	/* the first; 4 bits of the status each */
#define REG_IRQ_RAISE   0x60u
#define REG_IRQ_ACK     0x64u
#define REG_DMA_SRC     0x80u
#define REG_DMA_DST     0x88u
#define REG_DMA_COUNT   0x90u
#define REG_DMA_COMMAND 0x98u

#define ID_VALUE 0x010000edu

#define STATUS_COMPUTING 0x01u
#define STATUS_IRQ       0x80u

#define DMA_RUN         0x1u
#define DMA_FROM_DEVICE 0x2u
#define DMA_IRQ         0x4u
#define DMA_COMMAND_MASK 0x7u

#define IRQ_FACTORIAL 0x001u
#define IRQ_DMA       0x100u
#define IRQ_BITS      32u

#define DMA_MASK ((UINT64_C(1) << 28) - 1)

/* Where the buffer is in the device's own addresses. */
#define DMA_BUFFER     UINT64_C(0x40000)
#define DMA_BUFFER_LEN UINT64_C(4096)

/* What may be mapped of the memory. */
static const struct vfio_region_sparse_mmap_area window = { .offset = 0x4000, .size = 0x8000 };

struct edu {
	struct rte_vfio_user_pci *pci;
	pthread_t thread;
	pthread_mutex_t lock;	/* what follows */
	pthread_cond_t work;	/* there is something to do */
	bool stopping;
	uint32_t resets;	/* so far: what was begun before the last one has no result */
	uint32_t liveness;
	uint32_t factorial;
	uint32_t status;
	uint32_t irq_status;
	uint8_t irq_vector[IRQ_BITS];	/* by which each bit is told */
	uint64_t dma[4];	/* source, destination, count, command */
	uint8_t buffer[DMA_BUFFER_LEN];

	bool msix;
	uint8_t *memory;	/* of the second BAR */
	int memory_fd;
};

enum { DMA_REG_SRC, DMA_REG_DST, DMA_REG_COUNT, DMA_REG_COMMAND };

/* ---- interrupts, under the lock ---- */

/* Vectors that tell of some bits, a bit for each. */
static uint32_t
vectors_of(const struct edu *edu, uint32_t bits)
{
	uint32_t vectors = 0;
	unsigned int i;

	for (i = 0; i < IRQ_BITS; i++) {
		if (bits >> i & 1)
			vectors |= UINT32_C(1) << edu->irq_vector[i];
	}
	return vectors;
}

/* None tells again of those that are there. */
static void
irq_raise(struct edu *edu, uint32_t bits)
{
	uint32_t vectors;
	unsigned int i;

	edu->irq_status |= bits;
	vectors = vectors_of(edu, bits != 0 ? bits : edu->irq_status);
	for (i = 0; i < DEVICE_EDU_VECTORS; i++) {
		if (vectors >> i & 1)
			rte_vfio_user_pci_raise(edu->pci, i);
	}
}

static void
irq_acknowledge(struct edu *edu, uint32_t bits)
{
	edu->irq_status &= ~bits;
	if (edu->irq_status == 0)
		rte_vfio_user_pci_lower(edu->pci);
}

/* ---- the thread ---- */

static uint32_t
factorial_of(uint32_t n)
{
	uint32_t product = 1;

	for (; n > 0; n--)
		product *= n;
	return product;
}

static void
compute(struct edu *edu)
{
	uint32_t n = edu->factorial, resets = edu->resets, product;

	pthread_mutex_unlock(&edu->lock);
	product = factorial_of(n);
	pthread_mutex_lock(&edu->lock);
	if (resets != edu->resets)
		return;
	edu->factorial = product;
	edu->status &= ~STATUS_COMPUTING;
	if (edu->status & STATUS_IRQ)
		irq_raise(edu, IRQ_FACTORIAL);
}

static bool
in_buffer(uint64_t addr, uint64_t len)
{
	return addr >= DMA_BUFFER && addr - DMA_BUFFER <= DMA_BUFFER_LEN &&
		len <= DMA_BUFFER_LEN - (addr - DMA_BUFFER);
}

/* Without the lock: it may take a while, and the buffer is touched by the thread alone. */
static void
transfer(struct edu *edu, const uint64_t *dma)
{
	uint64_t len = dma[DMA_REG_COUNT];
	bool out = dma[DMA_REG_COMMAND] & DMA_FROM_DEVICE;
	uint64_t inner = dma[out ? DMA_REG_SRC : DMA_REG_DST];
	uint64_t outer = dma[out ? DMA_REG_DST : DMA_REG_SRC] & DMA_MASK;

	if (len == 0 || !in_buffer(inner, len))
		return;
	if (out)
		rte_vfio_user_pci_dma_write(edu->pci, outer, &edu->buffer[inner - DMA_BUFFER], len);
	else
		rte_vfio_user_pci_dma_read(edu->pci, outer, &edu->buffer[inner - DMA_BUFFER], len);
}

static void
dma_run(struct edu *edu)
{
	uint32_t resets = edu->resets;
	uint64_t dma[RTE_DIM(edu->dma)];

	memcpy(dma, edu->dma, sizeof(dma));
	pthread_mutex_unlock(&edu->lock);
	transfer(edu, dma);
	pthread_mutex_lock(&edu->lock);
	if (resets != edu->resets)
		return;
	edu->dma[DMA_REG_COMMAND] &= ~(uint64_t)DMA_RUN;
	if (dma[DMA_REG_COMMAND] & DMA_IRQ)
		irq_raise(edu, IRQ_DMA);
}

static void *
thread_main(void *arg)
{
	struct edu *edu = arg;

	pthread_mutex_lock(&edu->lock);
	while (!edu->stopping) {
		if (edu->status & STATUS_COMPUTING)
			compute(edu);
		else if (edu->dma[DMA_REG_COMMAND] & DMA_RUN)
			dma_run(edu);
		else
			pthread_cond_wait(&edu->work, &edu->lock);
	}
	pthread_mutex_unlock(&edu->lock);
	return NULL;
}

/* ---- registers, under the lock ---- */

static void
factorial_begin(struct edu *edu, uint32_t n)
{
	if (edu->status & STATUS_COMPUTING)
		return;
	edu->factorial = n;
	edu->status |= STATUS_COMPUTING;
	pthread_cond_signal(&edu->work);
}

static void
register_write(struct edu *edu, uint64_t reg, uint32_t value)
{
	switch (reg) {
	case REG_LIVENESS:
		edu->liveness = ~value;
		break;
	case REG_FACTORIAL:
		factorial_begin(edu, value);
		break;
	case REG_STATUS:
		edu->status = (edu->status & ~STATUS_IRQ) | (value & STATUS_IRQ);
		break;
	case REG_IRQ_RAISE:
		irq_raise(edu, value);
		break;
	case REG_IRQ_ACK:
		irq_acknowledge(edu, value);
		break;
	default:
		break;
	}
}

static uint32_t
register_read(const struct edu *edu, uint64_t reg)
{
	switch (reg) {
	case REG_ID:
		return ID_VALUE;
	case REG_LIVENESS:
		return edu->liveness;
	case REG_FACTORIAL:
		return edu->factorial;
	case REG_STATUS:
		return edu->status;
	case REG_IRQ_STATUS:
		return edu->irq_status;
	default:
		return UINT32_MAX;
	}
}

static bool
is_vector_register(const struct edu *edu, uint64_t reg)
{
	return edu->msix && reg >= REG_IRQ_VECTORS && reg < REG_IRQ_VECTORS + IRQ_BITS;
}

static uint32_t
vectors_read(const struct edu *edu, uint64_t reg)
{
	const uint8_t *vector = &edu->irq_vector[reg - REG_IRQ_VECTORS];

	return vector[0] | (uint32_t)vector[1] << 8 | (uint32_t)vector[2] << 16 |
		(uint32_t)vector[3] << 24;
}

/* Of a byte counts as much as there are vectors. */
static void
vectors_write(struct edu *edu, uint64_t reg, uint32_t value)
{
	uint8_t *vector = &edu->irq_vector[reg - REG_IRQ_VECTORS];
	unsigned int i;

	for (i = 0; i < 4; i++)
		vector[i] = value >> 8 * i & (DEVICE_EDU_VECTORS - 1);
}

static bool
is_dma_register(uint64_t reg)
{
	return reg >= REG_DMA_SRC && reg < REG_DMA_COMMAND + 8;
}

static uint64_t
dma_read(const struct edu *edu, uint64_t reg)
{
	return edu->dma[(reg - REG_DMA_SRC) / 8] >> (reg % 8 * 8);
}

/* All are kept as they are while a transfer runs. A narrow write clears the upper half. */
static void
dma_write(struct edu *edu, uint64_t reg, uint64_t value)
{
	if (edu->dma[DMA_REG_COMMAND] & DMA_RUN || reg % 8 != 0)
		return;
	if (reg == REG_DMA_COMMAND)
		value &= DMA_COMMAND_MASK;
	edu->dma[(reg - REG_DMA_SRC) / 8] = value;
	if (edu->dma[DMA_REG_COMMAND] & DMA_RUN)
		pthread_cond_signal(&edu->work);
}

static uint64_t
any_read(const struct edu *edu, uint64_t reg)
{
	if (is_dma_register(reg))
		return dma_read(edu, reg);
	if (is_vector_register(edu, reg))
		return vectors_read(edu, reg);
	return register_read(edu, reg);
}

static void
any_write(struct edu *edu, uint64_t reg, uint64_t value)
{
	if (is_dma_register(reg))
		dma_write(edu, reg, value);
	else if (is_vector_register(edu, reg))
		vectors_write(edu, reg, (uint32_t)value);
	else
		register_write(edu, reg, (uint32_t)value);
}

static bool
width_valid(uint64_t offset, unsigned int width)
{
	return width == 4 || (width == 8 && is_dma_register(offset));
}

static uint64_t
on_read(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t offset, unsigned int width)
{
	struct edu *edu = rte_vfio_user_pci_priv(pci);
	uint64_t value;

	(void)bar;
	if (!width_valid(offset, width))
		return UINT64_MAX;
	pthread_mutex_lock(&edu->lock);
	value = any_read(edu, offset);
	pthread_mutex_unlock(&edu->lock);
	return value;
}

static void
on_write(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t offset, unsigned int width,
	uint64_t value)
{
	struct edu *edu = rte_vfio_user_pci_priv(pci);

	(void)bar;
	if (!width_valid(offset, width))
		return;
	pthread_mutex_lock(&edu->lock);
	any_write(edu, offset, value);
	pthread_mutex_unlock(&edu->lock);
}

/* ---- the device ---- */

static int
on_reset(struct rte_vfio_user_pci *pci)
{
	struct edu *edu = rte_vfio_user_pci_priv(pci);

	pthread_mutex_lock(&edu->lock);
	edu->resets++;
	edu->liveness = 0;
	edu->factorial = 0;
	edu->status = 0;
	edu->irq_status = 0;
	memset(edu->irq_vector, 0, sizeof(edu->irq_vector));
	memset(edu->dma, 0, sizeof(edu->dma));
	pthread_mutex_unlock(&edu->lock);
	return 0;
}

static const struct rte_vfio_user_pci_ops edu_ops = { .reset = on_reset };

static const struct rte_vfio_user_pci_info edu_info = {
	.size = sizeof(edu_info),
	.vendor_id = 0x1234,
	.device_id = 0x11e8,
	.subsystem_vendor_id = 0x1af4,
	.subsystem_id = 0x1100,
	.class_code = 0x00ff00,
	.revision_id = 0x10,
	.interrupt_pin = 1,
};

static int
memory_make(struct edu *edu)
{
	int rc;

	edu->memory_fd = memfd_create("edu", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (edu->memory_fd < 0)
		return -errno;
	/* clients get the descriptor */
	if (ftruncate(edu->memory_fd, (off_t)MEMORY_LEN) < 0 ||
			fcntl(edu->memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		goto err_close;
	edu->memory = mmap(NULL, MEMORY_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, edu->memory_fd, 0);
	if (edu->memory == MAP_FAILED)
		goto err_close;
	return 0;

err_close:
	rc = -errno;
	close(edu->memory_fd);
	return rc;
}

static void
memory_free(struct edu *edu)
{
	munmap(edu->memory, MEMORY_LEN);
	close(edu->memory_fd);
}

static int
bars_set(struct edu *edu)
{
	const struct rte_vfio_user_pci_bar registers = {
		.size = BAR_LEN,
		.read = on_read,
		.write = on_write,
	};
	const struct rte_vfio_user_pci_bar memory = {
		.size = MEMORY_LEN,
		.flags = RTE_VFIO_USER_PCI_BAR_64 | RTE_VFIO_USER_PCI_BAR_PREFETCH |
			RTE_VFIO_USER_PCI_BAR_MMAP,
		.base = edu->memory,
		.fd = edu->memory_fd,
		.areas = &window,
		.nb_areas = 1,
	};
	int rc = rte_vfio_user_pci_set_bar(edu->pci, BAR_REGISTERS, &registers);

	return rc < 0 ? rc : rte_vfio_user_pci_set_bar(edu->pci, BAR_MEMORY, &memory);
}

static int
msix_add(struct edu *edu)
{
	const struct rte_vfio_user_pci_bar bar = { .size = MSIX_LEN };
	const struct rte_vfio_user_pci_msix msix = {
		.nb_vectors = DEVICE_EDU_VECTORS,
		.table_bar = BAR_MSIX,
		.pba_bar = BAR_MSIX,
		.pba_offset = MSIX_PBA,
	};
	int rc = rte_vfio_user_pci_set_bar(edu->pci, BAR_MSIX, &bar);

	return rc < 0 ? rc : rte_vfio_user_pci_add_msix(edu->pci, &msix);
}

static int
messages_add(struct edu *edu)
{
	if (edu->msix)
		return msix_add(edu);
	return rte_vfio_user_pci_add_msi(edu->pci, 1, RTE_VFIO_USER_PCI_MSI_64);
}

static int
pci_make(struct edu *edu)
{
	int rc = rte_vfio_user_pci_create(&edu_info, &edu_ops, edu, &edu->pci);

	if (rc < 0)
		return rc;
	rc = bars_set(edu);
	if (rc >= 0)
		rc = messages_add(edu);
	if (rc < 0) {
		rte_vfio_user_pci_free(edu->pci);
		return rc;
	}
	return 0;
}

static int
edu_make(uint32_t flags, struct rte_vfio_user_pci **pci)
{
	struct edu *edu = calloc(1, sizeof(*edu));
	int rc;

	if (edu == NULL)
		return -ENOMEM;
	edu->msix = flags & DEVICE_MSIX;
	pthread_mutex_init(&edu->lock, NULL);
	pthread_cond_init(&edu->work, NULL);
	rc = memory_make(edu);
	if (rc < 0)
		goto err_free;
	rc = pci_make(edu);
	if (rc < 0)
		goto err_free_memory;
	rc = -pthread_create(&edu->thread, NULL, thread_main, edu);
	if (rc < 0)
		goto err_free_pci;
	*pci = edu->pci;
	return 0;

err_free_pci:
	rte_vfio_user_pci_free(edu->pci);
err_free_memory:
	memory_free(edu);
err_free:
	free(edu);
	return rc;
}

static void
edu_destroy(struct rte_vfio_user_pci *pci)
{
	struct edu *edu = rte_vfio_user_pci_priv(pci);

	rte_vfio_user_pci_stop(pci);
	pthread_mutex_lock(&edu->lock);
	edu->stopping = true;
	pthread_cond_signal(&edu->work);
	pthread_mutex_unlock(&edu->lock);
	pthread_join(edu->thread, NULL);
	rte_vfio_user_pci_free(pci);
	memory_free(edu);
	pthread_cond_destroy(&edu->work);
	pthread_mutex_destroy(&edu->lock);
	free(edu);
}

const struct device_kind device_edu = {
	.name = "edu",
	.summary = "QEMU's device for education (1234:11e8): factorials, DMA, a window to map",
	.flags = DEVICE_MSIX,
	.make = edu_make,
	.destroy = edu_destroy,
};
