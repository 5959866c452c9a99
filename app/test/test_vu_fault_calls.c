/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "interpose.h"
#include "test.h"
#include "vu_bystander.h"
#include "vu_scene.h"
#include "vu_served.h"

/* ---- a call that fails, each in turn ---- */

/* All that a client does with a device. Returns 0, or the first error. */
static int
use_device(const char *path)
{
	struct rte_vfio_user_attach_options opt = { .size = sizeof(opt), .timeout_ms = 20000 };
	struct {
		struct vfio_region_info info;
		uint8_t caps[128];
	} reg = { .info = { .argsz = sizeof(reg), .index = SERVED_MAPPABLE } };
	struct rte_vfio_user_mem_reg mem = { .size = PAGE, .protection = PROT_READ | PROT_WRITE,
		.flags = RTE_VUSER_MEM_MAPPABLE };
	struct {
		struct vfio_irq_set set;
		int fd;
	} irqs = { .set = { .argsz = sizeof(irqs), .count = 1, .index = VFIO_PCI_MSIX_IRQ_INDEX,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER } };
	static uint8_t data[1u << 19];
	int dev_id, rc, memory, fd = -1;

	interpose_bypass_begin();
	memory = peer_memory(PAGE);
	irqs.fd = eventfd(0, EFD_CLOEXEC);
	interpose_bypass_end();
	rc = dev_id = rte_vfio_user_attach_dev_opt(path, &opt);
	if (dev_id < 0)
		goto out;
	rc = rte_vfio_user_get_reg_info(dev_id, &reg.info, &fd);
	if (rc == 0)
		rc = rte_vfio_user_dma_map(dev_id, &mem, &memory, 1);
	if (rc == 0)
		rc = rte_vfio_user_set_irqs(dev_id, &irqs.set);
	if (rc == 0)
		rc = rte_vfio_user_region_write(dev_id, SERVED_LARGE, 0, sizeof(data), data);
	if (rc == 0)
		rc = rte_vfio_user_region_read(dev_id, SERVED_LARGE, 0, sizeof(data), data);
	if (rc == 0)
		rc = rte_vfio_user_region_post(dev_id, SERVED_REGS, 0, 4, data);
	if (rc == 0)
		rc = rte_vfio_user_dma_unmap(dev_id, &mem, 1);
	assert_int_equal(rte_vfio_user_detach_dev(dev_id), 0);
out:
	interpose_bypass_begin();
	if (fd >= 0)
		close(fd);
	close(irqs.fd);
	close(memory);
	interpose_bypass_end();
	return rc;
}

/* Calls that tell nothing when they fail, or whose failure says nothing of a lack of means. */
#define LACK (INTERPOSE_ANY & ~INTERPOSE_ONLY(CLOSE) & ~INTERPOSE_ONLY(READ) & \
	~INTERPOSE_ONLY(WRITE))

static void
test_client_survives_each_failure(void **state)
{
	struct vu_scene *scene = vu_scene_start(NULL);
	struct interpose_loop loop;
	int rc;

	(void)state;
	INTERPOSE_EACH_FAILURE(loop, LACK | INTERPOSE_THIS_THREAD, 0) {
		rc = use_device(scene->served.path);
		interpose_disarm();
		/* what can be tried again is no error: a sendmsg() that found no buffers */
		if (rc == -ETIMEDOUT || (rc < 0 && !interpose_fired()))
			fail_msg("%s failed: %s", interpose_fired_name(), strerror(-rc));
		bystander_check(&scene->beside);
		vu_scene_wait_left(&scene->served);
	}
	vu_scene_stop(scene);
}

/* The server's calls fail: this thread's count for nothing. */
static void
test_server_survives_each_failure(void **state)
{
	struct vu_scene *scene = vu_scene_start(NULL);
	struct interpose_loop loop;
	int rc;

	(void)state;
	interpose_bypass_begin();
	INTERPOSE_EACH_FAILURE(loop, LACK, 0) {
		rc = use_device(scene->served.path);
		interpose_disarm();
		if (rc == -ETIMEDOUT || (rc < 0 && !interpose_fired()))
			fail_msg("%s failed: %s", interpose_fired_name(), strerror(-rc));
		bystander_check(&scene->beside);
		/* it is there again */
		rc = use_device(scene->served.path);
		if (rc < 0)
			fail_msg("after %s failed: %s", interpose_fired_name(), strerror(-rc));
		vu_scene_wait_left(&scene->served);
	}
	interpose_bypass_end();
	vu_scene_stop(scene);
}

static void
serve_once(const char *path, uint32_t flags)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .flags = flags };
	struct vfio_device_info info = { .argsz = sizeof(info), .flags = VFIO_DEVICE_FLAGS_PCI };
	struct rte_vfio_user_regions regions = { .reg_num = 0 };
	struct rte_vfio_user_irq_info irqs = { .irq_num = 0 };
	int rc;

	rc = rte_vfio_user_register_opt(path, NULL, &opt);
	if (rc == 0)
		rc = rte_vfio_user_set_dev_info(path, &info);
	if (rc == 0)
		rc = rte_vfio_user_set_reg_info(path, &regions);
	if (rc == 0)
		rc = rte_vfio_user_set_irq_info(path, &irqs);
	if (rc == 0)
		rc = rte_vfio_user_start(path);
	interpose_disarm();
	/* that the directory cannot be locked is no error */
	assert_true(rc == 0 || interpose_fired());
	assert_int_equal(access(path, F_OK), rc == 0 ? 0 : -1);
	rc = rte_vfio_user_unregister(path);
	assert_true(rc == 0 || (rc == -ENOENT && interpose_fired()));
	assert_int_equal(access(path, F_OK), -1);
}

static void
test_start_survives_each_failure(void **state)
{
	struct vu_scene *scene = vu_scene_start(NULL);
	struct interpose_loop loop;
	char path[96];

	(void)state;
	snprintf(path, sizeof(path), "%s/other", scene->served.dir);
	INTERPOSE_EACH_FAILURE(loop, LACK | INTERPOSE_THIS_THREAD, 0)
		serve_once(path, 0);
	INTERPOSE_EACH_FAILURE(loop, LACK | INTERPOSE_THIS_THREAD, 0)
		serve_once(path, RTE_VFIO_USER_F_POLL);
	vu_scene_stop(scene);
}

/* The first session also starts the control thread. */
static void
test_first_start_survives_each_failure(void **state)
{
	char dir[] = "/tmp/vu-test-XXXXXX";
	struct interpose_loop loop;
	char path[96];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sock", dir);
	INTERPOSE_EACH_FAILURE(loop, LACK | INTERPOSE_THIS_THREAD, 0)
		serve_once(path, 0);
	assert_int_equal(rmdir(dir), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_client_survives_each_failure),
	cmocka_unit_test(test_server_survives_each_failure),
	cmocka_unit_test(test_start_survives_each_failure),
	cmocka_unit_test(test_first_start_survives_each_failure),
};

TEST_SUITE(vu_fault_calls, "functional", tests, served_warm_up_sessions, NULL)
