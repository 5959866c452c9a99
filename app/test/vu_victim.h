/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_VICTIM_H
#define VU_VICTIM_H

/**
 * @file
 * Processes at the other end of a connection that are killed at a step of a conversation: the one
 * that is left gets a clear error and has all back that it gave, others are served on. A victim is
 * dpdk-test again, with a suite of its own.
 */

#include <stddef.h>
#include <sys/types.h>

#include "vu_peer.h"

#define PAGE 4096u
#define RW (VU_DMA_F_READ | VU_DMA_F_WRITE)
#define LARGE (1u << 20)

/** In the victim: its end of the connection. */
extern struct vu_peer vu_victim;

/** In the victim: it got as far as it should. */
void __attribute__((noreturn)) vu_victim_die(void);

/** What a client does until it is killed, by the number of the step. */
void vu_victim_be_client(size_t step);

/** The same of a server; it returns if it is not killed. */
void vu_victim_be_server(size_t step);

/** Start a client of the socket at @p path, or a server on the descriptor @p sock. */
pid_t vu_victim_start_client(size_t step, const char *path);
pid_t vu_victim_start_server(size_t step, int sock);

/** It got as far as it should. */
void vu_victim_expect_killed(pid_t pid, const char *name);

#endif /* VU_VICTIM_H */
