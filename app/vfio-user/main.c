/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "../common/standard_files.h"
#include "bench.h"
#include "check.h"
#include "info.h"
#include "serve.h"

/* Exit status beside EXIT_SUCCESS and EXIT_FAILURE. */
#define EXIT_USAGE 2

static const struct command {
	const char *name;
	const char *summary;
	/* Gets what follows the name, returns the exit status. */
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "serve", "emulate devices until SIGTERM", serve_run },
	{ "info", "tell what a server says about its device", info_run },
	{ "check", "try whether a server keeps to the protocol", check_run },
	{ "bench", "measure how fast a server answers", bench_run },
};

static void
usage(FILE *out)
{
	unsigned int i;

	fprintf(out, "usage: dpdk-vfio-user COMMAND [ARGUMENT...]\n\n");
	for (i = 0; i < RTE_DIM(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\n\"dpdk-vfio-user COMMAND --help\" tells more.\n");
}

static int
run(int argc, char **argv)
{
	unsigned int i;

	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		usage(stdout);
		return EXIT_SUCCESS;
	}
	for (i = 0; i < RTE_DIM(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 2, argv + 2);
	}
	fprintf(stderr, "dpdk-vfio-user: unknown command: %s (see --help)\n", argv[1]);
	return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	standard_files_open();
	return standard_output_end("dpdk-vfio-user", run(argc, argv));
}
