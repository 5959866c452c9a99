/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef BENCH_H
#define BENCH_H

/**
 * "dpdk-vfio-user bench SOCKET [OPTION...]": how fast a server answers, beside what a bare socket
 * does. Changes nothing of the device without --destructive.
 *
 * @param argc, argv
 *   What follows "bench".
 * @return
 *   Exit status: 0, 1, or 2 when the command line makes no sense.
 */
int bench_run(int argc, char **argv);

#endif /* BENCH_H */
