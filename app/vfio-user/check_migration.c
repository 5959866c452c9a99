/* SPDX-License-Identifier: BSD-3-Clause */

/* Devices that can be migrated, and what they say of written memory. */

#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "check_rule.h"

#define FEATURE "VFIO_USER_DEVICE_FEATURE"
#define MIGRATION "VFIO_DEVICE_FEATURE_MIGRATION"
#define STATE "VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE"
#define DIRECT "Direct State Transitions"
#define COMPLEX "Complex State Transitions"
#define LOGGING "VFIO_DEVICE_FEATURE_DMA_LOGGING_START / VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP"
#define REPORT "VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT"
#define DATA_READ "VFIO_USER_MIG_DATA_READ"
#define DATA_WRITE "VFIO_USER_MIG_DATA_WRITE"

#define GET VFIO_DEVICE_FEATURE_GET
#define SET VFIO_DEVICE_FEATURE_SET
#define PROBE VFIO_DEVICE_FEATURE_PROBE

/* Section "Device Features"; kernel headers may be older. */
#define F_MIGRATION 1u
#define F_STATE     2u
#define F_START     6u
#define F_STOP      7u
#define F_REPORT    8u

#define STOP_COPY_SUPPORTED 0x1u
#define PRE_COPY_SUPPORTED  0x4u

enum { S_ERROR, S_STOP, S_RUNNING, S_STOP_COPY, S_RESUMING, S_P2P, S_PRE_COPY, S_PRE_COPY_P2P };

#define RW (WIRE_MAP_READ | WIRE_MAP_WRITE)
#define BASE (UINT64_C(1) << 32)
#define PAGE UINT64_C(4096)
#define PAGES UINT64_C(64)

#define CHUNK 4096u
#define STATE_MAX (1u << 20)

struct feature {
	uint32_t argsz;
	uint32_t flags;
	uint64_t data[3];
};

#define FEATURE_FIXED 8u

/* DEVICE_FEATURE with words of data, and room for as many more bytes. */
static int
feature(struct check *c, uint32_t flags, const uint64_t *data, size_t nb, uint32_t room)
{
	const uint32_t len = (uint32_t)(FEATURE_FIXED + nb * sizeof(*data));
	struct feature request = { .argsz = len + room, .flags = flags };

	if (nb > 0)
		memcpy(request.data, data, nb * sizeof(*data));
	return check_call(c, WIRE_FEATURE, &request, len);
}

static uint64_t
reply_word(struct check *c, size_t i)
{
	const size_t off = FEATURE_FIXED + i * sizeof(uint64_t);
	uint64_t word;

	CHECK_EXPECT(c, c->len >= off + sizeof(word), "the payload has %zu bytes", c->len);
	memcpy(&word, c->payload + off, sizeof(word));
	return word;
}

/* Returns what the device can do. */
static uint64_t
migratable_open(struct check *c)
{
	check_open(c);
	if (feature(c, GET | F_MIGRATION, NULL, 0, 8) != CHECK_DONE ||
			c->len < FEATURE_FIXED + sizeof(uint64_t))
		check_skip(c, "the device cannot be migrated");
	return reply_word(c, 0);
}

static uint32_t
state_get(struct check *c)
{
	check_done(c, feature(c, GET | F_STATE, NULL, 0, 8), "getting the state");
	/* behind it stands the descriptor that vfio-user has no use for */
	return (uint32_t)reply_word(c, 0);
}

static int
state_set(struct check *c, uint32_t state)
{
	const uint64_t data = state;

	return feature(c, SET | F_STATE, &data, 1, 0);
}

/* Whatever the rule before has left. */
static uint64_t
running_open(struct check *c)
{
	uint64_t flags = migratable_open(c);

	if (state_set(c, S_RUNNING) != CHECK_DONE)
		check_skip(c, "the device does not run");
	return flags;
}

static void
go(struct check *c, uint32_t state)
{
	check_done(c, state_set(c, state), "a state that can be reached");
	CHECK_EXPECT(c, state_get(c) == state, "the state is another than was set");
}

/* ---- what there is ---- */

static void
run_flags(struct check *c)
{
	uint64_t flags = migratable_open(c);

	check_len(c, FEATURE_FIXED + sizeof(flags));
	CHECK_EXPECT(c, flags & STOP_COPY_SUPPORTED, "its flags are %#llx",
		(unsigned long long)flags);
}

