/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_process.h"
#include "test.h"

static enum rte_proc_type_t process_type = RTE_PROC_PRIMARY;

void
fake_process_set(enum rte_proc_type_t type)
{
	process_type = type;
}

/* Stands in for EAL's. */
enum rte_proc_type_t
rte_eal_process_type(void)
{
	return process_type;
}

int
fake_process_in_secondary(int (*body)(void *arg), void *arg)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		fake_process_set(RTE_PROC_SECONDARY);
		_exit(body(arg) & 0xff);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}
