/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_SYS_MMAN_H
#define STANDIN_SYS_MMAN_H

#include <sys/types.h>

#define PROT_NONE 0x00
#define PROT_READ 0x01
#define PROT_WRITE 0x02
#define PROT_EXEC 0x04
#define MAP_SHARED 0x0001
#define MAP_PRIVATE 0x0002
#define MAP_FIXED 0x0010
#define MAP_ANON 0x1000
#define MAP_ANONYMOUS MAP_ANON
#define MAP_GUARD 0x00002000
#define MAP_EXCL 0x00004000
#define MAP_NOCORE 0x00020000
#define MAP_FAILED ((void *)-1)
#define MADV_FREE 5
#define MADV_NOCORE 8
#define MADV_CORE 9
#define MFD_CLOEXEC 0x00000001
#define MFD_ALLOW_SEALING 0x00000002

int madvise(void *, size_t, int);
int memfd_create(const char *, unsigned int);
int mlock(const void *, size_t);
void *mmap(void *, size_t, int, int, int, off_t);
int mprotect(void *, size_t, int);
int munmap(void *, size_t);

#endif
