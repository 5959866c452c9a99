/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <rte_branch_prediction.h>

#include "vu_cmd.h"
#include "vu_log.h"
#include "vu_session.h"

static const vu_handler handlers[VU_CMD_NB] = {
	[VU_VERSION] = vu_handle_version,
	[VU_DMA_MAP] = vu_handle_dma_map,
	[VU_DMA_UNMAP] = vu_handle_dma_unmap,
	[VU_GET_INFO] = vu_handle_get_info,
	[VU_GET_REGION_INFO] = vu_handle_get_region_info,
	[VU_GET_REGION_IO_FDS] = vu_handle_get_region_io_fds,
	[VU_GET_IRQ_INFO] = vu_handle_get_irq_info,
	[VU_SET_IRQS] = vu_handle_set_irqs,
	[VU_REGION_READ] = vu_handle_region_read,
	[VU_REGION_WRITE] = vu_handle_region_write,
	[VU_RESET] = vu_handle_reset,
	[VU_REGION_WRITE_MULTI] = vu_handle_region_write_multi,
	[VU_FEATURE] = vu_handle_feature,
	[VU_MIG_DATA_READ] = vu_handle_mig_data_read,
	[VU_MIG_DATA_WRITE] = vu_handle_mig_data_write,
	[VU_DMA_MAP_MULTI] = vu_handle_dma_map_multi,
};

/* ---- replies ---- */

__rte_noinline int
vu_reply_not_sent(struct vu_session *s, int rc)
{
	vu_session_stir(s);
	if (rc < 0)
		vu_session_doom(s, rc);
	return 0;
}

int
vu_reply(struct vu_session *s, const struct vu_rx_msg *msg, const struct iovec *payload,
	unsigned int nb, const int *fds, unsigned int nb_fds)
{
	return vu_reply_sent(s, vu_conn_reply(&s->conn, &msg->hdr, payload, nb, fds, nb_fds));
}

int
vu_reply_data(struct vu_session *s, const struct vu_rx_msg *msg, const void *data, size_t len)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };

	return vu_reply(s, msg, &iov, 1, NULL, 0);
}

void *
vu_reply_begin(struct vu_session *s, size_t len)
{
	vu_session_work(s, len / VU_TURN_BYTES);
	return vu_tx_reserve(&s->spare, len);
}

/* The queue of the connection is empty: the one that was filled takes its place. */
static void
reply_swap_queues(struct vu_session *s)
{
	struct vu_tx filled = s->spare;

	filled.corked = s->conn.tx.corked;
	s->spare = s->conn.tx;
	s->spare.corked = false;
	s->conn.tx = filled;
}

int
vu_reply_end(struct vu_session *s, const struct vu_rx_msg *msg, size_t len)
{
	if (vu_conn_want_write(&s->conn) || s->conn.tx.broken)
		return vu_reply_data(s, msg, s->spare.buf + sizeof(struct vu_hdr), len);
	reply_swap_queues(s);
	return vu_reply_sent(s, vu_conn_reply_end(&s->conn, &msg->hdr, len));
}

static __rte_noinline void
reply_error(struct vu_session *s, const struct vu_rx_msg *msg, int rc)
{
	VU_LOG(DEBUG, "%s: %s: %s", s->name, vu_cmd_name(msg->hdr.cmd), strerror(-rc));
	vu_reply_sent(s, vu_conn_reply_error(&s->conn, &msg->hdr, rc));
}

/* ---- commands ---- */

/* The first message is a VERSION, and no other one is. */
static int
dispatch_order_check(const struct vu_session *s, const struct vu_rx_msg *msg)
{
	bool version = msg->hdr.cmd == VU_VERSION;

	return likely(version == (s->state == VU_NEGOTIATING)) ? 0 : -EINVAL;
}

static int
dispatch_check(const struct vu_session *s, const struct vu_rx_msg *msg)
{
	int rc;

	rc = dispatch_order_check(s, msg);
	if (unlikely(rc < 0))
		return rc;
	if (unlikely(msg->fds->nb > 0) && vu_fds_lost(msg->fds))
		return -EMFILE;
	return vu_request_check(msg->hdr.cmd, VU_TO_SERVER, msg->payload, msg->len, msg->fds->nb);
}

void
vu_dispatch(struct vu_session *s, const struct vu_rx_msg *msg)
{
	const struct vu_hdr *outer = s->current;
	int rc;

	s->depth++;
	s->current = &msg->hdr;
	rc = dispatch_check(s, msg);
	if (likely(rc == 0))
		rc = handlers[msg->hdr.cmd](s, msg);
	if (unlikely(rc < 0))
		reply_error(s, msg, rc);
	/* who cannot say what version he speaks is no peer */
	if (unlikely(s->state == VU_NEGOTIATING))
		vu_session_doom(s, rc < 0 ? rc : -EPROTO);
	s->current = outer;
	s->depth--;
}
