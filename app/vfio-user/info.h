/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef INFO_H
#define INFO_H

/**
 * "dpdk-vfio-user info SOCKET [--json]": what a server says about itself and its device. Changes
 * nothing of the device.
 *
 * @param argc, argv
 *   What follows "info".
 * @return
 *   Exit status: 0, 1, or 2 when the command line makes no sense.
 */
int info_run(int argc, char **argv);

#endif /* INFO_H */
