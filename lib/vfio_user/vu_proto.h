/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_PROTO_H
#define VU_PROTO_H

/**
 * @file
 * The vfio-user wire, protocol version 0: numbers and layouts. Integers are in host byte order,
 * both ends are on one host. What is a copy of the kernel's VFIO interface keeps its structures
 * and flags, which come from linux/vfio.h; here stands what vfio-user adds.
 */

#include <assert.h>
#include <stdint.h>

#include <linux/vfio.h>

#define VU_MAJOR 0
#define VU_MINOR 1	/**< the newest we know; nothing on the wire depends on it */

enum vu_cmd {
	VU_VERSION = 1,
	VU_DMA_MAP = 2,
	VU_DMA_UNMAP = 3,
	VU_GET_INFO = 4,
	VU_GET_REGION_INFO = 5,
	VU_GET_REGION_IO_FDS = 6,
	VU_GET_IRQ_INFO = 7,
	VU_SET_IRQS = 8,
	VU_REGION_READ = 9,
	VU_REGION_WRITE = 10,
	VU_DMA_READ = 11,
	VU_DMA_WRITE = 12,
	VU_RESET = 13,
	VU_REGION_WRITE_MULTI = 15,
	VU_FEATURE = 16,
	VU_MIG_DATA_READ = 17,
	VU_MIG_DATA_WRITE = 18,
	/** Not of the specification; only for a server that says map_multiple. */
	VU_DMA_MAP_MULTI = 64,
	VU_CMD_NB,
};

/** In front of every command and every reply. */
struct vu_hdr {
	uint16_t id;	/**< chosen by the sender of the command, copied to the reply */
	uint16_t cmd;
	uint32_t size;	/**< bytes, this header included */
	uint32_t flags;	/**< VU_F_* */
	uint32_t error;	/**< errno as a positive number; only with VU_F_ERROR */
};

#define VU_F_TYPE_MASK    0x0fu
#define VU_F_TYPE_COMMAND 0x00u
#define VU_F_TYPE_REPLY   0x01u
#define VU_F_NO_REPLY     0x10u
#define VU_F_ERROR        0x20u
#define VU_F_KNOWN        0x3fu

struct vu_version {
	uint16_t major;
	uint16_t minor;
	char json[];	/**< ends in one NUL, which is part of the message; may be absent */
};

struct vu_dma_map {
	uint32_t argsz;
	uint32_t flags;	/**< VU_DMA_F_* */
	uint64_t offset;	/**< into the file of the descriptor */
	uint64_t addr;	/**< IOVA */
	uint64_t size;
};

#define VU_DMA_F_READ  0x1u
#define VU_DMA_F_WRITE 0x2u

/** DMA_MAP_MULTI: so many vu_dma_map follow, and a descriptor comes for each, in their order. */
struct vu_map_multi {
	uint32_t count;	/**< in the reply: how many were mapped, from the first on */
	uint32_t error;	/**< in the reply: errno of the first that was not; 0: all were */
};

struct vu_dma_unmap {
	uint32_t argsz;
	uint32_t flags;	/**< VU_UNMAP_F_* */
	uint64_t addr;
	uint64_t size;
};

#define VU_UNMAP_F_BITMAP 0x1u
#define VU_UNMAP_F_ALL    0x2u

/** Follows vu_dma_unmap with VU_UNMAP_F_BITMAP; the bitmap follows it in the reply. */
struct vu_bitmap {
	uint64_t pgsize;	/**< bytes a bit stands for */
	uint64_t size;	/**< bytes of the bitmap */
};

/** REGION_READ and REGION_WRITE; data follows where there is some. */
struct vu_region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
};

/** DMA_READ and DMA_WRITE; data follows where there is some. */
struct vu_dma_access {
	uint64_t addr;
	uint64_t count;
};

struct vu_write_multi_entry {
	uint64_t offset;
	uint32_t region;
	uint32_t count;	/**< 1 to 8 */
	uint8_t data[8];
};

struct vu_write_multi {
	uint64_t wr_cnt;
	struct vu_write_multi_entry wr[];
};

struct vu_region_io_fds {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t count;
};

/** An entry of GET_REGION_IO_FDS as the specification has it. */
struct vu_ioeventfd {
	uint64_t offset;
	uint64_t size;	/**< 0: an access of any width */
	uint32_t fd_index;
	uint32_t type;	/**< VU_IO_FD_* */
	uint32_t flags;	/**< as KVM_IOEVENTFD_FLAG_* */
	uint32_t padding;
	uint64_t datamatch;
};

/** The same as libvfio-user sends it: eight bytes more, and room for a shadow. */
struct vu_ioeventfd_shadow {
	uint64_t offset;
	uint64_t size;
	uint32_t fd_index;
	uint32_t type;
	uint32_t flags;
	uint32_t shadow_fd_index;
	uint64_t shadow_offset;
	uint64_t datamatch;
};

#define VU_IO_FD_IOEVENTFD        0u
#define VU_IO_FD_IOREGIONFD       1u
#define VU_IO_FD_IOEVENTFD_SHADOW 2u

/** MIG_DATA_READ and MIG_DATA_WRITE; data follows where there is some. */
struct vu_mig_data {
	uint32_t argsz;
	uint32_t size;
};

static_assert(sizeof(struct vu_hdr) == 16, "header");
static_assert(sizeof(struct vu_version) == 4, "VERSION");
static_assert(sizeof(struct vu_dma_map) == 32, "DMA_MAP");
static_assert(sizeof(struct vu_map_multi) == 8, "DMA_MAP_MULTI");
static_assert(sizeof(struct vu_dma_unmap) == 24, "DMA_UNMAP");
static_assert(sizeof(struct vfio_device_info) >= 16, "DEVICE_GET_INFO");
static_assert(sizeof(struct vfio_region_info) == 32, "DEVICE_GET_REGION_INFO");
static_assert(sizeof(struct vfio_irq_info) == 16, "DEVICE_GET_IRQ_INFO");
static_assert(sizeof(struct vfio_irq_set) == 20, "DEVICE_SET_IRQS");
static_assert(sizeof(struct vu_region_access) == 16, "REGION_READ");
static_assert(sizeof(struct vu_dma_access) == 16, "DMA_READ");
static_assert(sizeof(struct vu_write_multi_entry) == 24, "REGION_WRITE_MULTI");
static_assert(sizeof(struct vu_ioeventfd) == 40, "GET_REGION_IO_FDS entry");
static_assert(sizeof(struct vu_ioeventfd_shadow) == 48, "GET_REGION_IO_FDS shadow entry");
static_assert(sizeof(struct vfio_device_feature) == 8, "DEVICE_FEATURE");

/** Bytes of DEVICE_GET_INFO on the wire; the kernel's structure has grown since. */
#define VU_DEVICE_INFO_SIZE 16u

/* Limits of the specification where nothing is said, and of ours. */
#define VU_DEFAULT_MAX_MSG_FDS   1u
#define VU_DEFAULT_MAX_DATA_XFER 1048576u
#define VU_DEFAULT_MAX_DMA_MAPS  65535u
#define VU_DEFAULT_PGSIZES       4096u
#define VU_DEFAULT_MAX_BITMAP    268435456u
#define VU_SCM_MAX_FD            253u	/**< of Linux, in one message */

#endif /* VU_PROTO_H */
