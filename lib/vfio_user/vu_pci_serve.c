/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <eal_export.h>
#include <rte_common.h>

#include "vu_pci.h"
#include "vu_session.h"

/* ---- what the session tells ---- */

/* The function stays until its session is gone, and this is called in the thread that serves it. */
static struct rte_vfio_user_pci *
pci_of(int dev_id)
{
	return vu_session_find(dev_id)->pci;
}

static int
on_new_device(int dev_id)
{
	struct rte_vfio_user_pci *pci = pci_of(dev_id);

	return pci->ops.connected == NULL ? 0 : pci->ops.connected(pci);
}

static void
on_destroy_device(int dev_id)
{
	struct rte_vfio_user_pci *pci = pci_of(dev_id);

	vu_pci_irq_client_gone(pci);
	if (pci->ops.disconnected != NULL)
		pci->ops.disconnected(pci);
}

static int
on_update_status(int dev_id)
{
	struct rte_vfio_user_pci *pci = pci_of(dev_id);

	vu_pci_irq_deliver(pci);
	if (pci->ops.status_changed != NULL)
		pci->ops.status_changed(pci);
	return 0;
}

static int
on_lock_dp(int dev_id, int lock)
{
	struct rte_vfio_user_pci *pci = pci_of(dev_id);

	return pci->ops.lock_dp(pci, lock);
}

static int
on_reset_device(int dev_id)
{
	return vu_pci_reset(pci_of(dev_id));
}

/* What comes with each change of memory is not asked for in vain. */
static struct rte_vfio_user_notify_ops
notify_ops(const struct rte_vfio_user_pci *pci)
{
	return (struct rte_vfio_user_notify_ops) {
		.new_device = on_new_device,
		.destroy_device = on_destroy_device,
		.update_status = on_update_status,
		.lock_dp = pci->ops.lock_dp != NULL ? on_lock_dp : NULL,
		.reset_device = on_reset_device,
	};
}

/* Of these there are most: the shortest way. The session has checked the range; so below. */
static ssize_t
on_bar_access(struct rte_vfio_user_reg_info *reg, char *buf, size_t count, loff_t pos,
	bool iswrite)
{
	struct rte_vfio_user_pci *pci = reg->priv;

	vu_pci_bar_access(&pci->bars[reg->info->index], (uint64_t)pos, (uint8_t *)buf, count,
		iswrite);
	return (ssize_t)count;
}

static ssize_t
on_config_access(struct rte_vfio_user_reg_info *reg, char *buf, size_t count, loff_t pos,
	bool iswrite)
{
	struct rte_vfio_user_pci *pci = reg->priv;
	int rc;

	if (iswrite)
		rc = rte_vfio_user_pci_config_write(pci, (uint32_t)pos, buf, (uint32_t)count);
	else
		rc = rte_vfio_user_pci_config_read(pci, (uint32_t)pos, buf, (uint32_t)count);
	return rc < 0 ? rc : (ssize_t)count;
}

static ssize_t
on_rom_access(struct rte_vfio_user_reg_info *reg, char *buf, size_t count, loff_t pos,
	bool iswrite)
{
	struct rte_vfio_user_pci *pci = reg->priv;

	if (iswrite)
		return -EPERM;
	memcpy(buf, pci->rom + pos, count);
	return (ssize_t)count;
}

/* ---- what the session is told ---- */

static int
describe_device(const char *sock_addr)
{
	struct vfio_device_info info = {
		.argsz = sizeof(info),
		.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
		.num_regions = VFIO_PCI_NUM_REGIONS,
		.num_irqs = VFIO_PCI_NUM_IRQS,
	};

	return rte_vfio_user_set_dev_info(sock_addr, &info);
}

/* A region that is no BAR. */
static int
plain_info(uint32_t index, uint64_t size, uint32_t flags, struct vfio_region_info **info)
{
	*info = calloc(1, sizeof(**info));
	if (*info == NULL)
		return -ENOMEM;
	(*info)->argsz = sizeof(**info);
	(*info)->index = index;
	(*info)->size = size;
	(*info)->flags = size == 0 ? 0 : flags;
	return 0;
}

static int
region_info(const struct rte_vfio_user_pci *pci, uint32_t index, struct vfio_region_info **info)
{
	const uint32_t rw = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;

	if (index < RTE_DIM(pci->bars))
		return vu_pci_bar_info(&pci->bars[index], info);
	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		return plain_info(index, pci->cfg.size, rw, info);
	if (index == VFIO_PCI_ROM_REGION_INDEX)
		return plain_info(index, pci->rom_size, VFIO_REGION_INFO_FLAG_READ, info);
	return plain_info(index, 0, 0, info);
}

static int
region_describe(struct rte_vfio_user_pci *pci, uint32_t index, struct rte_vfio_user_reg_info *reg)
{
	bool mappable = index < RTE_DIM(pci->bars) && pci->bars[index].used &&
		pci->bars[index].desc.flags & RTE_VFIO_USER_PCI_BAR_MMAP;

	reg->rw = index < RTE_DIM(pci->bars) ? on_bar_access :
		index == VFIO_PCI_CONFIG_REGION_INDEX ? on_config_access : on_rom_access;
	reg->priv = pci;
	reg->fd = mappable ? pci->bars[index].desc.fd : -1;
	reg->base = mappable ? pci->bars[index].desc.base : NULL;
	return region_info(pci, index, &reg->info);
}

