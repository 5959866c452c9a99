/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>
#include <string.h>

#include "vu_golden.h"

/* Header: id, command, size of the message, flags, error. */
#define HDR(id, cmd, size, flags, error) id " " cmd " " size " " flags " " error " "
#define NO_ERROR "00000000"
#define COMMAND "00000000"
#define POSTED "10000000"
#define REPLY "01000000"
#define FAILED "21000000"

#define CAPS_CLIENT "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576," \
	"\"max_dma_maps\":65535,\"write_multiple\":true}}"
#define CAPS_SERVER "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576," \
	"\"max_dma_maps\":65535,\"twin_socket\":{\"supported\":true,\"fd_index\":0}," \
	"\"migration\":{\"pgsize\":4096}}}"
#define CAPS_FULL_CLIENT "{\"capabilities\":{\"max_msg_fds\":16," \
	"\"max_data_xfer_size\":1048576,\"max_dma_maps\":65535,\"write_multiple\":true," \
	"\"dpdk_map_multiple\":true,\"twin_socket\":{\"supported\":true}}}"
#define CAPS_FULL_SERVER "{\"capabilities\":{\"max_msg_fds\":16," \
	"\"max_data_xfer_size\":1048576,\"max_dma_maps\":65535,\"write_multiple\":true," \
	"\"dpdk_map_multiple\":true,\"twin_socket\":{\"supported\":true,\"fd_index\":0}," \
	"\"migration\":{\"pgsize\":4096}}}"
#define CAPS_QEMU "{\"capabilities\": {\"migration\": {\"pgsize\": 4096, " \
	"\"max_bitmap_size\": 268435456}, \"max_msg_fds\": 16, " \
	"\"max_data_xfer_size\": 1048576, \"pgsizes\": 4096, " \
	"\"max_dma_maps\": 65535, \"write_multiple\": true}}"

