/* SPDX-License-Identifier: BSD-3-Clause */

#include <stddef.h>

#include <rte_common.h>

#include "names.h"

struct name {
	uint32_t id;
	const char *text;
};

/* Base class and sub-class. */
static const struct name class_names[] = {
	{ 0x0000, "Unclassified device" },
	{ 0x0001, "VGA compatible device" },
	{ 0x0100, "SCSI controller" },
	{ 0x0101, "IDE controller" },
	{ 0x0104, "RAID controller" },
	{ 0x0106, "SATA controller" },
	{ 0x0107, "SAS controller" },
	{ 0x0108, "NVM controller" },
	{ 0x0180, "Storage controller" },
	{ 0x0200, "Ethernet controller" },
	{ 0x0207, "InfiniBand controller" },
	{ 0x0208, "Fabric controller" },
	{ 0x0280, "Network controller" },
	{ 0x0300, "VGA controller" },
	{ 0x0302, "3D controller" },
	{ 0x0380, "Display controller" },
	{ 0x0403, "Audio device" },
	{ 0x0500, "RAM controller" },
	{ 0x0580, "Memory controller" },
	{ 0x0600, "Host bridge" },
	{ 0x0601, "ISA bridge" },
	{ 0x0604, "PCI bridge" },
	{ 0x0680, "Bridge" },
	{ 0x0700, "Serial controller" },
	{ 0x0780, "Communication controller" },
	{ 0x0801, "DMA controller" },
	{ 0x0806, "IOMMU" },
	{ 0x0880, "System peripheral" },
	{ 0x0b40, "Co-processor" },
	{ 0x0c03, "USB controller" },
	{ 0x0c05, "SMBus" },
	{ 0x1000, "Network and computing encryption device" },
	{ 0x1080, "Encryption controller" },
	{ 0x1180, "Signal processing controller" },
	{ 0x1200, "Processing accelerator" },
};

/* Where the sub-class says nothing. */
static const struct name base_class_names[] = {
	{ 0x00, "Unclassified device" },
	{ 0x01, "Storage controller" },
	{ 0x02, "Network controller" },
	{ 0x03, "Display controller" },
	{ 0x04, "Multimedia controller" },
	{ 0x05, "Memory controller" },
	{ 0x06, "Bridge" },
	{ 0x07, "Communication controller" },
	{ 0x08, "System peripheral" },
	{ 0x09, "Input device" },
	{ 0x0a, "Docking station" },
	{ 0x0b, "Processor" },
	{ 0x0c, "Serial bus controller" },
	{ 0x0d, "Wireless controller" },
	{ 0x0e, "Intelligent controller" },
	{ 0x0f, "Satellite communication controller" },
	{ 0x10, "Encryption controller" },
	{ 0x11, "Signal processing controller" },
	{ 0x12, "Processing accelerator" },
	{ 0x13, "Instrumentation device" },
	{ 0xff, "Vendor-specific device" },
};

static const struct name cap_names[] = {
	{ 0x01, "Power Management" },
	{ 0x02, "AGP" },
	{ 0x03, "Vital Product Data" },
	{ 0x04, "Slot Identification" },
	{ 0x05, "MSI" },
	{ 0x06, "CompactPCI Hot Swap" },
	{ 0x07, "PCI-X" },
	{ 0x08, "HyperTransport" },
	{ 0x09, "Vendor Specific" },
	{ 0x0a, "Debug Port" },
	{ 0x0c, "Hot-Plug" },
	{ 0x0d, "Subsystem Ids" },
	{ 0x0f, "Secure Device" },
	{ 0x10, "PCI Express" },
	{ 0x11, "MSI-X" },
	{ 0x12, "SATA" },
	{ 0x13, "Advanced Features" },
	{ 0x14, "Enhanced Allocation" },
};

static const struct name ext_cap_names[] = {
	{ 0x01, "Advanced Error Reporting" },
	{ 0x02, "Virtual Channel" },
	{ 0x03, "Device Serial Number" },
	{ 0x04, "Power Budgeting" },
	{ 0x05, "Root Complex Link" },
	{ 0x0b, "Vendor Specific" },
	{ 0x0d, "Access Control Services" },
	{ 0x0e, "Alternative Routing-ID" },
	{ 0x0f, "Address Translation Services" },
	{ 0x10, "Single Root I/O Virtualization" },
	{ 0x12, "Multicast" },
	{ 0x13, "Page Request Interface" },
	{ 0x15, "Resizable BAR" },
	{ 0x16, "Dynamic Power Allocation" },
	{ 0x17, "TPH Requester" },
	{ 0x18, "Latency Tolerance Reporting" },
	{ 0x19, "Secondary PCI Express" },
	{ 0x1b, "Process Address Space Id" },
	{ 0x1d, "Downstream Port Containment" },
	{ 0x1e, "L1 PM Substates" },
	{ 0x1f, "Precision Time Measurement" },
	{ 0x23, "Designated Vendor Specific" },
	{ 0x24, "VF Resizable BAR" },
	{ 0x25, "Data Link Feature" },
	{ 0x26, "Physical Layer 16.0 GT/s" },
	{ 0x27, "Lane Margining" },
	{ 0x2a, "Physical Layer 32.0 GT/s" },
	{ 0x2e, "Data Object Exchange" },
};

static const char *
name_find(const struct name *names, size_t nb_names, uint32_t id)
{
	size_t i;

	for (i = 0; i < nb_names; i++)
		if (names[i].id == id)
			return names[i].text;
	return NULL;
}

static const char *
name_or(const char *name, const char *otherwise)
{
	return name != NULL ? name : otherwise;
}

const char *
pci_class_name(uint32_t class_id)
{
	const char *name = name_find(class_names, RTE_DIM(class_names), class_id >> 8);

	if (name == NULL)
		name = name_find(base_class_names, RTE_DIM(base_class_names), class_id >> 16);
	return name_or(name, "Device of an unknown class");
}

const char *
pci_cap_name(uint32_t id)
{
	return name_or(name_find(cap_names, RTE_DIM(cap_names), id), "Unknown");
}

const char *
pci_ext_cap_name(uint32_t id)
{
	return name_or(name_find(ext_cap_names, RTE_DIM(ext_cap_names), id), "Unknown");
}
