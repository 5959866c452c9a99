/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_log.h>

#include "vu_served.h"

#include "test.h"

#define IDS_MAX 4096
#define WARM_THREADS 8

static _Atomic(struct served *) devices[IDS_MAX];

struct served *
served_of(int dev_id)
{
	return dev_id >= 0 && dev_id < IDS_MAX ? atomic_load(&devices[dev_id]) : NULL;
}

/* ---- callbacks ---- */

static int
on_new_device(int dev_id)
{
	struct served *served = served_of(dev_id);

	atomic_fetch_add(&served->new_device, 1);
	return atomic_load(&served->refuse_new);
}

static void
on_destroy_device(int dev_id)
{
	struct served *served = served_of(dev_id);
	void (*gone)(struct served *served) = atomic_load(&served->gone);

	if (gone != NULL)
		gone(served);
	atomic_fetch_add(&served->destroy_device, 1);
}

static int
on_update_status(int dev_id)
{
	atomic_fetch_add(&served_of(dev_id)->update_status, 1);
	return 0;
}

static void
take_time(struct served *served)
{
	void (*takes_time)(struct served *served) = atomic_load(&served->takes_time);

	if (takes_time != NULL)
		takes_time(served);
}

static int
on_lock_dp(int dev_id, int lock)
{
	struct served *served = served_of(dev_id);
	int refuse = atomic_load(&served->refuse_lock);

	if (lock != 0 && refuse != 0)
		return refuse;
	if (lock != 0)
		take_time(served);
	atomic_fetch_add(&served->locked, lock != 0 ? 1 : -1);
	if (lock != 0)
		atomic_fetch_add(&served->locks, 1);
	return 0;
}

static int
on_reset_device(int dev_id)
{
	struct served *served = served_of(dev_id);

	atomic_fetch_add(&served->reset_device, 1);
	return atomic_load(&served->refuse_reset);
}

static const struct rte_vfio_user_notify_ops ops = {
	.new_device = on_new_device,
	.destroy_device = on_destroy_device,
	.update_status = on_update_status,
	.lock_dp = on_lock_dp,
	.reset_device = on_reset_device,
};

/* ---- regions ---- */

static ssize_t
copy(void *memory, char *buf, size_t count, loff_t pos, bool iswrite)
{
	char *at = (char *)memory + pos;

	memcpy(iswrite ? at : buf, iswrite ? buf : at, count);
	return (ssize_t)count;
}

static ssize_t
regs_rw(struct rte_vfio_user_reg_info *reg, char *buf, size_t count, loff_t pos, bool iswrite)
{
	struct served *served = reg->priv;
	uint64_t value = 0;
	int rc;

	if (pos == SERVED_REG_FAIL)
		return -EPERM;
	if (pos == SERVED_REG_SHORT)
		return (ssize_t)count - 1;
	memcpy(&value, buf, RTE_MIN(count, sizeof(value)));
	if (pos == SERVED_REG_HOOK && iswrite && served->hook != NULL) {
		rc = served->hook(served, value);
		if (rc < 0)
			return rc;
	}
	if (iswrite) {
		atomic_fetch_add(&served->writes, 1);
		if (pos == 0)
			atomic_fetch_add(&served->sum, value);
	}
	return copy(served->regs, buf, count, pos, iswrite);
}

static ssize_t
large_rw(struct rte_vfio_user_reg_info *reg, char *buf, size_t count, loff_t pos, bool iswrite)
{
	struct served *served = reg->priv;

	if (iswrite)
		take_time(served);
	if (atomic_load(&served->skip_copy))
		return (ssize_t)count;
	return copy(served->large, buf, count, pos, iswrite);
}

/* For benchmarks: what is measured is the way, not the device. */
static ssize_t
sink_rw(struct rte_vfio_user_reg_info *reg, char *buf, size_t count, loff_t pos, bool iswrite)
{
	(void)reg;
	(void)buf;
	(void)pos;
	(void)iswrite;
	return (ssize_t)count;
}

static ssize_t
map_rw(struct rte_vfio_user_reg_info *reg, char *buf, size_t count, loff_t pos, bool iswrite)
{
	struct served *served = reg->priv;

	return copy(served->map, buf, count, pos, iswrite);
}

/* Information with a sparse capability of two areas. */
struct sparse_info {
	struct vfio_region_info info;
	struct {
		struct vfio_info_cap_header header;
		uint32_t nr_areas;
		uint32_t reserved;
		struct vfio_region_sparse_mmap_area areas[2];
	} sparse;
};

#define RW (VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE)

