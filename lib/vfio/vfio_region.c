/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <eal_export.h>
#include <rte_vfio_region.h>

/*
 * The bytes, as linux/vfio.h lays them out: struct vfio_region_info, then capabilities, each
 * behind a struct vfio_info_cap_header whose "next" counts from the start of the whole.
 */
struct region_bytes {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t cap_offset;
	uint64_t size;
	uint64_t offset;
};

struct cap_bytes {
	uint16_t id;
	uint16_t version;
	uint32_t next;
};

struct sparse_bytes {
	struct cap_bytes header;
	uint32_t nr_areas;
	uint32_t reserved;
};

#define CAP_SPARSE_MMAP 1
#define CAP_MSIX_MAPPABLE 3
#define CAP_VERSION 1

#define REGION_F_KEPT (RTE_VFIO_REGION_F_READ | RTE_VFIO_REGION_F_WRITE | RTE_VFIO_REGION_F_MMAP)

_Static_assert(sizeof(struct region_bytes) == RTE_VFIO_REGION_INFO_SIZE, "as the kernel's");
_Static_assert(sizeof(struct cap_bytes) == 8, "as the kernel's");
_Static_assert(sizeof(struct sparse_bytes) == 16, "as the kernel's");
_Static_assert(sizeof(struct rte_vfio_area) == 16, "as struct vfio_region_sparse_mmap_area");

/* Bytes of an answer that may be looked at. */
struct view {
	const uint8_t *bytes;
	size_t len;
};

static bool
view_get(const struct view *view, uint64_t at, void *dst, size_t len)
{
	if (at > view->len || len > view->len - at)
		return false;
	memcpy(dst, view->bytes + at, len);
	return true;
}

static bool
areas_inside(const struct rte_vfio_area *areas, uint32_t nb, uint64_t size)
{
	uint32_t i;

	for (i = 0; i < nb; i++)
		if (areas[i].offset > size || areas[i].size > size - areas[i].offset)
			return false;
	return true;
}

static int
cap_sparse(const struct view *view, uint32_t at, struct rte_vfio_region *region)
{
	struct sparse_bytes cap;
	size_t len;

	if (region->sparse || !view_get(view, at, &cap, sizeof(cap)))
		return -EBADMSG;
	region->sparse = true;
	at += sizeof(cap);
	if (cap.nr_areas > (view->len - at) / sizeof(*region->areas))
		return -EBADMSG;
	if (cap.nr_areas == 0)
		return 0;
	len = cap.nr_areas * sizeof(*region->areas);
	region->areas = malloc(len);
	if (region->areas == NULL)
		return -ENOMEM;
	memcpy(region->areas, view->bytes + at, len);
	if (!areas_inside(region->areas, cap.nr_areas, region->size))
		return -EBADMSG;
	region->nb_areas = rte_vfio_areas_normalize(region->areas, cap.nr_areas);
	return 0;
}

static int
cap_msix_mappable(const struct view *view, uint32_t at, struct rte_vfio_region *region)
{
	(void)view;
	(void)at;
	region->msix_mappable = true;
	return 0;
}

static const struct {
	uint16_t id;
	int (*parse)(const struct view *view, uint32_t at, struct rte_vfio_region *region);
} caps[] = {
	{ CAP_SPARSE_MMAP, cap_sparse },
	{ CAP_MSIX_MAPPABLE, cap_msix_mappable },
};

/* What is not known is left alone; what is known but in a version that is not makes no sense. */
static int
cap_parse(const struct view *view, uint32_t at, const struct cap_bytes *header,
	struct rte_vfio_region *region)
{
	size_t i;

	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		if (caps[i].id != header->id)
			continue;
		return header->version == CAP_VERSION ? caps[i].parse(view, at, region) : -EBADMSG;
	}
	return 0;
}

/* A chain with more links than headers would fit runs in a loop. */
static int
chain_parse(const struct view *view, uint32_t at, struct rte_vfio_region *region)
{
	size_t budget = view->len / sizeof(struct cap_bytes);
	struct cap_bytes header;
	int rc;

	do {
		if (budget-- == 0 || at < sizeof(struct region_bytes) ||
				!view_get(view, at, &header, sizeof(header)))
			return -EBADMSG;
		rc = cap_parse(view, at, &header, region);
		if (rc != 0)
			return rc;
		at = header.next;
	} while (at != 0);
	return 0;
}

static void
region_forbid_mapping(struct rte_vfio_region *region)
{
	free(region->areas);
	region->areas = NULL;
	region->nb_areas = 0;
	region->sparse = false;
	region->msix_mappable = false;
	region->flags &= ~RTE_VFIO_REGION_F_MMAP;
}

