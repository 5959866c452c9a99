/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fnmatch.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_log.h>
#include <rte_per_lcore.h>

#include "log_internal.h"

/* The level of a type that was registered without one. */
#define LOG_LEVEL_UNSET RTE_LOG_INFO

struct log_type {
	char *name;	/* NULL: a number that nobody uses */
	uint32_t level;
};

enum log_rule_kind {
	LOG_RULE_PATTERN,	/* of the shell */
	LOG_RULE_REGEX,
};

/* A level for the types whose names match. */
struct log_rule {
	TAILQ_ENTRY(log_rule) next;
	uint32_t level;
	enum log_rule_kind kind;
	char *pattern;	/* LOG_RULE_PATTERN */
	regex_t regex;	/* LOG_RULE_REGEX */
};

TAILQ_HEAD(log_rule_list, log_rule);

static struct {
	FILE *stream;	/* NULL: stderr */
	uint32_t level;
	struct log_type *types;
	uint32_t nb_types;
	struct log_rule_list rules;
} log_state = {
	.level = RTE_LOG_DEBUG,
	.rules = TAILQ_HEAD_INITIALIZER(log_state.rules),
};

static RTE_DEFINE_PER_LCORE(uint32_t, log_cur_level);
static RTE_DEFINE_PER_LCORE(uint32_t, log_cur_type);

static const struct {
	uint32_t type;
	const char *name;
	uint32_t level;
} log_static_types[] = {
	{ RTE_LOGTYPE_EAL, "lib.eal", RTE_LOG_NOTICE },
	{ RTE_LOGTYPE_USER1, "user1", RTE_LOG_INFO },
	{ RTE_LOGTYPE_USER2, "user2", RTE_LOG_INFO },
	{ RTE_LOGTYPE_USER3, "user3", RTE_LOG_INFO },
	{ RTE_LOGTYPE_USER4, "user4", RTE_LOG_INFO },
	{ RTE_LOGTYPE_USER5, "user5", RTE_LOG_INFO },
	{ RTE_LOGTYPE_USER6, "user6", RTE_LOG_INFO },
	{ RTE_LOGTYPE_USER7, "user7", RTE_LOG_INFO },
	{ RTE_LOGTYPE_USER8, "user8", RTE_LOG_INFO },
};

static const char *const log_level_names[RTE_LOG_MAX + 1] = {
	[RTE_LOG_EMERG] = "emergency",
	[RTE_LOG_ALERT] = "alert",
	[RTE_LOG_CRIT] = "critical",
	[RTE_LOG_ERR] = "error",
	[RTE_LOG_WARNING] = "warning",
	[RTE_LOG_NOTICE] = "notice",
	[RTE_LOG_INFO] = "info",
	[RTE_LOG_DEBUG] = "debug",
};

static bool
log_level_valid(uint32_t level)
{
	return level >= RTE_LOG_EMERG && level <= RTE_LOG_MAX;
}

RTE_EXPORT_INTERNAL_SYMBOL(eal_log_level2str)
const char *
eal_log_level2str(uint32_t level)
{
	return log_level_valid(level) ? log_level_names[level] : "unknown";
}

/* ---- types ---- */

static int
log_types_grow(uint32_t nb)
{
	struct log_type *types;

	types = realloc(log_state.types, nb * sizeof(*types));
	if (types == NULL)
		return -ENOMEM;
	memset(&types[log_state.nb_types], 0, (nb - log_state.nb_types) * sizeof(*types));
	log_state.types = types;
	log_state.nb_types = nb;
	return 0;
}

static int
log_type_find(const char *name)
{
	uint32_t i;

	for (i = 0; i < log_state.nb_types; i++)
		if (log_state.types[i].name != NULL && strcmp(log_state.types[i].name, name) == 0)
			return (int)i;
	return -1;
}

static bool
log_rule_matches(const struct log_rule *rule, const char *name)
{
	if (rule->kind == LOG_RULE_PATTERN)
		return fnmatch(rule->pattern, name, 0) == 0;
	return regexec(&rule->regex, name, 0, NULL, 0) == 0;
}