static const struct sparse_info sparse_info = {
	.info = {
		.argsz = sizeof(struct sparse_info),
		.flags = RW | VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS,
		.index = SERVED_MAPPABLE,
		.cap_offset = offsetof(struct sparse_info, sparse),
		.size = 65536,
	},
	.sparse = {
		.header = { .id = VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1 },
		.nr_areas = 2,
		.areas = { { 4096, 4096 }, { 32768, 8192 } },
	},
};

static void
set_regions(struct served *served)
{
	struct vfio_region_info info[SERVED_REGIONS] = {
		[SERVED_REGS] = { .flags = RW, .size = sizeof(served->regs) },
		[SERVED_MEM] = { .flags = RW, .size = sizeof(served->mem) },
		[SERVED_LARGE] = { .flags = RW, .size = 2u << 20 },
		[SERVED_ROM] = { .flags = VFIO_REGION_INFO_FLAG_READ, .size = 4096 },
		[SERVED_WHOLE] = { .flags = RW | VFIO_REGION_INFO_FLAG_MMAP, .size = 65536 },
		[SERVED_CONFIG] = { .flags = RW, .size = 256 },
		[SERVED_SINK] = { .flags = RW, .size = 2u << 20 },
	};
	struct sparse_info mappable = sparse_info;
	struct rte_vfio_user_regions *regions;
	uint32_t i;

	regions = calloc(1, sizeof(*regions) + SERVED_REGIONS * sizeof(regions->reg_info[0]));
	assert_non_null(regions);
	regions->reg_num = SERVED_REGIONS;
	for (i = 0; i < SERVED_REGIONS; i++) {
		info[i].argsz = sizeof(info[i]);
		info[i].index = i;
		regions->reg_info[i].info = &info[i];
		regions->reg_info[i].fd = -1;
		regions->reg_info[i].priv = served;
	}
	regions->reg_info[SERVED_REGS].rw = regs_rw;
	regions->reg_info[SERVED_MEM].base = served->mem;
	regions->reg_info[SERVED_MAPPABLE].rw = map_rw;
	regions->reg_info[SERVED_MAPPABLE].base = served->map;
	regions->reg_info[SERVED_MAPPABLE].info = &mappable.info;
	regions->reg_info[SERVED_MAPPABLE].fd = served->map_fd;
	regions->reg_info[SERVED_WHOLE].base = served->map;
	regions->reg_info[SERVED_WHOLE].fd = served->map_fd;
	regions->reg_info[SERVED_LARGE].rw = large_rw;
	regions->reg_info[SERVED_SINK].rw = sink_rw;
	regions->reg_info[SERVED_ROM].base = served->mem;
	regions->reg_info[SERVED_CONFIG].rw = regs_rw;
	assert_int_equal(rte_vfio_user_set_reg_info(served->path, regions), 0);
	free(regions);
}

static void
set_irqs(struct served *served)
{
	static const struct vfio_irq_info info[SERVED_IRQS] = {
		[VFIO_PCI_INTX_IRQ_INDEX] = { .count = 1, .flags = VFIO_IRQ_INFO_EVENTFD |
			VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED },
		[VFIO_PCI_MSI_IRQ_INDEX] = { .count = 4, .flags = VFIO_IRQ_INFO_EVENTFD },
		[VFIO_PCI_MSIX_IRQ_INDEX] = { .count = SERVED_MSIX_NB,
			.flags = VFIO_IRQ_INFO_EVENTFD },
		[VFIO_PCI_ERR_IRQ_INDEX] = { .count = 1, .flags = VFIO_IRQ_INFO_EVENTFD },
		[VFIO_PCI_REQ_IRQ_INDEX] = { .count = 1, .flags = VFIO_IRQ_INFO_EVENTFD },
	};
	struct rte_vfio_user_irq_info *irqs = malloc(sizeof(*irqs) + sizeof(info));

	assert_non_null(irqs);
	irqs->irq_num = SERVED_IRQS;
	memcpy(irqs->irq_info, info, sizeof(info));
	assert_int_equal(rte_vfio_user_set_irq_info(served->path, irqs), 0);
	free(irqs);
}

