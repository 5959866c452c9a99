/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <rte_common.h>
#include <rte_vfio_region.h>

#include "check_rule.h"

#define REGION "VFIO_USER_DEVICE_GET_REGION_INFO"
#define CAPS "VFIO region capabilities"
#define SIZES "Message sizes"

#define FIXED ((uint32_t)sizeof(struct vfio_region_info))
#define PAGE 4096u

/* Runs a check for each region, asked for with all the room that it needs. */
static void
each_region(struct check *c, void (*look)(struct check *c, const struct vfio_region_info *info))
{
	struct vfio_region_info info;
	uint32_t i;

	check_need_regions(c);
	check_open(c);
	for (i = 0; i < c->facts.nb_regions; i++) {
		const uint32_t argsz = RTE_MAX(c->facts.regions[i].argsz, FIXED);

		if (check_region_info(c, i, argsz) != CHECK_DONE || c->len < FIXED)
			check_skip(c, "region %u is not told", i);
		memcpy(&info, c->payload, sizeof(info));
		look(c, &info);
	}
}

static void
run_index(struct check *c)
{
	struct vfio_region_info info;
	uint32_t i;

	check_need_info(c);
	check_open(c);
	for (i = 0; i < RTE_MIN(c->facts.num_regions, CHECK_REGIONS_MAX); i++) {
		check_done(c, check_region_info(c, i, FIXED), "DEVICE_GET_REGION_INFO");
		CHECK_EXPECT(c, c->len >= FIXED, "region %u: %zu bytes", i, c->len);
		memcpy(&info, c->payload, sizeof(info));
		CHECK_EXPECT(c, info.index == i, "region %u is answered by %u", i, info.index);
	}
}

/* libvfio-user fills the room with zeros where the capabilities do not fit. */
static void
run_short(struct check *c)
{
	unsigned int i;

	check_need_regions(c);
	check_open(c);
	for (i = 0; i < c->facts.nb_regions; i++) {
		check_done(c, check_region_info(c, i, FIXED), "room for 32 bytes");
		CHECK_EXPECT(c, c->len == FIXED,
			"region %u: %zu bytes where there is room for %u", i,
			c->len, FIXED);
	}
}

static void
look_argsz(struct check *c, const struct vfio_region_info *info)
{
	CHECK_EXPECT(c, info->argsz >= FIXED, "region %u: argsz %u", info->index, info->argsz);
	CHECK_EXPECT(c, c->len == info->argsz, "region %u: argsz %u, and %zu bytes", info->index,
		info->argsz, c->len);
}

static void
run_argsz(struct check *c)
{
	each_region(c, look_argsz);
}

static void
run_small(struct check *c)
{
	check_open(c);
	check_refused(c, check_region_info(c, 0, FIXED - 1), "argsz of 31");
}

static void
run_beyond(struct check *c)
{
	check_need_info(c);
	check_open(c);
	check_refused(c, check_region_info(c, c->facts.num_regions, FIXED),
		"the first index that is not");
	check_refused(c, check_region_info(c, UINT32_MAX, FIXED), "the last index of all");
}

static void
look_flags(struct check *c, const struct vfio_region_info *info)
{
	const uint32_t known = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
		VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS;

	CHECK_EXPECT(c, !(info->flags & ~known), "region %u: flags %#x", info->index, info->flags);
	CHECK_EXPECT(c, info->size > 0 || !(info->flags & VFIO_REGION_INFO_FLAG_MMAP),
		"region %u has no bytes and can be mapped", info->index);
}

static void
run_flags(struct check *c)
{
	each_region(c, look_flags);
}

static void
look_caps(struct check *c, const struct vfio_region_info *info)
{
	const bool has = info->flags & VFIO_REGION_INFO_FLAG_CAPS;
	struct rte_vfio_region region;
	int rc;

	CHECK_EXPECT(c, has == (info->cap_offset != 0), "region %u: flags %#x, cap_offset %u",
		info->index, info->flags, info->cap_offset);
	rc = rte_vfio_region_parse(c->payload, c->len, &region);
	rte_vfio_region_fini(&region);
	CHECK_EXPECT(c, rc == 0, "region %u: the chain of capabilities makes no sense",
		info->index);
}

static void
run_caps(struct check *c)
{
	each_region(c, look_caps);
}

