/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include <eal_export.h>
#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_common.h>

#include "vu_pci.h"

/* ---- the function ---- */

static bool
info_valid(const struct rte_vfio_user_pci_info *info)
{
	return info != NULL && info->size == sizeof(*info) && info->vendor_id != 0xffff &&
		info->class_code != 0 && info->class_code <= 0xffffff && info->interrupt_pin <= 4;
}

static void
bars_init(struct rte_vfio_user_pci *pci)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(pci->bars); i++) {
		pci->bars[i].pci = pci;
		pci->bars[i].index = i;
	}
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_create, 25.11)
int
rte_vfio_user_pci_create(const struct rte_vfio_user_pci_info *info,
	const struct rte_vfio_user_pci_ops *ops, void *priv, struct rte_vfio_user_pci **out)
{
	struct rte_vfio_user_pci *pci;

	if (!info_valid(info) || out == NULL)
		return -EINVAL;
	pci = calloc(1, sizeof(*pci));
	if (pci == NULL)
		return -ENOMEM;
	if (ops != NULL)
		pci->ops = *ops;
	pci->priv = priv;
	pci->express = info->express;
	atomic_init(&pci->dev_id, -1);
	pci->msi.irq_index = VFIO_PCI_MSI_IRQ_INDEX;
	pci->msix.irq_index = VFIO_PCI_MSIX_IRQ_INDEX;
	pthread_mutex_init(&pci->lock, NULL);
	vu_pci_cfg_init(&pci->cfg, info);
	bars_init(pci);
	*out = pci;
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_free, 25.11)
void
rte_vfio_user_pci_free(struct rte_vfio_user_pci *pci)
{
	unsigned int i;

	/* what cannot be stopped here is still served */
	if (pci == NULL || rte_vfio_user_pci_stop(pci) < 0)
		return;
	for (i = 0; i < RTE_DIM(pci->bars); i++)
		free((void *)(uintptr_t)pci->bars[i].desc.areas);
	free(pci->rom);
	free(pci->msix_table);
	pthread_mutex_destroy(&pci->lock);
	free(pci);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_priv, 25.11)
void *
rte_vfio_user_pci_priv(const struct rte_vfio_user_pci *pci)
{
	return pci->priv;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_dev_id, 25.11)
int
rte_vfio_user_pci_dev_id(struct rte_vfio_user_pci *pci)
{
	int dev_id = atomic_load(&pci->dev_id);

	return dev_id < 0 ? -ENOTCONN : dev_id;
}

/* ---- configuration space ---- */

static bool
range_valid(uint64_t off, uint64_t len, uint64_t size)
{
	return off <= size && len <= size - off;
}

/* Any bytes, as they are at one time. */
static __rte_noinline int
config_read_many(struct rte_vfio_user_pci *pci, uint32_t offset, void *buf, uint32_t len)
{
	pthread_mutex_lock(&pci->lock);
	vu_pci_cfg_read(&pci->cfg, offset, buf, len);
	vu_pci_irq_read_config(pci, offset, buf, len);
	pthread_mutex_unlock(&pci->lock);
	return 0;
}

/* One register. */
static inline int
config_read_one(const struct rte_vfio_user_pci *pci, uint32_t offset, void *buf, uint32_t len)
{
	uint32_t value = vu_pci_cfg_get32(&pci->cfg, offset - offset % 4);

	if (offset / 4 == VU_PCI_STATUS / 4 && atomic_load(&pci->intx_up))
		value |= VU_PCI_STATUS_INTX << VU_PCI_STATUS % 4 * 8;
	value >>= offset % 4 * 8;
	if (likely(len == 4)) {
		value = rte_cpu_to_le_32(value);
		memcpy(buf, &value, 4);
	} else {
		vu_pci_le_set(buf, value, len);
	}
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_config_read, 25.11)
int
rte_vfio_user_pci_config_read(struct rte_vfio_user_pci *pci, uint32_t offset, void *buf,
	uint32_t len)
{
	if (unlikely(!range_valid(offset, len, pci->cfg.size)))
		return -EINVAL;
	if (unlikely(!vu_pci_cfg_is_one(offset, len) || vu_pci_irq_is_pending_reg(pci, offset)))
		return config_read_many(pci, offset, buf, len);
	return config_read_one(pci, offset, buf, len);
}

