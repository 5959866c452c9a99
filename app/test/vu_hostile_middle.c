/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_conn.h"

#include "test.h"
#include "vu_hostile.h"

static int
middle_pass(int sock, const struct vu_rx_msg *msg)
{
	uint8_t *bytes = malloc(msg->hdr.size);
	int rc;

	memcpy(bytes, &msg->hdr, sizeof(msg->hdr));
	memcpy(bytes + sizeof(msg->hdr), msg->payload, msg->len);
	rc = vu_hostile_send_bytes(sock, bytes, msg->hdr.size, msg->fds->fd, msg->fds->nb);
	free(bytes);
	return rc;
}

/* Returns < 0 if the connection is to end. */
static int
middle_spoil(struct vu_hostile_middle *middle, int sock, const struct vu_rx_msg *msg)
{
	struct vu_hostile_msg *out = malloc(sizeof(*out));
	uint8_t *bytes = malloc(msg->hdr.size);
	int rc;

	memcpy(bytes, &msg->hdr, sizeof(msg->hdr));
	memcpy(bytes + sizeof(msg->hdr), msg->payload, msg->len);
	middle->came = true;
	middle->done = vu_hostile_mutate(bytes, msg->hdr.size, msg->fds->nb, middle->mutation,
			out);
	if (!middle->done) {
		rc = -ENOENT;
		goto out;
	}
	snprintf(middle->what, sizeof(middle->what), "%s, %s", vu_cmd_name(msg->hdr.cmd),
		out->what);
	if (out->fd_kind == VU_HOSTILE_FD_AS_IS && out->nb_fds > 0)
		rc = vu_hostile_send_bytes(sock, out->bytes, out->len, msg->fds->fd, msg->fds->nb);
	else
		rc = vu_hostile_send(sock, out);
	if (out->cut)
		rc = -ENOTCONN;
out:
	free(bytes);
	free(out);
	return rc;
}

/* Passes on what came from one side. Returns < 0 if that is the end. */
static int
middle_relay(struct vu_hostile_middle *middle, struct vu_rx *rx, int from, int to, bool spoil,
	unsigned int *seen)
{
	struct vu_rx_msg msg;
	int rc;

	rc = vu_rx_fill(rx, from, MSG_DONTWAIT);
	if (rc < 0)
		return rc == -EAGAIN ? 0 : rc;
	while ((rc = vu_rx_next(rx, &msg)) == 1) {
		rc = spoil && (*seen)++ == middle->nth ? middle_spoil(middle, to, &msg) :
			middle_pass(to, &msg);
		if (rc < 0)
			break;
	}
	return rc;
}

static void *
middle_run(void *arg)
{
	struct vu_hostile_middle *middle = arg;
	struct pollfd pfd[2] = {
		{ .fd = middle->client, .events = POLLIN },
		{ .fd = middle->server, .events = POLLIN },
	};
	const uint32_t max = VU_DEFAULT_MAX_DATA_XFER + VU_CONN_OVERHEAD;
	struct vu_rx from_client, from_server;
	unsigned int seen = 0;
	int rc = 0;

	assert_int_equal(vu_rx_init(&from_client, max, VU_SCM_MAX_FD), 0);
	assert_int_equal(vu_rx_init(&from_server, max, VU_SCM_MAX_FD), 0);
	while (rc >= 0 && poll(pfd, 2, VU_HOSTILE_PATIENCE_MS) > 0) {
		if (pfd[0].revents != 0)
			rc = middle_relay(middle, &from_client, middle->client, middle->server,
					!middle->to_client, &seen);
		if (rc >= 0 && pfd[1].revents != 0)
			rc = middle_relay(middle, &from_server, middle->server, middle->client,
					middle->to_client, &seen);
	}
	vu_rx_fini(&from_client);
	vu_rx_fini(&from_server);
	close(middle->client);
	close(middle->server);
	return NULL;
}

void
vu_hostile_middle_start(struct vu_hostile_middle *middle)
{
	pthread_t *thread = malloc(sizeof(*thread));

	middle->came = middle->done = false;
	middle->what[0] = '\0';
	assert_int_equal(pthread_create(thread, NULL, middle_run, middle), 0);
	middle->thread = thread;
}

void
vu_hostile_middle_join(struct vu_hostile_middle *middle)
{
	pthread_t *thread = middle->thread;

	pthread_join(*thread, NULL);
	free(thread);
}