static void
run_probe(struct check *c)
{
	migratable_open(c);
	check_done(c, feature(c, PROBE | GET | F_MIGRATION, NULL, 0, 0), "probing to get");
	check_len(c, FEATURE_FIXED);
	check_done(c, feature(c, PROBE | GET | SET | F_STATE, NULL, 0, 0), "probing both");
	check_refused(c, feature(c, PROBE | GET | SET | F_MIGRATION, NULL, 0, 0),
		"probing a method that is not there");
}

static void
run_state(struct check *c)
{
	uint32_t state;

	migratable_open(c);
	state = state_get(c);
	check_len(c, FEATURE_FIXED + 8);
	CHECK_EXPECT(c, state <= S_PRE_COPY && state != S_P2P, "the state is %u", state);
}

/* ---- states ---- */

static void
run_direct(struct check *c)
{
	static const uint32_t way[] = { S_STOP, S_STOP_COPY, S_STOP, S_RUNNING };
	unsigned int i;

	running_open(c);
	for (i = 0; i < RTE_DIM(way); i++)
		go(c, way[i]);
}

static void
run_pre_copy(struct check *c)
{
	if (!(running_open(c) & PRE_COPY_SUPPORTED))
		check_skip(c, "the device has no pre-copy");
	go(c, S_PRE_COPY);
	go(c, S_STOP_COPY);
	check_refused(c, state_set(c, S_PRE_COPY), "back from STOP_COPY to PRE_COPY");
	go(c, S_RUNNING);
	go(c, S_PRE_COPY);
	go(c, S_RUNNING);
}

static void
run_complex(struct check *c)
{
	running_open(c);
	go(c, S_STOP_COPY);
	go(c, S_RUNNING);
}

static void
run_no_state(struct check *c)
{
	static const uint32_t states[] = { S_ERROR, S_P2P, S_PRE_COPY_P2P, 8, UINT32_MAX };
	unsigned int i;

	running_open(c);
	for (i = 0; i < RTE_DIM(states); i++)
		check_refused(c, state_set(c, states[i]), "a state that cannot be set");
	CHECK_EXPECT(c, state_get(c) == S_RUNNING, "the device does not run any more");
}

/* ---- data ---- */

static int
data_read(struct check *c, uint32_t size)
{
	const uint32_t request[2] = { 8 + size, size };

	return check_call(c, WIRE_MIG_DATA_READ, request, sizeof(request));
}

static int
data_write(struct check *c, const uint8_t *data, uint32_t size)
{
	const uint32_t request[2] = { 8 + size, size };
	uint8_t payload[sizeof(request) + CHUNK];

	memcpy(payload, request, sizeof(request));
	memcpy(payload + sizeof(request), data, size);
	return check_call(c, WIRE_MIG_DATA_WRITE, payload, sizeof(request) + size);
}

static void
run_data_running(struct check *c)
{
	migratable_open(c);
	if (state_get(c) != S_RUNNING)
		check_skip(c, "the device does not run");
	check_refused(c, data_read(c, 8), "reading the state of a device that runs");
	check_refused(c, data_write(c, (const uint8_t *)"12345678", 8),
		"loading the state of a device that runs");
}

/* Bytes of the last reply to MIG_DATA_READ. A message may be longer, as libvfio-user's are. */
static uint32_t
data_size(struct check *c, uint32_t asked)
{
	uint32_t size;

	CHECK_EXPECT(c, c->len >= 8, "the payload has %zu bytes", c->len);
	memcpy(&size, c->payload + 4, sizeof(size));
	CHECK_EXPECT(c, size <= asked && size <= c->len - 8, "%u bytes of %u, in %zu", size, asked,
		c->len);
	return size;
}

static uint32_t
data_read_all(struct check *c, uint8_t *data)
{
	uint32_t size, sum = 0;

	do {
		check_done(c, data_read(c, CHUNK), "reading the state");
		size = data_size(c, CHUNK);
		if (size > STATE_MAX - sum)
			check_skip(c, "the state is longer than 1 MiB");
		memcpy(data + sum, c->payload + 8, size);
		sum += size;
	} while (size > 0);
	return sum;
}

