/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "eal_session.h"
#include "fake_sysfs.h"
#include "test.h"
#include "vu_gadget.h"

static const struct vfio_region_sparse_mmap_area windows[] = GADGET_WINDOWS;

static uint64_t
on_read(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t offset, unsigned int width)
{
	struct gadget *gadget = rte_vfio_user_pci_priv(pci);
	uint64_t value = 0;

	if (bar == GADGET_REGS && offset + width <= sizeof(gadget->regs))
		memcpy(&value, &gadget->regs[offset], width);
	return value;
}

static void
on_write(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t offset, unsigned int width,
	uint64_t value)
{
	struct gadget *gadget = rte_vfio_user_pci_priv(pci);

	if (bar == GADGET_REGS && offset + width <= sizeof(gadget->regs))
		memcpy(&gadget->regs[offset], &value, width);
}

static int
on_reset(struct rte_vfio_user_pci *pci)
{
	struct gadget *gadget = rte_vfio_user_pci_priv(pci);

	atomic_fetch_add(&gadget->nb_resets, 1);
	memset(gadget->regs, 0, sizeof(gadget->regs));
	return 0;
}

static void
on_command(struct rte_vfio_user_pci *pci, uint16_t command)
{
	const struct gadget *gadget = rte_vfio_user_pci_priv(pci);

	if (gadget->on_command != NULL)
		gadget->on_command(command);
}

static void
bars_set(struct gadget *gadget)
{
	const struct rte_vfio_user_pci_bar regs = {
		.size = GADGET_REGS_LEN, .read = on_read, .write = on_write,
	};
	const struct rte_vfio_user_pci_bar memory = {
		.size = GADGET_MEMORY_LEN,
		.flags = RTE_VFIO_USER_PCI_BAR_MMAP,
		.base = gadget->memory,
		.fd = gadget->memory_fd,
		.areas = windows,
		.nb_areas = gadget->nb_windows != 0 ? gadget->nb_windows : RTE_DIM(windows),
	};
	const struct rte_vfio_user_pci_bar msix = {
		.size = 65536, .read = on_read, .write = on_write,
	};

	assert_int_equal(rte_vfio_user_pci_set_bar(gadget->pci, GADGET_REGS, &regs), 0);
	assert_int_equal(rte_vfio_user_pci_set_bar(gadget->pci, GADGET_MEMORY, &memory), 0);
	assert_int_equal(rte_vfio_user_pci_set_bar(gadget->pci, GADGET_MSIX, &msix), 0);
}

static void
interrupts_set(struct gadget *gadget)
{
	const struct rte_vfio_user_pci_msix msix = {
		.nb_vectors = (uint16_t)gadget->nb_msix,
		.table_bar = GADGET_MSIX,
		.pba_bar = GADGET_MSIX,
		.pba_offset = 32768,
	};

	if (gadget->nb_msi != 0)
		assert_true(rte_vfio_user_pci_add_msi(gadget->pci, gadget->nb_msi,
				RTE_VFIO_USER_PCI_MSI_64) > 0);
	if (gadget->nb_msix != 0)
		assert_true(rte_vfio_user_pci_add_msix(gadget->pci, &msix) > 0);
}

static void
memory_make(struct gadget *gadget)
{
	gadget->memory_fd = memfd_create("gadget", MFD_CLOEXEC);
	assert_true(gadget->memory_fd >= 0);
	assert_int_equal(ftruncate(gadget->memory_fd, GADGET_MEMORY_LEN), 0);
	gadget->memory = mmap(NULL, GADGET_MEMORY_LEN, PROT_READ | PROT_WRITE, MAP_SHARED,
		gadget->memory_fd, 0);
	assert_ptr_not_equal(gadget->memory, MAP_FAILED);
}

static void
function_make(struct gadget *gadget)
{
	static const struct rte_vfio_user_pci_ops ops = {
		.reset = on_reset, .command_changed = on_command,
	};
	const struct rte_vfio_user_pci_info info = {
		.size = sizeof(info),
		.vendor_id = GADGET_VENDOR,
		.device_id = gadget->device_id != 0 ? gadget->device_id : GADGET_DEVICE,
		.class_code = 0x00ff00,
		.interrupt_pin = gadget->intx_pin,
	};

	assert_int_equal(rte_vfio_user_pci_create(&info, &ops, gadget, &gadget->pci), 0);
	memory_make(gadget);
	bars_set(gadget);
	interrupts_set(gadget);
	gadget->session = rte_vfio_user_pci_start(gadget->pci, gadget->path, NULL);
	assert_true(gadget->session >= 0);
}

void
gadget_start(struct gadget *gadget)
{
	strcpy(gadget->dir, "/tmp/vuXXXXXX");
	assert_non_null(mkdtemp(gadget->dir));
	snprintf(gadget->path, sizeof(gadget->path), "%s/gadget", gadget->dir);
	snprintf(gadget->name, sizeof(gadget->name), "vfio-user:%s/gadget", gadget->dir);
	function_make(gadget);
}

void
gadget_restart(struct gadget *gadget)
{
	gadget_stop(gadget);
	function_make(gadget);
}

void
gadget_stop(struct gadget *gadget)
{
	if (gadget->pci == NULL)
		return;
	rte_vfio_user_pci_free(gadget->pci);
	gadget->pci = NULL;
	munmap(gadget->memory, GADGET_MEMORY_LEN);
	close(gadget->memory_fd);
}

void
gadget_end(struct gadget *gadget)
{
	gadget_stop(gadget);
	assert_int_equal(rmdir(gadget->dir), 0);
}

/* ---- the driver ---- */

_Atomic(struct rte_pci_device *) gadget_device;

static int
gadget_probe(struct rte_pci_driver *driver, struct rte_pci_device *dev)
{
	(void)driver;
	gadget_device = dev;
	return 0;
}

static int
gadget_remove(struct rte_pci_device *dev)
{
	(void)dev;
	gadget_device = NULL;
	return 0;
}

static const struct rte_pci_id ids[] = {
	{ RTE_PCI_DEVICE(GADGET_VENDOR, GADGET_DEVICE) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver driver = {
	.driver = { .name = "gadget" },
	.probe = gadget_probe,
	.remove = gadget_remove,
	.id_table = ids,
	.drv_flags = RTE_PCI_DRV_NEED_MAPPING,
};

void
gadget_attach(struct gadget *gadget, const char *option)
{
	gadget_start(gadget);
	eal_session_start((const char *[]){ "-a", gadget->name, option, NULL });
	assert_non_null(gadget_device);
}

void
gadget_detach(struct gadget *gadget)
{
	eal_session_stop();
	gadget_end(gadget);
}

/* ---- suites ---- */

static struct fake_sysfs *system_pci;

int
gadget_suite_setup(void **state)
{
	(void)state;
	system_pci = fake_sysfs_start();
	rte_pci_register(&driver);
	return 0;
}

int
gadget_suite_teardown(void **state)
{
	(void)state;
	rte_pci_unregister(&driver);
	fake_sysfs_stop(system_pci);
	return 0;
}
