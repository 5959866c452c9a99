/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_COMMAND_H
#define EAL_COMMAND_H

/**
 * @file
 * Starting EAL by a line of text, as a user types it.
 */

#define EAL_COMMAND_WORDS 16

/** A command line; words end at spaces, there are no quotes. */
struct eal_command {
	char text[256];
	char *argv[EAL_COMMAND_WORDS + 1];
	int argc;
};

/** Split "dpdk-test @p options". */
void eal_command_make(struct eal_command *command, const char *options);

/** What rte_eal_init() returns for "dpdk-test @p options". */
int eal_command_init(const char *options);

#endif /* EAL_COMMAND_H */
