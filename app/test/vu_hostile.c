/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_codec.h"
#include "vu_conn.h"

#include "test.h"
#include "vu_golden.h"
#include "vu_hostile.h"

/* A session that says nothing for so long is stuck. */
#define PATIENCE_MS 5000

/* ---- fields ---- */

struct field {
	uint16_t cmd;
	uint8_t type;	/* VU_F_TYPE_COMMAND or _REPLY */
	const char *name;
	uint16_t offset;	/* in the payload */
	uint8_t width;
};

#define SIZE_OF(type, member) sizeof(((const struct type *)NULL)->member)
#define FIELD(cmd, type_, s, member) \
	{ cmd, type_, #member, offsetof(struct s, member), SIZE_OF(s, member) }
#define BOTH(cmd, s, member) \
	FIELD(cmd, VU_F_TYPE_COMMAND, s, member), FIELD(cmd, VU_F_TYPE_REPLY, s, member)
#define REQUEST(cmd, s, member) FIELD(cmd, VU_F_TYPE_COMMAND, s, member)
#define RAW(cmd, type, name, offset, width) { cmd, type, name, offset, width }
#define C VU_F_TYPE_COMMAND
#define R VU_F_TYPE_REPLY

static const struct field fields[] = {
	BOTH(VU_VERSION, vu_version, major),
	BOTH(VU_VERSION, vu_version, minor),
	RAW(VU_VERSION, C, "text", 4, 4),
	RAW(VU_VERSION, R, "text", 4, 4),
	REQUEST(VU_DMA_MAP, vu_dma_map, argsz),
	REQUEST(VU_DMA_MAP, vu_dma_map, flags),
	REQUEST(VU_DMA_MAP, vu_dma_map, offset),
	REQUEST(VU_DMA_MAP, vu_dma_map, addr),
	REQUEST(VU_DMA_MAP, vu_dma_map, size),
	BOTH(VU_DMA_MAP_MULTI, vu_map_multi, count),
	BOTH(VU_DMA_MAP_MULTI, vu_map_multi, error),
	RAW(VU_DMA_MAP_MULTI, C, "argsz", 8, 4),
	RAW(VU_DMA_MAP_MULTI, C, "flags", 12, 4),
	RAW(VU_DMA_MAP_MULTI, C, "offset", 16, 8),
	RAW(VU_DMA_MAP_MULTI, C, "addr", 24, 8),
	RAW(VU_DMA_MAP_MULTI, C, "size", 32, 8),
	RAW(VU_DMA_MAP_MULTI, C, "second argsz", 40, 4),
	RAW(VU_DMA_MAP_MULTI, C, "second flags", 44, 4),
	RAW(VU_DMA_MAP_MULTI, C, "second offset", 48, 8),
	RAW(VU_DMA_MAP_MULTI, C, "second addr", 56, 8),
	RAW(VU_DMA_MAP_MULTI, C, "second size", 64, 8),
	BOTH(VU_DMA_UNMAP, vu_dma_unmap, argsz),
	BOTH(VU_DMA_UNMAP, vu_dma_unmap, flags),
	BOTH(VU_DMA_UNMAP, vu_dma_unmap, addr),
	BOTH(VU_DMA_UNMAP, vu_dma_unmap, size),
	RAW(VU_DMA_UNMAP, C, "bitmap page size", 24, 8),
	RAW(VU_DMA_UNMAP, C, "bitmap size", 32, 8),
	RAW(VU_DMA_UNMAP, R, "bitmap page size", 24, 8),
	RAW(VU_DMA_UNMAP, R, "bitmap size", 32, 8),
	BOTH(VU_GET_INFO, vfio_device_info, argsz),
	BOTH(VU_GET_INFO, vfio_device_info, flags),
	BOTH(VU_GET_INFO, vfio_device_info, num_regions),
	BOTH(VU_GET_INFO, vfio_device_info, num_irqs),
	BOTH(VU_GET_REGION_INFO, vfio_region_info, argsz),
	BOTH(VU_GET_REGION_INFO, vfio_region_info, flags),
	BOTH(VU_GET_REGION_INFO, vfio_region_info, index),
	BOTH(VU_GET_REGION_INFO, vfio_region_info, cap_offset),
	BOTH(VU_GET_REGION_INFO, vfio_region_info, size),
	BOTH(VU_GET_REGION_INFO, vfio_region_info, offset),
	RAW(VU_GET_REGION_INFO, R, "capability id", 32, 2),
	RAW(VU_GET_REGION_INFO, R, "capability version", 34, 2),
	RAW(VU_GET_REGION_INFO, R, "next capability", 36, 4),
	RAW(VU_GET_REGION_INFO, R, "number of areas", 40, 4),
	RAW(VU_GET_REGION_INFO, R, "area offset", 48, 8),
	RAW(VU_GET_REGION_INFO, R, "area size", 56, 8),
	BOTH(VU_GET_REGION_IO_FDS, vu_region_io_fds, argsz),
	BOTH(VU_GET_REGION_IO_FDS, vu_region_io_fds, flags),
	BOTH(VU_GET_REGION_IO_FDS, vu_region_io_fds, index),
	BOTH(VU_GET_REGION_IO_FDS, vu_region_io_fds, count),
	RAW(VU_GET_REGION_IO_FDS, R, "entry offset", 16, 8),
	RAW(VU_GET_REGION_IO_FDS, R, "entry size", 24, 8),
	RAW(VU_GET_REGION_IO_FDS, R, "entry descriptor", 32, 4),
	RAW(VU_GET_REGION_IO_FDS, R, "entry type", 36, 4),
	RAW(VU_GET_REGION_IO_FDS, R, "entry shadow descriptor", 44, 4),
	BOTH(VU_GET_IRQ_INFO, vfio_irq_info, argsz),
	BOTH(VU_GET_IRQ_INFO, vfio_irq_info, flags),
	BOTH(VU_GET_IRQ_INFO, vfio_irq_info, index),
	BOTH(VU_GET_IRQ_INFO, vfio_irq_info, count),
	REQUEST(VU_SET_IRQS, vu_irq_fixed, argsz),
	REQUEST(VU_SET_IRQS, vu_irq_fixed, flags),
	REQUEST(VU_SET_IRQS, vu_irq_fixed, index),
	REQUEST(VU_SET_IRQS, vu_irq_fixed, start),
	REQUEST(VU_SET_IRQS, vu_irq_fixed, count),
	BOTH(VU_REGION_READ, vu_region_access, offset),
	BOTH(VU_REGION_READ, vu_region_access, region),
	BOTH(VU_REGION_READ, vu_region_access, count),
	BOTH(VU_REGION_WRITE, vu_region_access, offset),
	BOTH(VU_REGION_WRITE, vu_region_access, region),
	BOTH(VU_REGION_WRITE, vu_region_access, count),
	BOTH(VU_DMA_READ, vu_dma_access, addr),
	BOTH(VU_DMA_READ, vu_dma_access, count),
	BOTH(VU_DMA_WRITE, vu_dma_access, addr),
	BOTH(VU_DMA_WRITE, vu_dma_access, count),
	BOTH(VU_REGION_WRITE_MULTI, vu_write_multi, wr_cnt),
	RAW(VU_REGION_WRITE_MULTI, C, "offset", 8, 8),
	RAW(VU_REGION_WRITE_MULTI, C, "region", 16, 4),
	RAW(VU_REGION_WRITE_MULTI, C, "count", 20, 4),
	RAW(VU_REGION_WRITE_MULTI, C, "second count", 44, 4),
	BOTH(VU_FEATURE, vfio_device_feature, argsz),
	BOTH(VU_FEATURE, vfio_device_feature, flags),
	RAW(VU_FEATURE, C, "data", 8, 8),
	RAW(VU_FEATURE, C, "second word", 16, 8),
	RAW(VU_FEATURE, C, "number of ranges", 16, 4),
	RAW(VU_FEATURE, C, "third word", 24, 8),
	RAW(VU_FEATURE, R, "data", 8, 8),
	BOTH(VU_MIG_DATA_READ, vu_mig_data, argsz),
	BOTH(VU_MIG_DATA_READ, vu_mig_data, size),
	REQUEST(VU_MIG_DATA_WRITE, vu_mig_data, argsz),
	REQUEST(VU_MIG_DATA_WRITE, vu_mig_data, size),
};

/* What a field is changed to, cut to its width. */
enum change { SET, ADD, XOR };

static const struct value {
	enum change change;
	uint64_t n;
	const char *name;
} values[] = {
	{ SET, 0, "0" },
	{ SET, 1, "1" },
	{ ADD, 1, "one more" },
	{ ADD, UINT64_MAX, "one less" },
	{ SET, 15, "15" },
	{ SET, 4097, "4097" },
	{ SET, 0x7fffffff, "2^31 - 1" },
	{ SET, 0x80000000, "2^31" },
	{ SET, 0xfffff000, "2^32 - 4096" },
	{ SET, UINT64_MAX, "all ones" },
	{ SET, UINT64_MAX - 4095, "all ones but a page" },
	{ SET, UINT64_C(1) << 63, "2^63" },
	{ XOR, UINT64_C(0x8000000080008080), "high bits" },
	{ XOR, 4, "bit 2" },
	{ XOR, 8, "bit 3" },
};

static void
field_change(uint8_t *at, uint8_t width, const struct value *value)
{
	uint64_t n = 0;

	memcpy(&n, at, width);
	if (value->change == SET)
		n = value->n;
	else if (value->change == ADD)
		n += value->n;
	else
		n ^= value->n;
	memcpy(at, &n, width);
}

/* ---- ways of being wrong, by kind ---- */

static struct vu_hdr
hdr_get(const struct vu_hostile_msg *m)
{
	struct vu_hdr hdr;

	memcpy(&hdr, m->bytes, sizeof(hdr));
	return hdr;
}

static void
hdr_put(struct vu_hostile_msg *m, const struct vu_hdr *hdr)
{
	memcpy(m->bytes, hdr, sizeof(*hdr));
}

/* What a session that looks at the shape must say. */
static int
expect_by_shape(const struct vu_hostile_msg *m)
{
	struct vu_hdr hdr = hdr_get(m);
	const struct vu_cmd_desc *desc = vu_cmd_desc(hdr.cmd);
	enum vu_dir dir = desc != NULL ? desc->dir : VU_TO_SERVER;

	return -vu_request_check(hdr.cmd, dir, m->bytes + sizeof(hdr), m->len - sizeof(hdr),
			m->nb_fds);
}

static const struct {
	const char *what;
	uint16_t offset;
	uint8_t width;
	struct value value;
	int expect;
} headers[] = {
	{ "size 0", 4, 4, { SET, 0, NULL }, VU_HOSTILE_CLOSE },
	{ "size 15", 4, 4, { SET, 15, NULL }, VU_HOSTILE_CLOSE },
	{ "size 2^32 - 1", 4, 4, { SET, UINT32_MAX, NULL }, VU_HOSTILE_CLOSE },
	{ "size 2^31", 4, 4, { SET, 0x80000000, NULL }, VU_HOSTILE_CLOSE },
	{ "size 16 MiB", 4, 4, { SET, 16777216, NULL }, VU_HOSTILE_CLOSE },
	{ "type 2", 8, 4, { SET, 2, NULL }, VU_HOSTILE_CLOSE },
	{ "type 15", 8, 4, { SET, 15, NULL }, VU_HOSTILE_CLOSE },
	{ "type swapped", 8, 4, { XOR, 1, NULL }, VU_HOSTILE_ANY },
	{ "reserved flags", 8, 4, { XOR, 0xffffffc0, NULL }, VU_HOSTILE_ANY },
	{ "error flag", 8, 4, { XOR, VU_F_ERROR, NULL }, VU_HOSTILE_ANY },
	{ "no-reply flag", 8, 4, { XOR, VU_F_NO_REPLY, NULL }, VU_HOSTILE_ANY },
	{ "error number", 12, 4, { SET, UINT32_MAX, NULL }, VU_HOSTILE_ANY },
	{ "another id", 0, 2, { XOR, 0x8001, NULL }, VU_HOSTILE_ANY },
	{ "command 0", 2, 2, { SET, 0, NULL }, ENOSYS },
	{ "command 14", 2, 2, { SET, 14, NULL }, ENOSYS },
	{ "command 19", 2, 2, { SET, 19, NULL }, ENOSYS },
	{ "command 65535", 2, 2, { SET, 65535, NULL }, ENOSYS },
	{ "the other command", 2, 2, { XOR, 1, NULL }, VU_HOSTILE_ANY },
};

static unsigned int
header_ways(const struct vu_hostile_msg *m)
{
	(void)m;
	return RTE_DIM(headers);
}

static void
header_make(struct vu_hostile_msg *m, unsigned int i)
{
	field_change(m->bytes + headers[i].offset, headers[i].width, &headers[i].value);
	m->expect = headers[i].expect;
	snprintf(m->what, sizeof(m->what), "header: %s", headers[i].what);
}

/* The message ends too soon, and its header says so. */
static unsigned int
short_ways(const struct vu_hostile_msg *m)
{
	return (unsigned int)(m->len - sizeof(struct vu_hdr));
}

static void
resize(struct vu_hostile_msg *m, size_t len)
{
	struct vu_hdr hdr = hdr_get(m);

	m->len = len;
	hdr.size = (uint32_t)len;
	hdr_put(m, &hdr);
	m->expect = expect_by_shape(m);
}

static void
short_make(struct vu_hostile_msg *m, unsigned int i)
{
	resize(m, sizeof(struct vu_hdr) + i);
	snprintf(m->what, sizeof(m->what), "only %u bytes of payload", i);
}

static const unsigned int longer[] = { 1, 4, 8, 16, 24, 4096 };

static unsigned int
long_ways(const struct vu_hostile_msg *m)
{
	(void)m;
	return RTE_DIM(longer);
}

static void
long_make(struct vu_hostile_msg *m, unsigned int i)
{
	memset(m->bytes + m->len, 0, longer[i]);
	resize(m, m->len + longer[i]);
	snprintf(m->what, sizeof(m->what), "%u bytes too long", longer[i]);
}

/* The connection ends in the middle. */
static unsigned int
cut_ways(const struct vu_hostile_msg *m)
{
	return (unsigned int)m->len - 1;
}

static void
cut_make(struct vu_hostile_msg *m, unsigned int i)
{
	m->len = 1 + i;
	m->cut = true;
	snprintf(m->what, sizeof(m->what), "cut off behind byte %u", i);
}

static const struct field *
field_nth(const struct vu_hostile_msg *m, unsigned int n)
{
	struct vu_hdr hdr = hdr_get(m);
	unsigned int i;

	for (i = 0; i < RTE_DIM(fields); i++)
		if (fields[i].cmd == hdr.cmd && fields[i].type == (hdr.flags & VU_F_TYPE_MASK) &&
				fields[i].offset + fields[i].width <= m->len - sizeof(hdr) &&
				n-- == 0)
			return &fields[i];
	return NULL;
}

static unsigned int
field_ways(const struct vu_hostile_msg *m)
{
	unsigned int n = 0;

	while (field_nth(m, n) != NULL)
		n++;
	return n * RTE_DIM(values);
}

static void
field_make(struct vu_hostile_msg *m, unsigned int i)
{
	const struct field *field = field_nth(m, i / RTE_DIM(values));
	const struct value *value = &values[i % RTE_DIM(values)];

	field_change(m->bytes + sizeof(struct vu_hdr) + field->offset, field->width, value);
	m->expect = expect_by_shape(m);
	snprintf(m->what, sizeof(m->what), "%s: %s", field->name, value->name);
}

static const unsigned int fd_numbers[] = { 1, 2, 3, 17, VU_SCM_MAX_FD };

static unsigned int
fds_ways(const struct vu_hostile_msg *m)
{
	(void)m;
	return 1 + (VU_HOSTILE_FD_NB - 1) * RTE_DIM(fd_numbers);
}

static void
fds_make(struct vu_hostile_msg *m, unsigned int i)
{
	m->nb_fds = 0;
	if (i > 0) {
		m->fd_kind = (enum vu_hostile_fd)(1 + (i - 1) / RTE_DIM(fd_numbers));
		m->nb_fds = fd_numbers[(i - 1) % RTE_DIM(fd_numbers)];
	}
	m->expect = expect_by_shape(m);
	snprintf(m->what, sizeof(m->what), "%u descriptors of kind %d", m->nb_fds, m->fd_kind);
}

static const struct {
	unsigned int (*ways)(const struct vu_hostile_msg *m);
	void (*make)(struct vu_hostile_msg *m, unsigned int i);
} kinds[] = {
	{ header_ways, header_make },
	{ short_ways, short_make },
	{ long_ways, long_make },
	{ field_ways, field_make },
	{ fds_ways, fds_make },
	{ cut_ways, cut_make },
};

bool
vu_hostile_mutate(const void *msg, size_t len, unsigned int nb_fds, unsigned int i,
	struct vu_hostile_msg *out)
{
	unsigned int kind, ways;

	if (len < sizeof(struct vu_hdr) || len > VU_HOSTILE_MAX)
		return false;
	memcpy(out->bytes, msg, len);
	out->len = len;
	out->nb_fds = nb_fds;
	out->fd_kind = VU_HOSTILE_FD_AS_IS;
	out->cut = false;
	out->expect = VU_HOSTILE_ANY;
	for (kind = 0; kind < RTE_DIM(kinds); kind++) {
		ways = kinds[kind].ways(out);
		if (i < ways) {
			kinds[kind].make(out, i);
			return true;
		}
		i -= ways;
	}
	return false;
}

/* ---- descriptors ---- */

static int
fd_open(enum vu_hostile_fd kind)
{
	int fd[2] = { -1, -1 };

	switch (kind) {
	case VU_HOSTILE_FD_MEMFD:
	case VU_HOSTILE_FD_EMPTY:
		fd[0] = memfd_create("hostile", MFD_CLOEXEC);
		if (kind == VU_HOSTILE_FD_MEMFD)
			assert_int_equal(ftruncate(fd[0], 65536), 0);
		break;
	case VU_HOSTILE_FD_READ_ONLY:
		fd[0] = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		break;
	case VU_HOSTILE_FD_PIPE:
		assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
		break;
	case VU_HOSTILE_FD_DIRECTORY:
		fd[0] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		break;
	case VU_HOSTILE_FD_SOCKET:
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
		break;
	default:
		fd[0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		break;
	}
	if (fd[1] >= 0)
		close(fd[1]);
	assert_true(fd[0] >= 0);
	return fd[0];
}

void
vu_hostile_fds(enum vu_hostile_fd kind, unsigned int nb, int *fds)
{
	unsigned int i;

	for (i = 0; i < nb; i++)
		fds[i] = i == 0 ? fd_open(kind) : fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
}

static int
send_with_fds(int sock, const void *bytes, size_t len, const int *fds, unsigned int nb_fds)
{
	union {
		struct cmsghdr hdr;
		char space[CMSG_SPACE(sizeof(int) * VU_SCM_MAX_FD)];
	} control;
	uintptr_t base = (uintptr_t)bytes;
	struct iovec iov = { (void *)base, len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nb_fds > 0) {
		memset(&control, 0, sizeof(control));
		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * nb_fds);
		control.hdr.cmsg_level = SOL_SOCKET;
		control.hdr.cmsg_type = SCM_RIGHTS;
		control.hdr.cmsg_len = CMSG_LEN(sizeof(int) * nb_fds);
		memcpy(CMSG_DATA(&control.hdr), fds, sizeof(int) * nb_fds);
	}
	return sendmsg(sock, &mh, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int
vu_hostile_send(int sock, const struct vu_hostile_msg *msg)
{
	int fds[VU_SCM_MAX_FD];
	unsigned int i;
	int rc;

	vu_hostile_fds(hdr_get(msg).cmd == VU_DMA_MAP && msg->fd_kind == VU_HOSTILE_FD_AS_IS ?
		VU_HOSTILE_FD_MEMFD : msg->fd_kind, msg->nb_fds, fds);
	rc = send_with_fds(sock, msg->bytes, msg->len, fds, msg->nb_fds);
	for (i = 0; i < msg->nb_fds; i++)
		close(fds[i]);
	return rc;
}

/* ---- a server under test ---- */

#define PING_ID 0xbeef

struct outcome {
	bool wanted;	/* the message asks for an answer */
	bool closed;
	bool ponged;
	bool answered;	/* the message itself */
	uint32_t error;	/* with which errno; 0: success */
};

static void
server_wait(const struct vu_hostile_server *server, int sock)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	int left;

	for (left = PATIENCE_MS; left > 0; left -= 10) {
		if (server->pump != NULL)
			server->pump(server->ctx);
		if (poll(&pfd, 1, server->pump != NULL ? 0 : 10) > 0)
			return;
		if (server->pump != NULL)
			poll(NULL, 0, 10);
	}
}

static void
server_read(const struct vu_hostile_server *server, struct vu_conn *conn, uint16_t id,
	struct outcome *out, const char *what)
{
	struct vu_rx_msg msg;
	int rc;

	while (!out->closed && !out->ponged) {
		server_wait(server, conn->sock);
		rc = vu_conn_fill(conn);
		if (rc == -EAGAIN)
			fail_msg("%s: the session is stuck", what);
		out->closed = rc < 0;
		while ((rc = vu_conn_next(conn, &msg)) == 1) {
			if (msg.hdr.id == PING_ID) {
				out->ponged = true;
			} else if (msg.hdr.id == id) {
				out->answered = true;
				out->error = msg.hdr.flags & VU_F_ERROR ? msg.hdr.error : 0;
			}
		}
	}
}

static void
server_negotiate(const struct vu_hostile_server *server, struct vu_conn *conn)
{
	struct vu_version_info version = { .has_text = true };
	struct vu_hdr hdr = { .id = 0x7777, .cmd = VU_VERSION };
	char payload[256];
	struct iovec iov = { payload, 0 };
	struct vu_rx_msg msg;
	int rc;

	vu_caps_default(&version.caps);
	version.caps.max_msg_fds = 16;
	version.caps.write_multiple = true;
	version.caps.map_multiple = true;
	rc = vu_version_encode(&version, payload, sizeof(payload));
	assert_true(rc > 0);
	iov.iov_len = (size_t)rc;
	assert_int_equal(vu_conn_send(conn, &hdr, &iov, 1, NULL, 0), 0);
	while ((rc = vu_conn_next(conn, &msg)) == 0) {
		server_wait(server, conn->sock);
		rc = vu_conn_fill(conn);
		if (rc < 0)
			fail_msg("no negotiation: %s", strerror(-rc));
	}
	assert_int_equal(rc, 1);
	assert_int_equal(msg.hdr.cmd, VU_VERSION);
	assert_int_equal(msg.hdr.flags, VU_F_TYPE_REPLY);
}

static void
server_ping(struct vu_conn *conn)
{
	const uint32_t payload[4] = { 16, 0, 0, 0 };
	struct vu_hdr hdr = { .id = PING_ID, .cmd = VU_GET_INFO };
	uintptr_t base = (uintptr_t)payload;
	struct iovec iov = { (void *)base, sizeof(payload) };

	vu_conn_send(conn, &hdr, &iov, 1, NULL, 0);
}

static bool
outcome_fits(const struct outcome *out, int expect)
{
	if (out->closed || expect == VU_HOSTILE_ANY)
		return true;
	if (expect == VU_HOSTILE_CLOSE)
		return false;
	if (!out->wanted)
		return !out->answered;
	/* nobody says which of the two an unknown command gets */
	if (expect == ENOSYS && out->error == EINVAL)
		return out->answered;
	return out->answered && out->error == (uint32_t)expect;
}

static void
server_case(const struct vu_hostile_server *server, const char *name,
	const struct vu_hostile_msg *msg)
{
	struct outcome out = { .closed = false };
	struct vu_hdr hdr = { .id = 0 };
	char what[256];
	struct vu_conn conn;

	snprintf(what, sizeof(what), "%s, %s", name, msg->what);
	assert_int_equal(vu_conn_init(&conn, server->connect(server->ctx),
		VU_DEFAULT_MAX_DATA_XFER + VU_CONN_OVERHEAD, VU_SCM_MAX_FD), 0);
	memcpy(&hdr, msg->bytes, RTE_MIN(sizeof(hdr), msg->len));
	out.wanted = vu_conn_answers(&hdr);
	/* a VERSION is tried as the first message, where it belongs */
	if (strncmp(name, "version", 7) != 0)
		server_negotiate(server, &conn);
	vu_hostile_send(conn.sock, msg);
	if (msg->cut)
		shutdown(conn.sock, SHUT_WR);
	else
		server_ping(&conn);
	server_read(server, &conn, hdr.id, &out, what);
	vu_conn_fini(&conn);
	if (!outcome_fits(&out, msg->expect))
		fail_msg("%s: expected %s, got %s (%u)", what, msg->expect == VU_HOSTILE_CLOSE ?
			"to be closed" : strerror(msg->expect), out.answered ? "an answer" :
			"nothing", out.error);
}

static bool
golden_is_for_server(const struct vu_hdr *hdr)
{
	return (hdr->flags & VU_F_TYPE_MASK) == VU_F_TYPE_COMMAND &&
		vu_cmd_desc(hdr->cmd)->dir == VU_TO_SERVER;
}

unsigned int
vu_hostile_server(const struct vu_hostile_server *server)
{
	struct vu_hostile_msg *msg = malloc(sizeof(*msg));
	unsigned int step = RTE_MAX(server->stride, 1u);
	uint8_t bytes[VU_GOLDEN_MAX];
	unsigned int i, nth, nb = 0;
	struct vu_hdr hdr;
	size_t len;

	for (i = 0; i < vu_goldens_nb; i++) {
		len = vu_golden_bytes(&vu_goldens[i], bytes);
		memcpy(&hdr, bytes, sizeof(hdr));
		if (!golden_is_for_server(&hdr))
			continue;
		for (nth = 0; vu_hostile_mutate(bytes, len, vu_goldens[i].nb_fds, nth, msg); nth++)
			if (nb++ % step == 0)
				server_case(server, vu_goldens[i].name, msg);
	}
	free(msg);
	return nb / step;
}

/* ---- the man in the middle ---- */

static int
middle_pass(int sock, const struct vu_rx_msg *msg)
{
	uint8_t *bytes = malloc(msg->hdr.size);
	int rc;

	memcpy(bytes, &msg->hdr, sizeof(msg->hdr));
	memcpy(bytes + sizeof(msg->hdr), msg->payload, msg->len);
	rc = send_with_fds(sock, bytes, msg->hdr.size, msg->fds->fd, msg->fds->nb);
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
		rc = send_with_fds(sock, out->bytes, out->len, msg->fds->fd, msg->fds->nb);
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
	while (rc >= 0 && poll(pfd, 2, PATIENCE_MS) > 0) {
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