static void
look_fd(struct check *c, const struct vfio_region_info *info)
{
	const unsigned int expected = info->flags & VFIO_REGION_INFO_FLAG_MMAP ? 1 : 0;

	CHECK_EXPECT(c, c->nb_fds == expected, "region %u: flags %#x, and %u descriptors",
		info->index, info->flags, c->nb_fds);
}

static void
run_fd(struct check *c)
{
	each_region(c, look_fd);
}

static void
run_short_fd(struct check *c)
{
	unsigned int i;

	check_need_regions(c);
	check_open(c);
	for (i = 0; i < c->facts.nb_regions; i++) {
		if (c->facts.regions[i].argsz <= FIXED)
			continue;
		check_done(c, check_region_info(c, i, FIXED), "room for 32 bytes");
		CHECK_EXPECT(c, c->nb_fds == 0,
			"region %u: %u descriptors come with the short reply",
			i, c->nb_fds);
	}
}

static int
prot_of(const struct vfio_region_info *info)
{
	return (info->flags & VFIO_REGION_INFO_FLAG_READ ? PROT_READ : 0) |
		(info->flags & VFIO_REGION_INFO_FLAG_WRITE ? PROT_WRITE : 0);
}

/* Nothing of it is touched. */
static bool
can_be_mapped(int fd, const struct vfio_region_info *info, uint64_t offset, uint64_t size)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0 || (S_ISREG(st.st_mode) &&
			(uint64_t)st.st_size < info->offset + offset + size))
		return false;
	p = mmap(NULL, size, prot_of(info), MAP_SHARED, fd, (off_t)(info->offset + offset));
	if (p == MAP_FAILED)
		return false;
	munmap(p, size);
	return true;
}

static bool
areas_can_be_mapped(struct check *c, const struct vfio_region_info *info)
{
	struct rte_vfio_region region;
	bool can = true;
	uint32_t i;

	if (rte_vfio_region_parse(c->payload, c->len, &region) == 0) {
		for (i = 0; i < region.nb_areas && can; i++)
			can = can_be_mapped(c->fds[0], info, region.areas[i].offset,
					region.areas[i].size);
	}
	rte_vfio_region_fini(&region);
	return can;
}

static void
look_map(struct check *c, const struct vfio_region_info *info)
{
	if (c->nb_fds != 1 || !(info->flags & VFIO_REGION_INFO_FLAG_MMAP))
		return;
	CHECK_EXPECT(c, areas_can_be_mapped(c, info), "region %u: mmap() of an area fails",
		info->index);
}

static void
run_map(struct check *c)
{
	each_region(c, look_map);
}

static void
run_config(struct check *c)
{
	const struct vfio_region_info *info;

	check_need_regions(c);
	if (!(c->facts.flags & VFIO_DEVICE_FLAGS_PCI) ||
			c->facts.nb_regions <= VFIO_PCI_CONFIG_REGION_INDEX)
		check_skip(c, "no PCI device");
	info = &c->facts.regions[VFIO_PCI_CONFIG_REGION_INDEX];
	CHECK_EXPECT(c, info->size == 256 || info->size == 4096, "it has %llu bytes",
		(unsigned long long)info->size);
	CHECK_EXPECT(c, prot_of(info) == (PROT_READ | PROT_WRITE), "flags %#x", info->flags);
}

const struct check_rule check_region_rules[] = {
	{ "region-info-index", REGION, 0, "each region is told, by its index", run_index },
	{ "region-info-argsz", SIZES, 0, "argsz is the length of the full reply", run_argsz },
	{ "region-info-short", SIZES, CHECK_F_SHOULD,
		"where there is room for 32 bytes, 32 bytes come", run_short },
	{ "region-info-argsz-small", SIZES, CHECK_F_SHOULD,
		"room for less than 32 bytes is refused", run_small },
	{ "region-info-beyond", REGION, 0, "a region that is not there is refused", run_beyond },
	{ "region-info-flags", REGION, 0, "flags are known ones; what has no bytes has no mapping",
		run_flags },
	{ "region-info-caps", CAPS, 0, "capabilities are a chain that makes sense", run_caps },
	{ "region-info-fd", REGION, 0, "one descriptor comes with what can be mapped", run_fd },
	{ "region-info-short-fd", REGION, CHECK_F_SHOULD,
		"no descriptor comes with a reply that is not full", run_short_fd },
	{ "region-info-map", REGION, 0, "the areas can be mapped", run_map },
	{ "region-config", REGION, 0,
		"configuration space has 256 or 4096 bytes, to read and write",
		run_config },
	{ .name = NULL },
};
