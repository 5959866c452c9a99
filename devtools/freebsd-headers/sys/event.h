/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_SYS_EVENT_H
#define STANDIN_SYS_EVENT_H

#include <stdint.h>

#define EVFILT_READ (-1)
#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ENABLE 0x0004
#define EV_ERROR 0x4000
#define EV_EOF 0x8000

struct kevent {
	uintptr_t ident;
	short filter;
	unsigned short flags;
	unsigned int fflags;
	int64_t data;
	void *udata;
	uint64_t ext[4];
};

/* A statement, not an expression. */
#define EV_SET(k, a, b, c, d, e, f) do { \
	*(k) = (struct kevent){ .ident = (a), .filter = (b), .flags = (c), .fflags = (d), \
		.data = (e), .udata = (f) }; \
} while (0)

struct timespec;
int kqueue(void);
int kevent(int, const struct kevent *, int, struct kevent *, int, const struct timespec *);

#endif
