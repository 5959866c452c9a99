/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_LOG_H
#define RTE_LOG_H

/**
 * @file
 * Messages to the user. Each has a type, that is who speaks, and a level; each type lets
 * messages up to its own level pass. Functions that log: any thread. Functions that register or
 * set levels: not for several threads at a time.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <rte_common.h>
#include <rte_config.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Types that are always there; others are registered by name. */
#define RTE_LOGTYPE_EAL 0	/**< EAL itself */
#define RTE_LOGTYPE_USER1 24	/**< free for the program */
#define RTE_LOGTYPE_USER2 25	/**< free for the program */
#define RTE_LOGTYPE_USER3 26	/**< free for the program */
#define RTE_LOGTYPE_USER4 27	/**< free for the program */
#define RTE_LOGTYPE_USER5 28	/**< free for the program */
#define RTE_LOGTYPE_USER6 29	/**< free for the program */
#define RTE_LOGTYPE_USER7 30	/**< free for the program */
#define RTE_LOGTYPE_USER8 31	/**< free for the program */
#define RTE_LOGTYPE_FIRST_EXT_ID 32	/**< the first that is registered by name */

/* Levels, from what matters most. */
#define RTE_LOG_EMERG 1U	/**< nothing works */
#define RTE_LOG_ALERT 2U	/**< somebody must act now */
#define RTE_LOG_CRIT 3U	/**< critical */
#define RTE_LOG_ERR 4U	/**< something failed */
#define RTE_LOG_WARNING 5U	/**< something looks wrong */
#define RTE_LOG_NOTICE 6U	/**< normal, worth knowing */
#define RTE_LOG_INFO 7U	/**< for those who want to know more */
#define RTE_LOG_DEBUG 8U	/**< for those who look for a fault */
#define RTE_LOG_MAX RTE_LOG_DEBUG	/**< the highest */

#ifndef RTE_LOG_DP_LEVEL
/** The highest level that RTE_LOG_DP() is compiled for. */
#define RTE_LOG_DP_LEVEL RTE_LOG_INFO
#endif

/**
 * Set where messages go.
 *
 * @param f The stream, which stays the caller's; NULL: where they go by default, stderr.
 * @return 0.
 */
int rte_openlog_stream(FILE *f);

/**
 * Where messages go.
 *
 * @return The stream of rte_openlog_stream(), else stderr; never NULL. It is not the caller's.
 */
FILE *rte_log_get_stream(void);

/**
 * Set the level above which no type's messages pass.
 *
 * @param level 1 to RTE_LOG_MAX; not checked: 0 lets nothing pass, a higher one everything that
 *   its type lets pass.
 */
void rte_log_set_global_level(uint32_t level);

/**
 * The level above which no type's messages pass.
 *
 * @return As rte_log_set_global_level() had it; RTE_LOG_DEBUG at first.
 */
uint32_t rte_log_get_global_level(void);

/**
 * The level of a type.
 *
 * @param logtype The type.
 * @return The level, 1 to RTE_LOG_MAX; -1 when there is no such type.
 */
int rte_log_get_level(uint32_t logtype);

/**
 * Does a message pass? Any thread.
 *
 * @param logtype Its type.
 * @param loglevel Its level, 1 to RTE_LOG_MAX.
 * @return Whether it does: neither its type's level nor the one for all types is lower; false when
 *   there is no such type.
 */
bool rte_log_can_log(uint32_t logtype, uint32_t loglevel);

/**
 * Set the level of the registered types that a shell pattern matches.
 *
 * @param pattern A pattern of fnmatch(3) over names.
 * @param level 1 to RTE_LOG_MAX.
 * @return 0; -1 when the level is out of range.
 */
int rte_log_set_level_pattern(const char *pattern, uint32_t level);

/**
 * Set the level of the registered types that a regular expression matches.
 *
 * @param regex A POSIX basic regular expression; it may match anywhere in a name.
 * @param level 1 to RTE_LOG_MAX.
 * @return 0; -1 when the level is out of range or the expression is wrong.
 */
int rte_log_set_level_regexp(const char *regex, uint32_t level);

/**
 * Set the level of one type.
 *
 * @param logtype The type.
 * @param level 1 to RTE_LOG_MAX.
 * @return 0; -1 when there is no such type or the level is out of range.
 */
int rte_log_set_level(uint32_t logtype, uint32_t level);

/**
 * The level of the message that the calling thread logs now, for a stream's own functions.
 *
 * @return 1 to RTE_LOG_MAX; outside of such a function that of the thread's last message, or 0.
 */
int rte_log_cur_msg_loglevel(void);

/**
 * The type of the message that the calling thread logs now, for a stream's own functions.
 *
 * @return The type; outside of such a function that of the thread's last message, or 0.
 */
int rte_log_cur_msg_logtype(void);

