/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_EDU_H
#define RTE_EDU_H

/**
 * @file
 * QEMU's device for education, PCI id 1234:11e8: it inverts a number, computes factorials,
 * copies to and from memory, and raises interrupts.
 *
 * The driver is small and complete, as a model for others: every register is reached by
 * rte_pci_mmio_read() and rte_pci_mmio_write(), so that it runs the same whether the device's
 * owner permits to map the registers or not.
 *
 * All functions may be called from any thread but the one that serves interrupts; calls on one
 * device take turns. Each of them returns -ENODEV once the device has been removed, and the
 * negative errno of rte_pci_mmio_read() when the device cannot be reached.
 */

#include <stddef.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_compat.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A device, as its user holds it. */
struct rte_edu;

/** Bytes of memory inside the device that DMA reads and writes. */
#define RTE_EDU_BUFFER_SIZE 4096u

/** Interrupt: a factorial is ready. */
#define RTE_EDU_IRQ_FACTORIAL 0x001u
/** Interrupt: a transfer has ended. */
#define RTE_EDU_IRQ_DMA 0x100u

/** Which way a transfer goes. */
enum rte_edu_dma_direction {
	RTE_EDU_DMA_TO_DEVICE,	/**< from memory into the device's buffer */
	RTE_EDU_DMA_FROM_DEVICE	/**< from the device's buffer into memory */
};

/**
 * Get hold of a device that the driver has taken.
 *
 * @param name
 *   Its name, as rte_dev_name() tells it; NULL: the first there is.
 * @param edu
 *   Where to put the device. It stays valid until rte_edu_close(), also when it is removed.
 * @return
 *   - 0
 *   - -EINVAL: @p edu is NULL
 *   - -ENODEV: there is no such device, or the driver has not taken it
 */
__rte_experimental
int
rte_edu_open(const char *name, struct rte_edu **edu);

/**
 * Let a device go. Whoever holds it calls this once and forgets it.
 *
 * @param edu
 *   The device; NULL does nothing.
 */
__rte_experimental
void
rte_edu_close(struct rte_edu *edu);

/**
 * Read what the device says it is.
 *
 * @param edu
 *   The device.
 * @param id
 *   Where to put the number 0xRRrr00ed: RR is the major version, rr the minor.
 * @return
 *   0, or see above.
 */
__rte_experimental
int
rte_edu_identification(struct rte_edu *edu, uint32_t *id);

/**
 * See whether the device is alive: it answers a number with all its bits inverted.
 *
 * @param edu
 *   The device.
 * @param value
 *   Any number.
 * @return
 *   - 0: it is
 *   - -EIO: it answered something else
 *   - see above
 */
__rte_experimental
int
rte_edu_liveness(struct rte_edu *edu, uint32_t value);

/**
 * Let the device compute a factorial, and sleep until it has.
 *
 * @param edu
 *   The device.
 * @param n
 *   Of what; up to 12 the result is exact, then it is the low 32 bits. The time it takes is
 *   proportional to this.
 * @param result
 *   Where to put it.
 * @param timeout_ms
 *   How long to wait, in milliseconds.
 * @return
 *   - 0
 *   - -EBUSY: it still computes one whose caller has given up
 *   - -ETIMEDOUT: it did not end in time, and goes on
 *   - see above
 */
__rte_experimental
int
rte_edu_factorial(struct rte_edu *edu, uint32_t n, uint32_t *result, unsigned int timeout_ms);

/**
 * Copy from memory into the device's buffer, by the device's DMA.
 *
 * The driver copies through a page that the device can reach, so the memory may be any. QEMU
 * older than 8.0 ends itself on a transfer that touches the last byte of the buffer.
 *
 * @param edu
 *   The device.
 * @param offset
 *   Where in the device's buffer to start, in bytes.
 * @param data
 *   What to copy.
 * @param len
 *   Bytes, at least 1; @p offset + @p len is at most RTE_EDU_BUFFER_SIZE.
 * @param timeout_ms
 *   How long to wait, in milliseconds. QEMU takes 100 for each transfer.
 * @return
 *   - 0
 *   - -EINVAL: the range is not in the buffer
 *   - -ENOTSUP: no memory that the device can reach could be had; the log tells why
 *   - -EBUSY: it still copies for a caller that has given up
 *   - -ETIMEDOUT: it did not end in time, and goes on
 *   - see above
 */
__rte_experimental
int
rte_edu_dma_write(struct rte_edu *edu, uint32_t offset, const void *data, size_t len,
	unsigned int timeout_ms);

/**
 * Copy from the device's buffer into memory.
 *
 * @param edu
 *   The device.
 * @param offset
 *   Where in the device's buffer to start, in bytes.
 * @param data
 *   Where to copy to.
 * @param len
 *   Bytes, at least 1; @p offset + @p len is at most RTE_EDU_BUFFER_SIZE.
 * @param timeout_ms
 *   As for rte_edu_dma_write().
 * @return
 *   As rte_edu_dma_write(); after an error, what is at @p data is not told.
 */
__rte_experimental
int
rte_edu_dma_read(struct rte_edu *edu, uint32_t offset, void *data, size_t len,
	unsigned int timeout_ms);

/**
 * Transfer between the device's buffer and memory that the caller has mapped for the device.
 *
 * @param edu
 *   The device.
 * @param direction
 *   Which way.
 * @param iova
 *   Where the device sees the memory: of EAL's memory by rte_mem_virt2iova(), of other memory
 *   as given to rte_dev_dma_map(). It must stay as it is until the transfer has ended, also
 *   when it has timed out.
 * @param offset
 *   Where in the device's buffer to start, in bytes.
 * @param len
 *   Bytes, at least 1.
 * @param timeout_ms
 *   How long to wait, in milliseconds.
 * @return
 *   - 0
 *   - -ERANGE: the memory is, all or in part, beyond the addresses the device can reach
 *     (28 bits, or what the argument dma_mask says)
 *   - as rte_edu_dma_write()
 */
__rte_experimental
int
rte_edu_dma_iova(struct rte_edu *edu, enum rte_edu_dma_direction direction, uint64_t iova,
	uint32_t offset, size_t len, unsigned int timeout_ms);

/**
 * Let the device raise an interrupt, to test that it arrives. The driver acknowledges it.
 *
 * @param edu
 *   The device.
 * @param bits
 *   At least one bit, none of RTE_EDU_IRQ_FACTORIAL and RTE_EDU_IRQ_DMA.
 * @return
 *   - 0
 *   - -EINVAL: @p bits is not such a set
 *   - see above
 */
__rte_experimental
int
rte_edu_irq_raise(struct rte_edu *edu, uint32_t bits);

/**
 * Sleep until one of the interrupts of rte_edu_irq_raise() has come. What has come is told
 * once, to one caller.
 *
 * @param edu
 *   The device.
 * @param bits
 *   For which to wait; as for rte_edu_irq_raise().
 * @param seen
 *   Where to put those of them that have come. May be NULL.
 * @param timeout_ms
 *   How long to wait, in milliseconds; 0 only looks.
 * @return
 *   - 0
 *   - -EINVAL: @p bits is not such a set
 *   - -ENOTSUP: the device has no interrupts here
 *   - -ETIMEDOUT: none came
 *   - see above
 */
__rte_experimental
int
rte_edu_irq_wait(struct rte_edu *edu, uint32_t bits, uint32_t *seen, unsigned int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif /* RTE_EDU_H */
