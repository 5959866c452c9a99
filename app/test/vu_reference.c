/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "vu_reference.h"
#include "vu_served.h"

#define GOOD VU_HOSTILE_GOOD
#define FAIL VU_HOSTILE_FAIL
#define ANY  VU_HOSTILE_ANY

/** More descriptors than any server under test takes. */
#define MANY_FDS 16u

#define XFER_MAX (1u << 20)

/* A command as the server sees it. */
struct command {
	const uint8_t *p;	/* payload */
	size_t len;
	unsigned int nb_fds;
	enum vu_hostile_fd kind;
	bool served;
};

static uint32_t
u32_at(const struct command *c, size_t off)
{
	uint32_t n;

	memcpy(&n, c->p + off, sizeof(n));
	return n;
}

static uint64_t
u64_at(const struct command *c, size_t off)
{
	uint64_t n;

	memcpy(&n, c->p + off, sizeof(n));
	return n;
}

/* There are no bytes, or they go beyond the last one there can be. */
static bool
no_range(uint64_t start, uint64_t size)
{
	return size == 0 || size - 1 > UINT64_MAX - start;
}

static bool
no_power(uint64_t n)
{
	return n == 0 || (n & (n - 1)) != 0;
}

static uint64_t
bitmap_bytes(uint64_t size, uint64_t pgsize)
{
	uint64_t pages = (size - 1) / pgsize + 1;

	return ((pages - 1) / 64 + 1) * 8;
}

/* ---- one by one; the shape was judged before ---- */

static int
version(const struct command *c)
{
	if (c->served && (c->p[0] != 0 || c->p[1] != 0))
		return EINVAL;
	if (c->len == 4)
		return GOOD;
	if (memchr(c->p + 4, 0, c->len - 4) != c->p + c->len - 1 || c->p[4] != '{')
		return EINVAL;
	return ANY;
}

/* The memory behind a map at `off`, which has a descriptor. */
static int
map_memory(const struct command *c, size_t off)
{
	uint64_t offset = u64_at(c, off + 8), size = u64_at(c, off + 24);

	if (c->kind == VU_HOSTILE_FD_READ_ONLY)
		return u32_at(c, off + 4) & 2 ? FAIL : ANY;
	if (c->kind != VU_HOSTILE_FD_AS_IS && c->kind != VU_HOSTILE_FD_MEMFD)
		return FAIL;
	return offset <= 65536 && size <= 65536 - offset ? GOOD : EINVAL;
}

static int
map_at(const struct command *c, size_t off, bool has_fd)
{
	uint32_t flags = u32_at(c, off + 4);
	uint64_t offset = u64_at(c, off + 8);

	if (u32_at(c, off) < 32 || flags == 0 || flags > 3 ||
			no_range(u64_at(c, off + 16), u64_at(c, off + 24)))
		return EINVAL;
	if (has_fd && no_range(offset, u64_at(c, off + 24)))
		return EINVAL;
	if (!has_fd)
		return offset == 0 ? GOOD : ANY;
	return c->served ? map_memory(c, off) : GOOD;
}

static int
dma_map(const struct command *c)
{
	return map_at(c, 0, c->nb_fds > 0);
}

/* What was mapped before the first that fails stays. */
static int
dma_map_multi(const struct command *c)
{
	uint32_t i, count = u32_at(c, 0);
	int rc = GOOD;

	if (u32_at(c, 4) != 0 || c->nb_fds == 0 || count != c->nb_fds)
		return EINVAL;
	for (i = 0; rc == GOOD && i < count; i++)
		rc = map_at(c, 8 + 32 * i, true);
	return c->served && i > 1 ? GOOD : rc;
}

static int
dma_unmap(const struct command *c)
{
	uint64_t addr = u64_at(c, 8), size = u64_at(c, 16);
	uint32_t flags = u32_at(c, 4);

	if (flags > 2)
		return EINVAL;
	if (flags == 2)
		return addr == 0 && size == 0 ? GOOD : EINVAL;
	if (no_range(addr, size))
		return EINVAL;
	if (flags == 0)
		return GOOD;
	if (no_power(u64_at(c, 24)) || u64_at(c, 32) != bitmap_bytes(size, u64_at(c, 24)) ||
			u32_at(c, 0) < 40 || u64_at(c, 32) > u32_at(c, 0) - 40)
		return EINVAL;
	/* nothing is tracked */
	return c->served ? EINVAL : GOOD;
}

