/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_ERRNO_H
#define STANDIN_ERRNO_H

int *__error(void);
#define errno (*__error())

#define EPERM 1
#define ENOENT 2
#define EINTR 4
#define EIO 5
#define ENXIO 6
#define E2BIG 7
#define ENOEXEC 8
#define EBADF 9
#define ECHILD 10
#define EDEADLK 11
#define ENOMEM 12
#define EACCES 13
#define EFAULT 14
#define EBUSY 16
#define EEXIST 17
#define ENODEV 19
#define ENOTDIR 20
#define EISDIR 21
#define EINVAL 22
#define ENFILE 23
#define EMFILE 24
#define ENOTTY 25
#define EFBIG 27
#define ENOSPC 28
#define ESPIPE 29
#define EROFS 30
#define EPIPE 32
#define EDOM 33
#define ERANGE 34
#define EAGAIN 35
#define EWOULDBLOCK EAGAIN
#define EINPROGRESS 36
#define EALREADY 37
#define EMSGSIZE 40
#define EOPNOTSUPP 45
#define ENOTSUP EOPNOTSUPP
#define ENOBUFS 55
#define ENOTCONN 57
#define ESHUTDOWN 58
#define ETIMEDOUT 60
#define ENAMETOOLONG 63
#define ENOSYS 78
#define EOVERFLOW 84
#define ECANCELED 85
#define EILSEQ 86
#define EBADMSG 89
#define EPROTO 92

#endif
