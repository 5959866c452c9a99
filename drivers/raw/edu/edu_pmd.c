/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bus_pci_driver.h>
#include <dev_driver.h>
#include <eal_export.h>
#include <rte_bus_pci.h>
#include <rte_devargs.h>
#include <rte_kvargs.h>
#include <rte_string_fns.h>

#include "edu_private.h"

#define EDU_ARG_DMA_MASK "dma_mask"

/* The layered form of arguments begins with it; EAL leaves it in. */
#define EDU_ARG_DRIVER "driver"

RTE_LOG_REGISTER_DEFAULT(edu_logtype, NOTICE);

static TAILQ_HEAD(, rte_edu) edu_list = TAILQ_HEAD_INITIALIZER(edu_list);
static pthread_mutex_t edu_list_lock = PTHREAD_MUTEX_INITIALIZER;

/* Not of EAL's memory: a user may hold it longer than EAL runs. */
static struct rte_edu *
edu_alloc(struct rte_pci_device *dev)
{
	struct rte_edu *edu = calloc(1, sizeof(*edu));
	pthread_condattr_t attr;

	if (edu == NULL)
		return NULL;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&edu->irq_cond, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&edu->irq_lock, NULL);
	pthread_mutex_init(&edu->op_lock, NULL);
	strlcpy(edu->name, dev->device.name, sizeof(edu->name));
	edu->dev = dev;
	edu->refs = 1;
	edu->dma_mask = EDU_DMA_MASK_DEFAULT;
	edu->dma_slot = -1;
	return edu;
}

static void
edu_free(struct rte_edu *edu)
{
	pthread_mutex_destroy(&edu->op_lock);
	pthread_mutex_destroy(&edu->irq_lock);
	pthread_cond_destroy(&edu->irq_cond);
	free(edu);
}

static void
edu_put(struct rte_edu *edu)
{
	unsigned int refs;

	pthread_mutex_lock(&edu_list_lock);
	refs = --edu->refs;
	pthread_mutex_unlock(&edu_list_lock);
	if (refs == 0)
		edu_free(edu);
}

/* 2^n - 1 with n from 16, which leaves room for a page, to 32, what registers are written by. */
static int
edu_parse_dma_mask(const char *key, const char *value, void *opaque)
{
	struct rte_edu *edu = opaque;
	uint64_t mask;
	char *end;

	mask = value == NULL ? 0 : strtoull(value, &end, 16);
	if (mask < UINT16_MAX || mask > UINT32_MAX || *end != '\0' || (mask & (mask + 1)) != 0) {
		EDU_LOG(ERR, edu, "%s=%s: not a hexadecimal number of 16 to 32 one bits", key,
			value == NULL ? "" : value);
		return -EINVAL;
	}
	edu->dma_mask = mask;
	return 0;
}

static int
edu_parse_args(struct rte_edu *edu, const struct rte_devargs *devargs)
{
	static const char *const keys[] = { EDU_ARG_DRIVER, EDU_ARG_DMA_MASK, NULL };
	struct rte_kvargs *kvlist;
	int rc;

	if (devargs == NULL || devargs->args == NULL || devargs->args[0] == '\0')
		return 0;
	kvlist = rte_kvargs_parse(devargs->args, keys);
	if (kvlist == NULL) {
		EDU_LOG(ERR, edu, "arguments \"%s\" not understood; there is one, %s",
			devargs->args, EDU_ARG_DMA_MASK);
		return -EINVAL;
	}
	rc = rte_kvargs_process(kvlist, EDU_ARG_DMA_MASK, edu_parse_dma_mask, edu);
	rte_kvargs_free(kvlist);
	return rc < 0 ? -EINVAL : 0;
}

static int
edu_check_id(const struct rte_edu *edu)
{
	uint32_t id;
	int rc;

	rc = edu_read(edu, EDU_REG_ID, &id);
	if (rc != 0) {
		EDU_LOG(ERR, edu, "cannot read BAR%d: %s", EDU_BAR, strerror(-rc));
		return rc;
	}
	if ((id & EDU_ID_MASK) != EDU_ID_VALUE) {
		EDU_LOG(ERR, edu, "identification is 0x%08x, not 0xRRrr00ed", id);
		return -ENODEV;
	}
	return 0;
}

static int
edu_probe(struct rte_pci_driver *drv, struct rte_pci_device *dev)
{
	struct rte_edu *edu;
	int rc;

	(void)drv;
	edu = edu_alloc(dev);
	if (edu == NULL)
		return -ENOMEM;
	rc = edu_parse_args(edu, dev->device.devargs);
	if (rc == 0)
		rc = edu_check_id(edu);
	if (rc != 0) {
		edu_put(edu);
		return rc;
	}
	edu_dma_setup(edu);
	edu_irq_setup(edu);

	pthread_mutex_lock(&edu_list_lock);
	TAILQ_INSERT_TAIL(&edu_list, edu, next);
	pthread_mutex_unlock(&edu_list_lock);
	return 0;
}

/* Take the device out of the list, so that nobody opens it any more. */
static struct rte_edu *
edu_unlist(const struct rte_pci_device *dev)
{
	struct rte_edu *edu;

	pthread_mutex_lock(&edu_list_lock);
	TAILQ_FOREACH(edu, &edu_list, next)
		if (edu->dev == dev)
			break;
	if (edu != NULL)
		TAILQ_REMOVE(&edu_list, edu, next);
	pthread_mutex_unlock(&edu_list_lock);
	return edu;
}

/*
 * Whoever sleeps for the device is woken up; then op_lock is free, and whoever takes it
 * afterwards sees that the device is gone.
 */
static int
edu_remove(struct rte_pci_device *dev)
{
	struct rte_edu *edu = edu_unlist(dev);

	if (edu == NULL)
		return -ENODEV;
	edu_irq_set_removed(edu);
	pthread_mutex_lock(&edu->op_lock);
	edu_irq_release(edu);
	edu_dma_release(edu);
	edu->dev = NULL;
	pthread_mutex_unlock(&edu->op_lock);
	edu_put(edu);
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_edu_open, 25.11)
int
rte_edu_open(const char *name, struct rte_edu **out)
{
	struct rte_edu *edu;

	if (out == NULL)
		return -EINVAL;
	pthread_mutex_lock(&edu_list_lock);
	TAILQ_FOREACH(edu, &edu_list, next)
		if (name == NULL || strcmp(edu->name, name) == 0)
			break;
	if (edu != NULL)
		edu->refs++;
	pthread_mutex_unlock(&edu_list_lock);
	*out = edu;
	return edu == NULL ? -ENODEV : 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_edu_close, 25.11)
void
rte_edu_close(struct rte_edu *edu)
{
	if (edu != NULL)
		edu_put(edu);
}

static const struct rte_pci_id edu_ids[] = {
	{ RTE_PCI_DEVICE(EDU_VENDOR_ID, EDU_DEVICE_ID) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver edu_driver = {
	.id_table = edu_ids,
	.drv_flags = RTE_PCI_DRV_NEED_MAPPING,
	.probe = edu_probe,
	.remove = edu_remove,
};

RTE_PMD_REGISTER_PCI(raw_edu, edu_driver);
RTE_PMD_REGISTER_PCI_TABLE(raw_edu, edu_ids);
RTE_PMD_REGISTER_KMOD_DEP(raw_edu, "* vfio-pci | igb_uio | uio_pci_generic");
RTE_PMD_REGISTER_PARAM_STRING(raw_edu, EDU_ARG_DMA_MASK "=<hex>");
