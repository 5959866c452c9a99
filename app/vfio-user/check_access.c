/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "check_rule.h"

#define READ "VFIO_USER_REGION_READ"
#define WRITE "VFIO_USER_REGION_WRITE"

#define CONFIG VFIO_PCI_CONFIG_REGION_INDEX

/* A byte that devices keep and do not use: "Interrupt Line" of PCI Local Bus 3.0, 6.2.4. */
#define SCRATCH 0x3cu

static void
read_config(struct check *c, uint64_t offset, uint32_t count, void *data)
{
	check_done(c, check_read(c, CONFIG, offset, count), "REGION_READ");
	check_len(c, sizeof(struct wire_access) + count);
	memcpy(data, c->payload + sizeof(struct wire_access), count);
}

static void
run_read(struct check *c)
{
	const struct wire_access expected = { .offset = 8, .region = CONFIG, .count = 4 };

	check_need_config(c);
	check_open(c);
	check_done(c, check_read(c, CONFIG, 8, 4), "4 bytes of configuration space");
	check_len(c, sizeof(expected) + 4);
	CHECK_EXPECT(c, memcmp(c->payload, &expected, sizeof(expected)) == 0,
		"offset, region or count is not that of the request");
}

static void
run_widths(struct check *c)
{
	uint8_t bytes[8], wide[8];
	uint32_t width, i;

	check_need_config(c);
	check_open(c);
	for (i = 0; i < sizeof(bytes); i++)
		read_config(c, i + 8, 1, &bytes[i]);
	for (width = 2; width <= 8; width *= 2) {
		read_config(c, 8, width, wide);
		CHECK_EXPECT(c, memcmp(bytes, wide, width) == 0,
			"%u bytes at a time are others than one by one", width);
	}
}

static void
run_whole(struct check *c)
{
	const struct vfio_region_info *config = check_need_config(c);

	if (config->size > c->facts.max_xfer)
		check_skip(c, "it is larger than max_data_xfer_size");
	check_open(c);
	check_done(c, check_read(c, CONFIG, 0, (uint32_t)config->size), "all of it");
	check_len(c, sizeof(struct wire_access) + config->size);
}

/* The first that can be read, and so on. @return CHECK_REGIONS_MAX: there is none */
static uint32_t
next_readable(const struct check *c, uint32_t i)
{
	for (; i < c->facts.nb_regions; i++) {
		if (c->facts.regions[i].size > 0 &&
				c->facts.regions[i].flags & VFIO_REGION_INFO_FLAG_READ)
			return i;
	}
	return CHECK_REGIONS_MAX;
}

static void
run_read_beyond(struct check *c)
{
	uint64_t size;
	uint32_t i;

	check_need_regions(c);
	check_open(c);
	for (i = next_readable(c, 0); i < CHECK_REGIONS_MAX; i = next_readable(c, i + 1)) {
		size = c->facts.regions[i].size;
		check_refused(c, check_read(c, i, size, 4), "a read behind the end");
		check_refused(c, check_read(c, i, size - 1, 4), "a read across the end");
		check_refused(c, check_read(c, i, UINT64_MAX - 1, 4), "a read that wraps around");
	}
}

static void
run_read_no_region(struct check *c)
{
	uint32_t i;

	check_need_regions(c);
	check_open(c);
	check_refused(c, check_read(c, c->facts.num_regions, 0, 4), "the first region that is not");
	check_refused(c, check_read(c, UINT32_MAX, 0, 4), "the last index of all");
	for (i = 0; i < c->facts.nb_regions; i++) {
		if (c->facts.regions[i].size == 0)
			check_refused(c, check_read(c, i, 0, 4), "a region without bytes");
	}
}

static void
run_read_long(struct check *c)
{
	check_need_config(c);
	check_open(c);
	check_refused_or_closed(c, check_read(c, CONFIG, 0, UINT32_MAX), "a read of 4 GiB");
	if (c->facts.max_xfer >= UINT32_MAX)
		return;
	check_open(c);
	check_refused_or_closed(c, check_read(c, CONFIG, 0, (uint32_t)c->facts.max_xfer + 1),
		"a read of more than max_data_xfer_size");
}

static void
run_read_nothing(struct check *c)
{
	check_need_config(c);
	check_open(c);
	CHECK_EXPECT(c, check_read(c, CONFIG, 0, 0) != CHECK_CLOSED, "the connection is closed");
}

/* ---- writes: to the byte above only, or such that must be refused ---- */

