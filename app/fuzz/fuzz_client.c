/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_log.h>
#include <rte_vfio_user.h>

#include "vu_rx.h"

#include "fuzz.h"

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
	const uint8_t *data;
	size_t len;
	pthread_t thread;
};

/*
 * Waits for a request, but not for long: a client that got a bad answer may say nothing more.
 * Returns 0 if it is gone.
 */
static int
peer_wait(struct peer *peer, struct vu_rx *rx, struct vu_hdr *hdr)
{
	const struct timespec patience = { .tv_nsec = 300000 };
	struct pollfd pfd = { .fd = peer->sock, .events = POLLIN };
	struct vu_rx_msg msg;
	int rc;

	while ((rc = vu_rx_next(rx, &msg)) == 0) {
		ppoll(&pfd, 1, &patience, NULL);
		rc = vu_rx_fill(rx, peer->sock, MSG_DONTWAIT);
		if (rc < 0)
			return rc == -EAGAIN;
	}
	*hdr = msg.hdr;
	return rc == 1;
}

/* Id and command of the request are in the first four bytes of header. */
static void
peer_answer(struct peer *peer, const struct fuzz_packet *packet, const struct vu_hdr *hdr)
{
	struct fuzz_packet answer = *packet;
	uint8_t *bytes = malloc(packet->len + 1);

	memcpy(bytes, packet->data, packet->len);
	if (!packet->bit6 && packet->len >= 4)
		memcpy(bytes, hdr, 4);
	answer.data = bytes;
	fuzz_packet_send(peer->sock, &answer);
	free(bytes);
}

static void *
peer_run(void *arg)
{
	struct peer *peer = arg;
	struct vu_hdr hdr = { .id = 0 };
	struct fuzz_packet packet;
	struct vu_rx rx;

	must(vu_rx_init(&rx, 2u << 20, VU_SCM_MAX_FD) == 0);
	while (fuzz_packet_next(&peer->data, &peer->len, &packet)) {
		if (!packet.bit7 && !peer_wait(peer, &rx, &hdr))
			break;
		peer_answer(peer, &packet, &hdr);
	}
	vu_rx_fini(&rx);
	shutdown(peer->sock, SHUT_RDWR);
	return NULL;
}

/* ---- the client's calls, in the order of the golden replies ---- */

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

	rte_vfio_user_dma_map(dev_id, mem, fds, 2);
	rte_vfio_user_dma_unmap(dev_id, mem, 2);
	rte_vfio_user_dma_unmap_all(dev_id);
	rte_vfio_user_dma_unmap_dirty(dev_id, IOVA, 65536, 4096, &bitmap, sizeof(bitmap));
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

	rte_vfio_user_get_dev_info(dev_id, &info);
	rte_vfio_user_get_reg_info(dev_id, &region.info, &fd);
	if (fd >= 0)
		close(fd);
	nb = rte_vfio_user_get_io_fds(dev_id, 1, io_fd, 4);
	for (i = 0; i < nb && i < 4; i++) {
		if (io_fd[i].fd >= 0)
			close(io_fd[i].fd);
		if (io_fd[i].shadow_fd >= 0)
			close(io_fd[i].shadow_fd);
	}
	rte_vfio_user_get_irq_info(dev_id, &irq);
}

static void
call_irqs(int dev_id, int fd)
{
	union {
		struct vfio_irq_set set;
		uint32_t words[5 + 3];
	} u = { .words = { 32, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		VFIO_PCI_MSIX_IRQ_INDEX, 0, 3, (uint32_t)fd, UINT32_MAX, (uint32_t)fd } };

	rte_vfio_user_set_irqs(dev_id, &u.set);
}

static void
call_regions(int dev_id)
{
	const struct rte_vfio_user_write wr[2] = { { .offset = 0x10, .count = 4 },
		{ .offset = 0x18, .count = 8 } };
	static char large[20000];
	uint32_t data = 0;

	rte_vfio_user_region_read(dev_id, 0, 0x10, sizeof(data), &data);
	rte_vfio_user_region_write(dev_id, 0, 0x10, sizeof(data), &data);
	rte_vfio_user_region_read(dev_id, 0, 0, sizeof(large), large);
	rte_vfio_user_region_post(dev_id, 0, 0x10, sizeof(data), &data);
	rte_vfio_user_region_write_multi(dev_id, wr, 2, false);
	rte_vfio_user_reset(dev_id);
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

	rte_vfio_user_feature(dev_id, &u.feature, sizeof(u.feature));
	rte_vfio_user_mig_read(dev_id, data, sizeof(data));
	rte_vfio_user_mig_write(dev_id, data, sizeof(data));
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
	rte_vfio_user_dma_host(dev_id, IOVA, sizeof(host), host, PROT_READ | PROT_WRITE);
	call_dma(dev_id, fd);
	call_info(dev_id);
	call_irqs(dev_id, fd);
	call_regions(dev_id);
	call_migration(dev_id);
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
	struct peer peer = { .data = data, .len = len };
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
