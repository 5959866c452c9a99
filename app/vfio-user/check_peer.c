/* SPDX-License-Identifier: BSD-3-Clause */

/* A client that sends what it is told to, right or wrong, and believes little of what it gets. */

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>

#include "check_rule.h"

#define RETRY_MS 10
#define DRAIN_MS 100

static uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void
sleep_ms(unsigned int ms)
{
	const struct timespec ts = { .tv_nsec = (long)ms * 1000000 };

	nanosleep(&ts, NULL);
}

int
check_left_ms(const struct check *c)
{
	uint64_t now = now_us();

	return now >= c->deadline_us ? 0 : (int)((c->deadline_us - now + 999) / 1000);
}

/* ---- what a rule owns ---- */

static int
own(struct check *c, int fd)
{
	if (fd < 0)
		check_skip(c, "no descriptor for the test: %s", strerror(errno));
	if (c->nb_own == CHECK_OWN_MAX) {
		close(fd);
		check_skip(c, "too many descriptors");
	}
	c->own[c->nb_own++] = fd;
	return fd;
}

void
check_own_close(struct check *c, int fd)
{
	unsigned int i;

	for (i = 0; i < c->nb_own; i++) {
		if (c->own[i] != fd)
			continue;
		close(fd);
		c->own[i] = c->own[--c->nb_own];
		return;
	}
}

int
check_memory(struct check *c, size_t size)
{
	int fd = own(c, memfd_create("check", MFD_CLOEXEC | MFD_ALLOW_SEALING));

	if (ftruncate(fd, (off_t)size) < 0)
		check_skip(c, "no memory for the test: %s", strerror(errno));
	return fd;
}

int
check_eventfd(struct check *c)
{
	return own(c, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

void
check_pipe(struct check *c, int fds[2])
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		check_skip(c, "no pipe for the test: %s", strerror(errno));
	fds[0] = own(c, ends[0]);
	fds[1] = own(c, ends[1]);
}

/* ---- connecting ---- */

static void
received_fds_close(struct check *c)
{
	while (c->nb_fds > 0)
		close(c->fds[--c->nb_fds]);
}

void
check_close(struct check *c)
{
	received_fds_close(c);
	if (c->sock >= 0)
		close(c->sock);
	c->sock = -1;
}

/* A server that takes one client at a time lets the next wait, which must not be for ever. */
static int
connect_once(struct check *c, const struct sockaddr_un *addr)
{
	const int ms = RTE_MAX(check_left_ms(c), 1);
	const struct timeval limit = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc;

	if (sock < 0)
		return -errno;
	if (setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
			connect(sock, (const struct sockaddr *)addr, sizeof(*addr)) == 0) {
		c->sock = sock;
		return 0;
	}
	rc = -errno;
	close(sock);
	return rc;
}

/* Is it worth to try again? Some servers open their socket anew for each client. */
static bool
may_come_back(const struct check *c, int rc)
{
	return c->met && (rc == -ECONNREFUSED || rc == -ENOENT || rc == -EAGAIN) &&
		check_left_ms(c) > 0;
}

static void __attribute__((noreturn))
gone(struct check *c, int rc)
{
	c->gone = -rc;
	check_fail(c, "cannot connect any more: %s; what ran before: %s", strerror(-rc),
		c->before == NULL ? "nothing" : c->before);
}

void
check_connect(struct check *c)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int rc;

	check_close(c);
	memcpy(addr.sun_path, c->opt->path, strnlen(c->opt->path, sizeof(addr.sun_path) - 1));
	while ((rc = connect_once(c, &addr)) < 0) {
		if (!may_come_back(c, rc))
			gone(c, rc);
		sleep_ms(RETRY_MS);
	}
	c->met = true;
}

void
check_open(struct check *c)
{
	static const char text[] = "{\"capabilities\":{\"max_msg_fds\":16}}";

	check_connect(c);
	if (check_version(c, 0, 0, text, sizeof(text)) != CHECK_DONE)
		check_skip(c, "VERSION does not succeed");
}

/* ---- sending ---- */

static void
control_fill(struct msghdr *mh, void *control, const int *fds, unsigned int nb_fds)
{
	struct cmsghdr *cmsg;

	if (nb_fds == 0)
		return;
	mh->msg_control = control;
	mh->msg_controllen = CMSG_SPACE(sizeof(int) * nb_fds);
	cmsg = CMSG_FIRSTHDR(mh);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int) * nb_fds);
	memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * nb_fds);
}

/* So many bytes are sent, and the descriptors with the first of them. */
static void
sent(struct msghdr *mh, size_t n)
{
	mh->msg_controllen = 0;
	while (mh->msg_iovlen > 0 && n >= mh->msg_iov->iov_len) {
		n -= mh->msg_iov->iov_len;
		mh->msg_iov++;
		mh->msg_iovlen--;
	}
	if (n == 0)
		return;
	mh->msg_iov->iov_base = (char *)mh->msg_iov->iov_base + n;
	mh->msg_iov->iov_len -= n;
}