/* File offsets are signed: an end behind INT64_MAX cannot be read, written or mapped. */
static bool
region_fits_file(const struct region_bytes *info)
{
	return info->size == 0 ||
		(info->offset <= INT64_MAX && info->size <= INT64_MAX - info->offset);
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_vfio_region_parse)
int
rte_vfio_region_parse(const void *buf, size_t len, struct rte_vfio_region *region)
{
	struct view view = { .bytes = buf, .len = len };
	struct region_bytes info;
	int rc;

	memset(region, 0, sizeof(*region));
	if (!view_get(&view, 0, &info, sizeof(info)) || info.argsz < sizeof(info) ||
			!region_fits_file(&info))
		return -EPROTO;
	region->index = info.index;
	region->flags = info.flags & REGION_F_KEPT;
	region->size = info.size;
	region->offset = info.offset;
	if ((info.flags & RTE_VFIO_REGION_F_CAPS) == 0)
		return 0;
	if (info.argsz < view.len)
		view.len = info.argsz;
	if (info.argsz > len)
		rc = -ENOBUFS;
	else
		rc = chain_parse(&view, info.cap_offset, region);
	if (rc != 0)
		region_forbid_mapping(region);
	return rc;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_vfio_region_info_len)
int
rte_vfio_region_info_len(const void *buf, size_t len)
{
	struct view view = { .bytes = buf, .len = len };
	struct region_bytes info;

	if (!view_get(&view, 0, &info, sizeof(info)) || info.argsz < sizeof(info))
		return -EPROTO;
	return info.argsz > RTE_VFIO_REGION_INFO_MAX ? -E2BIG : (int)info.argsz;
}

/* A place to write to that counts what does not fit. */
struct sink {
	uint8_t *bytes;
	size_t len;
	size_t used;
};

static void
sink_put(struct sink *sink, const void *src, size_t len)
{
	if (len != 0 && sink->used + len <= sink->len)
		memcpy(sink->bytes + sink->used, src, len);
	sink->used += len;
}

static void
emit_caps(const struct rte_vfio_region *region, struct sink *sink)
{
	struct sparse_bytes sparse = {
		.header = { .id = CAP_SPARSE_MMAP, .version = CAP_VERSION },
		.nr_areas = region->nb_areas,
	};
	struct cap_bytes msix = { .id = CAP_MSIX_MAPPABLE, .version = CAP_VERSION };
	size_t len = region->nb_areas * sizeof(*region->areas);

	if (region->sparse) {
		if (region->msix_mappable)
			sparse.header.next = (uint32_t)(sink->used + sizeof(sparse) + len);
		sink_put(sink, &sparse, sizeof(sparse));
		sink_put(sink, region->areas, len);
	}
	if (region->msix_mappable)
		sink_put(sink, &msix, sizeof(msix));
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_vfio_region_emit)
int
rte_vfio_region_emit(const struct rte_vfio_region *region, void *buf, size_t len)
{
	struct region_bytes info = {
		.flags = region->flags & REGION_F_KEPT,
		.index = region->index,
		.size = region->size,
		.offset = region->offset,
	};
	struct sink sink = { .bytes = buf, .len = len, .used = sizeof(info) };

	if (len != 0 && len < sizeof(info))
		return -EINVAL;
	if (region->nb_areas > RTE_VFIO_REGION_INFO_MAX / sizeof(*region->areas))
		return -E2BIG;
	emit_caps(region, &sink);
	if (sink.used > RTE_VFIO_REGION_INFO_MAX)
		return -E2BIG;
	info.argsz = (uint32_t)sink.used;
	if (sink.used > sizeof(info)) {
		info.flags |= RTE_VFIO_REGION_F_CAPS;
		info.cap_offset = sink.used <= len ? sizeof(info) : 0;
	}
	if (len != 0)
		memcpy(buf, &info, sizeof(info));
	return (int)sink.used;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_vfio_region_fini)
void
rte_vfio_region_fini(struct rte_vfio_region *region)
{
	free(region->areas);
	memset(region, 0, sizeof(*region));
}

/* All that the owner permits, in an array with room for one more. */
static struct rte_vfio_area *
region_permitted(const struct rte_vfio_region *region, uint32_t *nb)
{
	struct rte_vfio_area whole = { .offset = 0, .size = region->size };
	const struct rte_vfio_area *from = region->sparse ? region->areas : &whole;
	struct rte_vfio_area *areas;

	*nb = region->sparse ? region->nb_areas : 1;
	areas = calloc((size_t)*nb + 1, sizeof(*areas));
	if (areas != NULL && *nb != 0)
		memcpy(areas, from, *nb * sizeof(*areas));
	return areas;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_vfio_region_mappable)
int
rte_vfio_region_mappable(const struct rte_vfio_region *region,
	const struct rte_vfio_area *msix_table, uint64_t page_size, struct rte_vfio_area **areas)
{
	struct rte_vfio_area table;
	uint32_t nb;

	*areas = NULL;
	if (page_size == 0 || (page_size & (page_size - 1)) != 0)
		return -EINVAL;
	if ((region->flags & RTE_VFIO_REGION_F_MMAP) == 0 || region->size == 0)
		return 0;
	*areas = region_permitted(region, &nb);
	if (*areas == NULL)
		return -ENOMEM;
	nb = rte_vfio_areas_clip(*areas, rte_vfio_areas_normalize(*areas, nb), region->size);
	if (msix_table != NULL && !region->msix_mappable) {
		table = rte_vfio_area_pages(msix_table, page_size);
		nb = rte_vfio_areas_cut(*areas, nb, &table);
	}
	nb = rte_vfio_areas_align(*areas, nb, page_size, region->size);
	if (nb == 0) {
		free(*areas);
		*areas = NULL;
	}
	return (int)nb;
}
