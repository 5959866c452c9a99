/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include <eal_export.h>
#include <rte_bus_pci.h>
#include <rte_byteorder.h>

#include "edu_private.h"

int
edu_read(const struct rte_edu *edu, off_t reg, uint32_t *value)
{
	rte_le32_t raw;
	int rc;

	rc = rte_pci_mmio_read(edu->dev, EDU_BAR, &raw, sizeof(raw), reg);
	if (rc < 0)
		return rc;
	if (rc != (int)sizeof(raw))
		return -EIO;
	*value = rte_le_to_cpu_32(raw);
	return 0;
}

int
edu_write(const struct rte_edu *edu, off_t reg, uint32_t value)
{
	rte_le32_t raw = rte_cpu_to_le_32(value);
	int rc;

	rc = rte_pci_mmio_write(edu->dev, EDU_BAR, &raw, sizeof(raw), reg);
	if (rc < 0)
		return rc;
	return rc == (int)sizeof(raw) ? 0 : -EIO;
}

static bool
edu_removed(struct rte_edu *edu)
{
	bool removed;

	pthread_mutex_lock(&edu->irq_lock);
	removed = edu->removed;
	pthread_mutex_unlock(&edu->irq_lock);
	return removed;
}

int
edu_lock(struct rte_edu *edu)
{
	pthread_mutex_lock(&edu->op_lock);
	if (!edu_removed(edu))
		return 0;
	pthread_mutex_unlock(&edu->op_lock);
	return -ENODEV;
}

void
edu_unlock(struct rte_edu *edu)
{
	pthread_mutex_unlock(&edu->op_lock);
}

int
edu_busy(const struct rte_edu *edu, off_t reg, uint32_t bit)
{
	uint32_t value;
	int rc;

	rc = edu_read(edu, reg, &value);
	if (rc != 0)
		return rc;
	if (value == EDU_ALL_ONES)
		return -EIO;
	return (value & bit) != 0;
}

/* One sleep: until the interrupt, or without interrupts for a millisecond. */
static int
edu_doze(struct rte_edu *edu, uint32_t irq, const struct timespec *deadline)
{
	struct timespec until = edu->irq_works ? *deadline : edu_deadline(1);
	uint32_t seen;
	int rc;

	rc = edu_irq_sleep(edu, irq, &until, &seen);
	if (rc == -ETIMEDOUT && !edu->irq_works && !edu_past(deadline))
		return 0;
	return rc;
}

/* The register decides, also after the last sleep: an interrupt may be late, or an old one. */
int
edu_wait_idle(struct rte_edu *edu, off_t reg, uint32_t bit, uint32_t irq, unsigned int timeout_ms)
{
	struct timespec deadline = edu_deadline(timeout_ms);
	int slept = 0;
	int busy;

	for (;;) {
		busy = edu_busy(edu, reg, bit);
		if (busy <= 0)
			return busy;
		if (slept != 0)
			return slept;
		slept = edu_doze(edu, irq, &deadline);
		if (slept == -ENODEV)
			return slept;
	}
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_edu_identification, 25.11)
int
rte_edu_identification(struct rte_edu *edu, uint32_t *id)
{
	int rc;

	rc = edu_lock(edu);
	if (rc != 0)
		return rc;
	rc = edu_read(edu, EDU_REG_ID, id);
	edu_unlock(edu);
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_edu_liveness, 25.11)
int
rte_edu_liveness(struct rte_edu *edu, uint32_t value)
{
	uint32_t answer = value;
	int rc;

	rc = edu_lock(edu);
	if (rc != 0)
		return rc;
	rc = edu_write(edu, EDU_REG_LIVENESS, value);
	if (rc == 0)
		rc = edu_read(edu, EDU_REG_LIVENESS, &answer);
	edu_unlock(edu);
	if (rc != 0)
		return rc;
	return answer == ~value ? 0 : -EIO;
}

static int
edu_factorial_start(struct rte_edu *edu, uint32_t n)
{
	int rc;

	rc = edu_busy(edu, EDU_REG_STATUS, EDU_STATUS_COMPUTING);
	if (rc != 0)
		return rc < 0 ? rc : -EBUSY;
	edu_irq_forget(edu, RTE_EDU_IRQ_FACTORIAL);
	rc = edu_write(edu, EDU_REG_STATUS, edu->irq_works ? EDU_STATUS_IRQ : 0);
	if (rc != 0)
		return rc;
	return edu_write(edu, EDU_REG_FACTORIAL, n);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_edu_factorial, 25.11)
int
rte_edu_factorial(struct rte_edu *edu, uint32_t n, uint32_t *result, unsigned int timeout_ms)
{
	int rc;

	rc = edu_lock(edu);
	if (rc != 0)
		return rc;
	rc = edu_factorial_start(edu, n);
	if (rc == 0)
		rc = edu_wait_idle(edu, EDU_REG_STATUS, EDU_STATUS_COMPUTING,
			RTE_EDU_IRQ_FACTORIAL, timeout_ms);
	if (rc == 0)
		rc = edu_read(edu, EDU_REG_FACTORIAL, result);
	edu_unlock(edu);
	return rc;
}