/* Owns nothing: the rule may end in the middle of it. */
static void
send_all(struct check *c, struct iovec *iov, unsigned int nb, const int *fds, unsigned int nb_fds)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)] = { 0 };
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = nb };
	ssize_t n;

	control_fill(&mh, control, fds, nb_fds);
	while (mh.msg_iovlen > 0) {
		n = sendmsg(c->sock, &mh, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			check_fail(c, "the server does not read");
		if (n < 0)
			return;
		sent(&mh, (size_t)n);
	}
}

void
check_send_raw(struct check *c, const void *data, size_t len, const int *fds, unsigned int nb_fds)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };

	send_all(c, &iov, 1, fds, nb_fds);
}

uint16_t
check_send(struct check *c, uint16_t cmd, uint32_t flags, const void *payload, size_t len,
	const int *fds, unsigned int nb_fds)
{
	struct wire_hdr hdr = {
		.id = c->next_id++,
		.cmd = cmd,
		.size = (uint32_t)(sizeof(hdr) + len),
		.flags = flags,
	};
	struct iovec iov[] = { { &hdr, sizeof(hdr) }, { (void *)(uintptr_t)payload, len } };

	send_all(c, iov, RTE_DIM(iov), fds, nb_fds);
	return hdr.id;
}

/* The kernel counts what was sent and not read yet. */
void
check_drained(struct check *c)
{
	int unread = 1, ms;

	for (ms = 0; ms < DRAIN_MS && unread > 0; ms++) {
		sleep_ms(1);
		if (ioctl(c->sock, SIOCOUTQ, &unread) < 0)
			return;
	}
}

/* ---- receiving ---- */

static void
fd_collect(struct check *c, int fd)
{
	if (c->nb_fds < WIRE_FDS_MAX)
		c->fds[c->nb_fds++] = fd;
	else
		close(fd);
}

static void
fds_collect(struct check *c, struct msghdr *mh)
{
	struct cmsghdr *cmsg;
	size_t i, nb;
	int fd;

	for (cmsg = CMSG_FIRSTHDR(mh); cmsg != NULL; cmsg = CMSG_NXTHDR(mh, cmsg)) {
		nb = cmsg->cmsg_type == SCM_RIGHTS ?
			(cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(fd) : 0;
		for (i = 0; i < nb; i++) {
			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(fd), sizeof(fd));
			fd_collect(c, fd);
		}
	}
}

/* Some bytes. Returns 0 at the end of the stream. */
static size_t
receive_some(struct check *c, void *data, size_t len)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
	struct iovec iov = { .iov_base = data, .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control) };
	struct pollfd pfd = { .fd = c->sock, .events = POLLIN };
	ssize_t n;

	/* one that talks without end has not answered either */
	if (check_left_ms(c) == 0 || poll(&pfd, 1, check_left_ms(c)) == 0)
		check_fail(c, "no answer within %u ms", c->opt->timeout_ms);
	n = recvmsg(c->sock, &mh, MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return 0;
	fds_collect(c, &mh);
	return (size_t)n;
}

static bool
receive_bytes(struct check *c, void *data, size_t len)
{
	size_t done, n;

	for (done = 0; done < len; done += n) {
		n = receive_some(c, (char *)data + done, len - done);
		if (n == 0 && done > 0)
			check_fail(c, "the connection is closed in the middle of a message");
		if (n == 0)
			return false;
	}
	return true;
}

static bool
message_receive(struct check *c)
{
	received_fds_close(c);
	c->len = 0;
	if (!receive_bytes(c, &c->hdr, sizeof(c->hdr)))
		return false;
	if (c->hdr.size < sizeof(c->hdr) || c->hdr.size - sizeof(c->hdr) > CHECK_PAYLOAD_MAX)
		check_fail(c, "message of %u bytes", c->hdr.size);
	c->len = c->hdr.size - sizeof(c->hdr);
	if (c->len > 0 && !receive_bytes(c, c->payload, c->len))
		check_fail(c, "the connection is closed behind a header");
	return true;
}

/* Commands of a server are refused: there is no memory behind what is mapped that it could need. */
static void
command_refuse(struct check *c)
{
	const struct wire_hdr hdr = { .id = c->hdr.id, .cmd = c->hdr.cmd, .size = sizeof(hdr),
		.flags = WIRE_TYPE_REPLY | WIRE_ERROR, .error = EINVAL };

	if (!(c->hdr.flags & WIRE_NO_REPLY))
		check_send_raw(c, &hdr, sizeof(hdr), NULL, 0);
}

bool
check_receive(struct check *c)
{
	while (message_receive(c)) {
		if ((c->hdr.flags & WIRE_TYPE_MASK) != 0)
			return true;
		command_refuse(c);
	}
	return false;
}
