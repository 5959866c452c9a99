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

#define RTE_TAILQ_HEAD(name, type) TAILQ_HEAD(name, type)
#define RTE_TAILQ_ENTRY(type) TAILQ_ENTRY(type)
#define RTE_TAILQ_FOREACH(var, head, field) TAILQ_FOREACH(var, head, field)
#define RTE_TAILQ_FIRST(head) TAILQ_FIRST(head)
#define RTE_TAILQ_NEXT(elem, field) TAILQ_NEXT(elem, field)
#define RTE_STAILQ_HEAD(name, type) STAILQ_HEAD(name, type)
#define RTE_STAILQ_ENTRY(type) STAILQ_ENTRY(type)

/** A set of CPUs. */
typedef cpuset_t rte_cpuset_t;
#define RTE_HAS_CPUSET

#ifdef __cplusplus
}
#endif

#endif /* RTE_OS_H */