static int
no_more_than_shape(const struct command *c)
{
	(void)c;
	return GOOD;
}

/* The index is a region of the device, or one of its interrupt types. */
static int
region_index(const struct command *c)
{
	return c->served && u32_at(c, 8) >= SERVED_REGIONS ? EINVAL : GOOD;
}

static int
irq_index(const struct command *c)
{
	return c->served && u32_at(c, 8) >= SERVED_IRQS ? EINVAL : GOOD;
}

static int
io_fds(const struct command *c)
{
	return u32_at(c, 4) != 0 || u32_at(c, 12) != 0 ? EINVAL : region_index(c);
}

static bool
one_bit_of(uint32_t flags, uint32_t mask)
{
	return !no_power(flags & mask);
}

/* All eventfds or none. */
static int
irq_fds(const struct command *c)
{
	if (c->nb_fds == 0)
		return GOOD;
	if (!(u32_at(c, 4) & 4) || c->nb_fds != u32_at(c, 16))
		return EINVAL;
	return c->kind == VU_HOSTILE_FD_AS_IS || c->kind == VU_HOSTILE_FD_EVENTFD || !c->served ?
		GOOD : EINVAL;
}

static int
set_irqs(const struct command *c)
{
	static const uint32_t served[] = { 1, 4, SERVED_MSIX_NB, 1, 1 };
	static const uint32_t plain[] = { 1, 1, 8, 1, 1 };
	uint32_t flags = u32_at(c, 4), index = u32_at(c, 8);
	uint32_t start = u32_at(c, 12), count = u32_at(c, 16);
	uint32_t vectors;

	if (flags > 0x3f || !one_bit_of(flags, 0x7) || !one_bit_of(flags, 0x38) ||
			index >= SERVED_IRQS || (index > 2 && !(flags & 0x20)))
		return EINVAL;
	vectors = c->served ? served[index] : plain[index];
	if (count == 0 && (flags != 0x21 || start != 0))
		return EINVAL;
	if (start > vectors || count > vectors - start)
		return EINVAL;
	return irq_fds(c);
}

/* An access to a region; `write` needs more rights. */
static int
access_at(const struct command *c, size_t off, bool write)
{
	static const uint32_t sizes[SERVED_REGIONS] = { 4096, 65536, 65536, 2u << 20, 4096, 65536,
		0, 256, 2u << 20 };
	uint64_t offset = u64_at(c, off);
	uint32_t region = u32_at(c, off + 8), count = u32_at(c, off + 12);

	if (!c->served)
		return GOOD;
	if (region >= SERVED_REGIONS || count > XFER_MAX || offset > sizes[region] ||
			count > sizes[region] - offset || sizes[region] == 0)
		return EINVAL;
	return write && region == SERVED_ROM ? EINVAL : GOOD;
}

static int
region_read(const struct command *c)
{
	return access_at(c, 0, false);
}

static int
region_write(const struct command *c)
{
	return access_at(c, 0, true);
}

/* What was written before the first that fails stays. */
static int
write_multi(const struct command *c)
{
	uint64_t i, count = u64_at(c, 0);
	int rc = GOOD;

	for (i = 0; rc == GOOD && i < count; i++) {
		rc = access_at(c, 8 + 24 * i, true);
		if (u32_at(c, 20 + 24 * i) < 1 || u32_at(c, 20 + 24 * i) > 8)
			rc = EINVAL;
	}
	return c->served && i > 1 ? GOOD : rc;
}

static int
logging_start(const struct command *c)
{
	uint32_t i, nb;

	if (c->len < 24 || no_power(u64_at(c, 8)))
		return EINVAL;
	nb = u32_at(c, 16);
	if (c->len - 24 != UINT64_C(16) * nb)
		return EINVAL;
	for (i = 0; i < nb; i++)
		if (no_range(u64_at(c, 24 + 16 * i), u64_at(c, 32 + 16 * i)))
			return EINVAL;
	return GOOD;
}

