/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef CHECK_WIRE_H
#define CHECK_WIRE_H

/**
 * @file
 * The vfio-user wire as the specification has it, written down once more: a checker that shared its
 * numbers with a server could not find what is wrong with them. What is a copy of the kernel's
 * interface comes from linux/vfio.h.
 */

#include <stdint.h>

#include <linux/vfio.h>

/* Section "Commands". */
enum wire_cmd {
	WIRE_VERSION = 1,
	WIRE_DMA_MAP = 2,
	WIRE_DMA_UNMAP = 3,
	WIRE_GET_INFO = 4,
	WIRE_GET_REGION_INFO = 5,
	WIRE_GET_REGION_IO_FDS = 6,
	WIRE_GET_IRQ_INFO = 7,
	WIRE_SET_IRQS = 8,
	WIRE_REGION_READ = 9,
	WIRE_REGION_WRITE = 10,
	WIRE_DMA_READ = 11,
	WIRE_DMA_WRITE = 12,
	WIRE_RESET = 13,
	WIRE_REGION_WRITE_MULTI = 15,
	WIRE_FEATURE = 16,
	WIRE_MIG_DATA_READ = 17,
	WIRE_MIG_DATA_WRITE = 18,
};

/* Section "Header". */
struct wire_hdr {
	uint16_t id;
	uint16_t cmd;
	uint32_t size;	/**< bytes, this header included */
	uint32_t flags;
	uint32_t error;
};

#define WIRE_TYPE_MASK  0x0fu
#define WIRE_TYPE_REPLY 0x01u
#define WIRE_NO_REPLY   0x10u
#define WIRE_ERROR      0x20u

/* Section "VFIO_USER_VERSION"; text follows. */
struct wire_version {
	uint16_t major;
	uint16_t minor;
};

/* Section "VFIO_USER_DMA_MAP". */
struct wire_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset;
	uint64_t addr;
	uint64_t size;
};

#define WIRE_MAP_READ  0x1u
#define WIRE_MAP_WRITE 0x2u

/* Section "VFIO_USER_DMA_UNMAP". */
struct wire_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t addr;
	uint64_t size;
};

#define WIRE_UNMAP_ALL 0x2u

/* Section "VFIO_USER_DEVICE_GET_INFO"; the kernel's structure has grown since. */
struct wire_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t num_regions;
	uint32_t num_irqs;
};

/* Section "VFIO_USER_REGION_READ"; data follows where there is some. */
struct wire_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
};

/* Where the specification gives a value to a side that says nothing. */
#define WIRE_DEFAULT_XFER     1048576u
#define WIRE_DEFAULT_DMA_MAPS 65535u

/* Descriptors that Linux lets into one message. */
#define WIRE_FDS_MAX 253u

#endif /* CHECK_WIRE_H */
