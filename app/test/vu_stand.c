/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_log.h>
#include <rte_vfio_user.h>

#include "test.h"
#include "vu_stand.h"

/* Nothing takes so long that is to succeed. */
#define LONG_MS 30000u

/* -------------------------------------------------------------------- bytes ---- */

static bool
read_all(struct stand *stand, int sock, void *to, size_t len)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * VU_SCM_MAX_FD)];
	} control;
	struct cmsghdr *c = &control.align;
	size_t have = 0;

	while (have < len) {
		struct iovec iov = { (char *)to + have, len - have };
		struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			.msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC);

		if (n <= 0)
			return false;
		if (mh.msg_controllen > 0 && stand != NULL) {
			stand->nb_fds = (unsigned int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			memcpy(stand->fds, CMSG_DATA(c), stand->nb_fds * sizeof(int));
		}
		have += (size_t)n;
	}
	return true;
}

static bool
send_all(int sock, const void *data, size_t len, const int *fds, unsigned int nb_fds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * VU_SCM_MAX_FD)];
	} control;
	uintptr_t base = (uintptr_t)data;
	size_t done = 0;

	while (done < len) {
		struct iovec iov = { (void *)(base + done), len - done };
		struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t n;

		if (nb_fds > 0 && done == 0) {
			memset(&control, 0, sizeof(control));
			mh.msg_control = &control;
			mh.msg_controllen = CMSG_SPACE(sizeof(int) * nb_fds);
			control.align.cmsg_level = SOL_SOCKET;
			control.align.cmsg_type = SCM_RIGHTS;
			control.align.cmsg_len = CMSG_LEN(sizeof(int) * nb_fds);
			memcpy(CMSG_DATA(&control.align), fds, sizeof(int) * nb_fds);
		}
		n = sendmsg(sock, &mh, MSG_NOSIGNAL);
		if (n < 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

bool
stand_send(struct stand *stand, const void *data, size_t len, const int *fds, unsigned int nb_fds)
{
	return send_all(stand->sock, data, len, fds, nb_fds);
}

static bool
send_message(int sock, struct vu_hdr hdr, const void *payload, size_t len, const int *fds,
	unsigned int nb_fds)
{
	uint8_t *msg = malloc(sizeof(hdr) + len);
	bool sent;

	hdr.size = (uint32_t)(sizeof(hdr) + len);
	memcpy(msg, &hdr, sizeof(hdr));
	if (len > 0)
		memcpy(msg + sizeof(hdr), payload, len);
	sent = send_all(sock, msg, sizeof(hdr) + len, fds, nb_fds);
	free(msg);
	return sent;
}

bool
stand_reply(struct stand *stand, const struct vu_hdr *hdr, const void *payload, size_t len,
	const int *fds, unsigned int nb_fds)
{
	struct vu_hdr reply = { .id = hdr->id, .cmd = hdr->cmd, .flags = VU_F_TYPE_REPLY };

	return send_message(stand->sock, reply, payload, len, fds, nb_fds);
}

bool
stand_error(struct stand *stand, const struct vu_hdr *hdr, uint32_t error)
{
	struct vu_hdr reply = { .id = hdr->id, .cmd = hdr->cmd,
		.flags = VU_F_TYPE_REPLY | VU_F_ERROR, .error = error };

	return send_message(stand->sock, reply, NULL, 0, NULL, 0);
}

bool
stand_command(int sock, uint16_t id, uint16_t cmd, const void *payload, size_t len)
{
	const struct vu_hdr hdr = { .id = id, .cmd = cmd };

	return send_message(sock, hdr, payload, len, NULL, 0);
}

long
stand_receive(int sock, struct vu_hdr *hdr, void *payload, size_t cap)
{
	size_t len;

	if (!read_all(NULL, sock, hdr, sizeof(*hdr)))
		return -1;
	len = hdr->size - sizeof(*hdr);
	return len <= cap && read_all(NULL, sock, payload, len) ? (long)len : -1;
}

bool
stand_answer_twin(struct stand *stand, const struct vu_hdr *hdr)
{
	static const char text[] = "\0\0\0\0{\"capabilities\":{\"twin_socket\":"
		"{\"supported\":true,\"fd_index\":0}}}";
	int sock[2];

	if (hdr->cmd != VU_VERSION)
		return false;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0)
		return false;
	stand->twin = sock[0];
	stand_reply(stand, hdr, text, sizeof(text), &sock[1], 1);
	close(sock[1]);
	return true;
}

void
stand_hang_up(struct stand *stand)
{
	shutdown(stand->sock, SHUT_RDWR);
}

/* ------------------------------------------------------------- usual answers ---- */

static void
answer_version(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const char *json = stand->json != NULL ? stand->json :
		"{\"capabilities\":{\"max_msg_fds\":8,\"pgsizes\":4096}}";
	uint8_t reply[1024] = { 0 };

	(void)payload;
	(void)len;
	strcpy((char *)reply + sizeof(struct vu_version), json);
	stand_reply(stand, hdr, reply, sizeof(struct vu_version) + strlen(json) + 1, NULL, 0);
}

static void
answer_info(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const struct vfio_device_info info = { .argsz = VU_DEVICE_INFO_SIZE,
		.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
		.num_regions = VFIO_PCI_NUM_REGIONS, .num_irqs = VFIO_PCI_NUM_IRQS };

	(void)payload;
	(void)len;
	stand_reply(stand, hdr, &info, VU_DEVICE_INFO_SIZE, NULL, 0);
}

static void
answer_empty(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	(void)payload;
	(void)len;
	stand_reply(stand, hdr, NULL, 0, NULL, 0);
}

static void
answer_echo(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	stand_reply(stand, hdr, payload, len, NULL, 0);
}

static void
answer_write(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	(void)len;
	stand_reply(stand, hdr, payload, sizeof(struct vu_region_access), NULL, 0);
}

/* Byte i of a region is i. */
static void
answer_read(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	struct vu_region_access access;
	uint8_t *reply;
	uint32_t i;

	(void)len;
	memcpy(&access, payload, sizeof(access));
	reply = malloc(sizeof(access) + access.count);
	memcpy(reply, &access, sizeof(access));
	for (i = 0; i < access.count; i++)
		reply[sizeof(access) + i] = (uint8_t)(access.offset + i);
	stand_reply(stand, hdr, reply, sizeof(access) + access.count, NULL, 0);
	free(reply);
}

typedef void (*usual_answer_t)(struct stand *stand, const struct vu_hdr *hdr,
	const uint8_t *payload, size_t len);

static const usual_answer_t usual_answers[VU_CMD_NB] = {
	[VU_VERSION] = answer_version,
	[VU_GET_INFO] = answer_info,
	[VU_DMA_MAP] = answer_empty,
	[VU_DMA_UNMAP] = answer_echo,
	[VU_SET_IRQS] = answer_empty,
	[VU_RESET] = answer_empty,
	[VU_REGION_READ] = answer_read,
	[VU_REGION_WRITE] = answer_write,
	[VU_MIG_DATA_WRITE] = answer_empty,
};

/* --------------------------------------------------------------------- thread ---- */

static void
stand_log(struct stand *stand, const struct vu_hdr *hdr, size_t len)
{
	unsigned int i = atomic_load(&stand->nb_log);

	if (i < STAND_LOG_MAX) {
		stand->log[i].hdr = *hdr;
		stand->log[i].len = len;
		stand->log[i].nb_fds = stand->nb_fds;
		memcpy(stand->log[i].head, stand->payload,
			RTE_MIN(len, sizeof(stand->log[i].head)));
	}
	atomic_store(&stand->nb_log, i + 1);
}

static void
stand_answer(struct stand *stand, const struct vu_hdr *hdr, size_t len)
{
	usual_answer_t answer = hdr->cmd < VU_CMD_NB ? usual_answers[hdr->cmd] : NULL;

	if (stand->answer != NULL && stand->answer(stand, hdr, stand->payload, len))
		return;
	if (hdr->flags & VU_F_NO_REPLY)
		return;
	if (answer != NULL)
		answer(stand, hdr, stand->payload, len);
	else
		stand_error(stand, hdr, EINVAL);
}

static void *
stand_thread(void *arg)
{
	struct stand *stand = arg;
	struct vu_hdr hdr;
	size_t len;

	while (read_all(stand, stand->sock, &hdr, sizeof(hdr))) {
		len = hdr.size - sizeof(hdr);
		if (len > STAND_PAYLOAD_MAX || !read_all(stand, stand->sock, stand->payload, len))
			break;
		stand_log(stand, &hdr, len);
		stand_answer(stand, &hdr, len);
		while (stand->nb_fds > 0)
			close(stand->fds[--stand->nb_fds]);
	}
	return NULL;
}

static void
stand_stop(struct stand *stand)
{
	stand_hang_up(stand);
	pthread_join(stand->thread, NULL);
	close(stand->sock);
	if (stand->twin >= 0)
		close(stand->twin);
	free(stand->payload);
	resources_assert_same(&stand->before);
	resources_drop(&stand->before);
}

/* Threads that libc keeps something for, so that later ones do not count as a leak. */
#define WARM_THREADS 24
#define STACK (1u << 19)

/* A client with a short limit may have to try so often to attach. */
#define STARTS_MAX 200u

void
stand_thread_create(pthread_t *thread, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	assert_int_equal(pthread_create(thread, &attr, run, arg), 0);
	pthread_attr_destroy(&attr);
}

int
stand_setup(void **state)
{
	(void)state;
	rte_log_set_level_pattern("lib.vfio_user", RTE_LOG_CRIT);
	return 0;
}

int
stand_teardown(void **state)
{
	(void)state;
	rte_log_set_level_pattern("lib.vfio_user", RTE_LOG_NOTICE);
	return 0;
}

const struct stand_request *
stand_only_request(struct stand *stand)
{
	assert_int_equal(atomic_load(&stand->nb_log), 1);
	return &stand->log[0];
}

int
stand_try(struct stand *stand)
{
	static bool warm;

	struct rte_vfio_user_attach_options opt = { .size = sizeof(opt),
		.flags = RTE_VFIO_USER_ATTACH_F_SOCK_FD | stand->flags,
		.timeout_ms = stand->timeout_ms > 0 ? stand->timeout_ms : LONG_MS,
		.reset_timeout_ms = stand->reset_timeout_ms };
	int sock[2];

	if (!warm)
		resources_warm_up(WARM_THREADS, STACK, NULL);
	warm = true;
	resources_take(&stand->before);
	stand->twin = -1;
	stand->nb_fds = 0;
	atomic_store(&stand->nb_log, 0);
	stand->payload = malloc(STAND_PAYLOAD_MAX);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	stand->sock = sock[0];
	opt.sock_fd = sock[1];
	stand_thread_create(&stand->thread, stand_thread, stand);
	stand->dev_id = rte_vfio_user_attach_dev_opt("stand", &opt);
	if (stand->dev_id < 0)
		stand_stop(stand);
	return stand->dev_id;
}

void
stand_start(struct stand *stand)
{
	unsigned int tries = 0;
	int rc;

	do
		rc = stand_try(stand);
	while (rc == -ETIMEDOUT && ++tries < STARTS_MAX);
	assert_true(rc >= 0);
	stand_forget(stand);
}

void
stand_end(struct stand *stand)
{
	assert_int_equal(rte_vfio_user_detach_dev(stand->dev_id), 0);
	stand_stop(stand);
}

void
stand_forget(struct stand *stand)
{
	atomic_store(&stand->nb_log, 0);
}
