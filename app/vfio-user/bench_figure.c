/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "bench_figure.h"
#include "bench_floor.h"
#include "check_wire.h"

#define ACCESS_BYTES (sizeof(struct wire_hdr) + sizeof(struct wire_access))
#define MAP_BYTES    (sizeof(struct wire_hdr) + sizeof(struct wire_map))

/* Interrupt line and what is read-only behind it: a register that devices do not look at. */
#define SCRATCH_OFFSET 0x3cu

/* Far from what a device would use. Regions do not touch one another. */
#define FREE_IOVA (UINT64_C(1) << 46)
#define PAGE 4096u
#define STRIDE (UINT64_C(2) * PAGE)

/* Regions in one call where time does not count. */
#define CHUNK 1024u

int
bench_skip(struct bench *bench, int rc, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(bench->why, sizeof(bench->why), fmt, args);
	va_end(args);
	return rc;
}

/* ---- accesses ---- */

static bool
is_pci(const struct bench *bench)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	return rte_vfio_user_get_dev_info(bench->dev_id, &info) == 0 &&
		(info.flags & VFIO_DEVICE_FLAGS_PCI) != 0;
}

/* Where to read or write: what the user has named, else a few bytes that do no harm. */
static int
place_choose(struct bench *bench, const struct bench_figure *figure)
{
	if (bench->opt->region != BENCH_REGION_NONE) {
		bench->region = bench->opt->region;
		bench->offset = 0;
		return figure->write && !bench->opt->destructive ?
			bench_skip(bench, -EPERM, "--destructive permits it") : 0;
	}
	if (figure->count > sizeof(uint32_t))
		return bench_skip(bench, -ENOENT, "--region says of which");
	if (!is_pci(bench))
		return bench_skip(bench, -ENOENT, "not a PCI device: --region says of which");
	bench->region = VFIO_PCI_CONFIG_REGION_INDEX;
	bench->offset = SCRATCH_OFFSET;
	return 0;
}

static int
place_check(struct bench *bench, const struct bench_figure *figure)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = bench->region };
	const uint32_t need = VFIO_REGION_INFO_FLAG_READ |
		(figure->write ? VFIO_REGION_INFO_FLAG_WRITE : 0);
	int rc = rte_vfio_user_get_reg_info(bench->dev_id, &info, NULL);

	if (rc < 0)
		return bench_skip(bench, rc, "region %u: %s", bench->region, strerror(-rc));
	if (info.size < bench->offset + figure->count)
		return bench_skip(bench, -ENOENT, "region %u has %llu bytes", bench->region,
			info.size);
	if ((info.flags & need) != need)
		return bench_skip(bench, -EACCES, "region %u is %s-only", bench->region,
			info.flags & VFIO_REGION_INFO_FLAG_READ ? "read" : "write");
	return 0;
}

static int
access_once(struct bench *bench, const struct bench_figure *figure, bool write)
{
	return write ?
		rte_vfio_user_region_write(bench->dev_id, bench->region, bench->offset,
			figure->count, bench->data) :
		rte_vfio_user_region_read(bench->dev_id, bench->region, bench->offset,
			figure->count, bench->data);
}

/* What is written is what was there. */
int
bench_access_prepare(struct bench *bench, const struct bench_figure *figure)
{
	int rc = place_choose(bench, figure);

	if (rc == 0)
		rc = place_check(bench, figure);
	if (rc < 0)
		return rc;
	rc = access_once(bench, figure, false);
	return rc == 0 ? 0 : bench_skip(bench, rc, "region %u: %s", bench->region, strerror(-rc));
}

static int
access_many(struct bench *bench, const struct bench_figure *figure, unsigned int rounds)
{
	int rc = 0;

	for (; rounds > 0 && rc == 0; rounds--)
		rc = access_once(bench, figure, figure->write);
	return rc;
}

static int
access_server(struct bench *bench, const struct bench_figure *figure, double *us)
{
	const unsigned int warm = bench_warm_up(figure->rounds);
	double start;
	int rc;

	rc = access_many(bench, figure, warm);
	start = bench_now_us();
	if (rc == 0)
		rc = access_many(bench, figure, figure->rounds - warm);
	*us = (bench_now_us() - start) / (figure->rounds - warm);
	return rc;
}

