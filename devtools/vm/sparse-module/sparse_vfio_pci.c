// SPDX-License-Identifier: BSD-3-Clause

/*
 * A variant driver of vfio-pci for tests: it owns any PCI device and permits user space to map
 * only the windows that the parameter "windows" names. They are advertised by
 * VFIO_REGION_INFO_CAP_SPARSE_MMAP; a mapping that leaves them is refused and counted.
 *
 * windows=BAR:[OFFSET+LENGTH[,OFFSET+LENGTH]...][;BAR:...]
 *
 * "2:0x1000+0x2000,0x8000+0x1000;0:" gives BAR 2 two windows and BAR 0 an empty list. A BAR that
 * is not named is served as vfio-pci serves it. The value is read when a device is bound.
 */

#include <linux/ctype.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#define SPARSE_WINDOWS_MAX 32

struct sparse_bar {
	bool listed;
	unsigned int nb_windows;
	struct vfio_region_sparse_mmap_area window[SPARSE_WINDOWS_MAX];
};

struct sparse_device {
	struct vfio_pci_core_device core;	/* first: its owner frees by this address */
	struct sparse_bar bar[PCI_STD_NUM_BARS];
};

static char *windows = "";
module_param(windows, charp, 0644);
MODULE_PARM_DESC(windows, "windows that may be mapped: BAR:OFFSET+LENGTH,...;BAR:...");

static bool msix_mappable = true;
module_param(msix_mappable, bool, 0644);
MODULE_PARM_DESC(msix_mappable, "advertise that the MSI-X table may be mapped");

static unsigned int refused;
module_param(refused, uint, 0644);
MODULE_PARM_DESC(refused, "number of mappings refused so far");

static int
sparse_parse_number(const char **text, u64 *value)
{
	char digits[24];
	size_t len = 0;

	while (len < sizeof(digits) - 1 && isalnum((*text)[len])) {
		digits[len] = (*text)[len];
		len++;
	}
	digits[len] = '\0';
	*text += len;
	return kstrtou64(digits, 0, value);
}

static int
sparse_parse_window(const char **text, struct sparse_bar *bar)
{
	struct vfio_region_sparse_mmap_area *window = &bar->window[bar->nb_windows];
	u64 offset, size;

	if (bar->nb_windows == SPARSE_WINDOWS_MAX)
		return -E2BIG;
	if (sparse_parse_number(text, &offset) != 0 || *(*text)++ != '+' ||
			sparse_parse_number(text, &size) != 0)
		return -EINVAL;
	window->offset = offset;
	window->size = size;
	bar->nb_windows++;
	return 0;
}

static int
sparse_parse_bar(const char **text, struct sparse_device *sdev)
{
	struct sparse_bar *bar;
	u64 index;
	int rc = 0;

	if (sparse_parse_number(text, &index) != 0 || index >= PCI_STD_NUM_BARS ||
			*(*text)++ != ':')
		return -EINVAL;
	bar = &sdev->bar[index];
	bar->listed = true;
	while (rc == 0 && **text != '\0' && **text != ';' && **text != '\n') {
		rc = sparse_parse_window(text, bar);
		if (rc == 0 && **text == ',')
			(*text)++;
	}
	return rc;
}

static int
sparse_parse(const char *text, struct sparse_device *sdev)
{
	int rc = 0;

	while (rc == 0 && *text != '\0' && *text != '\n') {
		rc = sparse_parse_bar(&text, sdev);
		if (rc == 0 && *text == ';')
			text++;
	}
	return rc;
}

static struct sparse_device *
sparse_device_of(struct vfio_device *vdev)
{
	return container_of(vdev, struct sparse_device, core.vdev);
}

static u64
sparse_window_end(const struct vfio_region_sparse_mmap_area *window)
{
	return window->size > U64_MAX - window->offset ? U64_MAX : window->offset + window->size;
}

