/* SPDX-License-Identifier: BSD-3-Clause */

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

bool
tool_complain(const char *command, const char *what, const char *name)
{
	fprintf(stderr, "dpdk-vfio-user %s: %s%s%s (see --help)\n", command, what,
		name == NULL ? "" : ": ", name == NULL ? "" : name);
	return false;
}

/* Decimal, or hexadecimal behind 0x. */
static bool
number_parse(const char *text, uint32_t min, uint32_t max, uint32_t *number)
{
	unsigned long long value;
	char *end;

	if (text == NULL || !isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	value = strtoull(text, &end, text[0] == '0' && text[1] == 'x' ? 16 : 10);
	if (errno != 0 || *end != '\0' || value < min || value > max)
		return false;
	*number = (uint32_t)value;
	return true;
}

static bool
number_take(const char *command, const struct tool_option *option, const char *text)
{
	char what[96];

	if (number_parse(text, option->min, option->max, option->number))
		return true;
	snprintf(what, sizeof(what), "%s needs a number from %" PRIu32 " to %" PRIu32,
		option->name, option->min, option->max);
	return tool_complain(command, what, text);
}

/* What stands behind the name, up to a '='; NULL: this is another option. */
static const char *
name_end(const struct tool_option *option, const char *arg)
{
	size_t len = strlen(option->name);

	if (strncmp(arg, option->name, len) != 0 || (arg[len] != '\0' && arg[len] != '='))
		return NULL;
	return arg + len;
}

bool
tool_option_take(const char *command, const struct tool_option *options, int argc, char **argv,
	int *i)
{
	const char *arg = argv[*i], *end = NULL;

	while (options->name != NULL && (end = name_end(options, arg)) == NULL)
		options++;
	if (end == NULL)
		return tool_complain(command, "unknown option", arg);
	if (options->flag == NULL)
		return number_take(command, options,
			*end == '=' ? end + 1 : ++*i < argc ? argv[*i] : NULL);
	if (*end == '=')
		return tool_complain(command, "takes no value", options->name);
	*options->flag = true;
	return true;
}

/* A path may be given once. */
static bool
path_take(const char *command, char *arg, const char **path)
{
	if (*path != NULL)
		return tool_complain(command, "one SOCKET at a time", arg);
	*path = arg;
	return true;
}

bool
tool_socket_parse(const char *command, const struct tool_option *options, int argc, char **argv,
	const char **path)
{
	bool taken = true;
	int i;

	for (i = 0; i < argc && taken; i++)
		taken = argv[i][0] != '-' ? path_take(command, argv[i], path) :
			tool_option_take(command, options, argc, argv, &i);
	return taken;
}

bool
tool_socket_check(const char *command, const char *path)
{
	return (path != NULL && path[0] != '\0') ||
		tool_complain(command, "which SOCKET?", NULL);
}
