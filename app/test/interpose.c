/* SPDX-License-Identifier: BSD-3-Clause */

#include "interpose_priv.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

/* What each kind is called and how it fails when the test does not care. */
static const struct {
	const char *name;
	int err;
} calls[INTERPOSE_NB_CALLS] = {
	[INTERPOSE_OPEN] = { "open", EMFILE },
	[INTERPOSE_CLOSE] = { "close", EIO },
	[INTERPOSE_IOCTL] = { "ioctl", EIO },
	[INTERPOSE_MMAP] = { "mmap", ENOMEM },
	[INTERPOSE_MUNMAP] = { "munmap", ENOMEM },
	[INTERPOSE_MPROTECT] = { "mprotect", ENOMEM },
	[INTERPOSE_MREMAP] = { "mremap", ENOMEM },
	[INTERPOSE_MADVISE] = { "madvise", EINVAL },
	[INTERPOSE_PREAD] = { "pread", EIO },
	[INTERPOSE_PWRITE] = { "pwrite", EIO },
	[INTERPOSE_READ] = { "read", EIO },
	[INTERPOSE_WRITE] = { "write", EIO },
	[INTERPOSE_READLINK] = { "readlink", EACCES },
	[INTERPOSE_ACCESS] = { "access", EACCES },
	[INTERPOSE_OPENDIR] = { "opendir", EMFILE },
	[INTERPOSE_READDIR] = { "readdir", EIO },
	[INTERPOSE_FOPEN] = { "fopen", EMFILE },
	[INTERPOSE_EVENTFD] = { "eventfd", EMFILE },
	[INTERPOSE_EPOLL_CREATE] = { "epoll_create", EMFILE },
	[INTERPOSE_EPOLL_CTL] = { "epoll_ctl", ENOSPC },
	[INTERPOSE_PIPE] = { "pipe", EMFILE },
	[INTERPOSE_TIMERFD] = { "timerfd_create", EMFILE },
	[INTERPOSE_SOCKET] = { "socket", EMFILE },
	[INTERPOSE_BIND] = { "bind", EACCES },
	[INTERPOSE_LISTEN] = { "listen", EADDRINUSE },
	[INTERPOSE_CONNECT] = { "connect", ECONNREFUSED },
	[INTERPOSE_ACCEPT] = { "accept", EMFILE },
	[INTERPOSE_SOCKETPAIR] = { "socketpair", EMFILE },
	[INTERPOSE_SETSOCKOPT] = { "setsockopt", ENOMEM },
	[INTERPOSE_SENDMSG] = { "sendmsg", ENOBUFS },
	[INTERPOSE_RECVMSG] = { "recvmsg", ENOMEM },
	[INTERPOSE_DUP] = { "fcntl", EMFILE },
	[INTERPOSE_MEMFD] = { "memfd_create", EMFILE },
	[INTERPOSE_FTRUNCATE] = { "ftruncate", ENOSPC },
	[INTERPOSE_FALLOCATE] = { "fallocate", ENOSPC },
	[INTERPOSE_THREAD] = { "pthread_create", EAGAIN },
	[INTERPOSE_ALLOC] = { "malloc", ENOMEM },
	[INTERPOSE_WAIT] = { "poll", EINTR },
	[INTERPOSE_LOCK] = { "pthread_mutex_lock", EAGAIN },
};

/* The failure that is ordered. Written while disarmed, except for what is counted. */
static struct {
	uint64_t mask;
	unsigned int nth;
	int err;
	pthread_t thread;
	atomic_uint count;
	atomic_uint count_of[INTERPOSE_NB_CALLS];
	atomic_int fired;	/* the enum interpose_call plus one */
} order;

__thread unsigned int interpose_bypass;
atomic_bool interpose_armed;

void
interpose_bypass_begin(void)
{
	interpose_bypass++;
}

void
interpose_bypass_end(void)
{
	interpose_bypass--;
}

void
interpose_fail(uint64_t mask, unsigned int nth, int err)
{
	int i;

	interpose_disarm();
	order.mask = mask;
	order.nth = nth;
	order.err = err;
	order.thread = pthread_self();
	atomic_store(&order.count, 0);
	for (i = 0; i < INTERPOSE_NB_CALLS; i++)
		atomic_store(&order.count_of[i], 0);
	atomic_store(&order.fired, 0);
	atomic_store(&interpose_armed, true);
}

void
interpose_disarm(void)
{
	atomic_store(&interpose_armed, false);
}

bool
interpose_fired(void)
{
	return atomic_load(&order.fired) != 0;
}

const char *
interpose_fired_name(void)
{
	int fired = atomic_load(&order.fired);

	return fired == 0 ? "nothing" : calls[fired - 1].name;
}

unsigned int
interpose_count(void)
{
	return atomic_load(&order.count);
}

unsigned int
interpose_count_of(enum interpose_call call)
{
	return atomic_load(&order.count_of[call]);
}

bool
interpose_count_call(enum interpose_call call)
{
	if ((order.mask & (UINT64_C(1) << call)) == 0)
		return false;
	if ((order.mask & INTERPOSE_THIS_THREAD) != 0 &&
			!pthread_equal(order.thread, pthread_self()))
		return false;
	atomic_fetch_add(&order.count_of[call], 1);
	if (atomic_fetch_add(&order.count, 1) + 1 != order.nth)
		return false;
	atomic_store(&order.fired, (int)call + 1);
	errno = order.err != 0 && call != INTERPOSE_ALLOC ? order.err : calls[call].err;
	return true;
}

void
interpose_loop_start(struct interpose_loop *loop, uint64_t mask, int err)
{
	loop->mask = mask;
	loop->err = err;
	loop->nth = -1;
}

bool
interpose_loop_next(struct interpose_loop *loop)
{
	bool done = loop->nth > 0 && !interpose_fired();
	char text[4096];

	interpose_disarm();
	if (loop->nth > 0 && resources_diff_settled(&loop->before, text, sizeof(text)) != 0) {
		print_error("after call %d of %u (%s) failed:\n%s", loop->nth, interpose_count(),
			interpose_fired_name(), text);
		fail();
	}
	/* The first run may start what stays for the life of the process. */
	if (loop->nth == 0)
		resources_take(&loop->before);
	if (done) {
		resources_drop(&loop->before);
		return false;
	}
	loop->nth++;
	interpose_fail(loop->mask, loop->nth, loop->err);
	return true;
}

/* The next definition of a function: a sanitizer's, else libc's. */
static void *
real_find(const char *name)
{
	void *function = NULL;
#if SANITIZER_OWNS_CALLS
	char interceptor[64];

	snprintf(interceptor, sizeof(interceptor), "__interceptor_%s", name);
	function = dlsym(RTLD_DEFAULT, interceptor);
#endif
	if (function == NULL)
		function = dlsym(RTLD_NEXT, name);
	if (function == NULL)
		abort();
	return function;
}

void *
interpose_real(void **cache, const char *name)
{
	void *function = __atomic_load_n(cache, __ATOMIC_ACQUIRE);

	if (function == NULL) {
		interpose_bypass++;
		function = real_find(name);
		interpose_bypass--;
		__atomic_store_n(cache, function, __ATOMIC_RELEASE);
	}
	return function;
}

long
interpose_answer(long rc)
{
	if (rc >= 0)
		return rc;
	errno = (int)-rc;
	return -1;
}