/* Not only a constructor: those of other files may come first. */
static void
log_types_init(void)
{
	struct log_type *type;
	uint32_t i;

	if (log_state.nb_types != 0 || log_types_grow(RTE_LOGTYPE_FIRST_EXT_ID) < 0)
		return;
	for (i = 0; i < RTE_DIM(log_static_types); i++) {
		type = &log_state.types[log_static_types[i].type];
		type->name = strdup(log_static_types[i].name);
		type->level = log_static_types[i].level;
	}
}

RTE_INIT_PRIO(log_init, LOG)
{
	log_types_init();
}

RTE_EXPORT_SYMBOL(rte_log_register)
int
rte_log_register(const char *name)
{
	struct log_type *type;
	char *copy;
	int id;

	if (name == NULL)
		return -EINVAL;
	log_types_init();
	id = log_type_find(name);
	if (id >= 0)
		return id;
	copy = strdup(name);
	if (copy == NULL)
		return -ENOMEM;
	id = (int)log_state.nb_types;
	if (log_types_grow(log_state.nb_types + 1) < 0) {
		free(copy);
		return -ENOMEM;
	}
	type = &log_state.types[id];
	type->name = copy;
	type->level = LOG_LEVEL_UNSET;
	return id;
}

RTE_EXPORT_SYMBOL(rte_log_register_type_and_pick_level)
int
rte_log_register_type_and_pick_level(const char *name, uint32_t level_def)
{
	const struct log_rule *rule;
	uint32_t level = level_def;
	int id;

	id = rte_log_register(name);
	if (id < 0)
		return RTE_LOGTYPE_EAL;
	TAILQ_FOREACH(rule, &log_state.rules, next)
		if (log_rule_matches(rule, name))
			level = rule->level;
	rte_log_set_level((uint32_t)id, level);
	return id;
}

/* ---- levels ---- */

RTE_EXPORT_SYMBOL(rte_log_set_global_level)
void
rte_log_set_global_level(uint32_t level)
{
	log_state.level = level;
}

RTE_EXPORT_SYMBOL(rte_log_get_global_level)
uint32_t
rte_log_get_global_level(void)
{
	return log_state.level;
}

RTE_EXPORT_SYMBOL(rte_log_get_level)
int
rte_log_get_level(uint32_t logtype)
{
	return logtype < log_state.nb_types ? (int)log_state.types[logtype].level : -1;
}

RTE_EXPORT_SYMBOL(rte_log_can_log)
bool
rte_log_can_log(uint32_t logtype, uint32_t loglevel)
{
	if (logtype >= log_state.nb_types || loglevel > log_state.level)
		return false;
	return loglevel <= log_state.types[logtype].level;
}

RTE_EXPORT_SYMBOL(rte_log_set_level)
int
rte_log_set_level(uint32_t logtype, uint32_t level)
{
	if (logtype >= log_state.nb_types || !log_level_valid(level))
		return -1;
	log_state.types[logtype].level = level;
	return 0;
}

static int
log_rule_init(struct log_rule *rule, enum log_rule_kind kind, const char *text, uint32_t level)
{
	rule->level = level;
	rule->kind = kind;
	if (kind == LOG_RULE_REGEX)
		return regcomp(&rule->regex, text, 0) == 0 ? 0 : -1;
	rule->pattern = strdup(text);
	return rule->pattern != NULL ? 0 : -1;
}

static void
log_rule_fini(struct log_rule *rule)
{
	if (rule->kind == LOG_RULE_REGEX)
		regfree(&rule->regex);
	else
		free(rule->pattern);
}

static int
log_rule_apply(enum log_rule_kind kind, const char *text, uint32_t level)
{
	struct log_rule rule;
	uint32_t i;

	if (!log_level_valid(level) || log_rule_init(&rule, kind, text, level) < 0)
		return -1;
	for (i = 0; i < log_state.nb_types; i++)
		if (log_state.types[i].name != NULL &&
				log_rule_matches(&rule, log_state.types[i].name))
			log_state.types[i].level = level;
	log_rule_fini(&rule);
	return 0;
}

