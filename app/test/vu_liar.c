/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_liar.h"
#include "vu_stand.h"

#include "test.h"

#define MSG_MAX (2u << 20)
#define KEPT_BYTES 4096u

/* ---- messages ---- */

static bool
waits(int sock)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };

	return poll(&pfd, 1, 0) > 0;
}

static void
fds_close(struct liar_msg *msg)
{
	while (msg->nb_fds > 0)
		close(msg->fds[--msg->nb_fds]);
}

static void
fds_take(struct liar_msg *msg, struct msghdr *mh)
{
	struct cmsghdr *c;
	size_t nb;

	for (c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		nb = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(&msg->fds[msg->nb_fds], CMSG_DATA(c), nb * sizeof(int));
		msg->nb_fds += (unsigned int)nb;
	}
}

/* Returns the number of pieces, 0 at the end of the stream. */
static unsigned int
bytes_receive(int sock, struct liar_msg *msg, size_t until)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * VU_SCM_MAX_FD)];
	unsigned int pieces;
	ssize_t n;

	for (pieces = 0; msg->len < until; pieces++) {
		struct iovec iov = { msg->bytes + msg->len, until - msg->len };
		struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			.msg_controllen = sizeof(control) };

		n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC);
		if (n <= 0)
			return 0;
		fds_take(msg, &mh);
		msg->len += (size_t)n;
	}
	return pieces;
}

static uint32_t
size_of(const struct liar_msg *msg)
{
	return (uint32_t)liar_get(msg, 4, 4);
}

/* Of a message with an impossible length only the header is received. */
static bool
receive(int sock, struct liar_msg *msg)
{
	unsigned int pieces;

	fds_close(msg);
	msg->len = 0;
	pieces = bytes_receive(sock, msg, sizeof(struct vu_hdr));
	if (pieces == 0)
		return false;
	msg->header_in_pieces = pieces > 1;
	msg->payload_in_pieces = false;
	if (size_of(msg) <= sizeof(struct vu_hdr) || size_of(msg) > MSG_MAX)
		return true;
	msg->payload_in_pieces = !waits(sock);
	pieces = bytes_receive(sock, msg, size_of(msg));
	msg->payload_in_pieces |= pieces > 1;
	return pieces > 0;
}

static bool
pass_on(int sock, const struct liar_msg *msg)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * VU_SCM_MAX_FD)] = { 0 };
	struct iovec iov = { msg->bytes, msg->len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (msg->nb_fds > 0) {
		mh.msg_control = control;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * msg->nb_fds);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * msg->nb_fds);
		memcpy(CMSG_DATA(c), msg->fds, sizeof(int) * msg->nb_fds);
	}
	return sendmsg(sock, &mh, MSG_NOSIGNAL) == (ssize_t)msg->len;
}

uint64_t
liar_get(const struct liar_msg *msg, uint32_t off, uint32_t width)
{
	uint64_t value = 0;

	if (off > msg->len || width > msg->len - off)
		return UINT64_MAX;
	memcpy(&value, msg->bytes + off, width);
	return value;
}

static void
field_put(struct liar_msg *msg, const struct liar_field *field, uint64_t value)
{
	if (field->off <= msg->len && field->width <= msg->len - field->off)
		memcpy(msg->bytes + field->off, &value, field->width);
}

static void
payload_put(struct liar_msg *msg, const void *payload, size_t len)
{
	const uint32_t size = (uint32_t)(sizeof(struct vu_hdr) + len);

	if (len > 0)
		memmove(msg->bytes + sizeof(struct vu_hdr), payload, len);
	memcpy(msg->bytes + 4, &size, sizeof(size));
	msg->len = size;
}

static void
text_put(struct liar_msg *msg, const char *text)
{
	uint8_t payload[512] = { 0 };

	strcpy((char *)payload + sizeof(struct vu_version), text);
	payload_put(msg, payload, sizeof(struct vu_version) + strlen(text) + 1);
}

/* A reply to the request. */
static void
reply_make(struct liar *liar, uint32_t error, const void *payload, size_t len)
{
	struct vu_hdr hdr;

	memcpy(&hdr, liar->request.bytes, sizeof(hdr));
	hdr.flags = VU_F_TYPE_REPLY | (error != 0 ? VU_F_ERROR : 0);
	hdr.error = error;
	fds_close(&liar->reply);
	memcpy(liar->reply.bytes, &hdr, sizeof(hdr));
	payload_put(&liar->reply, payload, len);
}

