/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_client.h"
#include "vu_log.h"

#define DEFAULT_TIMEOUT_MS       5000u
#define DEFAULT_RESET_TIMEOUT_MS 60000u

/*
 * libvfio-user loses a request whose bytes are not all there when it reads it; this much always is.
 */
#define SMALL_WRITE 4096u

/* ------------------------------------------------------------------- connecting ---- */

static int
socket_timeout(int sock, int option, unsigned int ms)
{
	struct timeval tv = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000),
	};

	return setsockopt(sock, SOL_SOCKET, option, &tv, sizeof(tv)) < 0 ? -errno : 0;
}

/* Linux says only that nobody listens. */
static int
connect_error(const char *path, int rc)
{
	struct stat st;

	if (rc == -ECONNREFUSED && stat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	return rc == -EAGAIN ? -ETIMEDOUT : rc;
}

/* A server that does not accept lets even connect() wait, which signals interrupt. */
static int
connect_in_time(int sock, const struct sockaddr_un *addr, unsigned int timeout_ms)
{
	uint64_t now = vu_now_ms(), until_ms = now + timeout_ms;
	int rc;

	for (; now < until_ms; now = vu_now_ms()) {
		rc = socket_timeout(sock, SO_SNDTIMEO, (unsigned int)(until_ms - now));
		if (rc < 0)
			return rc;
		if (connect(sock, (const struct sockaddr *)addr, sizeof(*addr)) == 0)
			return 0;
		if (errno != EINTR)
			return connect_error(addr->sun_path, -errno);
	}
	return -ETIMEDOUT;
}

static int
socket_connect(const char *path, unsigned int timeout_ms)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock, rc;

	memcpy(addr.sun_path, path, strlen(path) + 1);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	rc = connect_in_time(sock, &addr, timeout_ms);
	if (rc == 0)
		return sock;
	close(sock);
	return rc;
}

