/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <linux/pci_regs.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_common.h>

#include "vu_pci.h"

#define CAP_HEAD 2u	/* id and link */
#define EXT_CAP_HEAD 4u	/* id, version and link */
#define EXT_CAP_LINK_SHIFT 20

uint32_t
vu_pci_le_get(const uint8_t *bytes, unsigned int len)
{
	uint32_t value = 0;

	while (len-- > 0)
		value = value << 8 | bytes[len];
	return value;
}

void
vu_pci_le_set(uint8_t *bytes, uint32_t value, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++, value >>= 8)
		bytes[i] = (uint8_t)value;
}

/* Of a range of bytes, those that lie in the same word as the first. */
static uint32_t
part_of_word(uint32_t off, uint32_t len)
{
	return RTE_MIN(len, 4 - off % 4);
}

void
vu_pci_cfg_read(const struct vu_pci_cfg *cfg, uint32_t off, uint8_t *buf, uint32_t len)
{
	uint32_t n;

	for (; len > 0; off += n, buf += n, len -= n) {
		n = part_of_word(off, len);
		vu_pci_le_set(buf, vu_pci_cfg_get32(cfg, off), n);
	}
}

/* Change some bits of a word, of which other threads may be changing others. */
static void
word_change(struct vu_pci_cfg *cfg, uint32_t off, uint32_t value, uint32_t mask)
{
	_Atomic uint32_t *word = &cfg->word[off / 4];
	uint32_t old = atomic_load(word);
	uint32_t next;

	value <<= off % 4 * 8;
	do {
		next = (old & ~mask) | (value & mask);
		if (next == old)
			return;
	} while (!atomic_compare_exchange_weak(word, &old, next));
}

/* As vu_pci_le_get(), where most are whole words. */
static inline uint32_t
bytes_get(const uint8_t *bytes, unsigned int len)
{
	uint32_t value;

	if (unlikely(len != sizeof(value)))
		return vu_pci_le_get(bytes, len);
	memcpy(&value, bytes, sizeof(value));
	return rte_le_to_cpu_32(value);
}

/* The bits of a word that bytes of it take. */
static uint32_t
bits_of(uint32_t off, uint32_t len)
{
	return UINT32_MAX >> (32 - 8 * len) << off % 4 * 8;
}

void
vu_pci_cfg_preset(struct vu_pci_cfg *cfg, uint32_t off, const void *buf, uint32_t len)
{
	const uint8_t *in = buf;
	uint32_t n;

	memcpy(&cfg->initial[off], buf, len);
	for (; len > 0; off += n, in += n, len -= n) {
		n = part_of_word(off, len);
		word_change(cfg, off, bytes_get(in, n), bits_of(off, n));
	}
}

static void
preset_le(struct vu_pci_cfg *cfg, uint32_t off, uint32_t value, unsigned int len)
{
	uint8_t bytes[4];

	vu_pci_le_set(bytes, value, len);
	vu_pci_cfg_preset(cfg, off, bytes, len);
}

void
vu_pci_cfg_init(struct vu_pci_cfg *cfg, const struct rte_vfio_user_pci_info *info)
{
	const struct {
		uint32_t off;
		uint32_t value;
		uint32_t writable;
		unsigned int len;
	} registers[] = {
		{ PCI_VENDOR_ID, info->vendor_id, 0, 2 },
		{ PCI_DEVICE_ID, info->device_id, 0, 2 },
		/* decoding of I/O and memory and bus master, parity and system errors, INTx off */
		{ PCI_COMMAND, 0, 0x0547, 2 },
		{ PCI_REVISION_ID, info->revision_id, 0, 1 },
		{ PCI_CLASS_PROG, info->class_code, 0, 3 },
		{ PCI_CACHE_LINE_SIZE, 0, 0xff, 1 },
		{ PCI_LATENCY_TIMER, 0, info->express ? 0 : 0xff, 1 },
		{ PCI_SUBSYSTEM_VENDOR_ID, info->subsystem_vendor_id, 0, 2 },
		{ PCI_SUBSYSTEM_ID, info->subsystem_id, 0, 2 },
		{ PCI_INTERRUPT_LINE, 0, 0xff, 1 },
		{ PCI_INTERRUPT_PIN, info->interrupt_pin, 0, 1 },
	};
	unsigned int i;

	memset(cfg, 0, sizeof(*cfg));
	cfg->size = info->express ? VU_PCI_CFG_MAX : 256;
	cfg->cap_end = VU_PCI_HEADER_LEN;
	cfg->ext_cap_end = VU_PCI_EXT_CAP_START;
	for (i = 0; i < RTE_DIM(registers); i++) {
		preset_le(cfg, registers[i].off, registers[i].value, registers[i].len);
		vu_pci_le_set(&cfg->writable[registers[i].off], registers[i].writable,
			registers[i].len);
	}
}

static uint32_t
bar_type(uint32_t flags)
{
	if (flags & RTE_VFIO_USER_PCI_BAR_IO)
		return PCI_BASE_ADDRESS_SPACE_IO;
	return (flags & RTE_VFIO_USER_PCI_BAR_64 ? PCI_BASE_ADDRESS_MEM_TYPE_64 : 0) |
		(flags & RTE_VFIO_USER_PCI_BAR_PREFETCH ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0);
}