/**
 * Register a type, or find it; its level is that for types without a name's own.
 *
 * @param name Its name, e.g. "lib.eal"; copied.
 * @return The type; -ENOMEM, or -EINVAL when the name is NULL.
 */
int rte_log_register(const char *name);

/**
 * Register a type, or find it, and give it the level that was set for its name, by pattern or
 * regular expression; if none was, a default one.
 *
 * @param name Its name; copied.
 * @param level_def The default level, 1 to RTE_LOG_MAX.
 * @return The type; RTE_LOGTYPE_EAL when it cannot be registered.
 */
int rte_log_register_type_and_pick_level(const char *name, uint32_t level_def);

/**
 * Write the names of all types.
 *
 * @param out Where to.
 * @param prefix Stands before each name, which has a line of its own.
 */
void rte_log_list_types(FILE *out, const char *prefix);

/**
 * Write the level for all types, and each type with its own.
 *
 * @param f Where to.
 */
void rte_log_dump(FILE *f);

/**
 * Log a message.
 *
 * @param level 1 to RTE_LOG_MAX.
 * @param logtype A type.
 * @param format A printf format; ends with a line feed as a rule.
 * @return How many bytes it has; 0 when it did not pass; negative when the stream failed.
 */
int rte_log(uint32_t level, uint32_t logtype, const char *format, ...)
	__rte_cold __rte_format_printf(3, 4);

/**
 * rte_log() with the arguments in a list. Any thread.
 *
 * @param level 1 to RTE_LOG_MAX.
 * @param logtype A type.
 * @param format A printf format.
 * @param ap Its arguments; not to be used again by the caller.
 * @return As rte_log().
 */
int rte_vlog(uint32_t level, uint32_t logtype, const char *format, va_list ap)
	__rte_format_printf(3, 0);

/** Log a message: a level and a type without their prefixes, then a printf format. */
#define RTE_LOG(l, t, ...) \
	rte_log(RTE_LOG_ ## l, RTE_LOGTYPE_ ## t, # t ": " __VA_ARGS__)

/** RTE_LOG(), compiled only for levels up to RTE_LOG_DP_LEVEL: for data paths. */
#define RTE_LOG_DP(l, t, ...) \
	(void)((RTE_LOG_ ## l <= RTE_LOG_DP_LEVEL) ? RTE_LOG(l, t, __VA_ARGS__) : 0)

/** RTE_LOG() that adds the line feed. */
#define RTE_LOG_LINE(l, t, fmt, ...) RTE_LOG(l, t, fmt "\n", ##__VA_ARGS__)

/** RTE_LOG_DP() that adds the line feed. */
#define RTE_LOG_DP_LINE(l, t, fmt, ...) RTE_LOG_DP(l, t, fmt "\n", ##__VA_ARGS__)

/** A comma in an argument of RTE_LOG_LINE_PREFIX(). */
#define RTE_LOG_COMMA ,

/**
 * RTE_LOG_LINE() with a prefix: @p prefix is put before the format, and @p args, with
 * RTE_LOG_COMMA between, are put before its arguments.
 */
#define RTE_LOG_LINE_PREFIX(l, t, prefix, args, fmt, ...) \
	RTE_LOG(l, t, prefix fmt "\n", args, ##__VA_ARGS__)

/** RTE_LOG_LINE_PREFIX() by RTE_LOG_DP(). */
#define RTE_LOG_DP_LINE_PREFIX(l, t, prefix, args, fmt, ...) \
	RTE_LOG_DP(l, t, prefix fmt "\n", args, ##__VA_ARGS__)

/** @internal What the macros below have in common. */
#define RTE_LOG_REGISTER_IMPL_(type, name, level) \
int type; \
RTE_INIT_PRIO(__##type, LOG) \
{ \
	type = rte_log_register_type_and_pick_level(name, RTE_LOG_##level); \
}

/** Define the variable @p type and register the log type "NAME" for it before main(). */
#define RTE_LOG_REGISTER(type, name, level) \
	RTE_LOG_REGISTER_IMPL_(type, RTE_STR(name), level)

/** RTE_LOG_REGISTER() under the name of the library or driver that is compiled. */
#define RTE_LOG_REGISTER_DEFAULT(type, level) \
	RTE_LOG_REGISTER_IMPL_(type, RTE_STR(RTE_LOG_DEFAULT_LOGTYPE), level)

/** RTE_LOG_REGISTER_DEFAULT() with ".SUFFIX" appended to the name. */
#define RTE_LOG_REGISTER_SUFFIX(type, suffix, level) \
	RTE_LOG_REGISTER_IMPL_(type, \
		RTE_STR(RTE_LOG_DEFAULT_LOGTYPE) "." RTE_STR(suffix), level)

#ifdef __cplusplus
}
#endif

#endif /* RTE_LOG_H */
