/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef SUM_H
#define SUM_H

/*
 * The data sheet: a device that adds bytes in memory. Driver and emulated device share it, and
 * nothing else.
 */

#define SUM_VENDOR_ID 0x1234
#define SUM_DEVICE_ID 0x5a5a

/* Registers of BAR 0, 4 bytes if not said. */
#define SUM_ID      0x00	/* read: SUM_ID_VALUE */
#define SUM_ADDRESS 0x08	/* 8 bytes: bus address of the bytes */
#define SUM_LENGTH  0x10	/* of them; 1 to SUM_LENGTH_MAX */
#define SUM_GO      0x14	/* written: add; MSI comes when the status is no longer busy */
#define SUM_STATUS  0x18	/* read: SUM_STATUS_* */
#define SUM_RESULT  0x1c	/* read: the sum, once it is done */

#define SUM_ID_VALUE   0x53554d21u
#define SUM_LENGTH_MAX 65536u

#define SUM_STATUS_IDLE  0u
#define SUM_STATUS_BUSY  1u
#define SUM_STATUS_DONE  2u
#define SUM_STATUS_ERROR 3u	/* wrong length, or memory that is not there */

#endif /* SUM_H */
