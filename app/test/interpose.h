/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef INTERPOSE_H
#define INTERPOSE_H

/**
 * @file
 * dpdk-test stands between the libraries under test and libc: it defines open(), ioctl(), mmap()
 * and others itself and passes them on. So a test can make one call fail, or hand the calls on a
 * path or a descriptor to a fake device. Works alike with static and shared libraries.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "resources.h"

/** The kinds of calls that can be made to fail. */
enum interpose_call {
	INTERPOSE_OPEN,		/**< open, openat */
	INTERPOSE_CLOSE,	/**< close: the descriptor is gone even so, as in Linux */
	INTERPOSE_IOCTL,
	INTERPOSE_MMAP,
	INTERPOSE_MUNMAP,	/**< munmap: the mapping stays */
	INTERPOSE_MPROTECT,
	INTERPOSE_MREMAP,
	INTERPOSE_MADVISE,
	INTERPOSE_PREAD,
	INTERPOSE_PWRITE,
	INTERPOSE_READ,
	INTERPOSE_WRITE,
	INTERPOSE_READLINK,	/**< readlink, readlinkat */
	INTERPOSE_ACCESS,	/**< access, faccessat */
	INTERPOSE_OPENDIR,	/**< opendir, fdopendir */
	INTERPOSE_READDIR,
	INTERPOSE_FOPEN,	/**< fopen, fdopen */
	INTERPOSE_EVENTFD,
	INTERPOSE_EPOLL_CREATE,	/**< epoll_create, epoll_create1 */
	INTERPOSE_EPOLL_CTL,
	INTERPOSE_PIPE,		/**< pipe, pipe2 */
	INTERPOSE_TIMERFD,
	INTERPOSE_SOCKET,
	INTERPOSE_BIND,
	INTERPOSE_LISTEN,
	INTERPOSE_CONNECT,
	INTERPOSE_ACCEPT,	/**< accept, accept4 */
	INTERPOSE_SOCKETPAIR,
	INTERPOSE_SETSOCKOPT,
	INTERPOSE_SENDMSG,	/**< sendmsg, send */
	INTERPOSE_RECVMSG,
	INTERPOSE_DUP,		/**< fcntl with F_DUPFD, F_DUPFD_CLOEXEC */
	INTERPOSE_MEMFD,
	INTERPOSE_FTRUNCATE,
	INTERPOSE_FALLOCATE,
	INTERPOSE_THREAD,	/**< pthread_create */
	/** malloc and its kin, asprintf and strdup too; not under ASan, TSan */
	INTERPOSE_ALLOC,
	INTERPOSE_WAIT,		/**< poll, epoll_wait */
	INTERPOSE_LOCK,		/**< pthread_mutex_lock; not under ASan, TSan */
	INTERPOSE_NB_CALLS
};

/** The set that holds only the call INTERPOSE_@p name_. */
#define INTERPOSE_ONLY(name_) (UINT64_C(1) << INTERPOSE_##name_)
/** All calls, to be counted. */
#define INTERPOSE_EVERY ((UINT64_C(1) << INTERPOSE_NB_CALLS) - 1)
/** Calls that fail in practice. munmap is not among them: what should its caller undo? */
#define INTERPOSE_ANY (INTERPOSE_EVERY & ~INTERPOSE_ONLY(MUNMAP) & ~INTERPOSE_ONLY(WAIT) & \
	~INTERPOSE_ONLY(LOCK))
/** Count the calls of the arming thread only. */
#define INTERPOSE_THIS_THREAD (UINT64_C(1) << 63)

/**
 * From now on until interpose_disarm(), the @p nth call (from 1; 0: none, only count) of those in
 * @p mask fails with @p err, or with an errno typical of that call if @p err is 0. The others
 * work. Allocations always fail with ENOMEM.
 */
void interpose_fail(uint64_t mask, unsigned int nth, int err);

