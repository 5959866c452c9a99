/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <rte_log.h>
#include <rte_vfio_user.h>

#include "vu_rx.h"

#include "fuzz.h"
#include "vu_golden.h"

#define IOVA UINT64_C(0x100000000)

static void
must(int good)
{
	if (!good)
		abort();
}

/* ---- the server ---- */

struct peer {
	int sock;
	int twin;	/* -1: there is none */
	bool lied;	/* a packet was sent */
	struct vu_rx rx;
	struct vu_rx_msg request;	/* the last one */
	const uint8_t *data;
	size_t len;
	pthread_t thread;
};

/* Make a second socket and tell the client. */
static void
peer_send_twin(struct peer *peer, const struct fuzz_packet *packet)
{
	int sock[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) == 0);
	fuzz_packet_send_fds(peer->sock, packet, &sock[1], 1);
	close(sock[1]);
	peer->twin = sock[0];
}

/* ---- right answers ---- */

#define HONEST_MAX 65536u

/* A golden message, or the first bytes of the request; zeros behind it. */
static const struct {
	const char *golden;
	uint8_t echo;
	uint8_t count_at;	/* where the request says how many zeros; 0: none */
} honest[VU_CMD_NB] = {
	[VU_VERSION] = { .golden = "version_full_reply" },
	[VU_DMA_MAP] = { .echo = 0 },
	[VU_DMA_UNMAP] = { .echo = 40, .count_at = 32 },
	[VU_GET_INFO] = { .golden = "get_info_reply" },
	[VU_GET_REGION_INFO] = { .golden = "get_region_info_reply" },
	[VU_GET_REGION_IO_FDS] = { .golden = "get_region_io_fds_reply" },
	[VU_GET_IRQ_INFO] = { .golden = "get_irq_info_reply" },
	[VU_REGION_READ] = { .echo = 16, .count_at = 12 },
	[VU_REGION_WRITE] = { .echo = 16 },
	[VU_REGION_WRITE_MULTI] = { .echo = 8 },
	[VU_FEATURE] = { .golden = "feature_migration_get_reply" },
	[VU_MIG_DATA_READ] = { .golden = "mig_data_read_reply" },
	[VU_DMA_MAP_MULTI] = { .echo = 8 },
};

static size_t
honest_echo(const struct vu_rx_msg *request, uint8_t *bytes)
{
	const uint16_t cmd = request->hdr.cmd;
	const struct vu_hdr *at = (const void *)bytes;
	size_t len = honest[cmd].echo < request->len ? honest[cmd].echo : request->len;
	uint32_t zeros = 0;

	if (honest[cmd].count_at > 0 && request->len >= honest[cmd].count_at + sizeof(zeros))
		memcpy(&zeros, request->payload + honest[cmd].count_at, sizeof(zeros));
	must(zeros < HONEST_MAX);
	memset(bytes, 0, sizeof(*at) + len + zeros);
	memcpy(bytes + sizeof(*at), request->payload, len);
	return sizeof(*at) + len + zeros;
}

/* What is told of a region does not depend on which one it is. */
static size_t
honest_golden(const struct vu_rx_msg *request, uint8_t *bytes, unsigned int *nb_fds)
{
	const struct vu_golden *golden = vu_golden_find(honest[request->hdr.cmd].golden);
	uint32_t argsz = 0;
	size_t len;

	if (request->len >= sizeof(argsz))
		memcpy(&argsz, request->payload, sizeof(argsz));
	if (request->hdr.cmd == VU_GET_REGION_INFO && argsz < 80)
		golden = vu_golden_find("get_region_info_short_reply");
	*nb_fds = golden->nb_fds;
	len = vu_golden_bytes(golden, bytes);
	if (request->hdr.cmd == VU_GET_REGION_INFO && request->len >= 12)
		memcpy(bytes + sizeof(struct vu_hdr) + 8, request->payload + 8, 4);
	return len;
}

size_t fuzz_client_split;

/* Until the client has taken what was sent, or hung up. */
static void
peer_wait_taken(const struct peer *peer)
{
	int unread;

	while (ioctl(peer->sock, SIOCOUTQ, &unread) == 0 && unread > 0)
		sched_yield();
}

static void
peer_send_right(struct peer *peer, const struct fuzz_packet *packet, bool twin)
{
	struct fuzz_packet first = *packet, rest = { .len = 0 };

	if (fuzz_client_split > 0 && fuzz_client_split < packet->len) {
		first.len = fuzz_client_split;
		rest.data = packet->data + first.len;
		rest.len = packet->len - first.len;
	}
	if (twin)
		peer_send_twin(peer, &first);
	else
		fuzz_packet_send(peer->sock, &first);
	if (rest.len == 0)
		return;
	peer_wait_taken(peer);
	fuzz_packet_send(peer->sock, &rest);
}

