/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/aio_abi.h>

#include <rte_branch_prediction.h>

#include "vu_event.h"

/* Operations whose end nobody has looked at yet. They are looked at so often. */
#define DEPTH 128
#define REAP_MASK 31u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int users;
static int ready_fd = -1;	/* can always be read */
static _Atomic aio_context_t context;	/* 0: there is none */
static atomic_bool refused;	/* there cannot be one */
static atomic_uint submitted;

/* Closing one waits for all processors, so it is opened when a device first wants an interrupt. */
static void
context_open(void)
{
	aio_context_t ctx = 0;

	if (ready_fd >= 0 && syscall(SYS_io_setup, DEPTH, &ctx) == 0)
		atomic_store(&context, ctx);
	else
		atomic_store(&refused, true);
}

static aio_context_t
context_get(void)
{
	aio_context_t ctx = atomic_load_explicit(&context, memory_order_acquire);

	if (likely(ctx != 0) || atomic_load_explicit(&refused, memory_order_relaxed))
		return ctx;
	pthread_mutex_lock(&lock);
	if (atomic_load(&context) == 0 && !atomic_load(&refused))
		context_open();
	pthread_mutex_unlock(&lock);
	return atomic_load(&context);
}

static void
context_close(void)
{
	aio_context_t ctx = atomic_exchange(&context, 0);

	if (ctx != 0)
		syscall(SYS_io_destroy, ctx);
	if (ready_fd >= 0)
		close(ready_fd);
	ready_fd = -1;
	atomic_store(&refused, false);
}

void
vu_event_get(void)
{
	pthread_mutex_lock(&lock);
	if (users++ == 0)
		ready_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_unlock(&lock);
}

void
vu_event_put(void)
{
	pthread_mutex_lock(&lock);
	if (--users == 0)
		context_close();
	pthread_mutex_unlock(&lock);
}

static void
context_reap(aio_context_t ctx)
{
	struct io_event done[DEPTH];

	while (syscall(SYS_io_getevents, ctx, 0L, (long)DEPTH, done, NULL) == DEPTH)
		;
}

static bool
context_signal(aio_context_t ctx, int fd)
{
	struct iocb op = {
		.aio_lio_opcode = IOCB_CMD_POLL,
		.aio_fildes = (uint32_t)ready_fd,
		.aio_buf = POLLIN,
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
	aio_context_t ctx = context_get();
	const uint64_t one = 1;

	if (likely(ctx != 0) && context_signal(ctx, fd))
		return;
	if (poll(&pfd, 1, 0) != 1 || !(pfd.revents & POLLOUT))
		return;
	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}
