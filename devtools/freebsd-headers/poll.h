/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_POLL_H
#define STANDIN_POLL_H

#define POLLIN 0x0001
#define POLLPRI 0x0002
#define POLLOUT 0x0004
#define POLLERR 0x0008
#define POLLHUP 0x0010
#define POLLNVAL 0x0020
#define POLLRDHUP 0x4000

typedef unsigned int nfds_t;
struct pollfd {
	int fd;
	short events;
	short revents;
};

int poll(struct pollfd *, nfds_t, int);

#endif
