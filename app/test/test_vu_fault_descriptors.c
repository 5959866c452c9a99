/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "test.h"
#include "vu_bystander.h"
#include "vu_scene.h"
#include "vu_served.h"

/* ---- no descriptors ---- */

static struct rlimit limit;

static int
limit_setup(void **state)
{
	(void)state;
	return getrlimit(RLIMIT_NOFILE, &limit);
}

static int
limit_teardown(void **state)
{
	(void)state;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

/* From now on the process gets no further descriptor. */
static void
descriptors_run_out(void)
{
	struct rlimit few = limit;
	int lowest = dup(0);

	assert_true(lowest >= 0);
	close(lowest);
	few.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(dup(0), -1);
}

static void
descriptors_are_back(void)
{
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void
test_server_cannot_take_a_descriptor(void **state)
{
	struct vu_dma_map map = { .argsz = sizeof(map), .flags = RW, .size = PAGE };
	const struct vfio_irq_set set = { .argsz = sizeof(set), .count = 3,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX };
	struct vu_scene *scene = vu_scene_start(NULL);
	int fd = peer_memory(PAGE), fds[] = { fd, fd, fd };
	struct vu_peer peer;

	(void)state;
	peer_open(&peer, scene->served.path);
	descriptors_run_out();
	assert_int_equal(peer_call_fds(&peer, VU_DMA_MAP, &map, sizeof(map), &fd, 1), EMFILE);
	assert_int_equal(peer_call_fds(&peer, VU_SET_IRQS, &set, sizeof(set), fds, 3), EMFILE);
	bystander_check(&scene->beside);
	descriptors_are_back();
	/* nothing else is lost: it may be somebody else who has used them up */
	assert_int_equal(served_nb_regions(&scene->served), 0);
	assert_int_equal(peer_call_fds(&peer, VU_DMA_MAP, &map, sizeof(map), &fd, 1), 0);
	assert_int_equal(served_nb_regions(&scene->served), 1);
	peer_close(&peer);
	close(fd);
	vu_scene_stop(scene);
}

/* The server has received what was sent, so it has accepted the client. */
static void
wait_received(const struct vu_peer *peer)
{
	int left = 1;

	while (left > 0) {
		assert_int_equal(ioctl(peer->sock, SIOCOUTQ, &left), 0);
		usleep(100);
	}
}

static void
test_server_has_no_descriptor_for_a_twin_socket(void **state)
{
	static const char json[] = "{\"capabilities\":{\"max_msg_fds\":8,"
		"\"twin_socket\":{\"supported\":true}}}";
	const struct vu_hdr hdr = { .cmd = VU_VERSION, .size = sizeof(hdr) + 4 + sizeof(json) };
	struct vu_scene *scene = vu_scene_start(NULL);
	uint32_t value = 0;
	struct vu_peer peer;

	(void)state;
	peer_connect(&peer, scene->served.path);
	peer_send_raw(&peer, &hdr, sizeof(hdr), NULL, 0);
	wait_received(&peer);
	descriptors_run_out();
	peer_send_raw(&peer, "\0\0\0\0", 4, NULL, 0);
	peer_send_raw(&peer, json, sizeof(json), NULL, 0);
	assert_true(peer_receive(&peer));
	descriptors_are_back();
	assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	assert_int_equal(peer.nb_fds, 0);
	assert_null(strstr((const char *)peer.payload + 4, "fd_index"));
	assert_int_equal(peer_write(&peer, SERVED_REGS, 0, &value, sizeof(value)), 0);
	peer_close(&peer);
	vu_scene_stop(scene);
}

static void
test_start_without_descriptors(void **state)
{
	struct vu_scene *scene = vu_scene_start(NULL);
	struct served *other = calloc(1, sizeof(*other));
	char path[96];
	uint32_t flags;

	(void)state;
	for (flags = 0; flags <= RTE_VFIO_USER_F_POLL; flags += RTE_VFIO_USER_F_POLL) {
		struct rte_vfio_user_options opt = { .size = sizeof(opt), .flags = flags };

		memset(other, 0, sizeof(*other));
		snprintf(path, sizeof(path), "%s/other", scene->served.dir);
		served_register(other, path, &opt);
		descriptors_run_out();
		assert_int_equal(rte_vfio_user_start(path), -EMFILE);
		bystander_check(&scene->beside);
		descriptors_are_back();
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(rte_vfio_user_start(path), 0);
		served_stop(other);
	}
	free(other);
	vu_scene_stop(scene);
}

static void
test_client_without_descriptors(void **state)
{
	struct vu_scene *scene = vu_scene_start(NULL);
	struct {
		struct vfio_region_info info;
		uint8_t caps[128];
	} reg = { .info = { .argsz = sizeof(reg), .index = SERVED_MAPPABLE } };
	uint32_t value;
	int dev_id, fd;

	(void)state;
	descriptors_run_out();
	assert_int_equal(rte_vfio_user_attach_dev(scene->served.path), -EMFILE);
	descriptors_are_back();
	dev_id = rte_vfio_user_attach_dev(scene->served.path);
	assert_true(dev_id >= 0);
	descriptors_run_out();
	assert_int_equal(rte_vfio_user_region_read(dev_id, SERVED_REGS, 0, 4, &value), 0);
	assert_int_equal(rte_vfio_user_get_reg_info(dev_id, &reg.info, &fd), -EMFILE);
	assert_int_equal(fd, -1);
	descriptors_are_back();
	assert_int_equal(rte_vfio_user_get_reg_info(dev_id, &reg.info, &fd), 0);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
	vu_scene_stop(scene);
}

/* A client whom no descriptor was free for is accepted even if the others never rest. */
static void *
flood_main(void *arg)
{
	struct bystander *b = ((void **)arg)[0];
	atomic_bool *stop = ((void **)arg)[1];

	while (!atomic_load(stop))
		bystander_check(b);
	return NULL;
}

static void
test_client_that_was_not_accepted_beside_a_busy_one(void **state)
{
	struct vu_scene *scene = vu_scene_start(NULL);
	atomic_bool stop = false;
	void *arg[] = { &scene->beside, &stop };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct vu_peer peer;
	pthread_t flood;

	(void)state;
	peer_adopt(&peer, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	strcpy(addr.sun_path, scene->served.path);
	descriptors_run_out();
	assert_int_equal(connect(peer.sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	peer_send(&peer, VU_VERSION, 0, "\0\0\0\0", 4, NULL, 0);
	peer_expect_silence(&peer);
	assert_int_equal(pthread_create(&flood, NULL, flood_main, arg), 0);
	descriptors_are_back();
	assert_true(peer_receive(&peer));
	assert_int_equal(peer.hdr.flags, VU_F_TYPE_REPLY);
	atomic_store(&stop, true);
	pthread_join(flood, NULL);
	peer_close(&peer);
	vu_scene_stop(scene);
}

#define LIMITED(name_) cmocka_unit_test_setup_teardown(name_, limit_setup, limit_teardown)

static const struct CMUnitTest tests[] = {
	LIMITED(test_server_cannot_take_a_descriptor),
	LIMITED(test_server_has_no_descriptor_for_a_twin_socket),
	LIMITED(test_start_without_descriptors),
	LIMITED(test_client_without_descriptors),
	LIMITED(test_client_that_was_not_accepted_beside_a_busy_one),
};

TEST_SUITE(vu_fault_descriptors, "functional", tests, served_warm_up_sessions, NULL)
