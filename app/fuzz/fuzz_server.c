/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_log.h>
#include <rte_vfio_user.h>

#include "fuzz.h"

#define NAME "fuzz"
#define REGION_SIZE 65536u
#define NB_REGIONS 9u
#define NB_IRQS 5u

/* A region by callback, one in memory that can be mapped, and the configuration space. */
#define REGION_CALL   0u
#define REGION_MEMORY 1u
#define REGION_CONFIG 7u

static char *memory;
static int memory_fd = -1;

static void
must(int good)
{
	if (!good)
		abort();
}

/* ---- the device ---- */

static void
copied(int rc)
{
	if (rc == 0)
		fuzz_reached.copies++;
}

/* A store of an address makes the device read or write the guest's memory. */
static void
device_dma(loff_t pos, uint64_t addr)
{
	int dev_id = rte_vfio_user_dev_id(NAME);
	char buf[64] = { 0 };
	struct iovec iov[4];

	if (pos == 0x100)
		copied(rte_vfio_user_dma_read(dev_id, addr, buf, sizeof(buf)));
	else if (pos == 0x108)
		copied(rte_vfio_user_dma_write(dev_id, addr, buf, sizeof(buf)));
	else if (pos == 0x110 && rte_vfio_user_dma_enter(dev_id) == 0) {
		if (rte_vfio_user_dma_sg(dev_id, addr, 8, PROT_WRITE, iov, 4) == 1)
			memset(iov[0].iov_base, 0xa5, iov[0].iov_len);
		rte_vfio_user_dma_leave(dev_id);
	} else if (pos == 0x118)
		rte_vfio_user_irq_raise(dev_id, (uint32_t)addr, (uint32_t)(addr >> 32));
}

static ssize_t
device_rw(struct rte_vfio_user_reg_info *reg, char *buf, size_t count, loff_t pos, bool iswrite)
{
	uint64_t addr;

	must(pos >= 0 && (uint64_t)pos < reg->info->size &&
		count <= reg->info->size - (uint64_t)pos && count > 0);
	if (!iswrite) {
		memset(buf, 0x5a, count);
	} else if (count == sizeof(addr)) {
		memcpy(&addr, buf, sizeof(addr));
		device_dma(pos, addr);
	}
	return (ssize_t)count;
}

static int
device_agree(int dev_id)
{
	(void)dev_id;
	return 0;
}

static int
device_update(int dev_id)
{
	const struct rte_vfio_user_mem *mem = rte_vfio_user_get_mem_table(dev_id);

	if (mem != NULL && mem->entry_num > fuzz_reached.regions)
		fuzz_reached.regions = mem->entry_num;
	return 0;
}

static int
device_lock(int dev_id, int lock)
{
	(void)dev_id;
	(void)lock;
	return 0;
}

static void
device_gone(int dev_id)
{
	(void)dev_id;
}

static int
device_state(int dev_id, uint32_t state)
{
	(void)dev_id;
	(void)state;
	return 0;
}

static ssize_t
device_save(int dev_id, void *buf, size_t len)
{
	(void)dev_id;
	memset(buf, 1, len < 100 ? len : 100);
	return len < 100 ? (ssize_t)len : 100;
}

static ssize_t
device_load(int dev_id, const void *buf, size_t len)
{
	(void)dev_id;
	(void)buf;
	return (ssize_t)len;
}

static const struct rte_vfio_user_notify_ops ops = {
	.new_device = device_agree,
	.destroy_device = device_gone,
	.update_status = device_update,
	.lock_dp = device_lock,
	.reset_device = device_agree,
};

static const struct rte_vfio_user_migration_ops migration = {
	.flags = VFIO_MIGRATION_STOP_COPY,
	.set_state = device_state,
	.read_data = device_save,
	.write_data = device_load,
};

static void
device_regions(void)
{
	const uint32_t rw = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	struct vfio_region_info info[NB_REGIONS] = {
		[REGION_CALL] = { .flags = rw, .size = REGION_SIZE },
		[REGION_MEMORY] = { .flags = rw | VFIO_REGION_INFO_FLAG_MMAP, .size = REGION_SIZE },
		[REGION_CONFIG] = { .flags = rw, .size = 256 },
	};
	struct rte_vfio_user_regions *regions;
	uint32_t i;

	regions = calloc(1, sizeof(*regions) + NB_REGIONS * sizeof(regions->reg_info[0]));
	must(regions != NULL);
	regions->reg_num = NB_REGIONS;
	for (i = 0; i < NB_REGIONS; i++) {
		info[i].argsz = sizeof(info[i]);
		info[i].index = i;
		regions->reg_info[i].info = &info[i];
		regions->reg_info[i].fd = -1;
		regions->reg_info[i].rw = device_rw;
	}
	regions->reg_info[REGION_MEMORY].rw = NULL;
	regions->reg_info[REGION_MEMORY].base = memory;
	regions->reg_info[REGION_MEMORY].fd = memory_fd;
	must(rte_vfio_user_set_reg_info(NAME, regions) == 0);
	free(regions);
}