static int
access_floor(struct bench *bench, const struct bench_figure *figure, double *us)
{
	const size_t there = figure->write ? figure->count : 0;

	RTE_SET_USED(bench);
	return bench_floor_ping_pong(ACCESS_BYTES + there, ACCESS_BYTES + figure->count - there,
		figure->rounds, us);
}

/* ---- memory ---- */

static struct rte_vfio_user_mem_reg
region_nth(uint32_t i, uint32_t flags)
{
	return (struct rte_vfio_user_mem_reg) { .gpa = FREE_IOVA + i * STRIDE, .size = PAGE,
		.protection = PROT_READ | PROT_WRITE, .flags = flags };
}

/* Regions `first` and on. */
static int
map_some(struct bench *bench, uint32_t first, uint32_t nb, uint32_t flags)
{
	struct rte_vfio_user_mem_reg mem[CHUNK];
	int fds[CHUNK];
	uint32_t i;

	for (i = 0; i < nb; i++) {
		mem[i] = region_nth(first + i, flags);
		fds[i] = bench->fd;
	}
	return rte_vfio_user_dma_map(bench->dev_id, mem, flags == 0 ? NULL : fds, nb);
}

static int
unmap_some(struct bench *bench, uint32_t first, uint32_t nb)
{
	struct rte_vfio_user_mem_reg mem[CHUNK];
	uint32_t i;

	for (i = 0; i < nb; i++)
		mem[i] = region_nth(first + i, 0);
	return rte_vfio_user_dma_unmap(bench->dev_id, mem, nb);
}

/* So many are there, without descriptors: a process has no room for so many mappings. */
static int
mapped_set(struct bench *bench, uint32_t nb)
{
	uint32_t n;
	int rc = 0;

	while (rc == 0 && bench->mapped < nb) {
		n = RTE_MIN(nb - bench->mapped, CHUNK);
		rc = map_some(bench, bench->mapped, n, 0);
		bench->mapped += rc == 0 ? n : 0;
	}
	while (rc == 0 && bench->mapped > nb) {
		n = RTE_MIN(bench->mapped - nb, CHUNK);
		bench->mapped -= n;
		rc = unmap_some(bench, bench->mapped, n);
	}
	return rc;
}

static int
regions_prepare(struct bench *bench, uint32_t beside, uint32_t most)
{
	struct rte_vfio_user_limits limits;
	int rc = rte_vfio_user_get_limits(bench->dev_id, &limits);

	if (rc == 0 && limits.max_dma_maps < most)
		return bench_skip(bench, -ENOSPC, "the server takes %u regions",
			limits.max_dma_maps);
	if (rc == 0)
		rc = mapped_set(bench, beside);
	return rc == 0 ? 0 : bench_skip(bench, rc, "map: %s", strerror(-rc));
}

static int
pair_prepare(struct bench *bench, const struct bench_figure *figure)
{
	return regions_prepare(bench, figure->count, figure->count + 1);
}

static int
pair_server(struct bench *bench, const struct bench_figure *figure, double *us)
{
	double start = bench_now_us();
	unsigned int i;
	int rc = 0;

	for (i = 0; i < figure->rounds && rc == 0; i++) {
		rc = map_some(bench, bench->mapped, 1, RTE_VUSER_MEM_MAPPABLE);
		if (rc == 0)
			rc = unmap_some(bench, bench->mapped, 1);
	}
	*us = (bench_now_us() - start) / figure->rounds;
	return rc;
}

static int
pair_floor(struct bench *bench, const struct bench_figure *figure, double *us)
{
	RTE_SET_USED(bench);
	return bench_floor_ping_pong(MAP_BYTES, sizeof(struct wire_hdr), figure->rounds, us);
}

static uint32_t
many_flags(const struct bench_figure *figure)
{
	return figure->write ? RTE_VUSER_MEM_MAPPABLE : 0;
}

static int
many_prepare(struct bench *bench, const struct bench_figure *figure)
{
	return regions_prepare(bench, 0, figure->count);
}

static int
many_together(struct bench *bench, const struct bench_figure *figure, double *us)
{
	double start = bench_now_us();
	int rc = map_some(bench, 0, figure->count, many_flags(figure));

	*us = (bench_now_us() - start) / figure->count;
	return rc == 0 ? unmap_some(bench, 0, figure->count) : rc;
}

