/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef SERVE_H
#define SERVE_H

/**
 * "dpdk-vfio-user serve DEVICE ...": emulate devices in the foreground until SIGTERM or SIGINT.
 *
 * @param argc, argv
 *   What follows "serve".
 * @return
 *   Exit status: 0, 1, or 2 when the command line makes no sense.
 */
int serve_run(int argc, char **argv);

/** What "serve --help" prints. */
void serve_help(void);

#endif /* SERVE_H */
