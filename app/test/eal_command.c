/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>
#include <string.h>

#include <rte_eal.h>

#include "eal_command.h"

void
eal_command_make(struct eal_command *command, const char *options)
{
	char *rest = command->text;
	char *word;

	snprintf(command->text, sizeof(command->text), "dpdk-test %s", options);
	command->argc = 0;
	while ((word = strsep(&rest, " ")) != NULL && command->argc < EAL_COMMAND_WORDS)
		if (*word != '\0')
			command->argv[command->argc++] = word;
	command->argv[command->argc] = NULL;
}

int
eal_command_init(const char *options)
{
	struct eal_command command;

	eal_command_make(&command, options);
	return rte_eal_init(command.argc, command.argv);
}
