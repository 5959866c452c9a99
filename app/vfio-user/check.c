/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <rte_common.h>

#include "check.h"
#include "check_rule.h"
#include "options.h"

#define COMMAND "check"
#define EXIT_USAGE 2
#define TIMEOUT_MS 5000u
#define TIMEOUT_MAX_MS 3600000u
#define MAX_NAMES 64u

#define VERDICTS 4u

static const struct {
	const char *word;	/* in front of a line, and in JSON */
	const char *sum;	/* in the last line */
} verdicts[VERDICTS] = {
	[CHECK_OK] = { "ok", "ok" },
	[CHECK_FAIL] = { "FAIL", "failed" },
	[CHECK_WARN] = { "warn", "warnings" },
	[CHECK_SKIP] = { "skip", "skipped" },
};

/* What a command line asks for. */
struct request {
	struct check_options opt;
	const char *names[MAX_NAMES];
	bool json;
	bool list;
	bool strict;
	bool help;
};

/* What has come out so far. */
struct outcome {
	unsigned int nb[VERDICTS];
	json_t *rules;	/* NULL: lines are printed at once */
};

static void
help(void)
{
	printf("usage: dpdk-vfio-user check SOCKET [RULE...] [OPTION...]\n"
		"       dpdk-vfio-user check --list [RULE...] [--json]\n"
		"Tries whether a server keeps to the vfio-user protocol, rule by rule. RULE is\n"
		"a name or a pattern such as \"dma-*\"; without any, all are tried.\n\n"
		"  --destructive  try also what writes a byte of configuration space, resets the\n"
		"                 device, or stops it to read and load its state\n"
		"  --timeout MS   of each rule; %u\n"
		"  --strict       warnings count as failures\n"
		"  --json         print one object at the end instead of lines\n"
		"  --list         tell the rules\n\n"
		"Each line begins with ok; FAIL where a rule of the specification is broken; warn\n"
		"where servers in use are known to differ or only some clients care; skip where\n"
		"the rule could not be tried. Exit status: 0 nothing failed, 1 something did,\n"
		"2 the command line is wrong.\n",
		TIMEOUT_MS);
}

/* ---- the command line ---- */

static bool
name_take(struct request *request, const char *name)
{
	if (request->opt.nb_names == MAX_NAMES)
		return tool_complain(COMMAND, "too many rules", name);
	request->names[request->opt.nb_names++] = name;
	return true;
}

static bool
arg_take(struct request *request, int argc, char **argv, int *i)
{
	const struct tool_option options[] = {
		{ "--timeout", NULL, &request->opt.timeout_ms, 1, TIMEOUT_MAX_MS },
		{ "--json", .flag = &request->json },
		{ "--list", .flag = &request->list },
		{ "--strict", .flag = &request->strict },
		{ "--destructive", .flag = &request->opt.destructive },
		{ "--help", .flag = &request->help },
		{ "-h", .flag = &request->help },
		{ NULL },
	};

	if (argv[*i][0] == '-')
		return tool_option_take(COMMAND, options, argc, argv, i);
	return name_take(request, argv[*i]);
}

/* A name that no rule has is a mistake. */
static bool
names_check(const struct check_options *opt)
{
	const struct check_rule *rule;
	unsigned int i, r;

	for (i = 0; i < opt->nb_names; i++) {
		const struct check_options one = { .names = &opt->names[i], .nb_names = 1 };

		for (r = 0; (rule = check_rule_nth(r)) != NULL; r++) {
			if (check_rule_chosen(&one, rule))
				break;
		}
		if (rule == NULL)
			return tool_complain(COMMAND, "no rule is called so (see --list)",
				opt->names[i]);
	}
	return true;
}

/* The first word is the socket, where one is needed. */
static bool
socket_take(struct request *request)
{
	request->opt.names = request->names;
	if (request->list)
		return true;
	if (!tool_socket_check(COMMAND, request->names[0]))
		return false;
	request->opt.path = request->names[0];
	request->opt.names++;
	request->opt.nb_names--;
	return true;
}

static bool
request_parse(struct request *request, int argc, char **argv)
{
	int i;

	request->opt.timeout_ms = TIMEOUT_MS;
	for (i = 0; i < argc; i++) {
		if (!arg_take(request, argc, argv, &i))
			return false;
	}
	return request->help || (socket_take(request) && names_check(&request->opt));
}