static int
socket_is_stream(int sock)
{
	socklen_t len = sizeof(int);
	int type;

	if (getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		return -errno;
	return type == SOCK_STREAM ? 0 : -EPROTOTYPE;
}

/* The calls that wait do so for a limited time. */
static int
socket_prepare(int sock)
{
	int flags = fcntl(sock, F_GETFL);
	int rc;

	if (flags < 0 || fcntl(sock, F_SETFL, flags & ~O_NONBLOCK) < 0)
		return -errno;
	rc = socket_is_stream(sock);
	if (rc == 0)
		rc = socket_timeout(sock, SO_SNDTIMEO, VU_CLIENT_SEND_MS);
	return rc;
}

/* ------------------------------------------------------------------ negotiation ---- */

static struct vu_version_info
own_version(bool twin)
{
	struct vu_version_info version = { .major = VU_MAJOR, .minor = VU_MINOR, .has_text = true };

	vu_caps_default(&version.caps);
	version.caps.max_msg_fds = VU_CLIENT_MAX_FDS;
	version.caps.max_data_xfer_size = VU_CLIENT_MAX_XFER;
	version.caps.write_multiple = true;
	version.caps.map_multiple = true;
	version.caps.twin_socket = twin;
	version.caps.migration = true;
	version.caps.mig_max_bitmap_size = VU_CLIENT_MAX_XFER;
	return version;
}

static int
twin_take(struct vu_client *client, struct vu_fds *fds)
{
	int index = client->server.caps.twin_fd_index;
	int sock, rc;

	sock = index >= 0 ? vu_fds_take(fds, (unsigned int)index) : -1;
	if (sock < 0 || socket_is_stream(sock) < 0) {
		VU_LOG(ERR, "%s: server promises a second socket and sends none", client->name);
		rc = -EPROTO;
		goto err_close;
	}
	rc = vu_conn_init(&client->twin, sock, VU_CLIENT_MAX_XFER + VU_CONN_OVERHEAD, 0);
	if (rc == 0)
		return vu_client_watch_twin(&client->watch, sock);
err_close:
	if (sock >= 0)
		close(sock);
	return rc;
}

static int
version_check(struct vu_client *client, const struct vu_version_info *own, struct vu_fds *fds)
{
	const struct vu_version_info *server = &client->server;

	if (server->major != own->major || server->minor > own->minor) {
		VU_LOG(ERR, "%s: server speaks version %u.%u, not %u.%u", client->name,
			server->major, server->minor, own->major, own->minor);
		return -EPROTONOSUPPORT;
	}
	if (!server->caps.twin_socket)
		return 0;
	return own->caps.twin_socket ? twin_take(client, fds) : -EPROTO;
}

/* Who hangs up or talks nonsense instead of answering is no server of this protocol. */
static int
version_error(const struct vu_client *client, int rc)
{
	if (rc == -EINVAL)
		rc = -EPROTONOSUPPORT;
	else if (rc == -ENOTCONN)
		rc = -EPROTO;
	VU_LOG(ERR, "%s: no valid answer to VERSION: %s", client->name, strerror(-rc));
	return rc;
}

static int
version_exchange(struct vu_client *client, const struct vu_version_info *own)
{
	uint8_t request[512], reply[sizeof(struct vu_version) + VU_CAPS_TEXT_MAX + 1];
	struct vu_fds fds = { .nb = 0 };
	struct iovec iov = { .iov_base = request };
	struct vu_call call = { .cmd = VU_VERSION, .payload = &iov, .nb = 1,
		.reply = reply, .cap = sizeof(reply), .reply_fds = &fds };
	const char *why = "";
	int rc;

	rc = vu_version_encode(own, request, sizeof(request));
	if (rc < 0)
		return rc;
	iov.iov_len = (size_t)rc;
	rc = vu_client_call(client, &call);
	if (rc < 0)
		return version_error(client, rc);
	rc = vu_version_decode(reply, call.len, &client->server, &why);
	if (rc == 0)
		rc = version_check(client, own, &fds);
	else
		VU_LOG(ERR, "%s: answer to VERSION: %s", client->name, why);
	vu_fds_close(&fds);
	return rc == -EINVAL ? -EPROTO : rc;
}

static void
limits_set(struct vu_client *client)
{
	const struct vu_caps *caps = &client->server.caps;

	client->max_read = RTE_MIN(caps->max_data_xfer_size, VU_CLIENT_MAX_XFER);
	client->max_write = client->max_read;
	if (!caps->says_dma_maps)
		client->max_write = RTE_MIN(client->max_read, SMALL_WRITE);
}

static int
device_check(struct vu_client *client)
{
	struct vfio_device_info info = { .argsz = VU_DEVICE_INFO_SIZE };
	int rc;

	rc = vu_client_device_info(client, &info);
	if (rc < 0)
		return rc;
	if (info.flags & VFIO_DEVICE_FLAGS_PCI)
		return 0;
	VU_LOG(ERR, "%s: not a PCI device", client->name);
	return -ENODEV;
}

/* ---------------------------------------------------------------------- object ---- */

void
vu_client_free(struct vu_client *client)
{
	if (client->event_fd >= 0)
		close(client->event_fd);
	vu_client_watch_fini(&client->watch);
	vu_conn_fini(&client->twin);
	vu_conn_fini(&client->conn);
	pthread_mutex_destroy(&client->host_lock);
	free(client->ranges);
	free(client->dma_buf);
	free(client);
}

/* The socket is closed on failure. */
static int
client_new(int sock, const char *name, unsigned int timeout_ms, struct vu_client **out)
{
	struct vu_client *client;
	int rc;

	rc = socket_prepare(sock);
	if (rc < 0)
		goto err_close;
	rc = -ENOMEM;
	client = calloc(1, sizeof(*client));
	if (client == NULL)
		goto err_close;
	snprintf(client->name, sizeof(client->name), "%s", name);
	client->timeout_ms = timeout_ms;
	client->twin.sock = -1;
	client->event_fd = -1;
	vu_client_watch_init(&client->watch);
	rc = vu_client_watch_open(&client->watch, sock);
	if (rc < 0)
		goto err_free;
	rc = vu_conn_init(&client->conn, sock, VU_CLIENT_MAX_XFER + VU_CONN_OVERHEAD,
			VU_CLIENT_MAX_FDS);
	if (rc < 0)
		goto err_free;
	pthread_mutex_init(&client->host_lock, NULL);
	*out = client;
	return 0;

err_free:
	vu_client_watch_fini(&client->watch);
	free(client);
err_close:
	close(sock);
	return rc;
}

static int
client_negotiate(struct vu_client *client, bool twin)
{
	const struct vu_version_info own = own_version(twin);
	int rc;

	rc = version_exchange(client, &own);
	if (rc < 0)
		return rc;
	limits_set(client);
	return device_check(client);
}

/* A connected socket, or -errno. */
static int
open_socket(const char *path, const struct rte_vfio_user_attach_options *opt,
	unsigned int timeout_ms)
{
	if (opt->flags & RTE_VFIO_USER_ATTACH_F_SOCK_FD)
		return opt->sock_fd >= 0 ? opt->sock_fd : -EBADF;
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return -ENAMETOOLONG;
	return socket_connect(path, timeout_ms);
}

int
vu_client_open(const char *path, const struct rte_vfio_user_attach_options *opt,
	struct vu_client **out)
{
	unsigned int timeout_ms = opt->timeout_ms > 0 ? opt->timeout_ms : DEFAULT_TIMEOUT_MS;
	int sock, rc;

	sock = open_socket(path, opt, timeout_ms);
	if (sock < 0) {
		VU_LOG(INFO, "%s: cannot connect: %s", path, strerror(-sock));
		return sock;
	}
	rc = client_new(sock, path, timeout_ms, out);
	if (rc < 0)
		return rc;
	(*out)->flags = opt->flags;
	(*out)->reset_timeout_ms = opt->reset_timeout_ms > 0 ? opt->reset_timeout_ms :
		RTE_MAX(timeout_ms, DEFAULT_RESET_TIMEOUT_MS);
	rc = client_negotiate(*out, !(opt->flags & RTE_VFIO_USER_ATTACH_F_NO_TWIN));
	if (rc < 0)
		vu_client_free(*out);
	return rc;
}
