/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The table of driver tests over the kernel's drivers. The guest script says by DPDK_TEST_TRANSPORT
 * which rows are for the device that it has.
 */

#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "driver_tests.h"
#include "vm.h"

#define EDU 0x1234, 0x11e8

/* What the kernel does with the device. */
struct vm_way {
	const char *set;	/* as in DPDK_TEST_TRANSPORT */
	const char *kernel_driver;
};

/* Once: devices stay bound from test to test, and from row to row of one driver. */
static void
bind_all(const struct driver_case *c, const char *kernel_driver)
{
	static const char *bound;
	static unsigned int nb;
	unsigned int i;

	if (bound != NULL && strcmp(bound, kernel_driver) == 0 && nb >= c->nb)
		return;
	for (i = 0; i < c->nb; i++)
		assert_int_equal(vm_bind(c->device[i].devargs, kernel_driver), 0);
	bound = kernel_driver;
	nb = c->nb;
}

static void
setup(struct driver_case *c)
{
	const struct vm_way *way = c->transport->priv;
	unsigned int i;

	for (i = 0; i < c->nb; i++)
		assert_true(vm_find_nth(EDU, i, c->device[i].devargs));
	bind_all(c, way->kernel_driver);
}

static void
teardown(struct driver_case *c)
{
	unsigned int i;

	for (i = 0; i < c->nb; i++)
		assert_true(vm_is_bound(c->device[i].devargs));
}

#define NO_RESET "the device has none that the kernel could use"
#define ONE "the guest has one"

/* ---- QEMU's device ---- */

static const struct vm_way vfio_pci = { "vfio-pci", "vfio-pci" };

#define VFIO_PCI \
	.setup = setup, \
	.teardown = teardown, \
	.backend = "vfio", \
	.registers_mapped = true

#define VFIO_PCI_LACKS \
	[DRIVER_LAST_BYTE] = "QEMU before 8.0 ends itself when it is touched", \
	[DRIVER_MEMORY] = "QEMU's device has none", \
	[DRIVER_RESET] = NO_RESET

/* ---- the same, where the kernel has two ways ---- */

static const struct vm_way vfio_node = { "vfio-node", "vfio-pci" };
static const struct vm_way vfio_group = { "vfio-group", "vfio-pci" };

/* ---- the same device, without an IOMMU: memory is where it is ---- */

static const struct vm_way uio_pci_generic = { "uio_pci_generic", "uio_pci_generic" };

static const struct vm_way igb_uio = { "igb_uio", "igb_uio" };

#define UIO \
	.nb = 1, \
	.setup = setup, \
	.teardown = teardown, \
	.backend = "uio", \
	.registers_mapped = true, \
	.huge_pages = true

#define NO_IOMMU \
	[DRIVER_IOVA] = "they are physical addresses", \
	[DRIVER_OWN_MEMORY] = "nobody tells where in physical memory it is"

static const struct vm_way vfio_noiommu = { "vfio-noiommu", "vfio-pci" };

#define VFIO_NOIOMMU \
	VFIO_PCI, \
	.nb = 1, \
	.huge_pages = true, \
	.priv = &vfio_noiommu, \
	.lacks = { \
		NO_IOMMU, \
		VFIO_PCI_LACKS, \
		[DRIVER_SEVERAL] = ONE, \
	}

/* ---- one with and one without an IOMMU, in one process ---- */

static const struct vm_way vfio_mixed = { "vfio-mixed", "vfio-pci" };

#define VFIO_MIXED \
	VFIO_PCI, \
	.nb = 2, \
	.huge_pages = true, \
	.priv = &vfio_mixed, \
	.lacks = { \
		NO_IOMMU, \
		VFIO_PCI_LACKS, \
		[DRIVER_INTERRUPTS] = "QEMU lets none past its IOMMU", \
	}

#define UIO_OF_QEMU \
	UIO, \
	.lacks = { \
		NO_IOMMU, \
		[DRIVER_LAST_BYTE] = "QEMU before 8.0 ends itself when it is touched", \
		[DRIVER_MEMORY] = "QEMU's device has none", \
		[DRIVER_RESET] = NO_RESET, \
		[DRIVER_SEVERAL] = ONE, \
	}

/* ---- the device of dpdk-vfio-user, which QEMU shows to the guest ---- */

static const struct vm_way served = { "served", "vfio-pci" };

static const struct vm_way served_msix = { "served_msix", "vfio-pci" };

#define SERVED \
	.nb = 1, \
	.setup = setup, \
	.teardown = teardown, \
	.backend = "vfio", \
	.registers_mapped = true, \
	.window = { .offset = 0, .size = UINT64_C(64) << 10 }

#define SERVED_LACKS \
	[DRIVER_TRAPPED] = "what the server does not let be mapped QEMU traps, not we", \
	[DRIVER_RESET] = NO_RESET, \
	[DRIVER_SEVERAL] = ONE

static const struct vm_way served_uio = { "served_uio", "uio_pci_generic" };

#define SERVED_UIO \
	UIO, \
	.intr = RTE_INTR_HANDLE_UIO_INTX, \
	.window = { .offset = 0, .size = UINT64_C(64) << 10 }, \
	.priv = &served_uio, \
	.lacks = { \
		NO_IOMMU, \
		[DRIVER_TRAPPED] = "what the server does not let be mapped QEMU traps, not we", \
		[DRIVER_RESET] = NO_RESET, \
		[DRIVER_SEVERAL] = ONE, \
	}

