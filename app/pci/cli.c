/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "cli.h"

/** Why a command line makes no sense. */
struct complaint {
	char *text;
	size_t len;
};

#define COMPLAIN(complaint, ...) \
	(snprintf((complaint)->text, (complaint)->len, __VA_ARGS__), -EINVAL)

struct cli_split
cli_split(int argc, char **argv)
{
	struct cli_split split = { .argc = argc - 1, .argv = argv + 1 };
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		;
	if (i < argc) {
		split.eal_argc = i - 1;
		split.eal_argv = argv + 1;
		split.argc = argc - i - 1;
		split.argv = argv + i + 1;
	}
	return split;
}

bool
cli_has_device_list(int eal_argc, char **eal_argv)
{
	static const char *const options[] = { "-a", "-b", "--allow", "--block", "--no-pci" };
	size_t option;
	int i;

	for (i = 0; i < eal_argc; i++)
		for (option = 0; option < RTE_DIM(options); option++)
			if (strncmp(eal_argv[i], options[option], strlen(options[option])) == 0)
				return true;
	return false;
}

/* Letters two words have in common from their start, and of those the rest has as a set. */
static int
likeness(const char *a, const char *b)
{
	int same = 0;
	size_t i;

	for (i = 0; a[i] != '\0' && a[i] == b[i]; i++)
		same += 2;
	for (; a[i] != '\0'; i++)
		same += strchr(b, a[i]) != NULL ? 1 : -1;
	return same;
}

static const struct cli_command *
command_closest(const struct cli_command *commands, const char *word)
{
	const struct cli_command *command, *best = NULL;
	int best_score = 0;

	for (command = commands; command->name != NULL; command++)
		if (likeness(word, command->name) > best_score) {
			best_score = likeness(word, command->name);
			best = command;
		}
	return best;
}

static int
command_find(const struct cli_command *commands, const char *word,
	const struct cli_command **found, const struct complaint *complaint)
{
	const struct cli_command *command;

	for (command = commands; command->name != NULL; command++)
		if (strcmp(command->name, word) == 0) {
			*found = command;
			return 0;
		}
	if (word[0] == '-')
		return COMPLAIN(complaint, "%s: not an option of dpdk-pci; "
			"EAL's options stand before \"--\", the command after it", word);
	command = command_closest(commands, word);
	if (command == NULL)
		return COMPLAIN(complaint, "%s: no such command", word);
	return COMPLAIN(complaint, "%s: no such command; is \"%s\" meant?", word, command->name);
}

static int
number_parse(const char *text, uint64_t *number)
{
	unsigned long long parsed;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	parsed = strtoull(text, &end, 0);
	if (errno != 0 || *end != '\0')
		return -EINVAL;
	*number = parsed;
	return 0;
}

static int
width_parse(const char *text, struct cli_request *request, const struct complaint *complaint)
{
	uint64_t width;

	if (text == NULL)
		return COMPLAIN(complaint, "--width: needs a number: 1, 2, 4 or 8");
	if (number_parse(text, &width) != 0 || width == 0 || width > 8 ||
			(width & (width - 1)) != 0)
		return COMPLAIN(complaint, "--width %s: must be 1, 2, 4 or 8", text);
	request->width = (unsigned int)width;
	return 0;
}

/* Takes the option at argv[*i], and its argument if it has one. */
static int
option_parse(char **argv, int *i, struct cli_request *request, const struct complaint *complaint)
{
	const struct cli_command *command = request->command;
	const char *option = argv[*i];

	if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0) {
		request->help = true;
		return 0;
	}
	if (command->json && strcmp(option, "--json") == 0) {
		request->json = true;
		return 0;
	}
	if (command->json && strcmp(option, "--ascii") == 0) {
		request->ascii = true;
		return 0;
	}
	if (command->width && strcmp(option, "--width") == 0)
		return width_parse(argv[++*i], request, complaint);
	if (command->width && strncmp(option, "--width=", strlen("--width=")) == 0)
		return width_parse(option + strlen("--width="), request, complaint);
	return COMPLAIN(complaint, "%s: not an option of \"%s\"", option, command->name);
}

static int
bar_parse(char *text, struct cli_request *request, const struct complaint *complaint)
{
	uint64_t bar;

	if (strcmp(text, "config") == 0) {
		request->bar = CLI_BAR_CONFIG;
		return 0;
	}
	if (number_parse(text, &bar) != 0 || bar >= CLI_NB_BARS)
		return COMPLAIN(complaint, "BAR %s: must be 0 to %u, or \"config\"", text,
			CLI_NB_BARS - 1);
	request->bar = (unsigned int)bar;
	return 0;
}

static int
offset_parse(char *text, struct cli_request *request, const struct complaint *complaint)
{
	if (number_parse(text, &request->offset) != 0 || request->offset > INT64_MAX)
		return COMPLAIN(complaint, "offset %s: not a number of bytes", text);
	if (request->offset % request->width != 0)
		return COMPLAIN(complaint, "offset %s: not a multiple of the width, %u bytes", text,
			request->width);
	return 0;
}

static int
value_parse(char *text, struct cli_request *request, const struct complaint *complaint)
{
	if (number_parse(text, &request->value) != 0)
		return COMPLAIN(complaint, "value %s: not a number", text);
	if (request->width < 8 && request->value >> (8 * request->width) != 0)
		return COMPLAIN(complaint, "value %s: does not fit into %u bytes", text,
			request->width);
	return 0;
}

/* What the arguments of a command are, in their order. */
static int
argument_parse(int position, char *text, struct cli_request *request,
	const struct complaint *complaint)
{
	static int (*const parsers[])(char *, struct cli_request *,
		const struct complaint *) = { bar_parse, offset_parse, value_parse };

	if (position == 0) {
		request->device = text;
		return 0;
	}
	return parsers[position - 1](text, request, complaint);
}

static int
arguments_parse(int argc, char **argv, struct cli_request *request,
	const struct complaint *complaint)
{
	const struct cli_command *command = request->command;
	int i, rc;

	if (argc < command->min_args || argc > command->max_args)
		return COMPLAIN(complaint, "%s: %s arguments; it takes%s%s", command->name,
			argc < command->min_args ? "too few" : "too many",
			command->max_args == 0 ? " none" : " ", command->arguments);
	for (i = 0; i < argc; i++) {
		rc = argument_parse(i, argv[i], request, complaint);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* Options may stand anywhere; a number may not start with "-", so there is no doubt. */
int
cli_parse(const struct cli_command *commands, int argc, char **argv,
	struct cli_request *request, char *error, size_t error_len)
{
	const struct complaint complaint = { error, error_len };
	char *words[8];
	int nb_words = 0;
	int i, rc;

	*request = (struct cli_request){ .width = 4 };
	if (argc == 0)
		return COMPLAIN(&complaint, "no command");
	rc = command_find(commands, argv[0], &request->command, &complaint);
	for (i = 1; i < argc && rc == 0; i++) {
		if (argv[i][0] == '-')
			rc = option_parse(argv, &i, request, &complaint);
		else if (nb_words < (int)RTE_DIM(words))
			words[nb_words++] = argv[i];
	}
	if (rc != 0 || request->help)
		return rc;
	return arguments_parse(nb_words, words, request, &complaint);
}
