/* SPDX-License-Identifier: BSD-3-Clause */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_served.h"

#include "test.h"
#include "vu_unshared.h"

#include "test.h"

static void *
worker_main(void *arg)
{
	struct unshared_worker *w = arg;
	int dev_id = w->served->dev_id;

	w->rc = w->write ? rte_vfio_user_dma_write(dev_id, w->addr, w->buf, w->len) :
		rte_vfio_user_dma_read(dev_id, w->addr, w->buf, w->len);
	return NULL;
}

void
unshared_worker_start(struct unshared_worker *w)
{
	w->rc = 1;
	assert_int_equal(pthread_create(&w->thread, NULL, worker_main, w), 0);
}

int
unshared_worker_join(struct unshared_worker *w)
{
	pthread_join(w->thread, NULL);
	return w->rc;
}

void
unshared_expect(struct vu_peer *peer, uint16_t cmd, struct vu_dma_access *access)
{
	assert_true(peer_receive(peer));
	assert_int_equal(peer->hdr.cmd, cmd);
	assert_int_equal(peer->hdr.flags, VU_F_TYPE_COMMAND);
	assert_true(peer->len >= sizeof(*access));
	memcpy(access, peer->payload, sizeof(*access));
	assert_int_equal(peer->len,
		sizeof(*access) + (cmd == VU_DMA_WRITE ? access->count : 0));
}

void
unshared_reply(struct vu_peer *peer, uint32_t flags, uint32_t error, const void *payload,
	size_t len)
{
	struct vu_hdr hdr = peer->hdr;
	uint8_t *bytes = malloc(sizeof(hdr) + len);

	hdr.size = (uint32_t)(sizeof(hdr) + len);
	hdr.flags = VU_F_TYPE_REPLY | flags;
	hdr.error = error;
	memcpy(bytes, &hdr, sizeof(hdr));
	if (len > 0)
		memcpy(bytes + sizeof(hdr), payload, len);
	peer_send_raw(peer, bytes, sizeof(hdr) + len, NULL, 0);
	free(bytes);
}

uint8_t
unshared_pattern(uint64_t addr)
{
	return (uint8_t)(addr * 31 + (addr >> 8));
}

void
unshared_answer_read(struct vu_peer *peer)
{
	struct vu_dma_access access;
	uint8_t *reply;
	uint64_t i;

	unshared_expect(peer, VU_DMA_READ, &access);
	reply = malloc(sizeof(access) + access.count);
	memcpy(reply, &access, sizeof(access));
	for (i = 0; i < access.count; i++)
		reply[sizeof(access) + i] = unshared_pattern(access.addr + i);
	unshared_reply(peer, 0, 0, reply, sizeof(access) + access.count);
	free(reply);
}

void
unshared_answer_write(struct vu_peer *peer, size_t reply_len)
{
	struct vu_dma_access access;
	uint64_t i;

	unshared_expect(peer, VU_DMA_WRITE, &access);
	for (i = 0; i < access.count; i++)
		assert_int_equal(peer->payload[sizeof(access) + i],
			unshared_pattern(access.addr + i));
	unshared_reply(peer, 0, 0, &access, reply_len);
}

void
unshared_open(struct vu_peer *peer, struct served *served, const char *json)
{
	peer_connect(peer, served->path);
	assert_int_equal(peer_version(peer, json), 0);
	assert_int_equal(peer_map(peer, BASE, SIZE, RW, -1, 0), 0);
}

void
unshared_assert_pattern(const uint8_t *buf, uint64_t addr, uint64_t len)
{
	uint64_t i;

	for (i = 0; i < len; i++)
		if (buf[i] != unshared_pattern(addr + i))
			fail_msg("byte %lu", (unsigned long)i);
}

void
unshared_restart(struct served *served, const struct rte_vfio_user_options *opt)
{
	served_stop(served);
	memset(served, 0, offsetof(struct served, before));
	served->new_device = served->destroy_device = 0;
	served_start(served, opt);
}
