/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Uses an edu device of QEMU through its driver: a first program to read. It prints what the
 * device did, and fails when the device did it wrongly.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_edu.h>
#include <rte_errno.h>

#include "../common/standard_files.h"

#define TIMEOUT_MS 10000
#define DMA_LEN 2048
#define IRQ_OF_NOBODY 0x2

static int
identify(struct rte_edu *edu)
{
	uint32_t id;
	int rc = rte_edu_identification(edu, &id);

	if (rc == 0)
		printf("version %u.%u\n", id >> 24, id >> 16 & 0xff);
	return rc;
}

static int
check_liveness(struct rte_edu *edu)
{
	const uint32_t value = 0x12345678;
	int rc = rte_edu_liveness(edu, value);

	if (rc == 0)
		printf("%#" PRIx32 " was answered by %#" PRIx32 "\n", value, ~value);
	return rc;
}

/* Where there are no interrupts, the driver looks every millisecond. */
static bool
has_interrupts(struct rte_edu *edu)
{
	return rte_edu_irq_wait(edu, IRQ_OF_NOBODY, NULL, 0) != -ENOTSUP;
}

static int
compute_factorial(struct rte_edu *edu)
{
	const uint32_t n = 10;
	uint32_t result;
	int rc = rte_edu_factorial(edu, n, &result, TIMEOUT_MS);

	if (rc == 0)
		printf("of %" PRIu32 " is %" PRIu32 "%s\n", n, result,
			has_interrupts(edu) ? ", an interrupt told" : "");
	return rc == 0 && result != 3628800 ? -EIO : rc;
}

static int
copy_there_and_back(struct rte_edu *edu)
{
	uint8_t out[DMA_LEN], in[DMA_LEN] = { 0 };
	size_t i;
	int rc;

	for (i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7);
	rc = rte_edu_dma_write(edu, 0, out, sizeof(out), TIMEOUT_MS);
	if (rc == 0)
		rc = rte_edu_dma_read(edu, 0, in, sizeof(in), TIMEOUT_MS);
	if (rc == 0 && memcmp(in, out, sizeof(out)) != 0)
		rc = -EIO;
	if (rc == 0)
		printf("%d bytes went to the device and came back the same\n", DMA_LEN);
	return rc;
}

static const struct {
	const char *name;
	int (*run)(struct rte_edu *edu);
} steps[] = {
	{ "identity", identify },
	{ "liveness", check_liveness },
	{ "factorial", compute_factorial },
	{ "DMA", copy_there_and_back },
};

static int
run_steps(struct rte_edu *edu)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < RTE_DIM(steps) && rc == 0; i++) {
		printf("%-10s ", steps[i].name);
		fflush(stdout);
		rc = steps[i].run(edu);
		if (rc != 0)
			printf("failed: %s\n", rte_strerror(-rc));
	}
	return rc;
}

static int
run(int argc, char **argv)
{
	struct rte_edu *edu;
	int rc = rte_eal_init(argc, argv);
	const char *name;

	if (rc < 0) {
		fprintf(stderr, "dpdk-edu: EAL does not start: %s\n", rte_strerror(rte_errno));
		return EXIT_FAILURE;
	}
	name = rc + 1 < argc ? argv[rc + 1] : NULL;
	rc = rte_edu_open(name, &edu);
	if (rc == 0) {
		rc = run_steps(edu);
		rte_edu_close(edu);
	} else {
		fprintf(stderr, "dpdk-edu: %s: %s\n", name == NULL ? "no device" : name,
			rte_strerror(-rc));
	}
	rte_eal_cleanup();
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	standard_files_open();
	return standard_output_end("dpdk-edu", run(argc, argv));
}
