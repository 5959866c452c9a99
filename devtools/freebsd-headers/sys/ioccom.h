/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_SYS_IOCCOM_H
#define STANDIN_SYS_IOCCOM_H

#define IOCPARM_MASK 0x1fff
#define IOC_VOID 0x20000000UL
#define IOC_OUT 0x40000000UL
#define IOC_IN 0x80000000UL
#define _IOC(inout, group, num, len) \
	((unsigned long)((inout) | (((len) & IOCPARM_MASK) << 16) | ((group) << 8) | (num)))
#define _IOR(g, n, t) _IOC(IOC_OUT, (g), (n), sizeof(t))
#define _IOWR(g, n, t) _IOC(IOC_IN | IOC_OUT, (g), (n), sizeof(t))

#endif