static int
many_alone(struct bench *bench, const struct bench_figure *figure, double *us)
{
	double start = bench_now_us();
	uint32_t i;
	int rc = 0;

	for (i = 0; i < figure->count && rc == 0; i++)
		rc = map_some(bench, i, 1, many_flags(figure));
	*us = (bench_now_us() - start) / figure->count;
	return rc == 0 ? unmap_some(bench, 0, figure->count) : rc;
}

/* ---- figures ---- */

#define SOCKET "bare socket"

#define ACCESS(name_, count_, write_, rounds_) \
	{ .name = name_, .beside = SOCKET, .count = count_, .write = write_, .rounds = rounds_, \
		.prepare = bench_access_prepare, .server = access_server, .floor = access_floor }

#define PAIR(name_, count_) \
	{ .name = name_, .beside = SOCKET, .count = count_, .rounds = 200, \
		.prepare = pair_prepare, .server = pair_server, .floor = pair_floor }

#define MANY(name_, fds_) \
	{ .name = name_, .beside = "one by one", .count = 1000, .write = fds_, \
		.prepare = many_prepare, .server = many_together, .floor = many_alone }

const struct bench_figure bench_figures[] = {
	ACCESS("read of 4 bytes", 4, false, 1000),
	ACCESS("write of 4 bytes", 4, true, 1000),
	ACCESS("read of 64 KiB", 65536, false, 300),
	ACCESS("write of 64 KiB", 65536, true, 300),
	ACCESS("read of 1 MiB", 1048576, false, 50),
	ACCESS("write of 1 MiB", 1048576, true, 50),
	PAIR("map and unmap beside 1", 1),
	PAIR("map and unmap beside 1024", 1024),
	PAIR("map and unmap beside 60000", 60000),
	MANY("1000 maps at once", false),
	MANY("1000 maps of files at once", true),
	{ .name = "posted write of 4 bytes", .beside = SOCKET, .count = 4, .write = true,
		.rounds = 48000, .prepare = bench_posted_prepare, .server = bench_posted_server,
		.floor = bench_posted_floor },
	{ .name = NULL },
};

/* ---- measuring ---- */

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
median(double *values, uint32_t nb)
{
	qsort(values, nb, sizeof(*values), compare);
	return (values[(nb - 1) / 2] + values[nb / 2]) / 2;
}

/* The floor comes first. A server that fails only now has not said so when it was asked once. */
static int
run_pair(struct bench *bench, const struct bench_figure *figure, double *us, double *floor_us)
{
	int rc = figure->floor(bench, figure, floor_us);

	if (rc == 0)
		rc = figure->server(bench, figure, us);
	return rc == 0 || bench->why[0] != '\0' ? rc :
		bench_skip(bench, rc, "%s", strerror(-rc));
}

int
bench_measure(struct bench *bench, const struct bench_figure *figure, struct bench_result *result)
{
	double us[BENCH_RUNS_MAX], floor_us[BENCH_RUNS_MAX], ratio[BENCH_RUNS_MAX];
	const uint32_t runs = bench->opt->runs;
	uint32_t i;
	int rc;

	bench->why[0] = '\0';
	rc = figure->prepare(bench, figure);
	for (i = 0; i < runs && rc == 0; i++) {
		rc = run_pair(bench, figure, &us[i], &floor_us[i]);
		ratio[i] = us[i] / floor_us[i];
	}
	if (rc < 0)
		return rc;
	result->us = median(us, runs);
	result->floor_us = median(floor_us, runs);
	result->ratio = median(ratio, runs);
	return 0;
}

/* ---- start and end ---- */

int
bench_open(struct bench *bench, const struct bench_options *opt)
{
	*bench = (struct bench) { .opt = opt, .dev_id = -1, .fd = -1 };
	bench->data = calloc(1, BENCH_ACCESS_MAX);
	if (bench->data == NULL)
		return -ENOMEM;
	bench->fd = memfd_create("bench", MFD_CLOEXEC);
	if (bench->fd < 0 || ftruncate(bench->fd, PAGE) < 0)
		return -errno;
	bench->dev_id = rte_vfio_user_attach_dev(opt->path);
	return RTE_MIN(bench->dev_id, 0);
}

void
bench_close(struct bench *bench)
{
	if (bench->dev_id >= 0)
		rte_vfio_user_detach_dev(bench->dev_id);
	if (bench->fd >= 0)
		close(bench->fd);
	free(bench->data);
}