static int
log_rule_save(enum log_rule_kind kind, const char *text, uint32_t level)
{
	struct log_rule *rule;

	rule = malloc(sizeof(*rule));
	if (rule == NULL)
		return -1;
	if (log_rule_init(rule, kind, text, level) < 0) {
		free(rule);
		return -1;
	}
	TAILQ_INSERT_TAIL(&log_state.rules, rule, next);
	return 0;
}

RTE_EXPORT_SYMBOL(rte_log_set_level_pattern)
int
rte_log_set_level_pattern(const char *pattern, uint32_t level)
{
	return log_rule_apply(LOG_RULE_PATTERN, pattern, level);
}

RTE_EXPORT_SYMBOL(rte_log_set_level_regexp)
int
rte_log_set_level_regexp(const char *regex, uint32_t level)
{
	return log_rule_apply(LOG_RULE_REGEX, regex, level);
}

RTE_EXPORT_INTERNAL_SYMBOL(eal_log_save_regexp)
int
eal_log_save_regexp(const char *regex, uint32_t level)
{
	return log_rule_save(LOG_RULE_REGEX, regex, level);
}

RTE_EXPORT_INTERNAL_SYMBOL(eal_log_save_pattern)
int
eal_log_save_pattern(const char *pattern, uint32_t level)
{
	return log_rule_save(LOG_RULE_PATTERN, pattern, level);
}

/* ---- messages ---- */

RTE_EXPORT_SYMBOL(rte_openlog_stream)
int
rte_openlog_stream(FILE *f)
{
	log_state.stream = f;
	return 0;
}

RTE_EXPORT_SYMBOL(rte_log_get_stream)
FILE *
rte_log_get_stream(void)
{
	return log_state.stream != NULL ? log_state.stream : stderr;
}

RTE_EXPORT_SYMBOL(rte_log_cur_msg_loglevel)
int
rte_log_cur_msg_loglevel(void)
{
	return (int)RTE_PER_LCORE(log_cur_level);
}

RTE_EXPORT_SYMBOL(rte_log_cur_msg_logtype)
int
rte_log_cur_msg_logtype(void)
{
	return (int)RTE_PER_LCORE(log_cur_type);
}

RTE_EXPORT_SYMBOL(rte_vlog)
int
rte_vlog(uint32_t level, uint32_t logtype, const char *format, va_list ap)
{
	FILE *out = rte_log_get_stream();
	int rc;

	if (!rte_log_can_log(logtype, level))
		return 0;
	RTE_PER_LCORE(log_cur_level) = level;
	RTE_PER_LCORE(log_cur_type) = logtype;
	rc = vfprintf(out, format, ap);
	fflush(out);
	return rc;
}

RTE_EXPORT_SYMBOL(rte_log)
int
rte_log(uint32_t level, uint32_t logtype, const char *format, ...)
{
	va_list ap;
	int rc;

	va_start(ap, format);
	rc = rte_vlog(level, logtype, format, ap);
	va_end(ap);
	return rc;
}

/* ---- for the user ---- */

RTE_EXPORT_SYMBOL(rte_log_list_types)
void
rte_log_list_types(FILE *out, const char *prefix)
{
	uint32_t i;

	for (i = 0; i < log_state.nb_types; i++)
		if (log_state.types[i].name != NULL)
			fprintf(out, "%s%s\n", prefix, log_state.types[i].name);
}

RTE_EXPORT_SYMBOL(rte_log_dump)
void
rte_log_dump(FILE *f)
{
	uint32_t i;

	fprintf(f, "global log level is %s\n", eal_log_level2str(log_state.level));
	for (i = 0; i < log_state.nb_types; i++)
		if (log_state.types[i].name != NULL)
			fprintf(f, "id %u: %s, level is %s\n", i, log_state.types[i].name,
				eal_log_level2str(log_state.types[i].level));
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_eal_log_cleanup)
void
rte_eal_log_cleanup(void)
{
	struct log_rule *rule;

	while ((rule = TAILQ_FIRST(&log_state.rules)) != NULL) {
		TAILQ_REMOVE(&log_state.rules, rule, next);
		log_rule_fini(rule);
		free(rule);
	}
}
