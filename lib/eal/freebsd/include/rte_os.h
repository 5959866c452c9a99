/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_OS_H
#define RTE_OS_H

/**
 * @file
 * What differs between systems, for public headers: lists of sys/queue.h under names of our own.
 */

#include <sys/param.h>
#include <sys/cpuset.h>
#include <sys/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Define the type of a list. */
#define RTE_TAILQ_HEAD(name, type) TAILQ_HEAD(name, type)
/** The link of a list's element. */
#define RTE_TAILQ_ENTRY(type) TAILQ_ENTRY(type)
/** Walk a list. */
#define RTE_TAILQ_FOREACH(var, head, field) TAILQ_FOREACH(var, head, field)
/** The first element of a list, or NULL. */
#define RTE_TAILQ_FIRST(head) TAILQ_FIRST(head)
/** The element behind another one, or NULL. */
#define RTE_TAILQ_NEXT(elem, field) TAILQ_NEXT(elem, field)
/** Define the type of a list that is linked one way. */
#define RTE_STAILQ_HEAD(name, type) STAILQ_HEAD(name, type)
/** The link of its element. */
#define RTE_STAILQ_ENTRY(type) STAILQ_ENTRY(type)

/** A set of CPUs. */
typedef cpuset_t rte_cpuset_t;
#define RTE_HAS_CPUSET	/**< rte_cpuset_t is there */

#ifdef __cplusplus
}
#endif

#endif /* RTE_OS_H */