static void
run_data(struct check *c)
{
	static uint8_t data[STATE_MAX];
	uint32_t at, sum, size;

	running_open(c);
	go(c, S_STOP_COPY);
	sum = data_read_all(c, data);
	go(c, S_RESUMING);
	for (at = 0; at < sum; at += size) {
		size = RTE_MIN(CHUNK, sum - at);
		check_done(c, data_write(c, data + at, size), "loading what was read");
		check_len(c, 0);
	}
	go(c, S_STOP);
	go(c, S_RUNNING);
}

/* ---- what was written ---- */

static void
logging_open(struct check *c)
{
	check_open(c);
	if (feature(c, PROBE | SET | F_START, NULL, 0, 0) != CHECK_DONE)
		check_skip(c, "the device does not log");
	check_done(c, check_map(c, BASE, PAGES * PAGE, RW, check_memory(c, PAGES * PAGE), 0),
		"DMA_MAP");
}

static int
start(struct check *c, uint64_t page)
{
	const uint64_t data[2] = { page, 0 };

	return feature(c, SET | F_START, data, RTE_DIM(data), 0);
}

static int
report(struct check *c)
{
	const uint64_t data[3] = { BASE, PAGES * PAGE, PAGE };

	return feature(c, GET | F_REPORT, data, RTE_DIM(data), PAGES / 8);
}

static void
run_logging(struct check *c)
{
	logging_open(c);
	check_done(c, start(c, PAGE), "starting to log");
	check_len(c, FEATURE_FIXED + 16);
	CHECK_EXPECT(c, reply_word(c, 0) != 0 && (reply_word(c, 0) & (reply_word(c, 0) - 1)) == 0,
		"pages of %llu bytes", (unsigned long long)reply_word(c, 0));
	check_done(c, feature(c, SET | F_STOP, NULL, 0, 0), "ending to log");
}

static void
run_report(struct check *c)
{
	logging_open(c);
	check_done(c, start(c, PAGE), "starting to log");
	check_done(c, report(c), "what was written");
	check_len(c, FEATURE_FIXED + 24 + PAGES / 8);
	CHECK_EXPECT(c, reply_word(c, 0) == BASE && reply_word(c, 1) == PAGES * PAGE &&
		reply_word(c, 2) == PAGE, "range or page is not that of the request");
	check_done(c, feature(c, SET | F_STOP, NULL, 0, 0), "ending to log");
}

static void
run_report_early(struct check *c)
{
	logging_open(c);
	check_refused(c, report(c), "a report before logging");
}

static void
run_logging_page(struct check *c)
{
	uint64_t page;

	logging_open(c);
	if (start(c, 3) != CHECK_DONE)
		return;
	page = reply_word(c, 0);
	check_done(c, feature(c, SET | F_STOP, NULL, 0, 0), "ending to log");
	CHECK_EXPECT(c, page != 0 && (page & (page - 1)) == 0, "it logs pages of %llu bytes",
		(unsigned long long)page);
}

const struct check_rule check_migration_rules[] = {
	{ "migration-flags", MIGRATION, 0, "a device that can be migrated has STOP_COPY",
		run_flags },
	{ "migration-probe", FEATURE, 0, "a probe succeeds if all methods are there", run_probe },
	{ "migration-state", STATE, 0, "the state is one of the specification", run_state },
	{ "migration-data-running", DATA_READ, 0,
		"no data are read or loaded while the device runs",
		run_data_running },
	{ "logging", LOGGING, 0, "logging can be started and ended", run_logging },
	{ "logging-page", LOGGING, CHECK_F_SHOULD, "pages are a power of two", run_logging_page },
	{ "logging-report", REPORT, 0, "a report has a bit for each page", run_report },
	{ "logging-report-early", REPORT, 0, "a report before logging is refused",
		run_report_early },
	{ "migration-direct", DIRECT, CHECK_F_DESTRUCTIVE, "the device can be stopped and go on",
		run_direct },
	{ "migration-pre-copy", DIRECT, CHECK_F_DESTRUCTIVE,
		"the state can be copied while the device runs; STOP_COPY leads not back",
		run_pre_copy },
	{ "migration-complex", COMPLEX, CHECK_F_DESTRUCTIVE, "further states are reached by steps",
		run_complex },
	{ "migration-no-state", STATE, CHECK_F_DESTRUCTIVE, "states that cannot be set are refused",
		run_no_state },
	{ "migration-data", DATA_WRITE, CHECK_F_DESTRUCTIVE, "what was read can be loaded",
		run_data },
	{ .name = NULL },
};
