/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <eal_export.h>
#include <rte_bus_pci.h>
#include <rte_interrupts.h>
#include <rte_pci.h>

#include "edu_private.h"

#define NS_PER_S 1000000000L
#define NS_PER_MS 1000000L

/* Bits that belong to an operation of the driver are nobody else's to raise or wait for. */
#define EDU_IRQ_OURS (RTE_EDU_IRQ_FACTORIAL | RTE_EDU_IRQ_DMA)

struct timespec
edu_deadline(unsigned int ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += (long)(ms % 1000) * NS_PER_MS;
	if (at.tv_nsec >= NS_PER_S) {
		at.tv_sec++;
		at.tv_nsec -= NS_PER_S;
	}
	return at;
}

static bool
edu_earlier(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

bool
edu_past(const struct timespec *deadline)
{
	struct timespec now = edu_deadline(0);

	return edu_earlier(deadline, &now);
}

/*
 * Runs in EAL's interrupt thread. The device holds its line until all bits are acknowledged,
 * and the kernel masks it until rte_intr_ack().
 */
static void
edu_interrupt(void *arg)
{
	struct rte_edu *edu = arg;
	uint32_t bits;

	if (edu_read(edu, EDU_REG_IRQ_STATUS, &bits) == 0 && bits != 0 && bits != EDU_ALL_ONES) {
		edu_write(edu, EDU_REG_IRQ_ACK, bits);
		pthread_mutex_lock(&edu->irq_lock);
		edu->irq_seen |= bits;
		pthread_cond_broadcast(&edu->irq_cond);
		pthread_mutex_unlock(&edu->irq_lock);
	}
	rte_intr_ack(edu->dev->intr_handle);
}

/*
 * A device with MSI-X has a choice, and not every way to a device begins with a reset: all shall
 * come by the first vector.
 */
static void
edu_irq_choose_vector(const struct rte_edu *edu)
{
	off_t reg;

	if (rte_pci_find_capability(edu->dev, RTE_PCI_CAP_ID_MSIX) <= 0)
		return;
	for (reg = EDU_REG_IRQ_VECTORS; reg < EDU_REG_IRQ_VECTORS + EDU_IRQ_BITS; reg += 4)
		edu_write(edu, reg, 0);
}

void
edu_irq_setup(struct rte_edu *edu)
{
	struct rte_intr_handle *handle = edu->dev->intr_handle;
	int rc;

	edu_irq_choose_vector(edu);
	rc = rte_intr_callback_register(handle, edu_interrupt, edu);
	if (rc == 0) {
		rc = rte_intr_enable(handle);
		if (rc == 0) {
			edu->irq_works = true;
			return;
		}
		rte_intr_callback_unregister_sync(handle, edu_interrupt, edu);
	}
	EDU_LOG(NOTICE, edu, "no interrupts (%s), waiting by looking every millisecond",
		strerror(-rc));
}

/* The device may be gone, so what it answers does not matter. */
void
edu_irq_release(struct rte_edu *edu)
{
	struct rte_intr_handle *handle = edu->dev->intr_handle;

	edu_write(edu, EDU_REG_STATUS, 0);
	if (!edu->irq_works)
		return;
	/* a callback that still runs acknowledges, which it may not once interrupts are off */
	rte_intr_callback_unregister_sync(handle, edu_interrupt, edu);
	rte_intr_disable(handle);
	edu_write(edu, EDU_REG_IRQ_ACK, EDU_ALL_ONES);
}

void
edu_irq_set_removed(struct rte_edu *edu)
{
	pthread_mutex_lock(&edu->irq_lock);
	edu->removed = true;
	pthread_cond_broadcast(&edu->irq_cond);
	pthread_mutex_unlock(&edu->irq_lock);
}

void
edu_irq_forget(struct rte_edu *edu, uint32_t bits)
{
	pthread_mutex_lock(&edu->irq_lock);
	edu->irq_seen &= ~bits;
	pthread_mutex_unlock(&edu->irq_lock);
}

int
edu_irq_sleep(struct rte_edu *edu, uint32_t bits, const struct timespec *deadline, uint32_t *seen)
{
	int rc = 0;

	pthread_mutex_lock(&edu->irq_lock);
	while (!edu->removed && (edu->irq_seen & bits) == 0 && rc == 0)
		rc = pthread_cond_timedwait(&edu->irq_cond, &edu->irq_lock, deadline);
	*seen = edu->irq_seen & bits;
	edu->irq_seen &= ~bits;
	if (edu->removed)
		rc = ENODEV;
	else if (*seen != 0)
		rc = 0;
	pthread_mutex_unlock(&edu->irq_lock);
	return -rc;
}

static bool
edu_irq_bits_valid(uint32_t bits)
{
	return bits != 0 && (bits & EDU_IRQ_OURS) == 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_edu_irq_raise, 25.11)
int
rte_edu_irq_raise(struct rte_edu *edu, uint32_t bits)
{
	int rc;

	if (!edu_irq_bits_valid(bits))
		return -EINVAL;
	rc = edu_lock(edu);
	if (rc != 0)
		return rc;
	rc = edu_write(edu, EDU_REG_IRQ_RAISE, bits);
	edu_unlock(edu);
	return rc;
}

/* Without op_lock: others may use the device, and raise the interrupt, while one waits. */
RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_edu_irq_wait, 25.11)
int
rte_edu_irq_wait(struct rte_edu *edu, uint32_t bits, uint32_t *seen, unsigned int timeout_ms)
{
	struct timespec deadline = edu_deadline(timeout_ms);
	uint32_t came;
	int rc;

	if (!edu_irq_bits_valid(bits))
		return -EINVAL;
	if (!edu->irq_works)
		return -ENOTSUP;
	rc = edu_irq_sleep(edu, bits, &deadline, &came);
	if (rc == 0 && seen != NULL)
		*seen = came;
	return rc;
}
