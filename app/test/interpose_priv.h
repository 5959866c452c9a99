/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef INTERPOSE_PRIV_H
#define INTERPOSE_PRIV_H

/**
 * @file
 * What the files of interpose.h share. It comes before all other headers.
 */

/* The 64-bit variants are names of their own here, not redirections. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "interpose.h"

#define INTERPOSE_FD_MAX 65536

/* How deep this thread is in what is not to be noticed. */
extern __thread unsigned int interpose_bypass;

/* A failure is ordered. */
extern atomic_bool interpose_armed;

/* Counts the call; if it is the one to fail, sets errno and returns true. */
bool interpose_count_call(enum interpose_call call);

static inline bool
interpose_fails(enum interpose_call call)
{
	return atomic_load_explicit(&interpose_armed, memory_order_acquire) &&
		interpose_bypass == 0 && interpose_count_call(call);
}

/* The next definition of a function: a sanitizer's, else libc's. */
void *interpose_real(void **cache, const char *name);

#define REAL(name_) __extension__({ \
	static void *cache_; \
	(__typeof__(&name_))interpose_real(&cache_, #name_); \
})

/* A function that only forwards. */
#define FORWARD(type_, failure_, call_, name_, params_, args_) \
type_ \
name_ params_ \
{ \
	return interpose_fails(INTERPOSE_##call_) ? (failure_) : REAL(name_) args_; \
}

#define ALIAS(name_) __attribute__((alias(#name_)))

/* From -errno to errno. */
long interpose_answer(long rc);

/* Routes of descriptors. */
extern struct interpose_fd {
	const struct interpose_fd_ops *ops;
	void *ctx;
} interpose_fds[INTERPOSE_FD_MAX];

static inline const struct interpose_fd_ops *
interpose_fd_ops(int fd)
{
	if (fd < 0 || fd >= INTERPOSE_FD_MAX || interpose_bypass != 0)
		return NULL;
	return __atomic_load_n(&interpose_fds[fd].ops, __ATOMIC_ACQUIRE);
}

#define HAS_ROUTE(fd_, member_) \
	(interpose_fd_ops(fd_) != NULL && interpose_fd_ops(fd_)->member_ != NULL)

/* Calls the fake's function; its own calls are its own affair. */
#define ROUTE(fd_, member_, ...) __extension__({ \
	long rc_; \
	interpose_bypass++; \
	rc_ = __atomic_load_n(&interpose_fds[fd_].ops, __ATOMIC_ACQUIRE)->member_( \
		interpose_fds[fd_].ctx, __VA_ARGS__); \
	interpose_bypass--; \
	interpose_answer(rc_); \
})

#endif /* INTERPOSE_PRIV_H */
