/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "vu_codec.h"

#include "test.h"
#include "vu_hostile.h"

/* ---- fields ---- */

struct field {
	uint16_t cmd;
	uint8_t type;	/* VU_F_TYPE_COMMAND or _REPLY */
	const char *name;
	uint16_t offset;	/* in the payload */
	uint8_t width;
};

#define SIZE_OF(type, member) sizeof(((const struct type *)NULL)->member)
#define FIELD(cmd, type_, s, member) \
	{ cmd, type_, #member, offsetof(struct s, member), SIZE_OF(s, member) }
#define BOTH(cmd, s, member) \
	FIELD(cmd, VU_F_TYPE_COMMAND, s, member), FIELD(cmd, VU_F_TYPE_REPLY, s, member)
#define REQUEST(cmd, s, member) FIELD(cmd, VU_F_TYPE_COMMAND, s, member)
#define RAW(cmd, type, name, offset, width) { cmd, type, name, offset, width }
#define C VU_F_TYPE_COMMAND
#define R VU_F_TYPE_REPLY

static const struct field fields[] = {
	BOTH(VU_VERSION, vu_version, major),
	BOTH(VU_VERSION, vu_version, minor),
	RAW(VU_VERSION, C, "text", 4, 4),
	RAW(VU_VERSION, R, "text", 4, 4),
	REQUEST(VU_DMA_MAP, vu_dma_map, argsz),
	REQUEST(VU_DMA_MAP, vu_dma_map, flags),
	REQUEST(VU_DMA_MAP, vu_dma_map, offset),
	REQUEST(VU_DMA_MAP, vu_dma_map, addr),
	REQUEST(VU_DMA_MAP, vu_dma_map, size),
	BOTH(VU_DMA_MAP_MULTI, vu_map_multi, count),
	BOTH(VU_DMA_MAP_MULTI, vu_map_multi, error),
	RAW(VU_DMA_MAP_MULTI, C, "argsz", 8, 4),
	RAW(VU_DMA_MAP_MULTI, C, "flags", 12, 4),
	RAW(VU_DMA_MAP_MULTI, C, "offset", 16, 8),
	RAW(VU_DMA_MAP_MULTI, C, "addr", 24, 8),
	RAW(VU_DMA_MAP_MULTI, C, "size", 32, 8),
	RAW(VU_DMA_MAP_MULTI, C, "second argsz", 40, 4),
	RAW(VU_DMA_MAP_MULTI, C, "second flags", 44, 4),
	RAW(VU_DMA_MAP_MULTI, C, "second offset", 48, 8),
	RAW(VU_DMA_MAP_MULTI, C, "second addr", 56, 8),
	RAW(VU_DMA_MAP_MULTI, C, "second size", 64, 8),
	BOTH(VU_DMA_UNMAP, vu_dma_unmap, argsz),
	BOTH(VU_DMA_UNMAP, vu_dma_unmap, flags),
	BOTH(VU_DMA_UNMAP, vu_dma_unmap, addr),
	BOTH(VU_DMA_UNMAP, vu_dma_unmap, size),
	RAW(VU_DMA_UNMAP, C, "bitmap page size", 24, 8),
	RAW(VU_DMA_UNMAP, C, "bitmap size", 32, 8),
	RAW(VU_DMA_UNMAP, R, "bitmap page size", 24, 8),
	RAW(VU_DMA_UNMAP, R, "bitmap size", 32, 8),
	BOTH(VU_GET_INFO, vfio_device_info, argsz),
	BOTH(VU_GET_INFO, vfio_device_info, flags),
	BOTH(VU_GET_INFO, vfio_device_info, num_regions),
	BOTH(VU_GET_INFO, vfio_device_info, num_irqs),
	BOTH(VU_GET_REGION_INFO, vfio_region_info, argsz),
	BOTH(VU_GET_REGION_INFO, vfio_region_info, flags),
	BOTH(VU_GET_REGION_INFO, vfio_region_info, index),
	BOTH(VU_GET_REGION_INFO, vfio_region_info, cap_offset),
	BOTH(VU_GET_REGION_INFO, vfio_region_info, size),
	BOTH(VU_GET_REGION_INFO, vfio_region_info, offset),
	RAW(VU_GET_REGION_INFO, R, "capability id", 32, 2),
	RAW(VU_GET_REGION_INFO, R, "capability version", 34, 2),
	RAW(VU_GET_REGION_INFO, R, "next capability", 36, 4),
	RAW(VU_GET_REGION_INFO, R, "number of areas", 40, 4),
	RAW(VU_GET_REGION_INFO, R, "area offset", 48, 8),
	RAW(VU_GET_REGION_INFO, R, "area size", 56, 8),
	BOTH(VU_GET_REGION_IO_FDS, vu_region_io_fds, argsz),
	BOTH(VU_GET_REGION_IO_FDS, vu_region_io_fds, flags),
	BOTH(VU_GET_REGION_IO_FDS, vu_region_io_fds, index),
	BOTH(VU_GET_REGION_IO_FDS, vu_region_io_fds, count),
	RAW(VU_GET_REGION_IO_FDS, R, "entry offset", 16, 8),
	RAW(VU_GET_REGION_IO_FDS, R, "entry size", 24, 8),
	RAW(VU_GET_REGION_IO_FDS, R, "entry descriptor", 32, 4),
	RAW(VU_GET_REGION_IO_FDS, R, "entry type", 36, 4),
	RAW(VU_GET_REGION_IO_FDS, R, "entry shadow descriptor", 44, 4),
	BOTH(VU_GET_IRQ_INFO, vfio_irq_info, argsz),
	BOTH(VU_GET_IRQ_INFO, vfio_irq_info, flags),
	BOTH(VU_GET_IRQ_INFO, vfio_irq_info, index),
	BOTH(VU_GET_IRQ_INFO, vfio_irq_info, count),
	REQUEST(VU_SET_IRQS, vu_irq_fixed, argsz),
	REQUEST(VU_SET_IRQS, vu_irq_fixed, flags),
	REQUEST(VU_SET_IRQS, vu_irq_fixed, index),
	REQUEST(VU_SET_IRQS, vu_irq_fixed, start),
	REQUEST(VU_SET_IRQS, vu_irq_fixed, count),
	BOTH(VU_REGION_READ, vu_region_access, offset),
	BOTH(VU_REGION_READ, vu_region_access, region),
	BOTH(VU_REGION_READ, vu_region_access, count),
	BOTH(VU_REGION_WRITE, vu_region_access, offset),
	BOTH(VU_REGION_WRITE, vu_region_access, region),
	BOTH(VU_REGION_WRITE, vu_region_access, count),
	BOTH(VU_DMA_READ, vu_dma_access, addr),
	BOTH(VU_DMA_READ, vu_dma_access, count),
	BOTH(VU_DMA_WRITE, vu_dma_access, addr),
	BOTH(VU_DMA_WRITE, vu_dma_access, count),
	BOTH(VU_REGION_WRITE_MULTI, vu_write_multi, wr_cnt),
	RAW(VU_REGION_WRITE_MULTI, C, "offset", 8, 8),
	RAW(VU_REGION_WRITE_MULTI, C, "region", 16, 4),
	RAW(VU_REGION_WRITE_MULTI, C, "count", 20, 4),
	RAW(VU_REGION_WRITE_MULTI, C, "second count", 44, 4),
	BOTH(VU_FEATURE, vfio_device_feature, argsz),
	BOTH(VU_FEATURE, vfio_device_feature, flags),
	RAW(VU_FEATURE, C, "data", 8, 8),
	RAW(VU_FEATURE, C, "second word", 16, 8),
	RAW(VU_FEATURE, C, "number of ranges", 16, 4),
	RAW(VU_FEATURE, C, "third word", 24, 8),
	RAW(VU_FEATURE, R, "data", 8, 8),
	BOTH(VU_MIG_DATA_READ, vu_mig_data, argsz),
	BOTH(VU_MIG_DATA_READ, vu_mig_data, size),
	REQUEST(VU_MIG_DATA_WRITE, vu_mig_data, argsz),
	REQUEST(VU_MIG_DATA_WRITE, vu_mig_data, size),
};

/* What a field is changed to, cut to its width. */
enum change { SET, ADD, XOR };

static const struct value {
	enum change change;
	uint64_t n;
	const char *name;
} values[] = {
	{ SET, 0, "0" },
	{ SET, 1, "1" },
	{ ADD, 1, "one more" },
	{ ADD, UINT64_MAX, "one less" },
	{ SET, 15, "15" },
	{ SET, 4097, "4097" },
	{ SET, 0x7fffffff, "2^31 - 1" },
	{ SET, 0x80000000, "2^31" },
	{ SET, 0xfffff000, "2^32 - 4096" },
	{ SET, UINT64_MAX, "all ones" },
	{ SET, UINT64_MAX - 4095, "all ones but a page" },
	{ SET, UINT64_C(1) << 63, "2^63" },
	{ XOR, UINT64_C(0x8000000080008080), "high bits" },
	{ XOR, 4, "bit 2" },
	{ XOR, 8, "bit 3" },
};

static void
field_change(uint8_t *at, uint8_t width, const struct value *value)
{
	uint64_t n = 0;

	memcpy(&n, at, width);
	if (value->change == SET)
		n = value->n;
	else if (value->change == ADD)
		n += value->n;
	else
		n ^= value->n;
	memcpy(at, &n, width);
}

/* ---- ways of being wrong, by kind ---- */

struct vu_hdr
vu_hostile_hdr(const struct vu_hostile_msg *m)
{
	struct vu_hdr hdr;

	memcpy(&hdr, m->bytes, sizeof(hdr));
	return hdr;
}

static void
hdr_put(struct vu_hostile_msg *m, const struct vu_hdr *hdr)
{
	memcpy(m->bytes, hdr, sizeof(*hdr));
}

static const struct {
	const char *what;
	uint16_t offset;
	uint8_t width;
	struct value value;
	int expect;
} headers[] = {
	{ "size 0", 4, 4, { SET, 0, NULL }, VU_HOSTILE_CLOSE },
	{ "size 15", 4, 4, { SET, 15, NULL }, VU_HOSTILE_CLOSE },
	{ "size 2^32 - 1", 4, 4, { SET, UINT32_MAX, NULL }, VU_HOSTILE_CLOSE },
	{ "size 2^31", 4, 4, { SET, 0x80000000, NULL }, VU_HOSTILE_CLOSE },
	{ "size 16 MiB", 4, 4, { SET, 16777216, NULL }, VU_HOSTILE_CLOSE },
	{ "type 2", 8, 4, { SET, 2, NULL }, VU_HOSTILE_CLOSE },
	{ "type 15", 8, 4, { SET, 15, NULL }, VU_HOSTILE_CLOSE },
	{ "type swapped", 8, 4, { XOR, 1, NULL }, VU_HOSTILE_ANY },
	{ "reserved flags", 8, 4, { XOR, 0xffffffc0, NULL }, VU_HOSTILE_ANY },
	{ "error flag", 8, 4, { XOR, VU_F_ERROR, NULL }, VU_HOSTILE_ANY },
	{ "no-reply flag", 8, 4, { XOR, VU_F_NO_REPLY, NULL }, VU_HOSTILE_ANY },
	{ "error number", 12, 4, { SET, UINT32_MAX, NULL }, VU_HOSTILE_ANY },
	{ "another id", 0, 2, { XOR, 0x8001, NULL }, VU_HOSTILE_ANY },
	{ "command 0", 2, 2, { SET, 0, NULL }, ENOSYS },
	{ "command 14", 2, 2, { SET, 14, NULL }, ENOSYS },
	{ "command 19", 2, 2, { SET, 19, NULL }, ENOSYS },
	{ "command 65535", 2, 2, { SET, 65535, NULL }, ENOSYS },
	{ "the other command", 2, 2, { XOR, 1, NULL }, VU_HOSTILE_ANY },
};

/* A message that is right is taken for that. */
static unsigned int
no_ways(const struct vu_hostile_msg *m)
{
	(void)m;
	return 1;
}

static void
nothing_make(struct vu_hostile_msg *m, unsigned int i)
{
	(void)i;
	m->expect = VU_HOSTILE_BY_REFERENCE;
	snprintf(m->what, sizeof(m->what), "nothing wrong");
}

static unsigned int
header_ways(const struct vu_hostile_msg *m)
{
	(void)m;
	return RTE_DIM(headers);
}

static void
header_make(struct vu_hostile_msg *m, unsigned int i)
{
	field_change(m->bytes + headers[i].offset, headers[i].width, &headers[i].value);
	m->expect = headers[i].expect;
	snprintf(m->what, sizeof(m->what), "header: %s", headers[i].what);
}

/* The message ends too soon, and its header says so. */
static unsigned int
short_ways(const struct vu_hostile_msg *m)
{
	return (unsigned int)(m->len - sizeof(struct vu_hdr));
}

static void
resize(struct vu_hostile_msg *m, size_t len)
{
	struct vu_hdr hdr = vu_hostile_hdr(m);

	m->len = len;
	hdr.size = (uint32_t)len;
	hdr_put(m, &hdr);
	m->expect = VU_HOSTILE_BY_REFERENCE;
}

static void
short_make(struct vu_hostile_msg *m, unsigned int i)
{
	resize(m, sizeof(struct vu_hdr) + i);
	snprintf(m->what, sizeof(m->what), "only %u bytes of payload", i);
}

static const unsigned int longer[] = { 1, 4, 8, 16, 24, 4096 };

static unsigned int
long_ways(const struct vu_hostile_msg *m)
{
	(void)m;
	return RTE_DIM(longer);
}

static void
long_make(struct vu_hostile_msg *m, unsigned int i)
{
	memset(m->bytes + m->len, 0, longer[i]);
	resize(m, m->len + longer[i]);
	snprintf(m->what, sizeof(m->what), "%u bytes too long", longer[i]);
}

/* The connection ends in the middle. */
static unsigned int
cut_ways(const struct vu_hostile_msg *m)
{
	return (unsigned int)m->len - 1;
}

static void
cut_make(struct vu_hostile_msg *m, unsigned int i)
{
	m->len = 1 + i;
	m->cut = true;
	snprintf(m->what, sizeof(m->what), "cut off behind byte %u", i);
}

static const struct field *
field_nth(const struct vu_hostile_msg *m, unsigned int n)
{
	struct vu_hdr hdr = vu_hostile_hdr(m);
	unsigned int i;

	for (i = 0; i < RTE_DIM(fields); i++)
		if (fields[i].cmd == hdr.cmd && fields[i].type == (hdr.flags & VU_F_TYPE_MASK) &&
				fields[i].offset + fields[i].width <= m->len - sizeof(hdr) &&
				n-- == 0)
			return &fields[i];
	return NULL;
}

static unsigned int
field_ways(const struct vu_hostile_msg *m)
{
	unsigned int n = 0;

	while (field_nth(m, n) != NULL)
		n++;
	return n * RTE_DIM(values);
}

static void
field_make(struct vu_hostile_msg *m, unsigned int i)
{
	const struct field *field = field_nth(m, i / RTE_DIM(values));
	const struct value *value = &values[i % RTE_DIM(values)];

	field_change(m->bytes + sizeof(struct vu_hdr) + field->offset, field->width, value);
	m->expect = VU_HOSTILE_BY_REFERENCE;
	snprintf(m->what, sizeof(m->what), "%s: %s", field->name, value->name);
}

static const unsigned int fd_numbers[] = { 1, 2, 3, 17, VU_SCM_MAX_FD };

static unsigned int
fds_ways(const struct vu_hostile_msg *m)
{
	(void)m;
	return 1 + (VU_HOSTILE_FD_NB - 1) * RTE_DIM(fd_numbers);
}

static void
fds_make(struct vu_hostile_msg *m, unsigned int i)
{
	m->nb_fds = 0;
	if (i > 0) {
		m->fd_kind = (enum vu_hostile_fd)(1 + (i - 1) / RTE_DIM(fd_numbers));
		m->nb_fds = fd_numbers[(i - 1) % RTE_DIM(fd_numbers)];
	}
	m->expect = VU_HOSTILE_BY_REFERENCE;
	snprintf(m->what, sizeof(m->what), "%u descriptors of kind %d", m->nb_fds, m->fd_kind);
}

static const struct {
	unsigned int (*ways)(const struct vu_hostile_msg *m);
	void (*make)(struct vu_hostile_msg *m, unsigned int i);
} kinds[] = {
	{ no_ways, nothing_make },
	{ header_ways, header_make },
	{ short_ways, short_make },
	{ long_ways, long_make },
	{ field_ways, field_make },
	{ fds_ways, fds_make },
	{ cut_ways, cut_make },
};

bool
vu_hostile_mutate(const void *msg, size_t len, unsigned int nb_fds, unsigned int i,
	struct vu_hostile_msg *out)
{
	unsigned int kind, ways;

	if (len < sizeof(struct vu_hdr) || len > VU_HOSTILE_MAX)
		return false;
	memcpy(out->bytes, msg, len);
	out->len = len;
	out->nb_fds = nb_fds;
	out->fd_kind = VU_HOSTILE_FD_AS_IS;
	out->cut = false;
	out->expect = VU_HOSTILE_ANY;
	for (kind = 0; kind < RTE_DIM(kinds); kind++) {
		ways = kinds[kind].ways(out);
		if (i < ways) {
			kinds[kind].make(out, i);
			return true;
		}
		i -= ways;
	}
	return false;
}
