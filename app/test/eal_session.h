/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_SESSION_H
#define EAL_SESSION_H

/**
 * @file
 * EAL for the time of one test, without traces outside of the process, and what it writes to its
 * log. Functions fail the test if they cannot do what they should.
 */

#include <stddef.h>

struct rte_pci_device;

/** Start EAL without huge pages; @p args are further arguments that end with NULL, or NULL. */
void eal_session_start(const char *const args[]);

/** Start it with huge pages, which must be there; as eal_session_start(). */
void eal_session_start_huge(const char *const args[]);

/** Stop it. */
void eal_session_stop(void);

/** The first device on the PCI bus; NULL: there is none. */
struct rte_pci_device *eal_session_device(void);

/** From here on the log goes to memory. */
void eal_log_capture(void);

/** What is in the log since then, or since the last call; valid until the next call. */
const char *eal_log_text(void);

/** How many lines of it have @p word in them. */
unsigned int eal_log_lines_with(const char *text, const char *word);

/** The log goes where it went before, if it does not do so already. */
void eal_log_release(void);

#endif /* EAL_SESSION_H */