/* ---- whether to lie ---- */

static bool
count_fits(int wanted, size_t nb)
{
	return wanted == 0 || (wanted < 0 ? nb == 0 : nb == (size_t)wanted);
}

static bool
field_fits(const struct liar_msg *msg, const struct liar_field *field)
{
	return field->width == 0 || liar_get(msg, field->off, field->width) == field->value;
}

static bool
text_fits(const struct liar_msg *msg, const char *text)
{
	return text == NULL || (msg->len > LIAR_P(4) &&
		msg->len - LIAR_P(4) == strlen(text) + 1 &&
		memcmp(msg->bytes + LIAR_P(4), text, strlen(text) + 1) == 0);
}

static bool
fits(const struct liar *liar, const struct liar_lie *lie)
{
	const struct liar_msg *msg = &liar->request;

	return (lie->any_cmd || liar_get(msg, 2, 2) == lie->cmd) &&
		field_fits(msg, &lie->when[0]) && field_fits(msg, &lie->when[1]) &&
		count_fits(lie->len, msg->len - sizeof(struct vu_hdr)) &&
		count_fits(lie->fds, msg->nb_fds) && text_fits(msg, lie->text) &&
		(lie->also == NULL || lie->also(liar));
}

static void
choose(struct liar *liar)
{
	const struct liar_lie *lie = liar->lie;

	while (lie != NULL && !fits(liar, lie))
		lie = lie->with;
	liar->telling = lie;
	liar->told += lie != NULL;
}

/* ---- lying ---- */

/* A descriptor like a real server would forget it: mapped, where it can be. */
static void
keep(struct liar *liar)
{
	unsigned int i, k;

	for (i = 0; i < liar->request.nb_fds; i++) {
		k = liar->nb_kept++;
		liar->kept[k] = dup(liar->request.fds[i]);
		liar->kept_at[k] = mmap(NULL, KEPT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
				liar->kept[k], 0);
	}
}

static void
kept_drop(struct liar *liar)
{
	while (liar->nb_kept > 0) {
		liar->nb_kept--;
		if (liar->kept_at[liar->nb_kept] != MAP_FAILED)
			munmap(liar->kept_at[liar->nb_kept], KEPT_BYTES);
		close(liar->kept[liar->nb_kept]);
	}
}

/* Before the server is asked. Returns whether the reply is there. */
static bool
lie_early(struct liar *liar)
{
	const struct liar_lie *lie = liar->telling;
	struct liar_msg *request = &liar->request;

	switch (lie->effect) {
	case LIE_ACCEPT:
		reply_make(liar, 0, NULL, 0);
		return true;
	case LIE_ECHO:
		reply_make(liar, 0, request->bytes + sizeof(struct vu_hdr),
			request->len - sizeof(struct vu_hdr));
		return true;
	case LIE_REFUSE:
		reply_make(liar, EINVAL, NULL, 0);
		return true;
	case LIE_RETELL:
		reply_make(liar, 0, NULL, 0);
		text_put(&liar->reply, lie->say);
		return true;
	case LIE_CHANGE:
		field_put(request, &lie->set, lie->set.value);
		break;
	case LIE_PROPOSE:
		text_put(request, lie->say);
		break;
	case LIE_KEEP:
		keep(liar);
		break;
	default:
		break;
	}
	return false;
}

static void
lie_late(struct liar *liar)
{
	const struct liar_field *set = &liar->telling->set;
	struct liar_msg *reply = &liar->reply;

	switch (liar->telling->effect) {
	case LIE_SET:
		field_put(reply, set, set->value);
		break;
	case LIE_ADD:
		field_put(reply, set, set->value + liar_get(reply, set->off, set->width));
		break;
	case LIE_GROW:
		memset(reply->bytes + reply->len, 0, 8);
		payload_put(reply, reply->bytes + sizeof(struct vu_hdr),
			reply->len - sizeof(struct vu_hdr) + 8);
		break;
	case LIE_TAKE_FD:
		fds_close(reply);
		break;
	case LIE_GIVE_FD:
		reply->fds[reply->nb_fds++] = eventfd(0, EFD_CLOEXEC);
		break;
	case LIE_FAIL:
		reply_make(liar, EINVAL, NULL, 0);
		break;
	case LIE_PASS:
		reply_make(liar, 0, NULL, 0);
		break;
	default:
		break;
	}
}

