/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vm.h"

#define SYSFS_DEVICES "/sys/bus/pci/devices"
/* how vfio-pci lays out the regions in the file of a device */
#define VFIO_REGION_OFFSET(index) ((uint64_t)(index) << 40)
#define SPARSE_PARAMETERS "/sys/module/sparse_vfio_pci/parameters"

static int
read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, text, size - 1);
	close(fd);
	if (len < 0)
		return -errno;
	text[len] = '\0';
	return 0;
}

int
vm_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t len;
	int rc;

	if (fd < 0)
		return -errno;
	len = write(fd, text, strlen(text));
	rc = len < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static bool
device_has_id(const char *bdf, const char *attribute, unsigned int id)
{
	char path[PATH_MAX];
	char text[32];

	snprintf(path, sizeof(path), "%s/%s/%s", SYSFS_DEVICES, bdf, attribute);
	return read_file(path, text, sizeof(text)) == 0 && strtoul(text, NULL, 16) == id;
}

bool
vm_find_nth(uint16_t vendor, uint16_t device, unsigned int nth, char bdf[VM_BDF_LEN])
{
	DIR *dir = opendir(SYSFS_DEVICES);
	const struct dirent *entry;
	bool found = false;

	while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
		if (!device_has_id(entry->d_name, "vendor", vendor) ||
				!device_has_id(entry->d_name, "device", device))
			continue;
		found = nth-- == 0;
		snprintf(bdf, VM_BDF_LEN, "%.*s", VM_BDF_LEN - 1, entry->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

bool
vm_find(uint16_t vendor, uint16_t device, char bdf[VM_BDF_LEN])
{
	return vm_find_nth(vendor, device, 0, bdf);
}

static int
link_name(const char *bdf, const char *link, char *name, size_t size)
{
	char path[PATH_MAX];
	char target[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "%s/%s/%s", SYSFS_DEVICES, bdf, link);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	snprintf(name, size, "%s", basename(target));
	return 0;
}

int
vm_bind(const char *bdf, const char *driver)
{
	char path[PATH_MAX];
	char bound[64];

	snprintf(path, sizeof(path), "%s/%s/driver/unbind", SYSFS_DEVICES, bdf);
	vm_write_file(path, bdf);
	if (driver == NULL)
		return 0;
	snprintf(path, sizeof(path), "%s/%s/driver_override", SYSFS_DEVICES, bdf);
	vm_write_file(path, driver);
	vm_write_file("/sys/bus/pci/drivers_probe", bdf);
	if (link_name(bdf, "driver", bound, sizeof(bound)) != 0 || strcmp(bound, driver) != 0)
		return -ENODEV;
	return 0;
}

bool
vm_is_bound(const char *bdf)
{
	char name[64];

	return link_name(bdf, "driver", name, sizeof(name)) == 0;
}

int
vm_sparse_windows(const char *text)
{
	/* an empty write never reaches the kernel's parser; a line end does */
	return vm_write_file(SPARSE_PARAMETERS "/windows", text[0] == '\0' ? "\n" : text);
}

int
vm_sparse_msix_mappable(bool mappable)
{
	return vm_write_file(SPARSE_PARAMETERS "/msix_mappable", mappable ? "Y" : "N");
}

unsigned int
vm_sparse_refused(void)
{
	char text[32];

	if (read_file(SPARSE_PARAMETERS "/refused", text, sizeof(text)) != 0)
		return UINT_MAX;
	return (unsigned int)strtoul(text, NULL, 10);
}

static int
vfio_attach(struct vm_vfio *vfio, const char *bdf)
{
	if (ioctl(vfio->group, VFIO_GROUP_SET_CONTAINER, &vfio->container) != 0 ||
			ioctl(vfio->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) != 0)
		return -errno;
	vfio->device = ioctl(vfio->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	return vfio->device < 0 ? -errno : 0;
}

int
vm_vfio_open(const char *bdf, struct vm_vfio *vfio)
{
	char path[PATH_MAX];
	char group[32];
	int rc;

	vfio->device = -1;
	rc = link_name(bdf, "iommu_group", group, sizeof(group));
	if (rc != 0)
		return rc;
	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	vfio->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	vfio->group = open(path, O_RDWR | O_CLOEXEC);
	rc = vfio_attach(vfio, bdf);
	if (rc != 0)
		vm_vfio_close(vfio);
	return rc;
}

void
vm_vfio_close(struct vm_vfio *vfio)
{
	const int fds[] = { vfio->device, vfio->group, vfio->container };
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

struct vfio_region_info *
vm_vfio_region(int device, unsigned int index)
{
	struct vfio_region_info *info;
	uint32_t size = 65536;

	info = calloc(1, size);
	if (info == NULL)
		return NULL;
	info->argsz = size;
	info->index = index;
	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, info) == 0)
		return info;
	free(info);
	return NULL;
}

const struct vfio_info_cap_header *
vm_vfio_capability(const struct vfio_region_info *info, uint16_t id)
{
	const struct vfio_info_cap_header *cap;
	uint32_t off = (info->flags & VFIO_REGION_INFO_FLAG_CAPS) ? info->cap_offset : 0;

	while (off != 0 && off <= info->argsz - sizeof(*cap)) {
		cap = (const void *)((const char *)info + off);
		if (cap->id == id)
			return cap;
		off = cap->next;
	}
	return NULL;
}

static int
span_compare(const void *a, const void *b)
{
	const struct vm_span *left = a, *right = b;

	return left->off < right->off ? -1 : left->off > right->off;
}

static size_t
spans_merge(struct vm_span *span, size_t nb)
{
	size_t i, last = 0;

	if (nb == 0)
		return 0;
	qsort(span, nb, sizeof(*span), span_compare);
	for (i = 1; i < nb; i++) {
		if (span[i].off == span[last].off + span[last].len)
			span[last].len += span[i].len;
		else
			span[++last] = span[i];
	}
	return last + 1;
}

struct resource {
	uint64_t start;
	uint64_t end;
	uint64_t flags;
};

static int
resource_read(const char *bdf, unsigned int bar, struct resource *res)
{
	char path[PATH_MAX];
	char text[PATH_MAX];
	const char *line = text;
	int rc;

	snprintf(path, sizeof(path), "%s/%s/resource", SYSFS_DEVICES, bdf);
	rc = read_file(path, text, sizeof(text));
	for (; rc == 0 && bar > 0 && line != NULL; bar--) {
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	if (rc != 0 || line == NULL || sscanf(line, "%" SCNx64 " %" SCNx64 " %" SCNx64,
			&res->start, &res->end, &res->flags) != 3)
		return -EINVAL;
	return 0;
}

int
vm_bar(const char *bdf, unsigned int bar, struct vm_span *span)
{
	struct resource res;
	int rc = resource_read(bdf, bar, &res);

	if (rc != 0)
		return rc;
	span->off = res.start;
	span->len = res.end == 0 ? 0 : res.end - res.start + 1;
	return 0;
}

uint64_t
vm_bar_flags(const char *bdf, unsigned int bar)
{
	struct resource res;

	return resource_read(bdf, bar, &res) == 0 ? res.flags : 0;
}

/* The span that a line of /proc/self/maps tells of, if it is of VFIO or a BAR's file in sysfs. */
static bool
maps_line_parse(const char *line, struct vm_span *span)
{
	/* opened by its group, by its own node; UIO */
	static const char *const names[] = { "vfio-device", "/dev/vfio/devices/", "/resource" };
	uint64_t start, end;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strstr(line, names[i]) != NULL)
			break;
	if (i == sizeof(names) / sizeof(names[0]))
		return false;
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64, &start, &end, &span->off) != 3)
		return false;
	span->len = end - start;
	return true;
}

