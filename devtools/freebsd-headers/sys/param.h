/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_SYS_PARAM_H
#define STANDIN_SYS_PARAM_H

#include <signal.h>
#include <sys/types.h>

#define __FreeBSD_version 1400097
#define MAXPATHLEN 1024

/*
 * All sources get these too, since rte_os.h includes this file: names that nothing in the tree
 * may have for something else.
 */
#define BSD 199506
#define BSD4_3 1
#define BSD4_4 1
#define CMASK 022
#define FSHIFT 11
#define FSCALE (1 << FSHIFT)
#define MAXCOMLEN 19
#define MAXHOSTNAMELEN 256
#define MAXSYMLINKS 32
#define MAXBSIZE 65536
#define MSIZE 256
#define NBBY 8
#define NGROUPS 1024
#define NODEV ((dev_t)-1)
#define NOFILE 64
#define NOGROUP 65535
#define NZERO 0
#define PCATCH 0x100
#define PDROP 0x200
#define PNOLOCK 0x400
#define PRIMASK 0x0ff
#define DEV_BSHIFT 9
#define DEV_BSIZE (1 << DEV_BSHIFT)
#define PAGE_SHIFT 12
#define PAGE_SIZE (1 << PAGE_SHIFT)
#define PAGE_MASK (PAGE_SIZE - 1)
#define CACHE_LINE_SHIFT 6
#define CACHE_LINE_SIZE (1 << CACHE_LINE_SHIFT)
#define MAXCPU 1024
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define howmany(x, y) (((x) + ((y) - 1)) / (y))
#define nitems(x) (sizeof(x) / sizeof((x)[0]))
#define powerof2(x) ((((x) - 1) & (x)) == 0)
#define rounddown(x, y) ((x) / (y) * (y))
#define roundup(x, y) (howmany(x, y) * (y))
#define rounddown2(x, y) ((x) & ~((y) - 1))
#define roundup2(x, y) rounddown2((x) + (y) - 1, y)
#define round_page(x) roundup2(x, PAGE_SIZE)
#define trunc_page(x) rounddown2(x, PAGE_SIZE)
#define atop(x) ((x) >> PAGE_SHIFT)
#define ptoa(x) ((x) << PAGE_SHIFT)
#define btoc(x) atop(round_page(x))
#define ctob(x) ptoa(x)
#define setbit(a, i) ((a)[(i) / NBBY] |= 1 << (i) % NBBY)
#define clrbit(a, i) ((a)[(i) / NBBY] &= ~(1 << (i) % NBBY))
#define isset(a, i) ((a)[(i) / NBBY] & (1 << (i) % NBBY))
#define isclr(a, i) (!isset(a, i))

#endif
