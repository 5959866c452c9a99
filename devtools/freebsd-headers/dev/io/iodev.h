/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_DEV_IO_IODEV_H
#define STANDIN_DEV_IO_IODEV_H

#define IODEV_PIO_READ 0
#define IODEV_PIO_WRITE 1

struct iodev_pio_req {
	u_int access;
	u_int port;
	u_int width;
	u_int val;
};

#define IODEV_PIO _IOWR('I', 0, struct iodev_pio_req)

#endif