/* ---- memory is where the device does not reach it ---- */

static const struct vm_way uio_without_dma = { "uio_without_dma", "uio_pci_generic" };

#define UIO_WITHOUT_DMA \
	.nb = 1, \
	.setup = setup, \
	.teardown = teardown, \
	.backend = "uio", \
	.registers_mapped = true, \
	.intr = RTE_INTR_HANDLE_UIO_INTX, \
	.args = { "--iova-mode=va" }, \
	.priv = &uio_without_dma, \
	.lacks = { \
		NO_IOMMU, \
		[DRIVER_DMA] = "the bus keeps bus mastering off", \
		[DRIVER_ANY_WIDTH] = "arm64 faults where the device refuses", \
		[DRIVER_MEMORY] = "QEMU's device has none", \
		[DRIVER_RESET] = NO_RESET, \
		[DRIVER_SEVERAL] = ONE, \
	}

#define BY_MSI .intr = RTE_INTR_HANDLE_VFIO_MSI, .args = { "--vfio-intr=msi" }
#define BY_MSIX .intr = RTE_INTR_HANDLE_VFIO_MSIX, .args = { "--vfio-intr=msix" }
#define BY_INTX .intr = RTE_INTR_HANDLE_VFIO_LEGACY, .args = { "--vfio-intr=legacy" }
#define BY_MSI_AND(option) \
	.intr = RTE_INTR_HANDLE_VFIO_MSI, .args = { "--vfio-intr=msi", option }
#define BY_INTX_AND(option) \
	.intr = RTE_INTR_HANDLE_VFIO_LEGACY, .args = { "--vfio-intr=legacy", option }

#define ONE_DEVICE \
	.nb = 1, .lacks = { VFIO_PCI_LACKS, [DRIVER_SEVERAL] = "the next row has two" }
#define TWO_DEVICES \
	.nb = 2, .lacks = { VFIO_PCI_LACKS }

static const struct driver_transport transports[] = {
	{
		.name = "vfio-pci, MSI", .priv = &vfio_pci,
		VFIO_PCI, BY_MSI, ONE_DEVICE,
	},
	{
		.name = "vfio-pci, INTx, two devices", .priv = &vfio_pci,
		VFIO_PCI, BY_INTX, TWO_DEVICES,
	},
	{
		.name = "vfio-pci by its node, INTx", .priv = &vfio_node,
		VFIO_PCI, BY_INTX_AND("--vfio-mode=cdev"), ONE_DEVICE,
	},
	{
		.name = "vfio-pci by its node, MSI, two devices", .priv = &vfio_node,
		VFIO_PCI, BY_MSI_AND("--vfio-mode=cdev"), TWO_DEVICES,
	},
	{
		.name = "vfio-pci by its group, INTx", .priv = &vfio_group,
		VFIO_PCI, BY_INTX_AND("--vfio-mode=group"), ONE_DEVICE,
	},
	{
		.name = "vfio-pci by its group, MSI, two devices", .priv = &vfio_group,
		VFIO_PCI, BY_MSI_AND("--vfio-mode=group"), TWO_DEVICES,
	},
	{ .name = "vfio-pci without IOMMU, MSI", VFIO_NOIOMMU, BY_MSI },
	{ .name = "vfio-pci without IOMMU, INTx", VFIO_NOIOMMU, BY_INTX },
	{ .name = "vfio-pci with and without IOMMU", VFIO_MIXED, BY_MSI },
	{
		.name = "uio_pci_generic", .priv = &uio_pci_generic,
		UIO_OF_QEMU, .intr = RTE_INTR_HANDLE_UIO_INTX,
	},
	{ .name = "uio_pci_generic without DMA", UIO_WITHOUT_DMA },
	{
		.name = "igb_uio", .priv = &igb_uio,
		UIO_OF_QEMU, .intr = RTE_INTR_HANDLE_UIO,
	},
	{ .name = "served, MSI", .priv = &served, SERVED, BY_MSI, .lacks = { SERVED_LACKS } },
	{ .name = "served, INTx", .priv = &served, SERVED, BY_INTX, .lacks = { SERVED_LACKS } },
	{
		.name = "served, MSI-X", .priv = &served_msix, SERVED, BY_MSIX,
		.lacks = { SERVED_LACKS, [DRIVER_MSI] = "it has MSI-X" },
	},
	{ .name = "served, uio_pci_generic", SERVED_UIO },
};

/* Those of one guest, or all to look at. */
static void __attribute__((constructor))
suite_register_vm_driver(void)
{
	static struct driver_transport chosen[RTE_DIM(transports)];
	const char *set = getenv("DPDK_TEST_TRANSPORT");
	size_t i;

	memcpy(chosen, transports, sizeof(chosen));
	for (i = 0; i < RTE_DIM(chosen); i++)
		if (set != NULL && strcmp(set, ((const struct vm_way *)chosen[i].priv)->set) != 0)
			chosen[i].name = NULL;
	driver_suite_register("vm_driver", "vm", chosen, RTE_DIM(chosen), NULL);
}
