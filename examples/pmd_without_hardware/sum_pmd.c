/* SPDX-License-Identifier: BSD-3-Clause */

/* A small driver. It does not know that there is no hardware. */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include <bus_pci_driver.h>
#include <dev_driver.h>
#include <rte_bus_pci.h>
#include <rte_interrupts.h>
#include <rte_malloc.h>

#include "sum.h"
#include "sum_pmd.h"

#define BAR 0

struct sum {
	struct rte_pci_device *dev;
	pthread_mutex_t lock;
	pthread_cond_t told;	/* the interrupt has come */
	bool done;
};

static struct sum *the_sum;

struct sum *
sum_get(void)
{
	return the_sum;
}

/* ---- registers ---- */

static int
reg_read(const struct sum *sum, off_t reg, uint32_t *value)
{
	int rc = rte_pci_mmio_read(sum->dev, BAR, value, sizeof(*value), reg);

	return rc < 0 ? rc : 0;
}

static int
reg_write(const struct sum *sum, off_t reg, const void *value, size_t len)
{
	int rc = rte_pci_mmio_write(sum->dev, BAR, value, len, reg);

	return rc < 0 ? rc : 0;
}

/* ---- an operation ---- */

/* In EAL's interrupt thread. */
static void
on_interrupt(void *arg)
{
	struct sum *sum = arg;

	pthread_mutex_lock(&sum->lock);
	sum->done = true;
	pthread_cond_signal(&sum->told);
	pthread_mutex_unlock(&sum->lock);
	rte_intr_ack(sum->dev->intr_handle);
}

static int
start(struct sum *sum, uint64_t iova, uint32_t length)
{
	const uint32_t go = 1;
	int rc;

	pthread_mutex_lock(&sum->lock);
	sum->done = false;
	pthread_mutex_unlock(&sum->lock);
	rc = reg_write(sum, SUM_ADDRESS, &iova, sizeof(iova));
	if (rc == 0)
		rc = reg_write(sum, SUM_LENGTH, &length, sizeof(length));
	if (rc == 0)
		rc = reg_write(sum, SUM_GO, &go, sizeof(go));
	return rc;
}

static void
sleep_until_told(struct sum *sum, unsigned int timeout_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&sum->lock);
	while (!sum->done && pthread_cond_timedwait(&sum->told, &sum->lock, &until) == 0)
		;
	pthread_mutex_unlock(&sum->lock);
}

/* The register decides, not the interrupt, which may have been lost. */
static int
finish(const struct sum *sum, uint32_t *result)
{
	uint32_t status;
	int rc = reg_read(sum, SUM_STATUS, &status);

	if (rc != 0)
		return rc;
	if (status == SUM_STATUS_BUSY)
		return -ETIMEDOUT;
	return status == SUM_STATUS_DONE ? reg_read(sum, SUM_RESULT, result) : -EIO;
}

int
sum_compute(struct sum *sum, const void *bytes, uint32_t length, uint32_t *result,
	unsigned int timeout_ms)
{
	int rc = start(sum, rte_malloc_virt2iova(bytes), length);

	if (rc != 0)
		return rc;
	sleep_until_told(sum, timeout_ms);
	return finish(sum, result);
}

/* ---- the device comes and goes ---- */

static int
check_id(const struct sum *sum)
{
	uint32_t id = 0;
	int rc = reg_read(sum, SUM_ID, &id);

	if (rc != 0)
		return rc;
	return id == SUM_ID_VALUE ? 0 : -ENODEV;
}

static int
interrupt_start(struct sum *sum)
{
	struct rte_intr_handle *handle = sum->dev->intr_handle;
	int rc = rte_intr_callback_register(handle, on_interrupt, sum);

	if (rc != 0)
		return rc;
	rc = rte_intr_enable(handle);
	if (rc != 0)
		rte_intr_callback_unregister_sync(handle, on_interrupt, sum);
	return rc;
}

static int
sum_probe(struct rte_pci_driver *drv, struct rte_pci_device *dev)
{
	struct sum *sum = calloc(1, sizeof(*sum));
	int rc;

	if (sum == NULL)
		return -ENOMEM;
	sum->dev = dev;
	pthread_mutex_init(&sum->lock, NULL);
	pthread_cond_init(&sum->told, NULL);
	rc = check_id(sum);
	if (rc == 0)
		rc = rte_pci_set_bus_master(dev, true);
	if (rc == 0)
		rc = interrupt_start(sum);
	if (rc != 0) {
		free(sum);
		return rc;
	}
	the_sum = sum;
	return 0;
}

static int
sum_remove(struct rte_pci_device *dev)
{
	struct sum *sum = the_sum;

	the_sum = NULL;
	rte_intr_callback_unregister_sync(dev->intr_handle, on_interrupt, sum);
	rte_intr_disable(dev->intr_handle);
	free(sum);
	return 0;
}

static const struct rte_pci_id ids[] = {
	{ RTE_PCI_DEVICE(SUM_VENDOR_ID, SUM_DEVICE_ID) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver driver = {
	.id_table = ids,
	.drv_flags = RTE_PCI_DRV_NEED_MAPPING,
	.probe = sum_probe,
	.remove = sum_remove,
};

RTE_PMD_REGISTER_PCI(raw_sum, driver);
RTE_PMD_REGISTER_PCI_TABLE(raw_sum, ids);
