/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_CODEC_H
#define VU_CODEC_H

/**
 * @file
 * Payloads whose meaning the command table cannot check: parts of variable length, fields that
 * exclude each other, replies that must fit their request. Pure: bytes in, structures out, and
 * back.
 *
 * Payloads may have any alignment. A function that reads a request returns -EINVAL for what its
 * sender should not have sent, one that reads a reply -EPROTO; none reads a byte behind the length
 * that it is given. They take the shapes that vu_request_check() and vu_reply_check() accept, but
 * do not depend on those having been called.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vu_caps.h"
#include "vu_proto.h"

/* ---- ranges ---- */

/** Whether a range is not empty and its last byte has a 64-bit address. */
static inline bool
vu_range_valid(uint64_t addr, uint64_t size)
{
	return size > 0 && size - 1 <= UINT64_MAX - addr;
}

/** Whether a part of something of @p whole bytes lies inside it. */
static inline bool
vu_range_inside(uint64_t off, uint64_t len, uint64_t whole)
{
	return off <= whole && len <= whole - off;
}

/**
 * Bytes of a bitmap with a bit for each page of a range, in whole 64-bit words.
 *
 * @param size
 *   Bytes of the range, > 0.
 * @param pgsize
 *   Bytes of a page, a power of two.
 */
static inline uint64_t
vu_bitmap_bytes(uint64_t size, uint64_t pgsize)
{
	uint64_t last_page = (size - 1) / pgsize;

	return (last_page / 64 + 1) * sizeof(uint64_t);
}

/* ---- VERSION ---- */

struct vu_version_info {
	uint16_t major;
	uint16_t minor;
	bool has_text;	/**< the other side said something about itself */
	struct vu_caps caps;
};

/**
 * @param why
 *   Set to what is wrong, a constant string.
 * @return 0; -EINVAL; -ENOMEM
 */
int vu_version_decode(const void *payload, size_t len, struct vu_version_info *version,
	const char **why);

/** @return bytes of payload; -ENOSPC: more than @p cap; -ENOMEM */
int vu_version_encode(const struct vu_version_info *version, void *payload, size_t cap);

/* ---- DMA_MAP, DMA_UNMAP ---- */

/** @return 0; -EINVAL: unknown flags, none, an empty range, or one that wraps */
int vu_dma_map_decode(const void *payload, size_t len, struct vu_dma_map *map);

/** @return number of regions, at least 1; -EINVAL, also if not each has a descriptor */
int vu_map_multi_count(const void *payload, size_t len, unsigned int nb_fds);

/** @param i 0 to the number - 1. @return as vu_dma_map_decode() */
int vu_map_multi_entry(const void *payload, uint32_t i, struct vu_dma_map *map);

/**
 * @param count
 *   Regions of the request.
 * @param done
 *   How many of them are mapped, from the first on; 0 with -EPROTO.
 * @return 0: all of them; what the first one failed with that is not; -EPROTO
 */
int vu_map_multi_reply_decode(uint32_t count, const void *payload, size_t len, uint32_t *done);

struct vu_unmap {
	bool all;	/**< everything; addr and size are 0 */
	bool want_bitmap;
	uint64_t addr;
	uint64_t size;
	struct vu_bitmap bitmap;	/**< with want_bitmap; size is just right for the range */
};

/**
 * @param max_bitmap
 *   Largest bitmap that a reply may have, in bytes.
 * @return
 *   0; -EINVAL: flags that are unknown or exclude each other, an impossible range, a bitmap of the
 *   wrong size or longer than argsz permits
 */
int vu_unmap_decode(const void *payload, size_t len, uint64_t max_bitmap, struct vu_unmap *unmap);

/** Write a request, VU_UNMAP_MAX bytes at most. @return bytes */
#define VU_UNMAP_MAX (sizeof(struct vu_dma_unmap) + sizeof(struct vu_bitmap))
size_t vu_unmap_encode(const struct vu_unmap *unmap, void *payload);

/**
 * Read the reply to a request.
 *
 * @param bitmap
 *   Set to the bitmap in @p payload, of unmap->bitmap.size bytes, or NULL if none was asked for.
 * @return 0; -EPROTO
 */
int vu_unmap_reply_decode(const struct vu_unmap *unmap, const void *payload, size_t len,
	const void **bitmap);

/* ---- information ---- */

/** @return 0; -EPROTO */
int vu_device_info_decode(const void *payload, size_t len, struct vfio_device_info *info);