/* What authors are told of when it changes; nothing of it is behind the BARs. */
#define TOLD_END VU_PCI_BAR(RTE_VFIO_USER_PCI_BARS)

struct snapshot {
	uint16_t command;
	uint64_t bar[RTE_VFIO_USER_PCI_BARS];
};

static void
snapshot_take(const struct rte_vfio_user_pci *pci, struct snapshot *shot)
{
	unsigned int i;

	shot->command = vu_pci_cfg_get16(&pci->cfg, VU_PCI_COMMAND);
	for (i = 0; i < RTE_DIM(shot->bar); i++)
		shot->bar[i] = pci->bars[i].used ?
			vu_pci_cfg_bar_addr(&pci->cfg, i, pci->bars[i].desc.flags) : 0;
}

static void
tell_changes(struct rte_vfio_user_pci *pci, const struct snapshot *before,
	const struct snapshot *after)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(after->bar) && pci->ops.bar_changed != NULL; i++) {
		if (before->bar[i] != after->bar[i])
			pci->ops.bar_changed(pci, i, after->bar[i]);
	}
	if (pci->ops.command_changed != NULL && before->command != after->command)
		pci->ops.command_changed(pci, after->command);
}

/* Is a function level reset asked for? The bit reads as 0. */
static bool
flr_asked(const struct rte_vfio_user_pci *pci, uint32_t offset, const uint8_t *buf, uint32_t len)
{
	uint32_t high = pci->express_cap + PCI_EXP_DEVCTL + 1;

	return pci->express_cap != 0 && high >= offset && high - offset < len &&
		buf[high - offset] & PCI_EXP_DEVCTL_BCR_FLR >> 8;
}

/* What is written together is read together, if it is read together. */
static void
config_change(struct rte_vfio_user_pci *pci, uint32_t offset, const void *buf, uint32_t len)
{
	const bool one = vu_pci_cfg_is_one(offset, len);

	if (unlikely(!one))
		pthread_mutex_lock(&pci->lock);
	vu_pci_cfg_write(&pci->cfg, offset, buf, len);
	if (unlikely(!one))
		pthread_mutex_unlock(&pci->lock);
	/* between the command register and the capabilities nothing masks interrupts */
	if (offset < VU_PCI_BAR(0) || offset + len > VU_PCI_HEADER_LEN)
		vu_pci_irq_config_written(pci, offset, len);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_config_write, 25.11)
int
rte_vfio_user_pci_config_write(struct rte_vfio_user_pci *pci, uint32_t offset, const void *buf,
	uint32_t len)
{
	const bool told = offset < TOLD_END;
	struct snapshot before, after;

	if (!range_valid(offset, len, pci->cfg.size))
		return -EINVAL;
	/* no other thread writes what is told of */
	if (told)
		snapshot_take(pci, &before);
	config_change(pci, offset, buf, len);
	if (told)
		snapshot_take(pci, &after);
	vu_pci_irq_deliver(pci);
	if (told)
		tell_changes(pci, &before, &after);
	if (pci->ops.config_written != NULL)
		pci->ops.config_written(pci, offset, len);
	return flr_asked(pci, offset, buf, len) ? vu_pci_reset(pci) : 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_config_set, 25.11)
int
rte_vfio_user_pci_config_set(struct rte_vfio_user_pci *pci, uint32_t offset, const void *buf,
	uint32_t len)
{
	if (offset < VU_PCI_HEADER_LEN || !range_valid(offset, len, pci->cfg.size))
		return -EINVAL;
	pthread_mutex_lock(&pci->lock);
	vu_pci_cfg_preset(&pci->cfg, offset, buf, len);
	pthread_mutex_unlock(&pci->lock);
	return 0;
}

