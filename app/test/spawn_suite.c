/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spawn_suite.h"
#include "test.h"

/* setenv() would leave something behind in our own environment. */
static char **
environment_with(char *variable)
{
	size_t nb = 0;
	char **env;

	while (environ[nb] != NULL)
		nb++;
	env = calloc(nb + 2, sizeof(*env));
	assert_non_null(env);
	env[0] = variable;
	memcpy(env + 1, environ, nb * sizeof(*env));
	return env;
}

pid_t
spawn_suite(const char *suite, const char *variable, const posix_spawn_file_actions_t *actions)
{
	char program[] = "dpdk-test", name[64], value[256];
	char *argv[] = { program, name, NULL };
	char **env = environment_with(value);
	pid_t pid;

	assert_true(strlen(suite) < sizeof(name) && strlen(variable) < sizeof(value));
	strcpy(name, suite);
	strcpy(value, variable);
	assert_int_equal(posix_spawn(&pid, "/proc/self/exe", actions, NULL, argv, env), 0);
	free(env);
	return pid;
}
