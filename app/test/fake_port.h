/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_PORT_H
#define FAKE_PORT_H

/**
 * @file
 * A processor whose instructions for I/O ports reach a fake device. The real one refuses them to a
 * process that has no right to them; what it refuses is done here, and then goes on.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One instruction: @p buf has the value to write, or gets the one that is read. */
typedef bool (*fake_port_fn)(void *ctx, uint16_t port, void *buf, size_t width, bool write);

/**
 * From now on until fake_port_stop() every thread may use ports, and @p fn answers. Where it
 * returns false the process faults. @p fn NULL: from now on none that has not used them yet may.
 *
 * @return false: this processor has no such instructions
 */
bool fake_port_start(fake_port_fn fn, void *ctx);

/** A fake device is about to have ports: unless there is a fake processor, none may be used. */
void fake_port_protect(void);

/** The processor and the kernel decide again. */
void fake_port_stop(void);

#endif /* FAKE_PORT_H */
