/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <rte_common.h>

#include "bench.h"
#include "bench_figure.h"
#include "options.h"

#define COMMAND "bench"
#define EXIT_USAGE 2
#define RUNS 21u

/* What a command line asks for. */
struct request {
	struct bench_options opt;
	bool json;
	bool help;
};

static void
help(void)
{
	printf("usage: dpdk-vfio-user bench SOCKET [OPTION...]\n"
		"Measures how fast a server answers, beside what bare sockets do: accesses of\n"
		"four bytes of configuration space that change nothing, and memory that is mapped\n"
		"and unmapped.\n\n"
		"  --region N     accesses of region N instead, and large ones: reads\n"
		"  --destructive  and writes, of what was read there\n"
		"  --runs N       the median of so many counts; %u\n"
		"  --json         print one object at the end instead of lines\n\n"
		"Keep both programs on one processor (taskset -c 1) for figures that stay the\n"
		"same from run to run. Exit status: 0, 1 the server is gone, 2 the command line\n"
		"is wrong.\n", RUNS);
}

/* ---- the command line ---- */

static bool
request_parse(struct request *request, int argc, char **argv)
{
	struct bench_options *opt = &request->opt;
	const struct tool_option options[] = {
		{ "--region", NULL, &opt->region, 0, BENCH_REGION_NONE - 1 },
		{ "--runs", NULL, &opt->runs, 1, BENCH_RUNS_MAX },
		{ "--destructive", .flag = &opt->destructive },
		{ "--json", .flag = &request->json },
		{ "--help", .flag = &request->help },
		{ "-h", .flag = &request->help },
		{ NULL },
	};

	opt->region = BENCH_REGION_NONE;
	opt->runs = RUNS;
	if (!tool_socket_parse(COMMAND, options, argc, argv, &opt->path))
		return false;
	if (request->help)
		return true;
	if (!tool_socket_check(COMMAND, opt->path))
		return false;
	return opt->region != BENCH_REGION_NONE || !opt->destructive ||
		tool_complain(COMMAND, "--destructive needs a --region", NULL);
}

/* ---- printing ---- */

static void
figure_print(const struct bench_figure *figure, const struct bench_result *result)
{
	printf("%-27s %9.2f us   %-11s %9.2f us  %6.2fx\n", figure->name, result->us,
		figure->beside, result->floor_us, result->ratio);
}

static json_t *
figure_json(const struct bench_figure *figure, const struct bench_result *result)
{
	return json_pack("{s:s, s:f, s:s, s:f, s:f}", "name", figure->name, "us", result->us,
		"beside", figure->beside, "beside_us", result->floor_us, "ratio", result->ratio);
}

static void
figure_report(const struct bench_figure *figure, const struct bench_result *result, json_t *json)
{
	if (json != NULL)
		json_array_append_new(json, figure_json(figure, result));
	else
		figure_print(figure, result);
}

static void
skip_report(const struct bench_figure *figure, const char *why, json_t *json)
{
	if (json != NULL)
		json_array_append_new(json,
			json_pack("{s:s, s:s}", "name", figure->name, "skipped", why));
	else
		printf("%-27s skipped: %s\n", figure->name, why);
}

static bool
is_gone(int rc)
{
	return rc == -ENOTCONN || rc == -ETIMEDOUT;
}

static int
figures_run(struct bench *bench, json_t *json)
{
	const struct bench_figure *figure;
	struct bench_result result;
	int rc;

	for (figure = bench_figures; figure->name != NULL; figure++) {
		rc = bench_measure(bench, figure, &result);
		if (is_gone(rc))
			return rc;
		if (rc < 0)
			skip_report(figure, bench->why, json);
		else
			figure_report(figure, &result, json);
		fflush(stdout);
	}
	return 0;
}

static void
json_print(const struct request *request, json_t *figures)
{
	json_t *root = json_pack("{s:s, s:O}", "socket", request->opt.path, "figures", figures);

	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	printf("\n");
	json_decref(root);
}

static int
run(const struct request *request)
{
	json_t *figures = request->json ? json_array() : NULL;
	struct bench bench;
	int rc;

	rc = bench_open(&bench, &request->opt);
	if (rc == 0)
		rc = figures_run(&bench, figures);
	bench_close(&bench);
	if (rc < 0)
		fprintf(stderr, "dpdk-vfio-user bench: %s: %s\n", request->opt.path, strerror(-rc));
	else if (request->json)
		json_print(request, figures);
	json_decref(figures);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
bench_run(int argc, char **argv)
{
	struct request request = { 0 };

	if (!request_parse(&request, argc, argv))
		return EXIT_USAGE;
	if (request.help) {
		help();
		return EXIT_SUCCESS;
	}
	return run(&request);
}