/**
 * The answer to GET_REGION_INFO: all of it, or the fixed part if argsz leaves no room for more.
 *
 * @param info
 *   The description with its capabilities, @p len bytes.
 * @param argsz
 *   Of the request, at least sizeof(*fixed).
 * @param fixed
 *   Set to the fixed part of the answer, to be followed by the rest of @p info if that fits.
 * @return bytes of the answer: @p len, then a descriptor may go with it, or sizeof(*fixed)
 */
size_t vu_region_info_reply(const struct vfio_region_info *info, size_t len, uint32_t argsz,
	struct vfio_region_info *fixed);

/**
 * @param argsz
 *   Of the request: the answer must not be longer.
 * @param fixed
 *   Set to the fixed part.
 * @return
 *   0: the answer is complete; 1: ask again with fixed->argsz; -EPROTO: of another region, longer
 *   than allowed, or its capabilities make no sense
 */
int vu_region_info_decode(const void *payload, size_t len, uint32_t index, uint32_t argsz,
	struct vfio_region_info *fixed);

/** @return 0; -EPROTO */
int vu_irq_info_decode(const void *payload, size_t len, uint32_t index, struct vfio_irq_info *info);

/* ---- DEVICE_SET_IRQS ---- */

struct vu_irq_set {
	uint32_t data;	/**< VFIO_IRQ_SET_DATA_NONE, _BOOL or _EVENTFD */
	uint32_t action;	/**< VFIO_IRQ_SET_ACTION_MASK, _UNMASK or _TRIGGER */
	uint32_t index;
	uint32_t start;
	uint32_t count;	/**< 0: disable the whole index */
	const uint8_t *bools;	/**< with _BOOL: count bytes, not 0 means yes */
};

/**
 * Read a request.
 *
 * @param nb_fds
 *   Descriptors that came with it: none, or one for each vector.
 * @param irqs
 *   What the device has, @p nb_irqs types.
 * @return 0; -EINVAL
 */
int vu_irq_set_decode(const void *payload, size_t len, unsigned int nb_fds,
	const struct vfio_irq_info *irqs, uint32_t nb_irqs, struct vu_irq_set *set);

/** struct vfio_irq_set without the data. */
struct vu_irq_fixed {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count;
};

/** A request, as it goes to vu_conn_send(). */
struct vu_irq_msg {
	struct vu_irq_fixed fixed;
	struct iovec payload[2];	/**< fixed, and booleans if there are any */
	unsigned int nb;
	const int *fds;	/**< those of the caller */
	unsigned int nb_fds;
};

/**
 * Cut what the ioctl VFIO_DEVICE_SET_IRQS takes into requests: vectors with and without descriptors
 * cannot be in one, and there is a limit to the number of descriptors.
 *
 * @param set
 *   Complete: argsz covers its data, of which the requests refer to parts.
 * @param max_fds
 *   Most descriptors in one message, at least 1.
 * @param done
 *   Where to go on; 0 at first.
 * @param msg
 *   The next request. Refers to itself: not to be copied.
 * @return 1: there is one; 0: all are done; -EINVAL: no valid set
 */
int vu_irq_set_next(const struct vfio_irq_set *set, uint32_t max_fds, uint32_t *done,
	struct vu_irq_msg *msg);

/* ---- GET_REGION_IO_FDS ---- */

/** Entry of the reply, whatever its layout on the wire. */
struct vu_io_fd {
	uint64_t offset;
	uint64_t size;	/**< 0: an access of any width */
	uint32_t fd_index;
	uint32_t type;	/**< VU_IO_FD_* */
	uint32_t flags;
	uint32_t shadow_fd_index;	/**< with VU_IO_FD_IOEVENTFD_SHADOW */
	uint64_t shadow_offset;	/**< same */
	uint64_t datamatch;	/**< of an ioregionfd: its user data */
};

/** Layouts: bytes of an entry. */
#define VU_IO_FD_LAYOUT_SPEC   sizeof(struct vu_ioeventfd)
#define VU_IO_FD_LAYOUT_SHADOW sizeof(struct vu_ioeventfd_shadow)

/** @return 0; -EINVAL: what must be zero is not */
int vu_io_fds_request_decode(const void *payload, size_t len, struct vu_region_io_fds *request);

/** Write an entry. @return 0; -EINVAL: this layout has no room for a shadow */
int vu_io_fd_encode(const struct vu_io_fd *entry, size_t layout, void *to);

/** A reply. */
struct vu_io_fds {
	uint32_t argsz;	/**< bytes that the whole reply takes */
	uint32_t count;	/**< entries that there are */
	size_t layout;	/**< bytes of an entry; 0: the entries did not fit, or there are none */
	const uint8_t *entries;
	uint64_t region_size;
	unsigned int nb_fds;
};

/**
 * @param region_size
 *   Bytes: entries must lie inside.
 * @return 0: complete; 1: ask again with list->argsz; -EPROTO
 */