/* ---- printing ---- */

static json_t *
rule_json(const struct check_rule *rule)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:s}",
		"name", rule->name,
		"section", rule->section,
		"level", rule->flags & CHECK_F_SHOULD ? "should" : "must",
		"destructive", (int)((rule->flags & CHECK_F_DESTRUCTIVE) != 0),
		"text", rule->text);
}

static void
json_print(json_t *root)
{
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	printf("\n");
	json_decref(root);
}

static void
rule_print(const struct check_rule *rule)
{
	printf("%-26s  %-6s  %-11s  [%s] %s\n", rule->name,
		rule->flags & CHECK_F_SHOULD ? "should" : "must",
		rule->flags & CHECK_F_DESTRUCTIVE ? "destructive" : "safe",
		rule->section, rule->text);
}

static int
list(const struct request *request)
{
	json_t *rules = request->json ? json_array() : NULL;
	const struct check_rule *rule;
	unsigned int i;

	for (i = 0; (rule = check_rule_nth(i)) != NULL; i++) {
		if (!check_rule_chosen(&request->opt, rule))
			continue;
		if (request->json)
			json_array_append_new(rules, rule_json(rule));
		else
			rule_print(rule);
	}
	if (request->json)
		json_print(rules);
	return EXIT_SUCCESS;
}

static void
result_print(const struct check_result *result)
{
	const struct check_rule *rule = result->rule;

	printf("%-4s  %-26s  [%s] %s\n", verdicts[result->verdict].word, rule->name, rule->section,
		rule->text);
	if (result->why[0] != '\0')
		printf("      %s\n", result->why);
	fflush(stdout);
}

static json_t *
result_json(const struct check_result *result)
{
	json_t *object = rule_json(result->rule);

	json_object_set_new(object, "verdict", json_string(verdicts[result->verdict].word));
	if (result->why[0] != '\0')
		json_object_set_new(object, "why", json_string(result->why));
	json_object_set_new(object, "ms", json_real(result->ms));
	return object;
}

static void
take_result(const struct check_result *result, void *ctx)
{
	struct outcome *outcome = ctx;

	outcome->nb[result->verdict]++;
	if (outcome->rules == NULL)
		result_print(result);
	else
		json_array_append_new(outcome->rules, result_json(result));
}

static unsigned int
total(const struct outcome *outcome)
{
	unsigned int i, sum = 0;

	for (i = 0; i < VERDICTS; i++)
		sum += outcome->nb[i];
	return sum;
}

static void
summary_print(const struct outcome *outcome)
{
	unsigned int i;

	printf("\n%u rules:", total(outcome));
	for (i = 0; i < VERDICTS; i++)
		printf("%s %u %s", i == 0 ? "" : ",", outcome->nb[i], verdicts[i].sum);
	printf("\n");
}

static void
summary_json(const struct request *request, struct outcome *outcome)
{
	json_print(json_pack("{s:s, s:o, s:{s:i, s:i, s:i, s:i, s:i}}",
		"socket", request->opt.path,
		"rules", outcome->rules,
		"summary", "rules", (int)total(outcome),
		"ok", (int)outcome->nb[CHECK_OK], "failed", (int)outcome->nb[CHECK_FAIL],
		"warnings", (int)outcome->nb[CHECK_WARN], "skipped", (int)outcome->nb[CHECK_SKIP]));
}

static int
run(const struct request *request)
{
	struct outcome outcome = { .rules = request->json ? json_array() : NULL };
	int rc = check_all(&request->opt, take_result, &outcome);

	if (rc < 0) {
		fprintf(stderr, "dpdk-vfio-user check: %s: %s\n", request->opt.path, strerror(-rc));
		json_decref(outcome.rules);
		return EXIT_FAILURE;
	}
	if (request->json)
		summary_json(request, &outcome);
	else
		summary_print(&outcome);
	return outcome.nb[CHECK_FAIL] > 0 || (request->strict && outcome.nb[CHECK_WARN] > 0) ?
		EXIT_FAILURE : EXIT_SUCCESS;
}

int
check_run(int argc, char **argv)
{
	struct request request = { 0 };

	if (!request_parse(&request, argc, argv))
		return EXIT_USAGE;
	if (request.help) {
		help();
		return EXIT_SUCCESS;
	}
	return request.list ? list(&request) : run(&request);
}
