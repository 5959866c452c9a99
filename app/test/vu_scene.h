/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_SCENE_H
#define VU_SCENE_H

/**
 * @file
 * What suites about things that go wrong around a session share: a client takes away memory that
 * the device is using; there are no descriptors, or no memory. Sessions beside it must not notice.
 */

#include "resources.h"
#include "vu_bystander.h"
#include "vu_served.h"

#define PAGE 4096u
#define NB_PAGES 15u
#define SIZE (NB_PAGES * PAGE)
#define RW (VU_DMA_F_READ | VU_DMA_F_WRITE)

/**
 * A session whose client does harm, and one beside it. Made by the test itself: before each test
 * cmocka puts its own handler of SIGBUS in the place of the library's.
 */
struct vu_scene {
	struct resources before;
	struct served served;
	struct bystander beside;
};

struct vu_scene *vu_scene_start(const struct rte_vfio_user_options *opt);

/** The next client is served as if nothing had been, and nothing has leaked. */
void vu_scene_stop(struct vu_scene *scene);

/** The next client of the session is served as if nothing had been. */
void vu_scene_next_client(struct vu_scene *scene);

/** A client of ours has left; returns when the server knows. */
void vu_scene_wait_left(struct served *served);

#endif /* VU_SCENE_H */