/*
 * Kernels before 6.10 show the physical address as the offset of a mapping, later ones the offset
 * in the file of the device. Both are of the device that owns the BAR, or of one opened alone.
 */
static bool
span_within(struct vm_span *span, uint64_t off, uint64_t len)
{
	if (span->off < off || span->off - off >= len)
		return false;
	span->off -= off;
	return true;
}

size_t
vm_mapped_spans(const char *bdf, unsigned int bar, struct vm_span *span, size_t max)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[PATH_MAX];
	struct vm_span whole;
	size_t nb = 0;

	if (maps == NULL || vm_bar(bdf, bar, &whole) != 0)
		abort();
	while (nb < max && fgets(line, sizeof(line), maps) != NULL)
		if (maps_line_parse(line, &span[nb]) &&
				(span_within(&span[nb], whole.off, whole.len) ||
				span_within(&span[nb], VFIO_REGION_OFFSET(bar), whole.len)))
			nb++;
	fclose(maps);
	return spans_merge(span, nb);
}

bool
vm_inaccessible(const void *addr, uint64_t len)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uint64_t at = (uintptr_t)addr, stop = at + len;
	char line[PATH_MAX];
	char prot[5] = "";
	uint64_t start, end;

	if (maps == NULL)
		abort();
	while (at < stop && fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &end, prot) == 3 &&
				start <= at && at < end && strncmp(prot, "---", 3) == 0)
			at = end;
	fclose(maps);
	return at >= stop;
}
