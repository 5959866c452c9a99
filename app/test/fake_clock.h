/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_CLOCK_H
#define FAKE_CLOCK_H

/**
 * @file
 * Time that goes faster. It is the time of CLOCK_MONOTONIC_COARSE, by which the client of vfio-user
 * has its time limits, and of timers that are set by it: a test can have a limit that is never
 * reached while a server is alive, and need not wait for it when the server is not.
 */

/**
 * From now on the clock goes @p speed times as fast; 1: as it should. The first call sets it ahead,
 * so it comes before there are any clients.
 */
void fake_clock_set_speed(unsigned int speed);

#endif /* FAKE_CLOCK_H */
