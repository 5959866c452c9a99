/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_DEBUG_H
#define RTE_DEBUG_H

/**
 * @file
 * Ways to stop a program that cannot go on, and to see where it stands.
 */

#include <rte_branch_prediction.h>
#include <rte_common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Write the call stack of the calling thread to the log. Any thread. */
void rte_dump_stack(void);

/** Log a message with printf format and the call stack, then abort(). Any thread. */
#define rte_panic(...) __rte_panic(__func__, __VA_ARGS__)

#ifdef RTE_ENABLE_ASSERT
/** Panic when @p exp is false; compiled only with RTE_ENABLE_ASSERT. */
#define RTE_ASSERT(exp) RTE_VERIFY(exp)
#else
/** Panic when @p exp is false; compiled only with RTE_ENABLE_ASSERT. */
#define RTE_ASSERT(exp) do { } while (0)
#endif

/** Panic when @p exp is false. */
#define RTE_VERIFY(exp) \
	do { \
		if (unlikely(!(exp))) \
			rte_panic("line %d: \"%s\" does not hold\n", __LINE__, #exp); \
	} while (0)

/**
 * What rte_panic() expands to.
 *
 * @param funcname The function that gives up.
 * @param format A printf format for what follows.
 */
void __rte_panic(const char *funcname, const char *format, ...)
	__rte_cold __rte_noreturn __rte_format_printf(2, 3);

/**
 * Log a message, undo rte_eal_init() and leave the program by exit().
 *
 * @param exit_code What the program returns; other than EXIT_SUCCESS the message is an error.
 * @param format A printf format for what follows.
 */
void rte_exit(int exit_code, const char *format, ...)
	__rte_cold __rte_noreturn __rte_format_printf(2, 3);

#ifdef __cplusplus
}
#endif

#endif /* RTE_DEBUG_H */
