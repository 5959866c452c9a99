/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pciio.h>
#include <unistd.h>

#include <rte_eal_paging.h>

#include "pci_bsd_conf.h"
#include "pci_bsd_kernel.h"

#if defined(__x86_64__)
#include <dev/io/iodev.h>
#endif

/* What we call our own is the kernel's, as far as it is the same in all releases. */
#define SAME(ours, our_field, theirs, their_field) \
	_Static_assert(offsetof(struct ours, our_field) == offsetof(struct theirs, their_field), \
		#theirs "." #their_field)
#define SAME_SIZE(ours, theirs) \
	_Static_assert(sizeof(struct ours) == sizeof(struct theirs), "size of " #theirs)
#define SAME_VALUE(ours, theirs) \
	_Static_assert((unsigned long)(ours) == (unsigned long)(theirs), #theirs)

SAME_SIZE(pci_bsd_sel, pcisel);
SAME(pci_bsd_sel, domain, pcisel, pc_domain);
SAME(pci_bsd_sel, bus, pcisel, pc_bus);
SAME(pci_bsd_sel, dev, pcisel, pc_dev);
SAME(pci_bsd_sel, func, pcisel, pc_func);
SAME_SIZE(pci_bsd_list, pci_conf_io);
SAME(pci_bsd_list, pat_buf_len, pci_conf_io, pat_buf_len);
SAME(pci_bsd_list, nb_patterns, pci_conf_io, num_patterns);
SAME(pci_bsd_list, match_buf_len, pci_conf_io, match_buf_len);
SAME(pci_bsd_list, nb_matches, pci_conf_io, num_matches);
SAME(pci_bsd_list, matches, pci_conf_io, matches);
SAME(pci_bsd_list, offset, pci_conf_io, offset);
SAME(pci_bsd_list, generation, pci_conf_io, generation);
SAME(pci_bsd_list, status, pci_conf_io, status);
SAME_VALUE(PCI_BSD_LIST_LAST, PCI_GETCONF_LAST_DEVICE);
SAME_VALUE(PCI_BSD_LIST_CHANGED, PCI_GETCONF_LIST_CHANGED);
SAME_VALUE(PCI_BSD_LIST_MORE, PCI_GETCONF_MORE_DEVS);
SAME_VALUE(PCI_BSD_LIST_ERROR, PCI_GETCONF_ERROR);
SAME_SIZE(pci_bsd_reg, pci_io);
SAME(pci_bsd_reg, reg, pci_io, pi_reg);
SAME(pci_bsd_reg, width, pci_io, pi_width);
SAME(pci_bsd_reg, data, pci_io, pi_data);
SAME_SIZE(pci_bsd_get_bar, pci_bar_io);
SAME(pci_bsd_get_bar, reg, pci_bar_io, pbi_reg);
SAME(pci_bsd_get_bar, enabled, pci_bar_io, pbi_enabled);
SAME(pci_bsd_get_bar, base, pci_bar_io, pbi_base);
SAME(pci_bsd_get_bar, length, pci_bar_io, pbi_length);
SAME_SIZE(pci_bsd_map_bar, pci_bar_mmap);
SAME(pci_bsd_map_bar, map_base, pci_bar_mmap, pbm_map_base);
SAME(pci_bsd_map_bar, map_length, pci_bar_mmap, pbm_map_length);
SAME(pci_bsd_map_bar, bar_length, pci_bar_mmap, pbm_bar_length);
SAME(pci_bsd_map_bar, bar_off, pci_bar_mmap, pbm_bar_off);
SAME(pci_bsd_map_bar, sel, pci_bar_mmap, pbm_sel);
SAME(pci_bsd_map_bar, reg, pci_bar_mmap, pbm_reg);
SAME(pci_bsd_map_bar, flags, pci_bar_mmap, pbm_flags);
SAME(pci_bsd_map_bar, memattr, pci_bar_mmap, pbm_memattr);
SAME_VALUE(PCI_BSD_MAP_FIXED, PCIIO_BAR_MMAP_FIXED);
SAME_VALUE(PCI_BSD_MAP_RW, PCIIO_BAR_MMAP_RW);
SAME_SIZE(pci_bsd_bar_io, pci_bar_ioreq);
SAME(pci_bsd_bar_io, op, pci_bar_ioreq, pbi_op);
SAME(pci_bsd_bar_io, bar, pci_bar_ioreq, pbi_bar);
SAME(pci_bsd_bar_io, offset, pci_bar_ioreq, pbi_offset);
SAME(pci_bsd_bar_io, width, pci_bar_ioreq, pbi_width);
SAME(pci_bsd_bar_io, value, pci_bar_ioreq, pbi_value);
SAME_VALUE(PCI_BSD_BAR_IO_READ, PCIBARIO_READ);
SAME_VALUE(PCI_BSD_BAR_IO_WRITE, PCIBARIO_WRITE);
SAME_VALUE(PCI_BSD_READ, PCIOCREAD);
SAME_VALUE(PCI_BSD_WRITE, PCIOCWRITE);
SAME_VALUE(PCI_BSD_GET_BAR, PCIOCGETBAR);
SAME_VALUE(PCI_BSD_MAP_BAR, PCIOCBARMMAP);
SAME_VALUE(PCI_BSD_BAR_IO, PCIOCBARIO);
_Static_assert(sizeof(struct pci_conf) == PCI_BSD_RECORD_14 ?
	PCIOCGETCONF == PCI_BSD_LIST_14 :
	sizeof(struct pci_conf) == PCI_BSD_RECORD_15 && PCIOCGETCONF == PCI_BSD_LIST_15,
	"a list as we know it");
#if defined(__x86_64__)
SAME_SIZE(pci_bsd_port, iodev_pio_req);
SAME(pci_bsd_port, port, iodev_pio_req, port);
SAME(pci_bsd_port, width, iodev_pio_req, width);
SAME(pci_bsd_port, value, iodev_pio_req, val);
SAME_VALUE(PCI_BSD_PORT, IODEV_PIO);
SAME_VALUE(PCI_BSD_PORT_READ, IODEV_PIO_READ);
SAME_VALUE(PCI_BSD_PORT_WRITE, IODEV_PIO_WRITE);
#endif

static int
kernel_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void
kernel_close(int fd)
{
	close(fd);
}

static int
kernel_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

static int
kernel_map(void *addr, size_t len, int prot, int fd, off_t offset)
{
	int sys_prot = ((prot & RTE_PROT_READ) != 0 ? PROT_READ : 0) |
		((prot & RTE_PROT_WRITE) != 0 ? PROT_WRITE : 0);
	void *got = mmap(addr, len, sys_prot, MAP_SHARED | MAP_FIXED, fd, offset);

	return got == MAP_FAILED ? -errno : 0;
}

static void
kernel_unmap(void *addr, size_t len)
{
	munmap(addr, len);
}

static const struct pci_bsd_kernel kernel = {
	.open = kernel_open,
	.close = kernel_close,
	.ioctl = kernel_ioctl,
	.map = kernel_map,
	.unmap = kernel_unmap,
};

const struct pci_bsd_kernel *pci_bsd_kernel = &kernel;