static int
describe_regions(struct rte_vfio_user_pci *pci, const char *sock_addr)
{
	struct rte_vfio_user_regions *regions;
	uint32_t i;
	int rc = 0;

	regions = calloc(1, sizeof(*regions) +
		VFIO_PCI_NUM_REGIONS * sizeof(regions->reg_info[0]));
	if (regions == NULL)
		return -ENOMEM;
	regions->reg_num = VFIO_PCI_NUM_REGIONS;
	for (i = 0; i < regions->reg_num && rc == 0; i++)
		rc = region_describe(pci, i, &regions->reg_info[i]);
	if (rc == 0)
		rc = rte_vfio_user_set_reg_info(sock_addr, regions);
	for (i = 0; i < regions->reg_num; i++)
		free(regions->reg_info[i].info);
	free(regions);
	return rc;
}

/*
 * The client masks INTx when it comes. MSI has as many vectors as are set in one go; vectors of
 * MSI-X come and go one by one.
 */
static int
describe_irqs(const struct rte_vfio_user_pci *pci, const char *sock_addr)
{
	const struct {
		uint32_t count;
		uint32_t flags;
	} types[VFIO_PCI_NUM_IRQS] = {
		[VFIO_PCI_INTX_IRQ_INDEX] = { vu_pci_cfg_get8(&pci->cfg, 0x3d) != 0,
			VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED },
		[VFIO_PCI_MSI_IRQ_INDEX] = { pci->msi.nb, VFIO_IRQ_INFO_EVENTFD |
			VFIO_IRQ_INFO_NORESIZE },
		[VFIO_PCI_MSIX_IRQ_INDEX] = { pci->msix.nb, VFIO_IRQ_INFO_EVENTFD },
		[VFIO_PCI_ERR_IRQ_INDEX] = { 1, VFIO_IRQ_INFO_EVENTFD },
		[VFIO_PCI_REQ_IRQ_INDEX] = { 1, VFIO_IRQ_INFO_EVENTFD },
	};
	struct rte_vfio_user_irq_info *irqs;
	uint32_t i;
	int rc;

	irqs = calloc(1, sizeof(*irqs) + sizeof(irqs->irq_info[0]) * RTE_DIM(types));
	if (irqs == NULL)
		return -ENOMEM;
	irqs->irq_num = RTE_DIM(types);
	for (i = 0; i < irqs->irq_num; i++) {
		irqs->irq_info[i] = (struct vfio_irq_info){
			.argsz = sizeof(irqs->irq_info[i]),
			.index = i,
			.count = types[i].count,
			.flags = types[i].flags,
		};
	}
	rc = rte_vfio_user_set_irq_info(sock_addr, irqs);
	free(irqs);
	return rc;
}

static int
describe(struct rte_vfio_user_pci *pci, const char *sock_addr)
{
	int rc = describe_device(sock_addr);

	if (rc == 0)
		rc = describe_regions(pci, sock_addr);
	if (rc == 0)
		rc = describe_irqs(pci, sock_addr);
	return rc;
}

/* ---- start, stop ---- */

/* Returns the id of the session, which knows the function from now on. */
static int
session_set(struct rte_vfio_user_pci *pci, const char *sock_addr)
{
	int dev_id = rte_vfio_user_dev_id(sock_addr);
	struct vu_session *s = vu_session_hold(dev_id);

	if (s == NULL)
		return dev_id < 0 ? dev_id : -ENOENT;
	s->pci = pci;
	vu_session_put(s);
	atomic_store(&pci->dev_id, dev_id);
	return dev_id;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_start, 25.11)
int
rte_vfio_user_pci_start(struct rte_vfio_user_pci *pci, const char *sock_addr,
	const struct rte_vfio_user_options *opt)
{
	const struct rte_vfio_user_notify_ops ops = notify_ops(pci);
	int rc, dev_id;

	if (pci->sock_addr != NULL)
		return -EBUSY;
	rc = rte_vfio_user_register_opt(sock_addr, &ops, opt);
	if (rc < 0)
		return rc;
	pci->sock_addr = strdup(sock_addr);
	dev_id = pci->sock_addr == NULL ? -ENOMEM : session_set(pci, sock_addr);
	rc = dev_id < 0 ? dev_id : describe(pci, sock_addr);
	if (rc < 0)
		goto err_unregister;
	rc = rte_vfio_user_start(sock_addr);
	if (rc < 0)
		goto err_unregister;
	return dev_id;

err_unregister:
	rte_vfio_user_unregister(sock_addr);
	atomic_store(&pci->dev_id, -1);
	free(pci->sock_addr);
	pci->sock_addr = NULL;
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_stop, 25.11)
int
rte_vfio_user_pci_stop(struct rte_vfio_user_pci *pci)
{
	int rc;

	if (pci->sock_addr == NULL)
		return 0;
	rc = rte_vfio_user_unregister(pci->sock_addr);
	if (rc == -EBUSY || rc == -EDEADLK)
		return rc;
	atomic_store(&pci->dev_id, -1);
	free(pci->sock_addr);
	pci->sock_addr = NULL;
	return 0;
}
