/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef OPTIONS_H
#define OPTIONS_H

/**
 * @file
 * What the commands of dpdk-vfio-user take alike from their command lines. What is wrong is told on
 * standard error.
 */

#include <stdbool.h>
#include <stdint.h>

/** A switch, or a number: "--name N" or "--name=N". */
struct tool_option {
	const char *name;	/**< "--name" */
	bool *flag;	/**< set by it; NULL: it has a number */
	uint32_t *number;
	uint32_t min;	/**< of the number */
	uint32_t max;
};

/**
 * Take an option.
 *
 * @param command
 *   For what is told.
 * @param options
 *   Those that it has, the last one without a name.
 * @param i
 *   Of the option in @p argv; its value's, if that is an argument of its own.
 * @return whether all is well
 */
bool tool_option_take(const char *command, const struct tool_option *options, int argc,
	char **argv, int *i);

/**
 * Take a command line of options and a socket.
 *
 * @param options
 *   As for tool_option_take().
 * @param path
 *   NULL; the socket's, if there is one.
 * @return whether all is well
 */
bool tool_socket_parse(const char *command, const struct tool_option *options, int argc,
	char **argv, const char **path);

/** A socket was named. @return whether all is well */
bool tool_socket_check(const char *command, const char *path);

/** Tell what is wrong. @param name what it is about; NULL: nothing @return false */
bool tool_complain(const char *command, const char *what, const char *name);

#endif /* OPTIONS_H */