void
served_register(struct served *served, const char *path, const struct rte_vfio_user_options *opt)
{
	struct vfio_device_info info = {
		.argsz = sizeof(info),
		.flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
		.num_regions = SERVED_REGIONS,
		.num_irqs = SERVED_IRQS,
	};

	served->map_fd = peer_memory(65536);
	served->map = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, served->map_fd, 0);
	assert_ptr_not_equal(served->map, MAP_FAILED);
	served->large = calloc(1, 2u << 20);
	assert_non_null(served->large);
	memcpy(served->path, path, strlen(path) + 1);
	assert_int_equal(rte_vfio_user_register_opt(served->path, &ops, opt), 0);
	served->dev_id = rte_vfio_user_dev_id(served->path);
	assert_in_range(served->dev_id, 0, IDS_MAX - 1);
	atomic_store(&devices[served->dev_id], served);
	assert_int_equal(rte_vfio_user_set_dev_info(served->path, &info), 0);
	set_regions(served);
	set_irqs(served);
}

void
served_prepare(struct served *served, const struct rte_vfio_user_options *opt)
{
	char path[96];

	strcpy(served->dir, "/tmp/vu-test-XXXXXX");
	assert_non_null(mkdtemp(served->dir));
	snprintf(path, sizeof(path), "%s/sock", served->dir);
	served_register(served, path, opt);
}

void
served_start(struct served *served, const struct rte_vfio_user_options *opt)
{
	served_prepare(served, opt);
	assert_int_equal(rte_vfio_user_start(served->path), 0);
}

void
served_stop(struct served *served)
{
	struct served *self = served;

	assert_int_equal(rte_vfio_user_unregister(served->path), 0);
	/* another thread may have the id by now */
	atomic_compare_exchange_strong(&devices[served->dev_id], &self, NULL);
	assert_int_equal(atomic_load(&served->locked), 0);
	assert_int_equal(served->new_device, served->destroy_device);
	assert_int_equal(access(served->path, F_OK), -1);
	munmap(served->map, 65536);
	close(served->map_fd);
	free(served->large);
	if (served->dir[0] != '\0')
		assert_int_equal(rmdir(served->dir), 0);
}

/* In a section, for which the library keeps a few bytes. */
static void
be_reader(void)
{
	rte_vfio_user_irq_raise(0, 0, 0);
}

/* Threads leave a few bytes behind that others use again: have them there before counting. */
int
served_warm_up(void **state)
{
	struct served *served = calloc(1, sizeof(*served));
	struct served *other = calloc(1, sizeof(*other));
	struct vu_peer peer;

	(void)state;
	/* what is wrong with messages is what the tests are about */
	rte_log_set_level_pattern("lib.vfio_user", RTE_LOG_CRIT);
	served_start(served, NULL);
	served_start(other, NULL);
	peer_open(&peer, served->path);
	rte_vfio_user_irq_raise(served->dev_id, 0, 0);
	resources_warm_up(WARM_THREADS, 0, be_reader);
	peer_close(&peer);
	served_wait(&served->destroy_device, 1);
	served_stop(served);
	served_stop(other);
	free(served);
	free(other);
	return 0;
}

int
served_warm_up_sessions(void **state)
{
	static const char *const names[] = { "warm 0", "warm 1", "warm 2", "warm 3" };
	size_t i;

	for (i = 0; i < RTE_DIM(names); i++)
		assert_int_equal(rte_vfio_user_register(names[i], NULL), 0);
	for (i = 0; i < RTE_DIM(names); i++)
		assert_int_equal(rte_vfio_user_unregister(names[i]), 0);
	return served_warm_up(state);
}

void
served_expect(const char *path)
{
	uint32_t value = 1;
	struct vu_peer peer;

	peer_open(&peer, path);
	assert_int_equal(peer_write(&peer, SERVED_REGS, 0, &value, sizeof(value)), 0);
	peer_close(&peer);
}

int
served_setup(void **state)
{
	struct served *served = calloc(1, sizeof(*served));

	resources_take(&served->before);
	served_start(served, NULL);
	*state = served;
	return 0;
}

int
served_teardown(void **state)
{
	struct served *served = *state;

	served_stop(served);
	resources_assert_same(&served->before);
	resources_drop(&served->before);
	free(served);
	return 0;
}

/* Looking again is what tells the other thread that we are done with it. */
uint32_t
served_nb_regions(const struct served *served)
{
	const struct rte_vfio_user_mem *mem = rte_vfio_user_get_mem_table(served->dev_id);
	uint32_t nb = mem != NULL ? mem->entry_num : 0;

	rte_vfio_user_get_mem_table(served->dev_id);
	return nb;
}

void
served_wait(const atomic_int *counter, int value)
{
	unsigned int tries;

	for (tries = 0; tries < 20000 && atomic_load(counter) != value; tries++)
		usleep(1000);
	assert_int_equal(atomic_load(counter), value);
}