/** Ends interpose_fail(). What happened can be asked until the next interpose_fail(). */
void interpose_disarm(void);

/** Whether the call that was to fail came. */
bool interpose_fired(void);

/** The name of the call that failed, as "ioctl"; "nothing" if none did. */
const char *interpose_fired_name(void);

/** How many calls of the set were made while armed. */
unsigned int interpose_count(void);

/** How many calls of this one kind were made while armed. */
unsigned int interpose_count_of(enum interpose_call call);

/** State of INTERPOSE_EACH_FAILURE. */
struct interpose_loop {
	uint64_t mask;
	int err;
	int nth;
	struct resources before;
};

void interpose_loop_start(struct interpose_loop *loop, uint64_t mask, int err);
bool interpose_loop_next(struct interpose_loop *loop);

/**
 * Runs the following block once without a failure, and then once for each call in @p mask_ that
 * the block makes, with this call failing with errno @p err_ (0: typical). After each run
 * descriptors, mappings and heap must be as they were after the first, else the test fails and
 * says which call did it. No break or return in the block.
 *
 * @code
 *	struct interpose_loop loop;
 *	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY, 0) {
 *		rc = thing_open(&thing);
 *		interpose_disarm();
 *		assert_int_equal(rc < 0, interpose_fired());
 *		if (rc == 0)
 *			thing_close(thing);
 *	}
 * @endcode
 */
#define INTERPOSE_EACH_FAILURE(loop_, mask_, err_) \
	for (interpose_loop_start(&(loop_), (mask_), (err_)); interpose_loop_next(&(loop_));)

/** Calls of the current thread between these two are neither routed nor counted nor failed. */
void interpose_bypass_begin(void);
void interpose_bypass_end(void);

/**
 * Takes over the opening of @p path and, if it ends with '/', of everything below it.
 * @p open returns a descriptor that the caller of open() or fopen() will own, or -errno.
 * @p access answers access(): 0 or -errno; NULL: the path exists. The route must outlive its use.
 */
struct interpose_path {
	const char *path;
	int (*open)(void *ctx, const char *path, int flags);
	int (*access)(void *ctx, const char *path);
	void *ctx;
	struct interpose_path *next;	/**< of interpose.c */
};
void interpose_route_path(struct interpose_path *route);
void interpose_unroute_path(struct interpose_path *route);

/**
 * Takes over calls on a descriptor. All return -errno for failure; a NULL member passes the call
 * on.
 */
struct interpose_fd_ops {
	int (*ioctl)(void *ctx, unsigned long request, void *arg);
	/** 0: the descriptor is mapped for real. */
	int (*mmap)(void *ctx, size_t len, int prot, int flags, off_t off);
	ssize_t (*pread)(void *ctx, void *buf, size_t len, off_t off);
	ssize_t (*pwrite)(void *ctx, const void *buf, size_t len, off_t off);
	/** After it was duplicated; calls on @p fd go the same way. NULL: they do not. */
	void (*dup)(void *ctx, int fd);
	/** Before the descriptor is closed for real; its route has ended already. */
	void (*close)(void *ctx);
};

/** Takes over the calls on @p fd until it is closed. @p ops NULL ends it. */
void interpose_route_fd(int fd, const struct interpose_fd_ops *ops, void *ctx);

/** Takes over other calls on @p fd, with the same context. */
void interpose_reroute_fd(int fd, const struct interpose_fd_ops *ops);

/** Heap bytes in use now; 0 where that cannot be told. */
size_t interpose_heap_bytes(void);

/** The shortest chunk of the heap has so many of these. */
size_t interpose_heap_least(void);

/** A range that was mapped by mmap() or mremap() (not by libc itself) and is still there. */
struct interpose_mapping {
	uintptr_t start;
	uintptr_t end;
};

/** Copies at most @p max ranges, unsorted; returns how many there are. */
size_t interpose_mappings(struct interpose_mapping *out, size_t max);

#endif /* INTERPOSE_H */
