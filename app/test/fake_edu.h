/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_EDU_H
#define FAKE_EDU_H

/**
 * @file
 * QEMU's edu device as a backend of the PCI bus: registers, interrupt and DMA, all of it trapped,
 * configuration space, and a second BAR of memory that can be mapped in part. It ends an operation
 * at once, or when the test says so. Functions fail the test if they cannot do what they should.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define FAKE_EDU_MAPS_MAX 8

/* BARs and their sizes */
#define FAKE_EDU_REGISTERS 0
#define FAKE_EDU_REGISTERS_SIZE (UINT64_C(1) << 20)
#define FAKE_EDU_MEMORY 2
#define FAKE_EDU_MEMORY_SIZE (UINT64_C(64) << 10)

/** Memory that the device sees. */
struct fake_edu_map {
	void *addr;
	uint64_t iova;
	size_t len;	/**< 0: not in use */
};

/** The device. The test may set how it behaves before EAL starts, and hold and dead later. */
struct fake_edu {
	struct fake_edu *next;
	const char *addr;	/**< as "0000:00:04.0" */
	/* how it behaves */
	uint32_t id;	/**< what it says it is */
	bool no_irq;	/**< it has no interrupt */
	bool no_dma_map;	/**< no memory can be mapped for it */
	atomic_bool hold;	/**< operations go on until fake_edu_finish() */
	atomic_bool dead;	/**< reads are all ones, writes go nowhere */
	atomic_int io_rc;	/**< of each access, when negative */
	/* what happened to it; the maps are of now */
	atomic_uint nb_opens, nb_closes;
	atomic_uint nb_odd_accesses;	/**< that the real one would not take */
	atomic_bool bus_master;	/**< may it do DMA? */
	struct fake_edu_map maps[FAKE_EDU_MAPS_MAX];

	/* its inside */
	pthread_mutex_t lock;
	int irq_fd;
	uint32_t liveness, factorial, status, irq_status;
	uint64_t dma_source, dma_destination, dma_count, dma_command;
	uint8_t buffer[4096];
	uint8_t config[256];
	int memory_fd;	/**< of the second BAR */
};

/** Make a device at @p addr, which stays the caller's; with the first one the backend comes. */
struct fake_edu *fake_edu_start(const char *addr);

/** Take it away. Fails the test if the device is open or memory is mapped for it. */
void fake_edu_stop(struct fake_edu *edu);

/** End the operation that is under way. */
void fake_edu_finish(struct fake_edu *edu);

/** Raise interrupts, as an operation that ends would. */
void fake_edu_raise(struct fake_edu *edu, uint32_t bits);

/* For the backend. */

/** Access a region as VFIO numbers them. @return @p len, -errno */
int fake_edu_read(struct fake_edu *edu, unsigned int region, void *buf, size_t len,
	uint64_t offset);
int fake_edu_write(struct fake_edu *edu, unsigned int region, const void *buf, size_t len,
	uint64_t offset);

/** All but the memory is as after power-on. */
void fake_edu_reset(struct fake_edu *edu);

#endif /* FAKE_EDU_H */