struct write_msg {
	struct wire_access access;
	uint8_t data[8];
};

static int
write_config(struct check *c, uint64_t offset, uint32_t count, const void *data, uint32_t len)
{
	struct write_msg msg = { { .offset = offset, .region = CONFIG, .count = count }, { 0 } };

	memcpy(msg.data, data, len);
	return check_call(c, WIRE_REGION_WRITE, &msg, sizeof(msg.access) + len);
}

static void
run_write(struct check *c)
{
	const struct wire_access expected = { .offset = SCRATCH, .region = CONFIG, .count = 1 };
	uint8_t before, after, other;

	check_need_config(c);
	check_open(c);
	read_config(c, SCRATCH, 1, &before);
	other = (uint8_t)~before;
	check_done(c, write_config(c, SCRATCH, 1, &other, 1), "a byte of configuration space");
	check_len(c, sizeof(expected));
	CHECK_EXPECT(c, memcmp(c->payload, &expected, sizeof(expected)) == 0,
		"offset, region or count is not that of the request");
	read_config(c, SCRATCH, 1, &after);
	check_done(c, write_config(c, SCRATCH, 1, &before, 1), "the byte back");
	CHECK_EXPECT(c, after == other, "%#x was written, %#x is read", other, after);
}

static void
run_write_posted(struct check *c)
{
	struct write_msg msg = { { .offset = SCRATCH, .region = CONFIG, .count = 1 }, { 0 } };
	uint8_t after;

	check_need_config(c);
	check_open(c);
	read_config(c, SCRATCH, 1, msg.data);
	check_send(c, WIRE_REGION_WRITE, WIRE_NO_REPLY, &msg, sizeof(msg.access) + 1, NULL, 0);
	check_done(c, check_read(c, CONFIG, SCRATCH, 1), "REGION_READ");
	CHECK_EXPECT(c, c->hdr.cmd == WIRE_REGION_READ, "the next reply is one to command %u",
		c->hdr.cmd);
	check_len(c, sizeof(msg.access) + 1);
	after = c->payload[sizeof(msg.access)];
	CHECK_EXPECT(c, after == msg.data[0], "%#x was written, %#x is read", msg.data[0], after);
}

static void
run_write_length(struct check *c)
{
	uint8_t bytes[4];

	check_need_config(c);
	check_open(c);
	read_config(c, SCRATCH, sizeof(bytes), bytes);
	check_refused_or_closed(c, write_config(c, SCRATCH, 4, bytes, 2), "2 of 4 bytes");
	check_open(c);
	check_refused_or_closed(c, write_config(c, SCRATCH, 1, bytes, 2), "2 bytes for one");
}

static void
run_write_beyond(struct check *c)
{
	const struct vfio_region_info *config = check_need_config(c);
	const uint32_t zero = 0;

	check_open(c);
	check_refused(c, write_config(c, config->size, 4, &zero, 4), "a write behind the end");
	check_refused(c, write_config(c, config->size - 1, 4, &zero, 4), "a write across the end");
	check_refused(c, write_config(c, UINT64_MAX - 1, 4, &zero, 4), "a write that wraps around");
}

const struct check_rule check_access_rules[] = {
	{ "read", READ, 0, "the reply repeats offset, region and count, and has the data",
		run_read },
	{ "read-widths", READ, 0, "bytes are the same one by one and by 2, 4 and 8", run_widths },
	{ "read-whole", READ, 0, "configuration space can be read in one go", run_whole },
	{ "read-beyond", READ, 0, "a read that leaves its region is refused", run_read_beyond },
	{ "read-no-region", READ, 0, "a read of a region that is not there is refused",
		run_read_no_region },
	{ "read-long", READ, 0, "more than max_data_xfer_size is refused", run_read_long },
	{ "read-nothing", READ, CHECK_F_SHOULD, "a read of no byte is answered", run_read_nothing },
	{ "write", WRITE, CHECK_F_DESTRUCTIVE,
		"the reply repeats offset, region and count, and the data are there", run_write },
	{ "write-posted", WRITE, CHECK_F_DESTRUCTIVE, "a no_reply write is done and not answered",
		run_write_posted },
	{ "write-length", WRITE, CHECK_F_DESTRUCTIVE,
		"data longer or shorter than count are refused",
		run_write_length },
	{ "write-beyond", WRITE, CHECK_F_DESTRUCTIVE, "a write that leaves its region is refused",
		run_write_beyond },
	{ .name = NULL },
};