static bool
reply_fits(const struct liar *liar)
{
	return liar->telling->error == 0 || liar_get(&liar->reply, 12, 4) == liar->telling->error;
}

/* ---- a connection ---- */

static void
history_add(struct liar *liar)
{
	const struct liar_msg *msg = &liar->request;
	struct liar_history *now = &liar->now;
	const uint64_t cmd = liar_get(msg, 2, 2);

	now->messages++;
	now->infos += cmd == VU_GET_INFO;
	now->resets += cmd == VU_RESET;
	now->binds += cmd == VU_SET_IRQS && msg->nb_fds > 0;
	now->open |= text_fits(msg, "{\"capabilities\":{\"max_msg_fds\":16}}");
	if (cmd != VU_DMA_MAP)
		return;
	now->maps++;
	now->map_had_fd = msg->nb_fds > 0;
}

/* Until the client leaves. */
static bool
stall(struct liar *liar)
{
	char bytes[64];

	while (recv(liar->client, bytes, sizeof(bytes), 0) > 0)
		continue;
	return false;
}

static bool
tell(struct liar *liar)
{
	liar->now.unread = !pass_on(liar->client, &liar->reply);
	return !liar->now.unread;
}

/* Passes one request on. Returns false at the end of the connection. */
static bool
ask(struct liar *liar)
{
	const bool lying = liar->telling != NULL;
	const bool silent = liar_get(&liar->request, 8, 4) & VU_F_NO_REPLY;

	if (lying && liar->telling->effect == LIE_HANG_UP)
		return false;
	if (lying && liar->telling->effect == LIE_STALL)
		return stall(liar);
	if (lying && liar->telling->effect == LIE_SILENCE)
		return true;
	if (lying && lie_early(liar))
		return silent && liar->telling->effect != LIE_REFUSE ? true : tell(liar);
	if (!pass_on(liar->upstream, &liar->request))
		return false;
	if (silent)
		return true;
	if (!receive(liar->upstream, &liar->reply))
		return false;
	if (lying && reply_fits(liar))
		lie_late(liar);
	return tell(liar);
}

static int
upstream_connect(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(addr.sun_path, path, strlen(path));
	if (connect(sock, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return sock;
	close(sock);
	return -1;
}

static void
serve(struct liar *liar)
{
	memset(&liar->now, 0, sizeof(liar->now));
	liar->upstream = upstream_connect(liar->server);
	while (receive(liar->client, &liar->request)) {
		choose(liar);
		history_add(liar);
		if (!ask(liar))
			break;
	}
	liar->now.cut = liar->request.len > 0 && liar->request.len < size_of(&liar->request);
	liar->now.ended = true;
	liar->before = liar->now;
	close(liar->upstream);
}

static void *
thread_main(void *arg)
{
	struct liar *liar = arg;

	while ((liar->client = accept4(liar->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		serve(liar);
		close(liar->client);
	}
	return NULL;
}

void
liar_start(struct liar *liar, const struct liar_lie *lie)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	liar->lie = lie;
	liar->told = 0;
	liar->nb_kept = 0;
	memset(&liar->before, 0, sizeof(liar->before));
	liar->request.bytes = malloc(MSG_MAX + 1024);
	liar->reply.bytes = malloc(MSG_MAX + 1024);
	liar->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(addr.sun_path, liar->path, strlen(liar->path));
	unlink(liar->path);
	assert_int_equal(bind(liar->listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(liar->listener, 0), 0);
	stand_thread_create(&liar->thread, thread_main, liar);
}

void
liar_stop(struct liar *liar)
{
	shutdown(liar->listener, SHUT_RDWR);
	pthread_join(liar->thread, NULL);
	close(liar->listener);
	unlink(liar->path);
	fds_close(&liar->request);
	fds_close(&liar->reply);
	free(liar->request.bytes);
	free(liar->reply.bytes);
	kept_drop(liar);
}