static int
logging_report(const struct command *c)
{
	uint64_t bytes;

	if (c->len < 32 || u32_at(c, 0) < 32 || no_power(u64_at(c, 24)) ||
			no_range(u64_at(c, 8), u64_at(c, 16)))
		return EINVAL;
	bytes = bitmap_bytes(u64_at(c, 16), u64_at(c, 24));
	if (bytes > u32_at(c, 0) - 32)
		return EINVAL;
	/* nothing is tracked */
	return c->served ? FAIL : ANY;
}

#define GET   0x10000u
#define SET   0x20000u
#define PROBE 0x40000u

/* By number of the feature; 0: there is none. */
static const struct {
	uint32_t methods;
	uint32_t get_room;	/* in bytes of argsz */
	uint32_t set_len;	/* bytes of payload */
	bool migration;
	int (*judge)(const struct command *c);
} features[] = {
	[1] = { GET, 16, 0, true, no_more_than_shape },
	[2] = { GET | SET, 16, 16, true, no_more_than_shape },
	[6] = { SET, 0, 24, false, logging_start },
	[7] = { SET, 0, 8, false, no_more_than_shape },
	[8] = { GET, 32, 0, false, logging_report },
};

static int
feature(const struct command *c)
{
	uint32_t flags = u32_at(c, 4), index = flags & 0xffff, methods = flags & (GET | SET);

	if (flags & ~(uint32_t)(0xffff | GET | SET | PROBE) || index >= RTE_DIM(features) ||
			features[index].methods == 0 || methods & ~features[index].methods)
		return EINVAL;
	if (c->served && features[index].migration)
		return EINVAL;
	if (flags & PROBE)
		return GOOD;
	if (methods == 0 || methods == (GET | SET))
		return EINVAL;
	if (methods == GET ? u32_at(c, 0) < features[index].get_room :
			c->len < features[index].set_len)
		return EINVAL;
	return features[index].judge(c);
}

/* The device of the tests does not migrate. */
static int
mig_read(const struct command *c)
{
	uint32_t argsz = u32_at(c, 0), size = u32_at(c, 4);

	return c->served || size > argsz - 8 || size > XFER_MAX ? EINVAL : GOOD;
}

static int
mig_write(const struct command *c)
{
	return c->served ? EINVAL : GOOD;
}

/* ---- all of them ---- */

#define NO_ARGSZ 0u
#define FDS_TOLD UINT32_MAX	/* by the contents */

static uint64_t
tail_none(const struct command *c)
{
	(void)c;
	return 0;
}

static uint64_t
tail_version(const struct command *c)
{
	return c->len - 4;
}

static uint64_t
tail_feature(const struct command *c)
{
	return c->len - 8;
}

static uint64_t
tail_multi(const struct command *c)
{
	return UINT64_C(32) * u32_at(c, 0);
}

static uint64_t
tail_unmap(const struct command *c)
{
	return u32_at(c, 4) & 1 ? 16 : 0;
}

static uint64_t
tail_irqs(const struct command *c)
{
	return u32_at(c, 4) & 2 ? u32_at(c, 16) : 0;
}

static uint64_t
tail_write(const struct command *c)
{
	return u32_at(c, 12);
}

static uint64_t
tail_writes(const struct command *c)
{
	return u64_at(c, 0) > UINT32_MAX ? UINT64_MAX : 24 * u64_at(c, 0);
}

static uint64_t
tail_mig(const struct command *c)
{
	return u32_at(c, 4);
}

/* Section 4 of the description: lengths and descriptors; then what is in them. */
static const struct {
	uint32_t fixed;
	uint64_t (*tail)(const struct command *c);
	uint32_t argsz;
	uint32_t max_fds;
	int (*judge)(const struct command *c);
} commands[] = {
	[1] = { 4, tail_version, NO_ARGSZ, 0, version },
	[2] = { 32, tail_none, 32, 1, dma_map },
	[3] = { 24, tail_unmap, 24, 0, dma_unmap },
	[4] = { 16, tail_none, 16, 0, no_more_than_shape },
	[5] = { 32, tail_none, 32, 0, region_index },
	[6] = { 16, tail_none, 16, 0, io_fds },
	[7] = { 16, tail_none, 16, 0, irq_index },
	[8] = { 20, tail_irqs, 20, FDS_TOLD, set_irqs },
	[9] = { 16, tail_none, NO_ARGSZ, 0, region_read },
	[10] = { 16, tail_write, NO_ARGSZ, 0, region_write },
	[13] = { 0, tail_none, NO_ARGSZ, 0, no_more_than_shape },
	[15] = { 8, tail_writes, NO_ARGSZ, 0, write_multi },
	[16] = { 8, tail_feature, 8, 0, feature },
	[17] = { 8, tail_none, 8, 0, mig_read },
	[18] = { 8, tail_mig, 8, 0, mig_write },
	[64] = { 8, tail_multi, NO_ARGSZ, FDS_TOLD, dma_map_multi },
};

