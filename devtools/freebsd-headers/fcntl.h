/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_FCNTL_H
#define STANDIN_FCNTL_H

#include <sys/types.h>

#define O_RDONLY 0x0000
#define O_WRONLY 0x0001
#define O_RDWR 0x0002
#define O_NONBLOCK 0x0004
#define O_NOFOLLOW 0x0100
#define O_CREAT 0x0200
#define O_TRUNC 0x0400
#define O_EXCL 0x0800
#define O_DIRECTORY 0x00020000
#define O_CLOEXEC 0x00100000
#define AT_FDCWD (-100)
#define AT_SYMLINK_NOFOLLOW 0x0200
#define AT_REMOVEDIR 0x0800
#define F_GETFD 1
#define F_SETFD 2
#define F_GETFL 3
#define F_SETFL 4
#define F_DUPFD_CLOEXEC 17
#define F_ADD_SEALS 19
#define F_SEAL_SEAL 0x0001
#define F_SEAL_SHRINK 0x0002
#define FD_CLOEXEC 1

#define SPACECTL_DEALLOC 1
struct spacectl_range {
	off_t r_offset;
	off_t r_len;
};

int fcntl(int, int, ...);
int open(const char *, int, ...);
int openat(int, const char *, int, ...);
int fspacectl(int, int, const struct spacectl_range *, int, struct spacectl_range *);

#endif
