/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VM_H
#define VM_H

/**
 * @file
 * What suites of kind "vm" share: they run as root in a guest of devtools/vm/ whose devices are
 * theirs to bind, and compare what the bus shows with what the kernel says.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/vfio.h>

#define VM_BDF_LEN 16

/** A device opened by plain system calls, with the group and container that hold it. */
struct vm_vfio {
	int container;
	int group;
	int device;
};

/** A span of a BAR, and of the address space when @p addr is not NULL. */
struct vm_span {
	uint64_t off;
	uint64_t len;
};

/** Address of the first device of these ids; false when there is none. */
bool vm_find(uint16_t vendor, uint16_t device, char bdf[VM_BDF_LEN]);

/** The same of one after @p nth of them, in no order that means anything but is always the same. */
bool vm_find_nth(uint16_t vendor, uint16_t device, unsigned int nth, char bdf[VM_BDF_LEN]);

/** Give the device to the kernel driver @p driver; NULL: to none. 0 or -errno. */
int vm_bind(const char *bdf, const char *driver);

/** Has the device a kernel driver? */
bool vm_is_bound(const char *bdf);

/** Set the windows that devices bound to sparse-vfio-pci from now on permit. 0 or -errno. */
int vm_sparse_windows(const char *text);

/** Set whether those devices permit to map the MSI-X table. 0 or -errno. */
int vm_sparse_msix_mappable(bool mappable);

/** How many mappings sparse-vfio-pci has refused since it was loaded. */
unsigned int vm_sparse_refused(void);

/** Write @p text to a file of sysfs. 0 or -errno. */
int vm_write_file(const char *path, const char *text);

/** Open the device; 0 or -errno. To be closed by vm_vfio_close(). */
int vm_vfio_open(const char *bdf, struct vm_vfio *vfio);
void vm_vfio_close(struct vm_vfio *vfio);

/** Region info with its capabilities; the caller frees. NULL when the kernel refuses. */
struct vfio_region_info *vm_vfio_region(int device, unsigned int index);

/** The capability in the chain of @p info, or NULL. */
const struct vfio_info_cap_header *vm_vfio_capability(const struct vfio_region_info *info,
		uint16_t id);

/** Where BAR @p bar of the device is in physical memory, and its length. 0 or -errno. */
int vm_bar(const char *bdf, unsigned int bar, struct vm_span *span);

/** What the kernel says of that BAR: the flags of its resource; 0 when there is none. */
uint64_t vm_bar_flags(const char *bdf, unsigned int bar);

/**
 * Spans of BAR @p bar that this process has mapped, sorted and merged, relative to the BAR, as
 * /proc/self/maps tells.
 *
 * @return number of spans, at most @p max
 */
size_t vm_mapped_spans(const char *bdf, unsigned int bar, struct vm_span *span, size_t max);

/** Is all of [@p addr, @p addr + @p len) reserved, but neither to be read nor written? */
bool vm_inaccessible(const void *addr, uint64_t len);

#endif /* VM_H */
