/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef CHECK_H
#define CHECK_H

/**
 * "dpdk-vfio-user check SOCKET": does a server keep to the vfio-user protocol? Changes nothing of
 * the device unless it is told to.
 *
 * @param argc, argv
 *   What follows "check".
 * @return
 *   Exit status: 0, 1 when a rule is broken, or 2 when the command line makes no sense.
 */
int check_run(int argc, char **argv);

#endif /* CHECK_H */
