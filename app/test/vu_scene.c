/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>
#include <unistd.h>

#include "test.h"
#include "vu_bystander.h"
#include "vu_scene.h"
#include "vu_served.h"

#include "interpose.h"
#include "test.h"
#include "vu_bystander.h"
#include "vu_served.h"

struct vu_scene *
vu_scene_start(const struct rte_vfio_user_options *opt)
{
	struct vu_scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	resources_take(&scene->before);
	served_start(&scene->served, opt);
	bystander_start(&scene->beside);
	return scene;
}

void
vu_scene_next_client(struct vu_scene *scene)
{
	int fd = peer_memory(PAGE);
	char buf[2] = "";
	struct vu_peer peer;

	assert_int_equal(pwrite(fd, "ok", 2, 0), 2);
	peer_open(&peer, scene->served.path);
	assert_int_equal(peer_map(&peer, 0, PAGE, RW, fd, 0), 0);
	assert_int_equal(rte_vfio_user_dma_read(scene->served.dev_id, 0, buf, 2), 0);
	assert_memory_equal(buf, "ok", 2);
	assert_int_equal(rte_vfio_user_dma_write(scene->served.dev_id, 2, "ko", 2), 0);
	assert_int_equal(pread(fd, buf, 2, 2), 2);
	assert_memory_equal(buf, "ko", 2);
	peer_close(&peer);
	close(fd);
}

void
vu_scene_stop(struct vu_scene *scene)
{
	vu_scene_next_client(scene);
	bystander_stop(&scene->beside);
	served_stop(&scene->served);
	resources_assert_same(&scene->before);
	resources_drop(&scene->before);
	free(scene);
}

void
vu_scene_wait_left(struct served *served)
{
	served_wait(&served->destroy_device, atomic_load(&served->new_device));
}