/* First byte at or after "offset" that no window holds; windows may touch and overlap. */
static u64
sparse_covered_until(const struct sparse_bar *bar, u64 offset)
{
	unsigned int i = 0;

	while (i < bar->nb_windows) {
		u64 end = sparse_window_end(&bar->window[i]);

		if (offset >= bar->window[i].offset && offset < end) {
			offset = end;
			i = 0;
		} else {
			i++;
		}
	}
	return offset;
}

static int
sparse_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct sparse_device *sdev = sparse_device_of(vdev);
	unsigned int index = vma->vm_pgoff >> (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT);
	u64 pgoff_mask = (1ULL << (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT)) - 1;
	u64 start = (vma->vm_pgoff & pgoff_mask) << PAGE_SHIFT;
	u64 end = start + (vma->vm_end - vma->vm_start);

	/* nothing of the device is in the rest of the last page */
	if (index < PCI_STD_NUM_BARS && end == PAGE_ALIGN(pci_resource_len(sdev->core.pdev, index)))
		end = pci_resource_len(sdev->core.pdev, index);
	if (index < PCI_STD_NUM_BARS && sdev->bar[index].listed &&
			sparse_covered_until(&sdev->bar[index], start) < end) {
		refused++;
		pci_info(sdev->core.pdev, "BAR %u: mapping of [%#llx, %#llx) refused\n",
			index, start, end);
		return -EINVAL;
	}
	return vfio_pci_core_mmap(vdev, vma);
}

static int
sparse_add_windows(const struct sparse_bar *bar, struct vfio_info_cap *caps)
{
	struct vfio_region_info_cap_sparse_mmap *sparse;
	size_t size = struct_size(sparse, areas, bar->nb_windows);
	int rc;

	sparse = kzalloc(size, GFP_KERNEL);
	if (sparse == NULL)
		return -ENOMEM;
	sparse->header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
	sparse->header.version = 1;
	sparse->nr_areas = bar->nb_windows;
	memcpy(sparse->areas, bar->window, bar->nb_windows * sizeof(bar->window[0]));
	rc = vfio_info_add_capability(caps, &sparse->header, size);
	kfree(sparse);
	return rc;
}

static int
sparse_add_msix_mappable(struct vfio_info_cap *caps)
{
	struct vfio_info_cap_header header = {
		.id = VFIO_REGION_INFO_CAP_MSIX_MAPPABLE,
		.version = 1,
	};

	return vfio_info_add_capability(caps, &header, sizeof(header));
}

static int
sparse_region_info_caps(struct vfio_device *vdev, struct vfio_region_info *info,
		struct vfio_info_cap *caps)
{
	struct sparse_device *sdev = sparse_device_of(vdev);
	struct pci_dev *pdev = sdev->core.pdev;
	int rc = 0;

	info->offset = VFIO_PCI_INDEX_TO_OFFSET(info->index);
	info->size = pci_resource_len(pdev, info->index);
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
		VFIO_REGION_INFO_FLAG_MMAP;
	if (pdev->msix_cap != 0 && info->index == sdev->core.msix_bar && msix_mappable)
		rc = sparse_add_msix_mappable(caps);
	if (rc == 0)
		rc = sparse_add_windows(&sdev->bar[info->index], caps);
	return rc;
}

static bool
sparse_bar_listed(const struct sparse_device *sdev, unsigned int index)
{
	return index < PCI_STD_NUM_BARS && sdev->bar[index].listed &&
		(pci_resource_flags(sdev->core.pdev, index) & IORESOURCE_MEM) &&
		pci_resource_len(sdev->core.pdev, index) != 0;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)

static int
sparse_get_region_info_caps(struct vfio_device *vdev, struct vfio_region_info *info,
		struct vfio_info_cap *caps)
{
	if (!sparse_bar_listed(sparse_device_of(vdev), info->index))
		return vfio_pci_ioctl_get_region_info(vdev, info, caps);
	return sparse_region_info_caps(vdev, info, caps);
}

#else

