/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef CLI_H
#define CLI_H

/**
 * @file
 * The command line of dpdk-pci as data. Nothing is printed and no device touched here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** BARs that a device may have. */
#define CLI_NB_BARS 6u
/** In place of a BAR's number: configuration space. */
#define CLI_BAR_CONFIG 7u

struct cli_request;

/** What can be done; a row of the table of commands. */
struct cli_command {
	const char *name;
	const char *arguments;	/**< as told to users */
	const char *summary;	/**< one line */
	const char *details;	/**< for "dpdk-pci COMMAND --help" */
	int min_args, max_args;
	bool json;	/**< takes --json */
	bool width;	/**< takes --width */
	int (*run)(const struct cli_request *request);
};

/** A command line that makes sense. */
struct cli_request {
	const struct cli_command *command;
	bool help;
	bool json;
	bool ascii;
	unsigned int width;	/**< 1, 2, 4 or 8 bytes */
	char *device;
	unsigned int bar;	/**< 0 to 5, or CLI_BAR_CONFIG */
	uint64_t offset;
	uint64_t value;
};

/** Where the parts of "dpdk-pci [EAL options] -- COMMAND ..." are. */
struct cli_split {
	int eal_argc;
	char **eal_argv;	/**< without the name of the program */
	int argc;
	char **argv;	/**< the command first */
};

/** Find the parts. Without "--" all is the command's. */
struct cli_split cli_split(int argc, char **argv);

/**
 * Understand a command.
 *
 * @param commands
 *   What there is; ends with a row whose name is NULL.
 * @param error
 *   Where to put why not, @p error_len bytes.
 * @return
 *   0, or -EINVAL.
 */
int cli_parse(const struct cli_command *commands, int argc, char **argv,
	struct cli_request *request, char *error, size_t error_len);

/** Does the user say which devices are to be looked at? */
bool cli_has_device_list(int eal_argc, char **eal_argv);

#endif /* CLI_H */