int
vu_reference_expect(const struct vu_hostile_msg *msg, bool served)
{
	struct vu_hdr hdr = vu_hostile_hdr(msg);
	struct command c = { msg->bytes + sizeof(hdr), msg->len - sizeof(hdr), msg->nb_fds,
		msg->fd_kind, served };

	if (msg->nb_fds > MANY_FDS)
		return VU_HOSTILE_CLOSE;
	if (hdr.cmd >= RTE_DIM(commands) || commands[hdr.cmd].judge == NULL)
		return ENOSYS;
	if (c.len < commands[hdr.cmd].fixed ||
			c.len - commands[hdr.cmd].fixed != commands[hdr.cmd].tail(&c) ||
			c.nb_fds > commands[hdr.cmd].max_fds)
		return EINVAL;
	if (commands[hdr.cmd].argsz != NO_ARGSZ && u32_at(&c, 0) < commands[hdr.cmd].argsz)
		return EINVAL;
	return commands[hdr.cmd].judge(&c);
}

/* ---- a client ---- */

/* More descriptors than a client takes. */
#define CLIENT_FDS 64u

static int
client_access(const struct command *c)
{
	uint64_t addr = u64_at(c, 0), count = u64_at(c, 8);

	if (count > XFER_MAX)
		return E2BIG;
	if (no_range(addr, count))
		return EINVAL;
	return addr >= VU_REFERENCE_ADDR && addr - VU_REFERENCE_ADDR <= VU_REFERENCE_SIZE &&
		count <= VU_REFERENCE_SIZE - (addr - VU_REFERENCE_ADDR) ? GOOD : EFAULT;
}

int
vu_reference_expect_client(const struct vu_hostile_msg *msg, bool twin)
{
	struct vu_hdr hdr = vu_hostile_hdr(msg);
	struct command c = { .p = msg->bytes + sizeof(hdr), .len = msg->len - sizeof(hdr) };

	if (msg->nb_fds > (twin ? 0 : CLIENT_FDS))
		return VU_HOSTILE_CLOSE;
	if (hdr.cmd != 11 && hdr.cmd != 12)
		return ENOSYS;
	if (c.len < 16 || c.len - 16 != (hdr.cmd == 12 ? u64_at(&c, 8) : 0) || msg->nb_fds > 0)
		return EINVAL;
	return client_access(&c);
}

/* A reply to DMA_WRITE has a count of 8 bytes, one of 4, or nothing at all. */
static bool
access_reply_is_right(uint16_t cmd, const struct command *c)
{
	if (cmd == 12 && c->len == 0)
		return true;
	if (cmd == 12 && c->len == 12)
		return u64_at(c, 0) == VU_REFERENCE_ACCESS_ADDR &&
			u32_at(c, 8) == VU_REFERENCE_ACCESS_LEN;
	return c->len == 16 + (cmd == 11 ? VU_REFERENCE_ACCESS_LEN : 0) &&
		u64_at(c, 0) == VU_REFERENCE_ACCESS_ADDR &&
		u64_at(c, 8) == VU_REFERENCE_ACCESS_LEN;
}

int
vu_reference_expect_access(const struct vu_hostile_msg *msg, bool twin)
{
	struct vu_hdr hdr = vu_hostile_hdr(msg);
	struct command c = { .p = msg->bytes + sizeof(hdr), .len = msg->len - sizeof(hdr) };

	if (msg->nb_fds > (twin ? 0 : MANY_FDS))
		return VU_HOSTILE_CLOSE;
	return access_reply_is_right(hdr.cmd, &c) ? GOOD : FAIL;
}