int
vu_pci_reset(struct rte_vfio_user_pci *pci)
{
	struct snapshot before, after;

	pthread_mutex_lock(&pci->lock);
	snapshot_take(pci, &before);
	vu_pci_cfg_reset(&pci->cfg);
	vu_pci_irq_reset(pci);
	vu_pci_msix_table_reset(pci);
	snapshot_take(pci, &after);
	pthread_mutex_unlock(&pci->lock);
	tell_changes(pci, &before, &after);
	return pci->ops.reset == NULL ? 0 : pci->ops.reset(pci);
}

/* ---- regions ---- */

static int
rom_read(struct rte_vfio_user_pci *pci, uint64_t off, void *buf, uint32_t len)
{
	if (!range_valid(off, len, pci->rom_size))
		return -EINVAL;
	if (len > 0)
		memcpy(buf, pci->rom + off, len);
	return 0;
}

static int
bar_access(struct rte_vfio_user_pci *pci, unsigned int region, uint64_t off, void *buf,
	uint32_t len, bool iswrite)
{
	struct vu_pci_bar *bar;

	if (region >= RTE_DIM(pci->bars))
		return -EINVAL;
	bar = &pci->bars[region];
	if (!bar->used || !range_valid(off, len, bar->desc.size))
		return -EINVAL;
	vu_pci_bar_access(bar, off, buf, len, iswrite);
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_region_read, 25.11)
int
rte_vfio_user_pci_region_read(struct rte_vfio_user_pci *pci, unsigned int region,
	uint64_t offset, void *buf, uint32_t len)
{
	if (region == VFIO_PCI_CONFIG_REGION_INDEX)
		return offset > UINT32_MAX ? -EINVAL :
			rte_vfio_user_pci_config_read(pci, (uint32_t)offset, buf, len);
	if (region == VFIO_PCI_ROM_REGION_INDEX)
		return rom_read(pci, offset, buf, len);
	return bar_access(pci, region, offset, buf, len, false);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_region_write, 25.11)
int
rte_vfio_user_pci_region_write(struct rte_vfio_user_pci *pci, unsigned int region,
	uint64_t offset, const void *buf, uint32_t len)
{
	if (region == VFIO_PCI_CONFIG_REGION_INDEX)
		return offset > UINT32_MAX ? -EINVAL :
			rte_vfio_user_pci_config_write(pci, (uint32_t)offset, buf, len);
	if (region == VFIO_PCI_ROM_REGION_INDEX)
		return -EPERM;
	/* a write only reads the bytes */
	return bar_access(pci, region, offset, (void *)(uintptr_t)buf, len, true);
}

/* ---- memory of the client ---- */

static int
master_dev_id(struct rte_vfio_user_pci *pci)
{
	uint16_t command = vu_pci_cfg_get16(&pci->cfg, VU_PCI_COMMAND);
	int dev_id = atomic_load(&pci->dev_id);

	if (dev_id < 0)
		return -ENODEV;
	return command & VU_PCI_COMMAND_MASTER ? dev_id : -EACCES;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_dma_read, 25.11)
int
rte_vfio_user_pci_dma_read(struct rte_vfio_user_pci *pci, uint64_t addr, void *buf, uint64_t len)
{
	int dev_id = master_dev_id(pci);

	return dev_id < 0 ? dev_id : rte_vfio_user_dma_read(dev_id, addr, buf, len);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_dma_write, 25.11)
int
rte_vfio_user_pci_dma_write(struct rte_vfio_user_pci *pci, uint64_t addr, const void *buf,
	uint64_t len)
{
	int dev_id = master_dev_id(pci);

	return dev_id < 0 ? dev_id : rte_vfio_user_dma_write(dev_id, addr, buf, len);
}
