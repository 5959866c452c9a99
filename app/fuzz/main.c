/* SPDX-License-Identifier: BSD-3-Clause */

/* A program for one target, which libFuzzer drives. FUZZ_TARGET is its function. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static void
seed_write(const char *dir, unsigned int i, const uint8_t *seed, size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/seed-%03u", dir, i);
	f = fopen(path, "w");
	if (f == NULL || fwrite(seed, 1, len, f) != len || fclose(f) != 0) {
		perror(path);
		exit(EXIT_FAILURE);
	}
}

static void
seeds_write(const char *dir)
{
	uint8_t seed[FUZZ_SEED_MAX];
	unsigned int i;
	size_t len;

	for (i = 0; (len = fuzz_seed(i, seed)) > 0; i++)
		seed_write(dir, i, seed, len);
}

/* "--seeds DIR" writes the seeds and ends. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	if (*argc != 3 || strcmp((*argv)[1], "--seeds") != 0)
		return 0;
	seeds_write((*argv)[2]);
	exit(EXIT_SUCCESS);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	return FUZZ_TARGET(data, len);
}