int vu_io_fds_decode(const void *payload, size_t len, uint32_t index, uint64_t region_size,
	unsigned int nb_fds, struct vu_io_fds *list);

/** @param i 0 to list->count - 1. @return 0; -EPROTO */
int vu_io_fd_decode(const struct vu_io_fds *list, uint32_t i, struct vu_io_fd *entry);

/* ---- REGION_READ, REGION_WRITE, REGION_WRITE_MULTI ---- */

/**
 * Check that a reply belongs to this access.
 *
 * @param data
 *   Bytes of data that must follow: the count of a read, 0 for a write.
 * @return 0; -EIO: fewer bytes were written; -EPROTO
 */
int vu_region_reply_check(const struct vu_region_access *request, const void *payload, size_t len,
	size_t data);

/** @return number of entries; -EINVAL */
int vu_write_multi_count(const void *payload, size_t len);

/** @param i 0 to the number - 1. @return 0; -EINVAL: impossible count of bytes */
int vu_write_multi_entry(const void *payload, uint32_t i, struct vu_write_multi_entry *entry);

/* ---- DMA_READ, DMA_WRITE ---- */

/** Check that a reply to @p cmd belongs to this access. @return 0; -EPROTO */
int vu_dma_reply_check(uint16_t cmd, const struct vu_dma_access *request, const void *payload,
	size_t len);

/* ---- DEVICE_FEATURE ---- */

struct vu_feature {
	uint32_t argsz;
	uint32_t index;	/**< VFIO_DEVICE_FEATURE_* */
	bool get;
	bool set;
	bool probe;
	const uint8_t *data;	/**< of any alignment */
	size_t len;	/**< bytes of data */
};

/** Data of VFIO_DEVICE_FEATURE_DMA_LOGGING_START; ranges follow. */
struct vu_logging_start {
	uint64_t pgsize;
	uint32_t nb_ranges;	/**< 0: everything */
	uint32_t reserved;
};

struct vu_logging_range {
	uint64_t addr;
	uint64_t size;
};

/** Data of VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT; the bitmap follows in the reply. */
struct vu_logging_report {
	uint64_t addr;
	uint64_t size;
	uint64_t pgsize;
};

/**
 * @return
 *   0; -EINVAL: unknown feature, a method that it does not have, flags that exclude each other, too
 *   little data for the method, or argsz too small for the answer
 */
int vu_feature_decode(const void *payload, size_t len, struct vu_feature *feature);

/** Fill the fixed part of a request or reply, with the flags of @p feature. */
void vu_feature_encode(const struct vu_feature *feature, struct vfio_device_feature *fixed);

/** Check a reply: the same feature and methods. @return 0; -EPROTO */
int vu_feature_reply_decode(const struct vu_feature *request, const void *payload, size_t len,
	struct vu_feature *feature);

/** Data of a START. @return 0; -EINVAL: page size, number of ranges, or a range that wraps */
int vu_logging_start_decode(const struct vu_feature *feature, struct vu_logging_start *start);

/** @param i 0 to start.nb_ranges - 1 */
struct vu_logging_range vu_logging_range(const struct vu_feature *feature, uint32_t i);

/**
 * Data of a REPORT.
 *
 * @param max_bitmap
 *   Largest bitmap that a reply may have, in bytes.
 * @return 0; -EINVAL: page size, range, or a bitmap longer than that or than argsz permits
 */
int vu_logging_report_decode(const struct vu_feature *feature, uint64_t max_bitmap,
	struct vu_logging_report *report);

/* ---- MIG_DATA_READ, MIG_DATA_WRITE ---- */

/** @param max most bytes of data. @return bytes of data wanted; -EINVAL */
int64_t vu_mig_read_decode(const void *payload, size_t len, uint32_t max);

/** @param data set to the data in @p payload. @return their bytes; -EINVAL */
int64_t vu_mig_write_decode(const void *payload, size_t len, const void **data);

/**
 * @param wanted
 *   Bytes that were asked for.
 * @param data
 *   Set to the data in @p payload.
 * @return bytes of data, 0 at the end of the state; -EPROTO
 */
int64_t vu_mig_read_reply_decode(const void *payload, size_t len, uint32_t wanted,
	const void **data);

static_assert(sizeof(struct vu_irq_fixed) == sizeof(struct vfio_irq_set), "DEVICE_SET_IRQS");
static_assert(sizeof(struct vu_logging_start) == 16, "DMA_LOGGING_START");
static_assert(sizeof(struct vu_logging_report) == 24, "DMA_LOGGING_REPORT");

#endif /* VU_CODEC_H */