static void
device_irqs(void)
{
	static const uint32_t count[NB_IRQS] = { 1, 4, 16, 1, 1 };
	struct rte_vfio_user_irq_info *irqs;
	uint32_t i;

	irqs = calloc(1, sizeof(*irqs) + NB_IRQS * sizeof(irqs->irq_info[0]));
	must(irqs != NULL);
	irqs->irq_num = NB_IRQS;
	for (i = 0; i < NB_IRQS; i++)
		irqs->irq_info[i] = (struct vfio_irq_info) {
			.argsz = sizeof(irqs->irq_info[i]),
			.flags = VFIO_IRQ_INFO_EVENTFD,
			.index = i,
			.count = count[i],
		};
	must(rte_vfio_user_set_irq_info(NAME, irqs) == 0);
	free(irqs);
}

static void
device_io_fds(void)
{
	const struct rte_vfio_user_io_fd io_fd[] = {
		{ .region = REGION_MEMORY, .size = 4, .fd = memory_fd, .shadow_fd = -1 },
		{ .region = REGION_MEMORY, .offset = 8, .fd = memory_fd, .shadow_fd = memory_fd },
	};

	must(rte_vfio_user_set_io_fds(rte_vfio_user_dev_id(NAME), io_fd, 2) == 0);
}

static void
device_start(int sock)
{
	const struct rte_vfio_user_options opt = {
		.size = sizeof(opt),
		.flags = RTE_VFIO_USER_F_POLL | RTE_VFIO_USER_F_SOCK_FD,
		.sock_fd = sock,
		.max_msg_fds = 4,
		.max_data_xfer_size = 65536,
		.max_dma_maps = 8,
		.request_timeout_ms = 1,
	};
	struct vfio_device_info info = {
		.argsz = sizeof(info),
		.flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
		.num_regions = NB_REGIONS,
		.num_irqs = NB_IRQS,
	};

	must(rte_vfio_user_register_opt(NAME, &ops, &opt) == 0);
	must(rte_vfio_user_set_dev_info(NAME, &info) == 0);
	device_regions();
	device_irqs();
	must(rte_vfio_user_set_migration(NAME, &migration) == 0);
	must(rte_vfio_user_start(NAME) == 0);
	device_io_fds();
}

/* ---- its client ---- */

/* The client's ends. */
struct client {
	int sock;
	int twin;	/* -1: there is none */
};

/* The first socket that comes is the second one of the session. */
static void
keep_or_close(struct client *client, int fd)
{
	struct stat st;

	if (client->twin < 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
		client->twin = fd;
	else
		close(fd);
}

static void
take_fds(struct client *client, struct msghdr *mh)
{
	struct cmsghdr *c;
	size_t i;
	int fd;

	for (c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		for (i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			keep_or_close(client, fd);
		}
	}
}

/* Takes what the server says, without a look at it. */
static void
swallow_from(struct client *client, int sock)
{
	static char buf[65536];
	union {
		struct cmsghdr hdr;
		char space[CMSG_SPACE(sizeof(int) * 253)];
	} control;
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr mh;
	ssize_t n;

	do {
		mh = (struct msghdr) { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			.msg_controllen = sizeof(control) };
		n = recvmsg(sock, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n > 0)
			take_fds(client, &mh);
	} while (n > 0);
}

static void
swallow(struct client *client)
{
	swallow_from(client, client->sock);
	if (client->twin >= 0)
		swallow_from(client, client->twin);
}

static void
serve(struct client *client, const uint8_t *data, size_t len)
{
	int dev_id = rte_vfio_user_dev_id(NAME);
	struct fuzz_packet packet;

	while (fuzz_packet_next(&data, &len, &packet)) {
		fuzz_packet_send(packet.fd_kind == FUZZ_TWIN && client->twin >= 0 ? client->twin :
			client->sock, &packet);
		if (packet.bit7)
			continue;
		while (rte_vfio_user_poll(dev_id) > 0)
			swallow(client);
		swallow(client);
	}
	/* and the client leaves, with or without a word left to say */
	shutdown(client->sock, SHUT_WR);
	while (rte_vfio_user_poll(dev_id) > 0)
		swallow(client);
}

static void
prepare(void)
{
	if (memory_fd >= 0)
		return;
	rte_log_set_global_level(RTE_LOG_EMERG);
	memory_fd = memfd_create("fuzz-region", MFD_CLOEXEC);
	must(memory_fd >= 0 && ftruncate(memory_fd, REGION_SIZE) == 0);
	memory = mmap(NULL, REGION_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
	must(memory != MAP_FAILED);
}

static int
lowest_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

int
fuzz_server(const uint8_t *data, size_t len)
{
	struct client client = { .twin = -1 };
	static int warm;
	int sock[2], before;

	prepare();
	before = lowest_fd();
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) == 0);
	device_start(sock[1]);
	client.sock = sock[0];
	serve(&client, data, len);
	must(rte_vfio_user_unregister(NAME) == 0);
	close(client.sock);
	if (client.twin >= 0)
		close(client.twin);
	/* what the library keeps for ever is there after the first time */
	must(!warm || lowest_fd() == before);
	warm = 1;
	return 0;
}
