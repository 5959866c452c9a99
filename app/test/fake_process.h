/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_PROCESS_H
#define FAKE_PROCESS_H

/**
 * @file
 * Which kind of process EAL says this is. EAL's own answer is always that it is a primary one;
 * here a forked child can be a secondary one.
 */

#include <rte_eal.h>

/** What rte_eal_process_type() says from now on; RTE_PROC_PRIMARY at first. */
void fake_process_set(enum rte_proc_type_t type);

#endif /* FAKE_PROCESS_H */
