/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>
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

/* ---- its user ---- */

static bool user_set;
static uid_t user;

void
fake_process_set_user(uid_t uid)
{
	user_set = true;
	user = uid;
}

void
fake_process_set_own_user(void)
{
	user_set = false;
}

/* Stands in for the C library's. */
uid_t
getuid(void)
{
	return user_set ? user : (uid_t)syscall(SYS_getuid);
}
