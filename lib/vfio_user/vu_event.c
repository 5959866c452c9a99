/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/aio_abi.h>

#include <rte_branch_prediction.h>

#include "vu_event.h"

/* Operations whose end nobody has looked at yet. They are looked at so often. */
#define DEPTH 128
#define REAP_MASK 31u

static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic aio_context_t context;	/* 0: there is none */
static atomic_uint submitted;

static void
context_open(void)
{
	aio_context_t ctx = 0;

	if (syscall(SYS_io_setup, DEPTH, &ctx) == 0)
		atomic_store(&context, ctx);
}

void
vu_event_init(void)
{
	pthread_once(&once, context_open);
}

static void
context_reap(aio_context_t ctx)
{
	struct io_event done[DEPTH];

	while (syscall(SYS_io_getevents, ctx, 0L, (long)DEPTH, done, NULL) == DEPTH)
		;
}

/* Whatever the count is, an eventfd can be read or written. */
static bool
context_signal(aio_context_t ctx, int fd)
{
	struct iocb op = {
		.aio_lio_opcode = IOCB_CMD_POLL,
		.aio_fildes = (uint32_t)fd,
		.aio_buf = POLLIN | POLLOUT,
		.aio_flags = IOCB_FLAG_RESFD,
		.aio_resfd = (uint32_t)fd,
	};
	struct iocb *ops[] = { &op };

	if ((atomic_fetch_add_explicit(&submitted, 1, memory_order_relaxed) & REAP_MASK) == 0)
		context_reap(ctx);
	if (likely(syscall(SYS_io_submit, ctx, 1L, ops) == 1))
		return true;
	if (errno != EAGAIN)
		return false;
	context_reap(ctx);
	return syscall(SYS_io_submit, ctx, 1L, ops) == 1;
}

void
vu_event_signal(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	aio_context_t ctx = atomic_load_explicit(&context, memory_order_acquire);
	const uint64_t one = 1;

	if (likely(ctx != 0) && context_signal(ctx, fd))
		return;
	if (poll(&pfd, 1, 0) != 1 || !(pfd.revents & POLLOUT))
		return;
	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}
