/* SPDX-License-Identifier: BSD-3-Clause */

#include <pthread.h>

#include "test.h"
#include "vu_pair_dma.h"

struct pair_how pair_dma_no_twin = {
	.client = { .flags = RTE_VFIO_USER_ATTACH_F_NO_TWIN },
	.server = { .request_timeout_ms = 10000 },
};

void
pair_dma_host(struct pair *pair, uint64_t gpa, uint64_t size, uint32_t device_prot, void *memory,
	int host_prot)
{
	assert_int_equal(pair_map(pair, gpa, size, device_prot, -1, 0), 0);
	assert_int_equal(rte_vfio_user_dma_host(pair->dev_id, gpa, size, memory, host_prot), 0);
}

void *
pair_dma_main(void *arg)
{
	struct pair_dma_work *work = arg;
	int dev_id = work->pair->served.dev_id;

	work->rc = work->write ?
		rte_vfio_user_dma_write(dev_id, work->addr, work->buf, work->len) :
		rte_vfio_user_dma_read(dev_id, work->addr, work->buf, work->len);
	atomic_store(&work->done, true);
	return NULL;
}

static int
work_do(struct pair_dma_work *work)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, pair_dma_main, work), 0);
	while (!atomic_load(&work->done))
		assert_true(rte_vfio_user_serve(work->pair->dev_id, 1) >= 0);
	pthread_join(thread, NULL);
	return work->rc;
}

int
pair_dma_read(struct pair *pair, uint64_t addr, uint8_t *buf, uint64_t len)
{
	struct pair_dma_work work = { .pair = pair, .addr = addr, .buf = buf, .len = len };

	return work_do(&work);
}

int
pair_dma_write(struct pair *pair, uint64_t addr, uint8_t *buf, uint64_t len)
{
	struct pair_dma_work work = { .pair = pair, .write = true, .addr = addr, .buf = buf,
		.len = len };

	return work_do(&work);
}

void
pair_dma_fill(uint8_t *bytes, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 11 + i / 253);
}
