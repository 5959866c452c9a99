/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EDU_PRIVATE_H
#define EDU_PRIVATE_H

/**
 * @file
 * The registers of the device (QEMU docs/specs/edu.rst), and the device as the driver keeps it.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include <bus_pci_driver.h>
#include <rte_log.h>

#include "rte_edu.h"

#define EDU_VENDOR_ID 0x1234
#define EDU_DEVICE_ID 0x11e8

#define EDU_BAR 0

/*
 * All take accesses of 4 bytes. Those of DMA also take 8, but a kernel may split such an access
 * when it is a call, and the device ignores the second half.
 */
#define EDU_REG_ID          0x00
#define EDU_REG_LIVENESS    0x04
#define EDU_REG_FACTORIAL   0x08
#define EDU_REG_STATUS      0x20
#define EDU_REG_IRQ_STATUS  0x24
#define EDU_REG_IRQ_VECTORS 0x40	/* of devices with MSI-X: a byte for each bit */
#define EDU_REG_IRQ_RAISE   0x60
#define EDU_REG_IRQ_ACK     0x64
#define EDU_REG_DMA_SRC     0x80
#define EDU_REG_DMA_DST     0x88
#define EDU_REG_DMA_COUNT   0x90
#define EDU_REG_DMA_COMMAND 0x98

#define EDU_ID_MASK  0x0000ffffu
#define EDU_ID_VALUE 0x000000edu

#define EDU_IRQ_BITS 32

#define EDU_STATUS_COMPUTING 0x01u
#define EDU_STATUS_IRQ       0x80u

#define EDU_DMA_RUN         0x1u
#define EDU_DMA_FROM_DEVICE 0x2u
#define EDU_DMA_IRQ         0x4u

/** Where the buffer is in the device's own addresses. */
#define EDU_DMA_BUFFER 0x40000u

/** QEMU's default; the device cuts higher bits off. */
#define EDU_DMA_MASK_DEFAULT ((UINT64_C(1) << 28) - 1)

/** What an access yields when nobody is there. */
#define EDU_ALL_ONES UINT32_MAX

extern int edu_logtype;
#define RTE_LOGTYPE_EDU edu_logtype

#define EDU_LOG(level, edu, ...) EDU_LOG_(level, (edu)->name, __VA_ARGS__, "")
#define EDU_LOG_(level, name, fmt, ...) \
	RTE_LOG(level, EDU, "%s: " fmt "%s\n", name, __VA_ARGS__)

struct rte_edu {
	TAILQ_ENTRY(rte_edu) next;
	unsigned int refs;	/**< one of the bus, one of each user; under the list's lock */
	char name[RTE_DEV_NAME_MAX_LEN];

	pthread_mutex_t op_lock;	/**< one operation at a time; remove waits for it */
	struct rte_pci_device *dev;	/**< used under op_lock, and in the interrupt callback */

	pthread_mutex_t irq_lock;
	pthread_cond_t irq_cond;	/**< irq_seen or removed has changed */
	uint32_t irq_seen;	/**< came, and nobody has been told */
	bool removed;
	bool irq_works;	/**< set before the device is handed out */

	uint64_t dma_mask;	/**< highest address that the device can reach */
	void *dma_page;	/**< of EAL's memory; NULL: there is no DMA */
	uint64_t dma_iova;	/**< where the device sees it */
	size_t dma_len;	/**< bytes */
	int dma_slot;	/**< of the IOVAs that we map ourselves; -1: EAL has mapped it */
};

/* edu_op.c */

/** Access a register. 0 or -errno. */
int edu_read(const struct rte_edu *edu, off_t reg, uint32_t *value);
int edu_write(const struct rte_edu *edu, off_t reg, uint32_t value);

/** Start an operation: 0 with op_lock held, or -ENODEV. Undone by edu_unlock(). */
int edu_lock(struct rte_edu *edu);
void edu_unlock(struct rte_edu *edu);

/** Is the part of the device that @p bit of register @p reg tells of busy? 1, 0, -errno. */
int edu_busy(const struct rte_edu *edu, off_t reg, uint32_t bit);

/** Sleep until it is not. @p irq is the interrupt that tells. 0, -ETIMEDOUT, -errno. */
int edu_wait_idle(struct rte_edu *edu, off_t reg, uint32_t bit, uint32_t irq,
	unsigned int timeout_ms);

/* edu_irq.c */

/** Let the device's interrupts arrive. Where they cannot, waiting is by looking each ms. */
void edu_irq_setup(struct rte_edu *edu);
void edu_irq_release(struct rte_edu *edu);

/** Tell those who wait that the device is gone. */
void edu_irq_set_removed(struct rte_edu *edu);

/** Forget interrupts that have come. */
void edu_irq_forget(struct rte_edu *edu, uint32_t bits);

/** Sleep until one of @p bits comes. 0 with @p seen, -ETIMEDOUT, -ENODEV. */
int edu_irq_sleep(struct rte_edu *edu, uint32_t bits, const struct timespec *deadline,
	uint32_t *seen);

/** What the monotonic clock shows in @p ms milliseconds. */
struct timespec edu_deadline(unsigned int ms);

/** Is the time later than @p deadline? */
bool edu_past(const struct timespec *deadline);

/* edu_dma.c */

/** Get a page that the device can reach. Where there is none, there is no DMA. */
void edu_dma_setup(struct rte_edu *edu);
void edu_dma_release(struct rte_edu *edu);

#endif /* EDU_PRIVATE_H */