static void
peer_answer_honestly(struct peer *peer)
{
	const struct vu_rx_msg *request = &peer->request;
	struct vu_hdr hdr = { .id = request->hdr.id, .cmd = request->hdr.cmd,
		.flags = VU_F_TYPE_REPLY };
	struct fuzz_packet packet = { .fd_kind = FUZZ_MEMORY };
	static uint8_t bytes[HONEST_MAX + 64];

	if (request->hdr.flags & VU_F_NO_REPLY)
		return;
	must(hdr.cmd < VU_CMD_NB);
	if (honest[hdr.cmd].golden != NULL)
		packet.len = honest_golden(request, bytes, &packet.nb_fds);
	else
		packet.len = honest_echo(request, bytes);
	hdr.size = (uint32_t)packet.len;
	memcpy(bytes, &hdr, sizeof(hdr));
	packet.data = bytes;
	peer_send_right(peer, &packet, hdr.cmd == VU_VERSION && peer->twin < 0);
}

/* ---- wrong answers ---- */

/*
 * Waits for a request, but not for long behind a bad answer: the client may say nothing more.
 * Returns 1: there is one; 0: there is none; < 0: the client is gone.
 */
static int
peer_wait(struct peer *peer)
{
	const struct timespec patience = { .tv_nsec = peer->lied ? 300000 : 500000000 };
	struct pollfd pfd = { .fd = peer->sock, .events = POLLIN };
	int rc;

	do {
		while ((rc = vu_rx_next(&peer->rx, &peer->request)) == 0) {
			ppoll(&pfd, 1, &patience, NULL);
			rc = vu_rx_fill(&peer->rx, peer->sock, MSG_DONTWAIT);
			if (rc < 0)
				return rc == -EAGAIN ? 0 : rc;
		}
	} while (rc == 1 && (peer->request.hdr.flags & VU_F_TYPE_MASK) == VU_F_TYPE_REPLY);
	return rc;
}

/* The command that a packet answers. */
static uint16_t
packet_cmd(const struct fuzz_packet *packet)
{
	uint16_t cmd = 0;

	if (packet->len >= 4)
		memcpy(&cmd, packet->data + 2, sizeof(cmd));
	return cmd;
}

/* Requests of other commands are answered right until one comes that the packet is for. */
static int
peer_wait_for(struct peer *peer, const struct fuzz_packet *packet)
{
	int rc;

	while ((rc = peer_wait(peer)) == 1 && !packet->bit6 &&
			peer->request.hdr.cmd != packet_cmd(packet))
		peer_answer_honestly(peer);
	return rc;
}

/* The id of the request is in the first two bytes of the header. */
static void
peer_answer(struct peer *peer, const struct fuzz_packet *packet)
{
	struct fuzz_packet answer = *packet;
	uint8_t *bytes = malloc(packet->len + 1);

	memcpy(bytes, packet->data, packet->len);
	if (!packet->bit6 && packet->len >= 2)
		memcpy(bytes, &peer->request.hdr.id, 2);
	answer.data = bytes;
	peer->lied = true;
	if (packet->fd_kind != FUZZ_TWIN)
		fuzz_packet_send(peer->sock, &answer);
	else if (peer->twin < 0)
		peer_send_twin(peer, &answer);
	else
		fuzz_packet_send(peer->twin, &answer);
	free(bytes);
}

static void *
peer_run(void *arg)
{
	struct peer *peer = arg;
	struct fuzz_packet packet;
	int rc = 0;

	must(vu_rx_init(&peer->rx, 2u << 20, VU_SCM_MAX_FD) == 0);
	while (rc >= 0 && fuzz_packet_next(&peer->data, &peer->len, &packet)) {
		if (!packet.bit7)
			rc = peer_wait_for(peer, &packet);
		if (rc >= 0)
			peer_answer(peer, &packet);
	}
	while (rc >= 0 && (rc = peer_wait(peer)) == 1)
		peer_answer_honestly(peer);
	vu_rx_fini(&peer->rx);
	shutdown(peer->sock, SHUT_RDWR);
	if (peer->twin >= 0)
		close(peer->twin);
	return NULL;
}

/* ---- the client's calls ---- */

static void
called(int64_t rc)
{
	fuzz_reached.calls++;
	if (rc < 0)
		fuzz_reached.failed++;
}

static void
call_dma(int dev_id, int fd)
{
	struct rte_vfio_user_mem_reg mem[2] = {
		{ .gpa = IOVA, .size = 65536, .protection = PROT_READ | PROT_WRITE,
			.flags = RTE_VUSER_MEM_MAPPABLE },
		{ .gpa = IOVA + 65536, .size = 4096, .protection = PROT_READ },
	};
	int fds[2] = { fd, -1 };
	uint64_t bitmap = 0;

	called(rte_vfio_user_dma_map(dev_id, mem, fds, 2));
	called(rte_vfio_user_dma_unmap(dev_id, mem, 2));
	called(rte_vfio_user_dma_unmap_all(dev_id));
	called(rte_vfio_user_dma_unmap_dirty(dev_id, IOVA, 65536, 4096, &bitmap, sizeof(bitmap)));
}

