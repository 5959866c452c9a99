/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_log.h>

#include "../vfio-user/check_rule.h"
#include "../vfio-user/devices.h"
#include "interpose.h"
#include "vu_liar.h"
#include "vu_served.h"

#include "test.h"
#include "vu_lies.h"

/*
 * The rules of "dpdk-vfio-user check" against our own server, which keeps to all of them, and
 * against servers each of which breaks one: that rule tells it, and no other.
 */

#define TIMEOUT_MS 20000u

/* ---- running the rules ---- */

struct stage {
	char dir[64];
	char server[96];
	struct rte_vfio_user_pci *pci;
	char migratable[96];
	struct served *served;	/* of that; NULL: there is none */
	struct liar liar;
};

/* What came of a run. */
struct findings {
	const char *expected;	/* rule that is broken; NULL: none */
	bool found;
	unsigned int nb;
	unsigned int skipped;
	char others[1024];	/* broken as well */
};

static void
on_result(const struct check_result *result, void *ctx)
{
	const bool should = result->rule->flags & CHECK_F_SHOULD;
	struct findings *findings = ctx;
	size_t len = strlen(findings->others);

	findings->nb++;
	findings->skipped += result->verdict == CHECK_SKIP;
	if (result->verdict == CHECK_OK || result->verdict == CHECK_SKIP)
		return;
	if (findings->expected != NULL && strcmp(result->rule->name, findings->expected) == 0 &&
			result->verdict == (should ? CHECK_WARN : CHECK_FAIL))
		findings->found = true;
	else
		snprintf(findings->others + len, sizeof(findings->others) - len, " %s (%s)",
			result->rule->name, result->why);
}

#define RULES_MAX 256

static void
rules_run(const char *path, uint32_t timeout_ms, const char *const *names, unsigned int nb_names,
	struct findings *findings)
{
	const struct check_options opt = { .path = path, .destructive = true,
		.timeout_ms = timeout_ms, .names = names, .nb_names = nb_names };

	assert_int_equal(check_all(&opt, on_result, findings), 0);
}

static void
all_rules_run(const char *path, struct findings *findings)
{
	rules_run(path, TIMEOUT_MS, NULL, 0, findings);
	assert_true(findings->nb > 100);
}

/* All rules but one. */
static void
other_rules_run(const char *path, const char *name, struct findings *findings)
{
	const struct check_rule *rule;
	const char *names[RULES_MAX];
	unsigned int r, nb = 0;

	for (r = 0; (rule = check_rule_nth(r)) != NULL && nb < RULES_MAX; r++)
		if (strcmp(rule->name, name) != 0)
			names[nb++] = rule->name;
	rules_run(path, TIMEOUT_MS, names, nb, findings);
}

static void
test_our_own_server_keeps_to_all(void **state)
{
	struct stage *stage = *state;
	struct findings findings = { 0 };

	all_rules_run(stage->server, &findings);
	assert_string_equal(findings.others, "");
}

static void
test_one_client_at_a_time_is_enough(void **state)
{
	struct stage *stage = *state;
	struct findings findings = { 0 };

	liar_start(&stage->liar, NULL);
	all_rules_run(stage->liar.path, &findings);
	liar_stop(&stage->liar);
	assert_string_equal(findings.others, "");
}

/* A rule that waits for what does not come does so for a short time first. */
static bool
lie_is_seen_in(struct stage *stage, const struct liar_lie *lie, uint32_t ms,
	struct findings *findings)
{
	memset(findings, 0, sizeof(*findings));
	findings->expected = lie->rule;
	liar_start(&stage->liar, lie);
	rules_run(stage->liar.path, ms, &lie->rule, 1, findings);
	liar_stop(&stage->liar);
	return stage->liar.told > 0 && findings->found;
}

/* The rule alone: others are not to be hurried. Returns how often the lie was told to it. */
static unsigned int
lie_hurriedly(struct stage *stage, const struct liar_lie *lie, struct findings *findings)
{
	uint32_t ms = lie->timeout_ms;
	unsigned int told;

	while (!lie_is_seen_in(stage, lie, ms, findings) && ms < TIMEOUT_MS)
		ms = RTE_MIN(ms * 8, TIMEOUT_MS);
	told = stage->liar.told;
	liar_start(&stage->liar, lie);
	other_rules_run(stage->liar.path, lie->rule, findings);
	liar_stop(&stage->liar);
	return told;
}

static unsigned int
lie_to_all(struct stage *stage, const struct liar_lie *lie, struct findings *findings)
{
	findings->expected = lie->rule;
	liar_start(&stage->liar, lie);
	all_rules_run(stage->liar.path, findings);
	liar_stop(&stage->liar);
	return stage->liar.told;
}

/* Returns whether all was as expected. */
static bool
lie_and_look(struct stage *stage, const struct liar_lie *lie, unsigned int i)
{
	struct findings findings = { 0 };
	unsigned int told;

	told = lie->timeout_ms > 0 ? lie_hurriedly(stage, lie, &findings) :
		lie_to_all(stage, lie, &findings);
	if (told > 0 && findings.found && findings.others[0] == '\0')
		return true;
	print_error("lie %u, about %s: told %u times, %s; seen by others:%s\n", i, lie->rule, told,
		findings.found ? "seen" : "not seen", findings.others);
	return false;
}

static void
lies_tell(struct stage *stage, const struct liar_lie *lie, unsigned int nb)
{
	unsigned int i, wrong = 0;

	for (i = 0; i < nb; i++)
		wrong += !lie_and_look(stage, &lie[i], i);
	assert_int_equal(wrong, 0);
}

static void
test_each_lie_breaks_its_rule_and_no_other(void **state)
{
	lies_tell(*state, vu_lies, vu_lies_nb);
}

