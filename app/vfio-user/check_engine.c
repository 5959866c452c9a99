/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>

#include "check_rule.h"

/* Of the first message of a rule. */
#define FIRST_ID 100u

static const struct check_rule *const topics[] = {
	check_version_rules,
	check_shape_rules,
	check_info_rules,
	check_region_rules,
	check_access_rules,
	check_dma_rules,
	check_irq_rules,
	check_life_rules,
	check_migration_rules,
};

const struct check_rule *
check_rule_nth(unsigned int i)
{
	const struct check_rule *rule;
	unsigned int t;

	for (t = 0; t < RTE_DIM(topics); t++) {
		for (rule = topics[t]; rule->name != NULL; rule++) {
			if (i-- == 0)
				return rule;
		}
	}
	return NULL;
}

bool
check_rule_chosen(const struct check_options *opt, const struct check_rule *rule)
{
	unsigned int i;

	for (i = 0; i < opt->nb_names; i++) {
		if (fnmatch(opt->names[i], rule->name, 0) == 0)
			return true;
	}
	return opt->nb_names == 0;
}

/* ---- the end of a rule ---- */

static void __attribute__((noreturn, format(printf, 3, 0)))
end(struct check *c, enum check_verdict verdict, const char *fmt, va_list args)
{
	c->result.verdict = verdict;
	vsnprintf(c->result.why, sizeof(c->result.why), fmt, args);
	longjmp(c->end, 1);
}

void
check_fail(struct check *c, const char *fmt, ...)
{
	const bool should = c->result.rule != NULL && c->result.rule->flags & CHECK_F_SHOULD;
	va_list args;

	va_start(args, fmt);
	end(c, should && c->gone == 0 ? CHECK_WARN : CHECK_FAIL, fmt, args);
}

void
check_skip(struct check *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	end(c, CHECK_SKIP, fmt, args);
}

/* ---- running ---- */

static double
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void
result_set(struct check *c, enum check_verdict verdict, const char *why)
{
	c->result.verdict = verdict;
	snprintf(c->result.why, sizeof(c->result.why), "%s", why);
}

static void
run_until_end(struct check *c, void (*run)(struct check *c))
{
	result_set(c, CHECK_OK, "");
	if (setjmp(c->end) == 0)
		run(c);
}

static void
leave(struct check *c)
{
	check_close(c);
	while (c->nb_own > 0)
		close(c->own[--c->nb_own]);
}

void
check_once(struct check *c, void (*run)(struct check *c))
{
	double start = now_ms();

	c->next_id = FIRST_ID;
	c->deadline_us = (uint64_t)(start * 1e3) + (uint64_t)c->opt->timeout_ms * 1000;
	run_until_end(c, run);
	leave(c);
	c->result.ms = now_ms() - start;
}

static void
rule_run(struct check *c, const struct check_rule *rule)
{
	c->result.rule = rule;
	c->result.ms = 0;
	if (c->gone != 0)
		result_set(c, CHECK_SKIP, "the server is gone");
	else if (rule->flags & CHECK_F_DESTRUCTIVE && !c->opt->destructive)
		result_set(c, CHECK_SKIP, "changes the device: --destructive permits it");
	else
		check_once(c, rule->run);
	c->before = rule->name;
}

static void
rules_run(struct check *c, check_report_t report, void *ctx)
{
	const struct check_rule *rule;
	unsigned int i;

	for (i = 0; (rule = check_rule_nth(i)) != NULL; i++) {
		if (!check_rule_chosen(c->opt, rule))
			continue;
		rule_run(c, rule);
		report(&c->result, ctx);
	}
}

static int
server_run(struct check *c, check_report_t report, void *ctx)
{
	check_once(c, check_facts_gather);
	if (!c->met)
		return -c->gone;
	rules_run(c, report, ctx);
	return 0;
}

struct check *
check_new(const struct check_options *opt)
{
	struct check *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->opt = opt;
	c->sock = -1;
	c->payload = malloc(CHECK_PAYLOAD_MAX);
	if (c->payload != NULL)
		return c;
	free(c);
	return NULL;
}

void
check_free(struct check *c)
{
	if (c != NULL)
		free(c->payload);
	free(c);
}

int
check_all(const struct check_options *opt, check_report_t report, void *ctx)
{
	struct sockaddr_un addr;
	struct check *c;
	int rc;

	if (strlen(opt->path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	c = check_new(opt);
	rc = c == NULL ? -ENOMEM : server_run(c, report, ctx);
	check_free(c);
	return rc;
}