/*
 * A BAR decodes the address bits above its size and hardwires the others, which is how its size is
 * learned (PCI Local Bus 3.0, section 6.2.5.1).
 */
void
vu_pci_cfg_set_bar(struct vu_pci_cfg *cfg, unsigned int bar, uint64_t size, uint32_t flags)
{
	uint64_t writable = ~(size - 1);

	preset_le(cfg, VU_PCI_BAR(bar), bar_type(flags), 4);
	vu_pci_le_set(&cfg->writable[VU_PCI_BAR(bar)], (uint32_t)writable, 4);
	if (flags & RTE_VFIO_USER_PCI_BAR_64)
		vu_pci_le_set(&cfg->writable[VU_PCI_BAR(bar + 1)], (uint32_t)(writable >> 32), 4);
}

void
vu_pci_cfg_set_rom(struct vu_pci_cfg *cfg, uint64_t size)
{
	vu_pci_le_set(&cfg->writable[VU_PCI_ROM],
		(uint32_t)~(size - 1) | PCI_ROM_ADDRESS_ENABLE, 4);
}

uint64_t
vu_pci_cfg_bar_addr(const struct vu_pci_cfg *cfg, unsigned int bar, uint32_t flags)
{
	uint64_t addr = vu_pci_cfg_get32(cfg, VU_PCI_BAR(bar));

	if (flags & RTE_VFIO_USER_PCI_BAR_IO)
		return addr & PCI_BASE_ADDRESS_IO_MASK;
	if (flags & RTE_VFIO_USER_PCI_BAR_64)
		addr |= (uint64_t)vu_pci_cfg_get32(cfg, VU_PCI_BAR(bar + 1)) << 32;
	return addr & PCI_BASE_ADDRESS_MEM_MASK;
}

static void
body_set(struct vu_pci_cfg *cfg, uint32_t off, const void *body, const void *writable, size_t len)
{
	if (body != NULL)
		vu_pci_cfg_preset(cfg, off, body, (uint32_t)len);
	if (writable != NULL)
		memcpy(&cfg->writable[off], writable, len);
}

static void
cap_link(struct vu_pci_cfg *cfg, uint32_t off)
{
	uint32_t link = cfg->last_cap == 0 ? VU_PCI_CAP_LIST : cfg->last_cap + PCI_CAP_LIST_NEXT;

	preset_le(cfg, link, off, 1);
	preset_le(cfg, VU_PCI_STATUS, VU_PCI_STATUS_CAP_LIST, 2);
	cfg->last_cap = off;
}

int
vu_pci_cfg_add_cap(struct vu_pci_cfg *cfg, uint8_t id, const void *body, const void *writable,
	size_t len)
{
	uint32_t off = cfg->cap_end;

	if (id == 0 || len == 0)
		return -EINVAL;
	if (len > 256 - CAP_HEAD || off > 256 - CAP_HEAD - len)
		return -ENOSPC;
	preset_le(cfg, off, id, 1);
	body_set(cfg, off + CAP_HEAD, body, writable, len);
	cap_link(cfg, off);
	cfg->cap_end = RTE_ALIGN_CEIL(off + CAP_HEAD + (uint32_t)len, 4);
	return (int)off;
}

static void
ext_cap_link(struct vu_pci_cfg *cfg, uint32_t off)
{
	uint32_t head;

	if (cfg->last_ext_cap != 0) {
		head = vu_pci_cfg_get32(cfg, cfg->last_ext_cap);
		preset_le(cfg, cfg->last_ext_cap, head | off << EXT_CAP_LINK_SHIFT, 4);
	}
	cfg->last_ext_cap = off;
}

int
vu_pci_cfg_add_ext_cap(struct vu_pci_cfg *cfg, uint16_t id, uint8_t version, const void *body,
	const void *writable, size_t len)
{
	uint32_t off = cfg->ext_cap_end;

	if (id == 0 || version == 0 || version > 15)
		return -EINVAL;
	if (off > cfg->size || len > cfg->size || cfg->size - off < EXT_CAP_HEAD + len)
		return -ENOSPC;
	preset_le(cfg, off, id | (uint32_t)version << 16, 4);
	body_set(cfg, off + EXT_CAP_HEAD, body, writable, len);
	ext_cap_link(cfg, off);
	cfg->ext_cap_end = RTE_ALIGN_CEIL(off + EXT_CAP_HEAD + (uint32_t)len, 4);
	return (int)off;
}

void
vu_pci_cfg_write(struct vu_pci_cfg *cfg, uint32_t off, const void *buf, uint32_t len)
{
	const uint8_t *in = buf;
	uint32_t n, writable;

	for (; len > 0; off += n, in += n, len -= n) {
		n = part_of_word(off, len);
		writable = bytes_get(&cfg->writable[off - off % 4], 4);
		word_change(cfg, off, bytes_get(in, n), writable & bits_of(off, n));
	}
}

void
vu_pci_cfg_reset(struct vu_pci_cfg *cfg)
{
	uint32_t off;

	for (off = 0; off < cfg->size; off += 4)
		atomic_store(&cfg->word[off / 4], vu_pci_le_get(&cfg->initial[off], 4));
}