static void
test_each_lie_about_migration_breaks_its_rule_and_no_other(void **state)
{
	lies_tell(*state, vu_migration_lies, vu_migration_lies_nb);
}

static bool
has_lie(const struct check_rule *rule, const struct liar_lie *lie, unsigned int nb)
{
	unsigned int i;

	for (i = 0; i < nb; i++)
		if (strcmp(lie[i].rule, rule->name) == 0)
			return true;
	return false;
}

static void
test_each_rule_has_a_lie(void **state)
{
	const struct check_rule *rule;
	unsigned int r;

	(void)state;
	for (r = 0; (rule = check_rule_nth(r)) != NULL; r++)
		if (!has_lie(rule, vu_lies, vu_lies_nb) &&
				!has_lie(rule, vu_migration_lies, vu_migration_lies_nb))
			fail_msg("no lie is about %s", rule->name);
}

static void
test_each_rule_says_what_it_is_about(void **state)
{
	const struct check_rule *rule, *other;
	unsigned int r, o;

	(void)state;
	for (r = 0; (rule = check_rule_nth(r)) != NULL; r++) {
		assert_true(strlen(rule->name) <= 26);
		assert_true(strlen(rule->section) > 0);
		assert_true(strlen(rule->text) > 0);
		for (o = 0; o < r && (other = check_rule_nth(o)) != NULL; o++)
			assert_string_not_equal(other->name, rule->name);
	}
}

/* Each message in turn finds no room in the socket: that rule ends, and leaves nothing behind. */
static void
test_server_that_does_not_read_costs_nothing(void **state)
{
	static const char *const name = "info";

	struct stage *stage = *state;
	struct interpose_loop loop;

	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(SENDMSG) | INTERPOSE_THIS_THREAD, EAGAIN) {
		struct findings findings = { .expected = name };

		rules_run(stage->server, TIMEOUT_MS, &name, 1, &findings);
		interpose_disarm();
		assert_int_equal(findings.nb, 1);
		assert_string_equal(findings.others, "");
	}
}

static int
stage_setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	rte_log_set_level_pattern("lib.vfio_user", RTE_LOG_CRIT);
	strcpy(stage->dir, "/tmp/check.XXXXXX");
	assert_non_null(mkdtemp(stage->dir));
	snprintf(stage->server, sizeof(stage->server), "%s/server", stage->dir);
	snprintf(stage->liar.path, sizeof(stage->liar.path), "%s/liar", stage->dir);
	stage->liar.server = stage->server;
	assert_int_equal(device_edu.make(0, &stage->pci), 0);
	assert_true(rte_vfio_user_pci_start(stage->pci, stage->server, NULL) >= 0);
	*state = stage;
	return 0;
}

static int
stage_teardown(void **state)
{
	struct stage *stage = *state;

	device_edu.destroy(stage->pci);
	assert_int_equal(rmdir(stage->dir), 0);
	free(stage);
	return 0;
}

/* ---- a device that can be migrated ---- */

static size_t mig_at;

static int
mig_set_state(int dev_id, uint32_t state)
{
	(void)dev_id;
	(void)state;
	mig_at = 0;
	return 0;
}

static ssize_t
mig_read(int dev_id, void *buf, size_t len)
{
	size_t n = RTE_MIN(len, MIG_LEN - mig_at);

	(void)dev_id;
	memset(buf, 's', n);
	mig_at += n;
	return (ssize_t)n;
}

static ssize_t
mig_write(int dev_id, const void *buf, size_t len)
{
	(void)dev_id;
	(void)buf;
	return (ssize_t)len;
}

static int
migratable_setup(void **state)
{
	static const struct rte_vfio_user_migration_ops ops = {
		.flags = VFIO_MIGRATION_STOP_COPY | MIGRATION_PRE_COPY,
		.set_state = mig_set_state,
		.read_data = mig_read,
		.write_data = mig_write,
	};
	struct stage *stage;

	stage_setup(state);
	stage = *state;
	stage->served = calloc(1, sizeof(*stage->served));
	snprintf(stage->migratable, sizeof(stage->migratable), "%s/migratable", stage->dir);
	served_register(stage->served, stage->migratable, NULL);
	assert_int_equal(rte_vfio_user_set_migration(stage->migratable, &ops), 0);
	assert_int_equal(rte_vfio_user_start(stage->migratable), 0);
	stage->liar.server = stage->migratable;
	return 0;
}

static int
migratable_teardown(void **state)
{
	struct stage *stage = *state;

	served_stop(stage->served);
	free(stage->served);
	return stage_teardown(state);
}

static void
test_device_that_can_be_migrated_keeps_to_all(void **state)
{
	struct stage *stage = *state;
	struct findings findings = { 0 };

	all_rules_run(stage->migratable, &findings);
	assert_string_equal(findings.others, "");
	assert_int_equal(findings.skipped, 0);
}

#define MIGRATABLE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, migratable_setup, migratable_teardown)
#define STAGE_TEST(test) cmocka_unit_test_setup_teardown(test, stage_setup, stage_teardown)

static const struct CMUnitTest tests[] = {
	STAGE_TEST(test_our_own_server_keeps_to_all),
	STAGE_TEST(test_one_client_at_a_time_is_enough),
	STAGE_TEST(test_each_lie_breaks_its_rule_and_no_other),
	MIGRATABLE_TEST(test_device_that_can_be_migrated_keeps_to_all),
	MIGRATABLE_TEST(test_each_lie_about_migration_breaks_its_rule_and_no_other),
	STAGE_TEST(test_server_that_does_not_read_costs_nothing),
	cmocka_unit_test(test_each_rule_has_a_lie),
	cmocka_unit_test(test_each_rule_says_what_it_is_about),
};

TEST_SUITE(vu_check, "functional", tests, NULL, NULL)