const struct vu_golden vu_goldens[] = {
	/* u16 major, u16 minor, text */
	{ "version_empty_request",
		HDR("0100", "0100", "17000000", COMMAND, NO_ERROR)
		"0000 0000", "{}", 0 },
	{ "version_bare_request",
		HDR("0100", "0100", "14000000", COMMAND, NO_ERROR)
		"0000 0100", NULL, 0 },
	{ "version_qemu_request",
		HDR("0000", "0100", "d6000000", COMMAND, NO_ERROR)
		"0000 0000", CAPS_QEMU, 0 },
	{ "version_request",
		HDR("0100", "0100", "80000000", COMMAND, NO_ERROR)
		"0000 0100", CAPS_CLIENT, 0 },
	{ "version_reply",
		HDR("0100", "0100", "b3000000", REPLY, NO_ERROR)
		"0000 0000", CAPS_SERVER, 1 },
	{ "version_full_request",
		HDR("0100", "0100", "ba000000", COMMAND, NO_ERROR)
		"0000 0100", CAPS_FULL_CLIENT, 0 },
	{ "version_full_reply",
		HDR("0100", "0100", "e3000000", REPLY, NO_ERROR)
		"0000 0100", CAPS_FULL_SERVER, 1 },
	/* u32 argsz, u32 flags, u64 offset, u64 address, u64 size */
	{ "dma_map_request",
		HDR("0200", "0200", "30000000", COMMAND, NO_ERROR)
		"20000000 03000000 0000000000000000 0000000001000000 0000010000000000", NULL, 1 },
	{ "dma_map_rom_request",
		HDR("0200", "0200", "30000000", COMMAND, NO_ERROR)
		"20000000 01000000 0000000000000000 0000fcff00000000 0000040000000000", NULL, 0 },
	{ "dma_map_reply",
		HDR("0200", "0200", "10000000", REPLY, NO_ERROR), NULL, 0 },
	/* u32 argsz, u32 flags, u64 address, u64 size; u64 page size, u64 bitmap size; bitmap */
	{ "dma_unmap_request",
		HDR("0300", "0300", "28000000", COMMAND, NO_ERROR)
		"18000000 00000000 0000000001000000 0000010000000000", NULL, 0 },
	{ "dma_unmap_reply",
		HDR("0300", "0300", "28000000", REPLY, NO_ERROR)
		"18000000 00000000 0000000001000000 0000010000000000", NULL, 0 },
	{ "dma_unmap_all_request",
		HDR("0300", "0300", "28000000", COMMAND, NO_ERROR)
		"18000000 02000000 0000000000000000 0000000000000000", NULL, 0 },
	{ "dma_unmap_all_reply",
		HDR("0300", "0300", "28000000", REPLY, NO_ERROR)
		"18000000 02000000 0000000000000000 0000000000000000", NULL, 0 },
	{ "dma_unmap_bitmap_request",
		HDR("0300", "0300", "38000000", COMMAND, NO_ERROR)
		"30000000 01000000 0000000001000000 0000010000000000"
		"0010000000000000 0800000000000000", NULL, 0 },
	{ "dma_unmap_bitmap_reply",
		HDR("0300", "0300", "40000000", REPLY, NO_ERROR)
		"30000000 01000000 0000000001000000 0000010000000000"
		"0010000000000000 0800000000000000 0180000000000000", NULL, 0 },
	/* u32 argsz, u32 flags, u32 regions, u32 interrupt types */
	{ "get_info_request",
		HDR("0400", "0400", "20000000", COMMAND, NO_ERROR)
		"10000000 00000000 00000000 00000000", NULL, 0 },
	{ "get_info_reply",
		HDR("0400", "0400", "20000000", REPLY, NO_ERROR)
		"10000000 03000000 09000000 05000000", NULL, 0 },
	/* u32 argsz, u32 flags, u32 index, u32 cap_offset, u64 size, u64 offset; capabilities */
	{ "get_region_info_request",
		HDR("0500", "0500", "30000000", COMMAND, NO_ERROR)
		"20000000 00000000 02000000 00000000 0000000000000000 0000000000000000", NULL, 0 },
	{ "get_region_info_short_reply",
		HDR("0500", "0500", "30000000", REPLY, NO_ERROR)
		"50000000 07000000 02000000 00000000 0000100000000000 0000000000000000", NULL, 0 },
	{ "get_region_info_reply",
		HDR("0500", "0500", "60000000", REPLY, NO_ERROR)
		"50000000 0f000000 02000000 20000000 0000100000000000 0000000000000000"
		"0100 0100 00000000 02000000 00000000"
		"0010000000000000 0010000000000000 0000080000000000 0000080000000000", NULL, 1 },
	/* u32 argsz, u32 flags, u32 index, u32 count; entries */
	{ "get_region_io_fds_request",
		HDR("0600", "0600", "20000000", COMMAND, NO_ERROR)
		"00040000 00000000 01000000 00000000", NULL, 0 },
	/* u64 offset, u64 size, u32 fd, u32 type, u32 flags, u32 padding, u64 datamatch */
	{ "get_region_io_fds_reply",
		HDR("0600", "0600", "48000000", REPLY, NO_ERROR)
		"38000000 00000000 01000000 01000000"
		"0010000000000000 0400000000000000 00000000 00000000 01000000 00000000"
		"4433221100000000", NULL, 1 },
	/*
	 * u64 offset, u64 size, u32 fd, u32 type, u32 flags, u32 shadow fd, u64 shadow offset,
	 * u64 datamatch
	 */
	{ "get_region_io_fds_shadow_reply",
		HDR("0600", "0600", "50000000", REPLY, NO_ERROR)
		"40000000 00000000 01000000 01000000"
		"0010000000000000 0400000000000000 00000000 02000000 01000000 01000000"
		"0002000000000000 4433221100000000", NULL, 2 },
	/* u32 argsz, u32 flags, u32 index, u32 count */
	{ "get_irq_info_request",
		HDR("0700", "0700", "20000000", COMMAND, NO_ERROR)
		"10000000 00000000 02000000 00000000", NULL, 0 },
	{ "get_irq_info_reply",
		HDR("0700", "0700", "20000000", REPLY, NO_ERROR)
		"10000000 01000000 02000000 08000000", NULL, 0 },
	/* u32 argsz, u32 flags, u32 index, u32 start, u32 count; booleans */
	{ "set_irqs_bind_request",
		HDR("0600", "0800", "24000000", COMMAND, NO_ERROR)
		"14000000 24000000 02000000 00000000 02000000", NULL, 2 },
	{ "set_irqs_unbind_request",
		HDR("0600", "0800", "24000000", COMMAND, NO_ERROR)
		"14000000 24000000 02000000 02000000 01000000", NULL, 0 },
	{ "set_irqs_bool_request",
		HDR("0600", "0800", "27000000", COMMAND, NO_ERROR)
		"17000000 22000000 02000000 04000000 03000000 01 00 01", NULL, 0 },
	{ "set_irqs_mask_request",
		HDR("0600", "0800", "24000000", COMMAND, NO_ERROR)
		"14000000 09000000 00000000 00000000 01000000", NULL, 0 },
	{ "set_irqs_disable_request",
		HDR("0600", "0800", "24000000", COMMAND, NO_ERROR)
		"14000000 21000000 02000000 00000000 00000000", NULL, 0 },
	{ "set_irqs_reply",
		HDR("0600", "0800", "10000000", REPLY, NO_ERROR), NULL, 0 },
	/* u64 offset, u32 region, u32 count; data */
	{ "region_read_request",
		HDR("0300", "0900", "20000000", COMMAND, NO_ERROR)
		"1000000000000000 00000000 04000000", NULL, 0 },
	{ "region_read_reply",
		HDR("0300", "0900", "24000000", REPLY, NO_ERROR)
		"1000000000000000 00000000 04000000 ddccbbaa", NULL, 0 },
	{ "region_write_posted_request",
		HDR("0400", "0a00", "24000000", POSTED, NO_ERROR)
		"1000000000000000 00000000 04000000 78563412", NULL, 0 },
	{ "region_write_request",
		HDR("0400", "0a00", "24000000", COMMAND, NO_ERROR)
		"1000000000000000 00000000 04000000 78563412", NULL, 0 },
	{ "region_write_reply",
		HDR("0400", "0a00", "20000000", REPLY, NO_ERROR)
		"1000000000000000 00000000 04000000", NULL, 0 },
	/* u64 address, u64 count; data */
	{ "dma_read_request",
		HDR("0100", "0b00", "20000000", COMMAND, NO_ERROR)
		"0010000001000000 0400000000000000", NULL, 0 },
	{ "dma_read_reply",
		HDR("0100", "0b00", "24000000", REPLY, NO_ERROR)
		"0010000001000000 0400000000000000 01020304", NULL, 0 },
	{ "dma_write_request",
		HDR("0100", "0c00", "24000000", COMMAND, NO_ERROR)
		"0010000001000000 0400000000000000 01020304", NULL, 0 },
	{ "dma_write_reply",
		HDR("0100", "0c00", "20000000", REPLY, NO_ERROR)
		"0010000001000000 0400000000000000", NULL, 0 },
	{ "dma_write_u32_count_reply",
		HDR("0100", "0c00", "1c000000", REPLY, NO_ERROR)
		"0010000001000000 04000000", NULL, 0 },
	{ "dma_write_bare_reply",
		HDR("0100", "0c00", "10000000", REPLY, NO_ERROR), NULL, 0 },
	{ "reset_request",
		HDR("0800", "0d00", "10000000", COMMAND, NO_ERROR), NULL, 0 },
	{ "reset_reply",
		HDR("0800", "0d00", "10000000", REPLY, NO_ERROR), NULL, 0 },
	/* u64 number; u64 offset, u32 region, u32 count, 8 bytes of data */
	{ "region_write_multi_request",
		HDR("0900", "0f00", "48000000", POSTED, NO_ERROR)
		"0200000000000000"
		"1000000000000000 00000000 04000000 7856341200000000"
		"1800000000000000 00000000 08000000 0102030405060708", NULL, 0 },
	{ "region_write_multi_awaited_request",
		HDR("0900", "0f00", "48000000", COMMAND, NO_ERROR)
		"0200000000000000"
		"1000000000000000 00000000 04000000 7856341200000000"
		"1800000000000000 00000000 08000000 0102030405060708", NULL, 0 },
	{ "region_write_multi_reply",
		HDR("0900", "0f00", "18000000", REPLY, NO_ERROR)
		"0200000000000000", NULL, 0 },
	/* u32 number, u32 error; u32 argsz, u32 flags, u64 offset, u64 address, u64 size */
	{ "dma_map_multi_request",
		HDR("0b00", "4000", "58000000", COMMAND, NO_ERROR)
		"02000000 00000000"
		"20000000 03000000 0000000000000000 0000000001000000 0000010000000000"
		"20000000 01000000 0010000000000000 0000020001000000 0080000000000000", NULL, 2 },
	{ "dma_map_multi_reply",
		HDR("0b00", "4000", "18000000", REPLY, NO_ERROR)
		"02000000 00000000", NULL, 0 },
	{ "dma_map_multi_part_reply",
		HDR("0b00", "4000", "18000000", REPLY, NO_ERROR)
		"01000000 11000000", NULL, 0 },
	/* u32 argsz, u32 flags; data */
	{ "feature_migration_get_request",
		HDR("0a00", "1000", "18000000", COMMAND, NO_ERROR)
		"10000000 01000100", NULL, 0 },
	{ "feature_migration_get_reply",
		HDR("0a00", "1000", "20000000", REPLY, NO_ERROR)
		"10000000 01000100 0500000000000000", NULL, 0 },
	{ "feature_probe_request",
		HDR("0a00", "1000", "18000000", COMMAND, NO_ERROR)
		"08000000 02000700", NULL, 0 },
	{ "feature_probe_reply",
		HDR("0a00", "1000", "18000000", REPLY, NO_ERROR)
		"08000000 02000700", NULL, 0 },
	/* u32 state, u32 descriptor */
	{ "feature_set_state_request",
		HDR("0a00", "1000", "20000000", COMMAND, NO_ERROR)
		"10000000 02000200 03000000 00000000", NULL, 0 },
	{ "feature_set_state_reply",
		HDR("0a00", "1000", "20000000", REPLY, NO_ERROR)
		"10000000 02000200 03000000 00000000", NULL, 0 },
	{ "feature_get_state_request",
		HDR("0a00", "1000", "18000000", COMMAND, NO_ERROR)
		"10000000 02000100", NULL, 0 },
	{ "feature_get_state_reply",
		HDR("0a00", "1000", "20000000", REPLY, NO_ERROR)
		"10000000 02000100 02000000 ffffffff", NULL, 0 },
	/* u64 page size, u32 ranges, u32 reserved; u64 iova, u64 length */
	{ "feature_logging_start_request",
		HDR("0a00", "1000", "38000000", COMMAND, NO_ERROR)
		"28000000 06000200 0010000000000000 01000000 00000000"
		"0000000001000000 0000010000000000", NULL, 0 },
	{ "feature_logging_start_reply",
		HDR("0a00", "1000", "38000000", REPLY, NO_ERROR)
		"28000000 06000200 0010000000000000 01000000 00000000"
		"0000000001000000 0000010000000000", NULL, 0 },
	{ "feature_logging_stop_request",
		HDR("0a00", "1000", "18000000", COMMAND, NO_ERROR)
		"08000000 07000200", NULL, 0 },
	{ "feature_logging_stop_reply",
		HDR("0a00", "1000", "18000000", REPLY, NO_ERROR)
		"08000000 07000200", NULL, 0 },
	/* u64 iova, u64 length, u64 page size; bitmap */
	{ "feature_logging_report_request",
		HDR("0a00", "1000", "30000000", COMMAND, NO_ERROR)
		"28000000 08000100 0000000001000000 0000010000000000 0010000000000000", NULL, 0 },
	{ "feature_logging_report_reply",
		HDR("0a00", "1000", "38000000", REPLY, NO_ERROR)
		"28000000 08000100 0000000001000000 0000010000000000 0010000000000000"
		"0180000000000000", NULL, 0 },
	/* u32 argsz, u32 size; data */
	{ "mig_data_read_request",
		HDR("0b00", "1100", "18000000", COMMAND, NO_ERROR)
		"0c000000 04000000", NULL, 0 },
	{ "mig_data_read_reply",
		HDR("0b00", "1100", "1c000000", REPLY, NO_ERROR)
		"0c000000 04000000 0a0b0c0d", NULL, 0 },
	{ "mig_data_read_padded_reply",
		HDR("0b00", "1100", "1c000000", REPLY, NO_ERROR)
		"0a000000 02000000 0a0b0000", NULL, 0 },
	{ "mig_data_write_request",
		HDR("0c00", "1200", "1c000000", COMMAND, NO_ERROR)
		"0c000000 04000000 0a0b0c0d", NULL, 0 },
	{ "mig_data_write_reply",
		HDR("0c00", "1200", "10000000", REPLY, NO_ERROR), NULL, 0 },
	{ "error_reply",
		HDR("0700", "0300", "10000000", FAILED, "16000000"), NULL, 0 },
};

const unsigned int vu_goldens_nb = sizeof(vu_goldens) / sizeof(vu_goldens[0]);

const struct vu_golden *
vu_golden_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < vu_goldens_nb; i++)
		if (strcmp(vu_goldens[i].name, name) == 0)
			return &vu_goldens[i];
	return NULL;
}

static unsigned int
hex_digit(char c)
{
	return (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);
}

size_t
vu_golden_bytes(const struct vu_golden *golden, uint8_t *to)
{
	const char *hex = golden->hex;
	size_t len = 0;

	for (; *hex != '\0'; hex++) {
		if (*hex == ' ')
			continue;
		to[len++] = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
		hex++;
	}
	if (golden->text != NULL) {
		memcpy(to + len, golden->text, strlen(golden->text) + 1);
		len += strlen(golden->text) + 1;
	}
	return len;
}
