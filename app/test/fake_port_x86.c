/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <signal.h>
#include <sys/io.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <rte_common.h>

#include "fake_port.h"

static bool faked;
static bool catching;	/* what the processor refuses */
static fake_port_fn answer;
static void *answer_ctx;
static struct sigaction before;

/* Stands in for libc's. */
int
iopl(int level)
{
	if (!faked)
		return (int)syscall(SYS_iopl, level);
	if (answer != NULL)
		return 0;
	errno = EPERM;
	return -1;
}

/* in and out with the port in dx: Intel SDM, volume 2. */
#define PREFIX_16 0x66
#define OP_IN_8 0xec
#define OP_IN 0xed
#define OP_OUT_8 0xee
#define OP_OUT 0xef

struct instruction {
	size_t len;	/* bytes of code; 0: it is another one */
	size_t width;
	bool write;
};

static struct instruction
instruction_at(const uint8_t *code)
{
	const size_t prefix = code[0] == PREFIX_16;
	const uint8_t op = code[prefix];

	if (op < OP_IN_8 || op > OP_OUT)
		return (struct instruction){ .len = 0 };
	return (struct instruction){
		.len = prefix + 1,
		.width = op == OP_IN_8 || op == OP_OUT_8 ? 1 : prefix != 0 ? 2 : 4,
		.write = op >= OP_OUT_8,
	};
}

static void
refused(int signum, siginfo_t *info, void *arg)
{
	greg_t *regs = ((ucontext_t *)arg)->uc_mcontext.gregs;
	const struct instruction in = instruction_at((const uint8_t *)regs[REG_RIP]);
	uint64_t value = (uint64_t)regs[REG_RAX];

	RTE_SET_USED(info);
	if (in.len == 0 || !answer(answer_ctx, (uint16_t)regs[REG_RDX], &value, in.width,
			in.write)) {
		sigaction(signum, &before, NULL);
		return;
	}
	if (!in.write)
		regs[REG_RAX] = (greg_t)value;
	regs[REG_RIP] += (greg_t)in.len;
}

bool
fake_port_start(fake_port_fn fn, void *ctx)
{
	struct sigaction action = { .sa_sigaction = refused, .sa_flags = SA_SIGINFO };

	fake_port_stop();
	faked = true;
	answer = fn;
	answer_ctx = ctx;
	catching = fn != NULL && sigaction(SIGSEGV, &action, &before) == 0;
	return fn == NULL || catching;
}

void
fake_port_protect(void)
{
	faked = true;
}

void
fake_port_stop(void)
{
	if (catching)
		sigaction(SIGSEGV, &before, NULL);
	catching = false;
	answer = NULL;
	faked = false;
}