/* As vfio-pci answers: the capabilities follow the structure, or only their size is told. */
static int
sparse_put_caps(struct vfio_region_info *info, size_t minsz, struct vfio_info_cap *caps,
		void __user *arg)
{
	info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
	if (info->argsz < sizeof(*info) + caps->size) {
		info->argsz = sizeof(*info) + caps->size;
		info->cap_offset = 0;
	} else {
		vfio_info_cap_shift(caps, sizeof(*info));
		if (copy_to_user(arg + sizeof(*info), caps->buf, caps->size))
			return -EFAULT;
		info->cap_offset = sizeof(*info);
	}
	return copy_to_user(arg, info, minsz) ? -EFAULT : 0;
}

static long
sparse_get_region_info(struct vfio_device *vdev, void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_region_info, offset);
	struct vfio_info_cap caps = { .buf = NULL, .size = 0 };
	struct vfio_region_info info;
	long rc;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	if (!sparse_bar_listed(sparse_device_of(vdev), info.index))
		return vfio_pci_core_ioctl(vdev, VFIO_DEVICE_GET_REGION_INFO, (unsigned long)arg);
	rc = sparse_region_info_caps(vdev, &info, &caps);
	if (rc == 0)
		rc = sparse_put_caps(&info, minsz, &caps, arg);
	kfree(caps.buf);
	return rc;
}

static long
sparse_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	if (cmd == VFIO_DEVICE_GET_REGION_INFO)
		return sparse_get_region_info(vdev, (void __user *)arg);
	return vfio_pci_core_ioctl(vdev, cmd, arg);
}

#endif

static int
sparse_open_device(struct vfio_device *vdev)
{
	struct vfio_pci_core_device *core = &sparse_device_of(vdev)->core;
	int rc = vfio_pci_core_enable(core);

	if (rc == 0)
		vfio_pci_core_finish_enable(core);
	return rc;
}

static const struct vfio_device_ops sparse_ops = {
	.name = "sparse-vfio-pci",
	.init = vfio_pci_core_init_dev,
	.release = vfio_pci_core_release_dev,
	.open_device = sparse_open_device,
	.close_device = vfio_pci_core_close_device,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	.ioctl = vfio_pci_core_ioctl,
	.get_region_info_caps = sparse_get_region_info_caps,
#else
	.ioctl = sparse_ioctl,
#endif
	.device_feature = vfio_pci_core_ioctl_feature,
	.read = vfio_pci_core_read,
	.write = vfio_pci_core_write,
	.mmap = sparse_mmap,
	.request = vfio_pci_core_request,
	.match = vfio_pci_core_match,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	.match_token_uuid = vfio_pci_core_match_token_uuid,
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	.bind_iommufd = vfio_iommufd_physical_bind,
	.unbind_iommufd = vfio_iommufd_physical_unbind,
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
#endif
};

static int
sparse_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct sparse_device *sdev;
	int rc;

	sdev = vfio_alloc_device(sparse_device, core.vdev, &pdev->dev, &sparse_ops);
	if (IS_ERR(sdev))
		return PTR_ERR(sdev);
	kernel_param_lock(THIS_MODULE);
	rc = sparse_parse(windows, sdev);
	kernel_param_unlock(THIS_MODULE);
	if (rc != 0) {
		pci_err(pdev, "windows: malformed\n");
		goto err_put;
	}
	dev_set_drvdata(&pdev->dev, &sdev->core);
	rc = vfio_pci_core_register_device(&sdev->core);
	if (rc != 0)
		goto err_put;
	return 0;

err_put:
	vfio_put_device(&sdev->core.vdev);
	return rc;
}

static void
sparse_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(&pdev->dev);

	vfio_pci_core_unregister_device(core);
	vfio_put_device(&core->vdev);
}

/* Only for devices whose driver_override names this driver. */
static const struct pci_device_id sparse_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_ANY_ID, PCI_ANY_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, sparse_ids);

static struct pci_driver sparse_driver = {
	.name = "sparse-vfio-pci",
	.id_table = sparse_ids,
	.probe = sparse_probe,
	.remove = sparse_remove,
	.err_handler = &vfio_pci_core_err_handlers,
	.driver_managed_dma = true,
};
module_pci_driver(sparse_driver);

MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("vfio-pci variant that permits mapping of chosen windows only");