/* Regions that a server can be told of in one message. */
static void
call_dma_multi(int dev_id, int fd)
{
	struct rte_vfio_user_mem_reg mem[3];
	int fds[3] = { fd, fd, fd };
	uint64_t i;

	for (i = 0; i < 3; i++)
		mem[i] = (struct rte_vfio_user_mem_reg) { .gpa = IOVA + i * 65536, .size = 65536,
			.protection = PROT_READ | PROT_WRITE, .flags = RTE_VUSER_MEM_MAPPABLE };
	called(rte_vfio_user_dma_map(dev_id, mem, fds, 3));
	called(rte_vfio_user_dma_unmap(dev_id, mem, 3));
}

static void
call_info(int dev_id)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_irq_info irq = { .argsz = sizeof(irq), .index = 2 };
	union {
		struct vfio_region_info info;
		char room[256];
	} region = { .info = { .argsz = sizeof(region), .index = 2 } };
	struct rte_vfio_user_io_fd io_fd[4];
	int fd = -1, i, nb;

	called(rte_vfio_user_get_dev_info(dev_id, &info));
	called(rte_vfio_user_get_reg_info(dev_id, &region.info, &fd));
	if (fd >= 0)
		close(fd);
	nb = rte_vfio_user_get_io_fds(dev_id, 1, io_fd, 4);
	called(nb);
	for (i = 0; i < nb && i < 4; i++) {
		if (io_fd[i].fd >= 0)
			close(io_fd[i].fd);
		if (io_fd[i].shadow_fd >= 0)
			close(io_fd[i].shadow_fd);
	}
	called(rte_vfio_user_get_irq_info(dev_id, &irq));
}

static void
call_irqs(int dev_id, int fd)
{
	union {
		struct vfio_irq_set set;
		uint32_t words[5 + 3];
	} u = { .words = { 32, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		VFIO_PCI_MSIX_IRQ_INDEX, 0, 3, (uint32_t)fd, UINT32_MAX, (uint32_t)fd } };

	called(rte_vfio_user_set_irqs(dev_id, &u.set));
}

static void
call_regions(int dev_id)
{
	const struct rte_vfio_user_write wr[2] = { { .offset = 0x10, .count = 4 },
		{ .offset = 0x18, .count = 8 } };
	static char large[20000];
	uint32_t data = 0;

	called(rte_vfio_user_region_read(dev_id, 0, 0x10, sizeof(data), &data));
	called(rte_vfio_user_region_write(dev_id, 0, 0x10, sizeof(data), &data));
	called(rte_vfio_user_region_read(dev_id, 0, 0, sizeof(large), large));
	called(rte_vfio_user_region_post(dev_id, 0, 0x10, sizeof(data), &data));
	called(rte_vfio_user_region_write_multi(dev_id, wr, 2, false));
	called(rte_vfio_user_reset(dev_id));
}

static void
call_migration(int dev_id)
{
	union {
		struct vfio_device_feature feature;
		char room[64];
	} u = { .feature = { .argsz = sizeof(u),
		.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIGRATION } };
	char data[64];

	called(rte_vfio_user_feature(dev_id, &u.feature, sizeof(u.feature)));
	called(rte_vfio_user_mig_read(dev_id, data, sizeof(data)));
	called(rte_vfio_user_mig_write(dev_id, data, sizeof(data)));
}

static void
call_all(int sock)
{
	const struct rte_vfio_user_attach_options opt = {
		.size = sizeof(opt),
		.flags = RTE_VFIO_USER_ATTACH_F_SOCK_FD,
		.timeout_ms = 100,
		.sock_fd = sock,
	};
	static char host[4096];
	int dev_id = rte_vfio_user_attach_dev_opt("fuzz", &opt);
	int fd;

	if (dev_id < 0)
		return;
	fd = eventfd(0, EFD_CLOEXEC);
	called(rte_vfio_user_dma_host(dev_id, IOVA, sizeof(host), host, PROT_READ | PROT_WRITE));
	call_dma(dev_id, fd);
	call_info(dev_id);
	call_irqs(dev_id, fd);
	call_regions(dev_id);
	call_dma_multi(dev_id, fd);
	call_migration(dev_id);
	called(rte_vfio_user_serve(dev_id, 0));
	rte_vfio_user_detach_dev(dev_id);
	close(fd);
}

static int
lowest_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

int
fuzz_client(const uint8_t *data, size_t len)
{
	struct peer peer = { .data = data, .len = len, .twin = -1 };
	int sock[2], before;

	rte_log_set_global_level(RTE_LOG_EMERG);
	before = lowest_fd();
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) == 0);
	peer.sock = sock[1];
	must(pthread_create(&peer.thread, NULL, peer_run, &peer) == 0);
	call_all(sock[0]);
	pthread_join(peer.thread, NULL);
	close(sock[1]);
	must(lowest_fd() == before);
	return 0;
}
