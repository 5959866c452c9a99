/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_SYS_PCIIO_H
#define STANDIN_SYS_PCIIO_H

#include <sys/ioccom.h>

#ifndef STANDIN_RELEASE
#define STANDIN_RELEASE 14
#endif

#define PCI_MAXNAMELEN 16

typedef enum {
	PCI_GETCONF_LAST_DEVICE,
	PCI_GETCONF_LIST_CHANGED,
	PCI_GETCONF_MORE_DEVS,
	PCI_GETCONF_ERROR
} pci_getconf_status;

typedef enum {
	PCI_GETCONF_NO_MATCH = 0x0000,
	PCI_GETCONF_MATCH_DOMAIN = 0x0001
} pci_getconf_flags;

struct pcisel {
	uint32_t pc_domain;
	uint8_t pc_bus;
	uint8_t pc_dev;
	uint8_t pc_func;
};

struct pci_conf {
	struct pcisel pc_sel;
	uint8_t pc_hdr;
	uint16_t pc_subvendor;
	uint16_t pc_subdevice;
	uint16_t pc_vendor;
	uint16_t pc_device;
	uint8_t pc_class;
	uint8_t pc_subclass;
	uint8_t pc_progif;
	uint8_t pc_revid;
	char pd_name[PCI_MAXNAMELEN + 1];
	unsigned long pd_unit;
#if STANDIN_RELEASE >= 15
	int pd_numa_domain;
	size_t pc_reported_len;
	char pc_spare[64];
#endif
};

struct pci_match_conf {
	struct pcisel pc_sel;
	char pd_name[PCI_MAXNAMELEN + 1];
	unsigned long pd_unit;
	uint16_t pc_vendor;
	uint16_t pc_device;
	uint8_t pc_class;
	pci_getconf_flags flags;
};

struct pci_conf_io {
	uint32_t pat_buf_len;
	uint32_t num_patterns;
	struct pci_match_conf *patterns;
	uint32_t match_buf_len;
	uint32_t num_matches;
	struct pci_conf *matches;
	uint32_t offset;
	uint32_t generation;
	pci_getconf_status status;
};

struct pci_io {
	struct pcisel pi_sel;
	int pi_reg;
	int pi_width;
	uint32_t pi_data;
};

struct pci_bar_io {
	struct pcisel pbi_sel;
	int pbi_reg;
	int pbi_enabled;
	uint64_t pbi_base;
	uint64_t pbi_length;
};

struct pci_bar_mmap {
	void *pbm_map_base;
	size_t pbm_map_length;
	uint64_t pbm_bar_length;
	int pbm_bar_off;
	struct pcisel pbm_sel;
	int pbm_reg;
	int pbm_flags;
	int pbm_memattr;
};

struct pci_bar_ioreq {
	struct pcisel pbi_sel;
	int pbi_op;
	uint32_t pbi_bar;
	uint32_t pbi_offset;
	uint32_t pbi_width;
	uint32_t pbi_value;
};

#define PCIIO_BAR_MMAP_FIXED 0x01
#define PCIIO_BAR_MMAP_EXCL 0x02
#define PCIIO_BAR_MMAP_RW 0x04
#define PCIIO_BAR_MMAP_ACTIVATE 0x08
#define PCIBARIO_READ 0x1
#define PCIBARIO_WRITE 0x2

#define PCIOCREAD _IOWR('p', 2, struct pci_io)
#define PCIOCWRITE _IOWR('p', 3, struct pci_io)
#define PCIOCATTACHED _IOWR('p', 4, struct pci_io)
#if STANDIN_RELEASE >= 15
#define PCIOCGETCONF _IOWR('p', 10, struct pci_conf_io)
#else
#define PCIOCGETCONF _IOWR('p', 5, struct pci_conf_io)
#endif
#define PCIOCGETBAR _IOWR('p', 6, struct pci_bar_io)
#define PCIOCBARMMAP _IOWR('p', 8, struct pci_bar_mmap)
#define PCIOCBARIO _IOWR('p', 9, struct pci_bar_ioreq)

#endif
