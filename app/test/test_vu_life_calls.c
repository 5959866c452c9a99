/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"
#include "vu_served.h"

#define PAGE 4096u

static int
set_dev(const char *name)
{
	struct vfio_device_info info = { .argsz = sizeof(info), .flags = VFIO_DEVICE_FLAGS_PCI,
		.num_regions = 1, .num_irqs = 1 };

	return rte_vfio_user_set_dev_info(name, &info);
}

static int
set_reg(const char *name)
{
	struct vfio_region_info info = { .argsz = sizeof(info) };
	struct {
		struct rte_vfio_user_regions all;
		struct rte_vfio_user_reg_info one;
	} regions = { .all.reg_num = 1, .one = { .fd = -1, .info = &info } };

	return rte_vfio_user_set_reg_info(name, &regions.all);
}

static int
set_irq(const char *name)
{
	struct {
		struct rte_vfio_user_irq_info all;
		struct vfio_irq_info one;
	} irqs = { .all.irq_num = 1, .one = { .argsz = sizeof(irqs.one) } };

	return rte_vfio_user_set_irq_info(name, &irqs.all);
}

static int
set_mig(const char *name)
{
	struct rte_vfio_user_migration_ops mig = { .flags = 0 };

	return rte_vfio_user_set_migration(name, &mig);
}

static int
do_register(const char *name)
{
	return rte_vfio_user_register(name, NULL);
}

/* What a step does to a session, by what was done before. */
enum call {
	REGISTER,
	SET_DEV,
	SET_REG,
	SET_IRQ,
	SET_MIG,
	START,
	UNREGISTER,
	NB_CALLS
};

static int (*const calls[NB_CALLS])(const char *name) = {
	[REGISTER] = do_register,
	[SET_DEV] = set_dev,
	[SET_REG] = set_reg,
	[SET_IRQ] = set_irq,
	[SET_MIG] = set_mig,
	[START] = rte_vfio_user_start,
	[UNREGISTER] = rte_vfio_user_unregister,
};

/* A session as a test expects it to be. */
struct model {
	bool registered;
	bool started;
	unsigned int described;	/* bits of SET_DEV, SET_REG, SET_IRQ */
};

static bool
is_described(const struct model *model)
{
	return model->described == (1u << SET_DEV | 1u << SET_REG | 1u << SET_IRQ);
}

static int
model_refuses(const struct model *model, enum call call)
{
	if (call == REGISTER)
		return model->registered ? -EEXIST : 0;
	if (!model->registered)
		return -ENOENT;
	if (call == UNREGISTER)
		return 0;
	if (model->started)
		return -EBUSY;
	if (call == SET_MIG)
		return -EINVAL;
	return call == START && !is_described(model) ? -EINVAL : 0;
}

static void
model_step(struct model *model, enum call call)
{
	if (call == UNREGISTER)
		memset(model, 0, sizeof(*model));
	else if (call == REGISTER)
		model->registered = true;
	else if (call == START)
		model->started = true;
	else
		model->described |= 1u << call;
}

/* As many steps as it takes to have been everywhere, in an order that nobody thought of. */
static void
test_calls_in_any_order(void **state)
{
	struct served *served = *state;
	struct model model = { .registered = false };
	unsigned int i, seed = 1, seen[NB_CALLS][2] = { { 0 } };
	enum call call;
	char path[96];
	int rc;

	snprintf(path, sizeof(path), "%s/other", served->dir);
	for (i = 0; i < 3000; i++) {
		seed = seed * 1103515245u + 12345u;
		call = (enum call)((seed >> 16) % (NB_CALLS * 4));
		/* the end comes seldom */
		call = call < NB_CALLS ? call : call % UNREGISTER;
		rc = calls[call](path);
		if (rc != model_refuses(&model, call))
			fail_msg("step %u, call %d: %d, not %d", i, call, rc,
				model_refuses(&model, call));
		seen[call][rc == 0]++;
		if (rc == 0)
			model_step(&model, call);
		assert_int_equal(rte_vfio_user_dev_id(path) >= 0, model.registered);
		assert_int_equal(access(path, F_OK) == 0, model.started);
	}
	assert_true(seen[START][0] > 0 && seen[START][1] > 0);
	if (model.registered)
		assert_int_equal(rte_vfio_user_unregister(path), 0);
}

static void
test_ids_of_sessions_that_are_gone(void **state)
{
	struct rte_vfio_user_io_fd io_fd = { .fd = 0 };
	struct served *served = *state;
	struct iovec iov;
	char buf[96];
	int id, fds[1];

	assert_int_equal(rte_vfio_user_register("gone", NULL), 0);
	id = rte_vfio_user_dev_id("gone");
	assert_int_not_equal(id, served->dev_id);
	/* no client: nothing to reach */
	assert_int_equal(rte_vfio_user_dma_read(id, 0, buf, 1), -ENODEV);
	assert_int_equal(rte_vfio_user_unregister("gone"), 0);
	assert_int_equal(rte_vfio_get_sock_addr(id, buf, sizeof(buf)), -ENODEV);
	assert_int_equal(rte_vfio_user_poll(id), -ENODEV);
	assert_int_equal(rte_vfio_user_poll_fd(id), -ENODEV);
	assert_int_equal(rte_vfio_user_dma_enter(id), -ENODEV);
	assert_int_equal(rte_vfio_user_dma_sg(id, 0, 1, PROT_READ, &iov, 1), -ENODEV);
	assert_int_equal(rte_vfio_user_dma_read(id, 0, buf, 1), -ENODEV);
	assert_int_equal(rte_vfio_user_dma_write(id, 0, buf, 1), -ENODEV);
	assert_int_equal(rte_vfio_user_irq_raise(id, 0, 0), -ENODEV);
	assert_int_equal(rte_vfio_user_get_irq(id, 0, 1, fds), -ENODEV);
	assert_int_equal(rte_vfio_user_set_io_fds(id, &io_fd, 0), -ENODEV);
	assert_null(rte_vfio_user_get_mem_table(id));
	rte_vfio_user_dma_dirty(id, 0, PAGE);
}

static const struct CMUnitTest tests[] = {
	SERVED_TEST(test_calls_in_any_order),
	SERVED_TEST(test_ids_of_sessions_that_are_gone),
};

TEST_SUITE(vu_life_calls, "functional", tests, served_warm_up_sessions, NULL)
