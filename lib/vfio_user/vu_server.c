/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>
#include <eal_export.h>

#include "vu_epoch.h"
#include "vu_log.h"
#include "vu_loop.h"
#include "vu_session.h"
#include "vu_sigbus.h"

#define FLAGS_KNOWN (RTE_VFIO_USER_F_POLL | RTE_VFIO_USER_F_SOCK_FD | RTE_VFIO_USER_F_NO_TWIN | \
	RTE_VFIO_USER_F_LVU_IOFDS)

#define DEFAULT_MODE       0600
#define DEFAULT_MSG_FDS    16u
#define DEFAULT_TIMEOUT_MS 5000u

/* Larger transfers QEMU does not admit. */
#define XFER_MAX (64u << 20)

/* Changed under the lock, freed after a grace period. */
_Atomic(struct vu_session *) vu_sessions[VU_SESSIONS_MAX];
static pthread_mutex_t sessions_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- finding ---- */

struct vu_session *
vu_session_hold(int id)
{
	struct vu_session *s;

	if (vu_epoch_enter() < 0)
		return NULL;
	s = vu_session_find(id);
	if (s != NULL)
		atomic_fetch_add(&s->users, 1);
	vu_epoch_leave();
	return s;
}

struct vu_session *
vu_session_get(int id)
{
	struct vu_session *s = vu_session_hold(id);

	if (s == NULL || !atomic_load(&s->closing))
		return s;
	vu_session_put(s);
	return NULL;
}

void
vu_session_put(struct vu_session *s)
{
	atomic_fetch_sub(&s->users, 1);
}

uint32_t
vu_session_serial(void)
{
	static _Atomic uint32_t last;

	return atomic_fetch_add(&last, 1) + 1;
}

/* Under the lock. */
static struct vu_session *
session_by_name(const char *name)
{
	struct vu_session *s;
	int id;

	for (id = 0; name != NULL && id < VU_SESSIONS_MAX; id++) {
		s = atomic_load_explicit(&vu_sessions[id], memory_order_relaxed);
		if (s != NULL && strcmp(s->name, name) == 0)
			return s;
	}
	return NULL;
}

/*
 * Run a function on a session that is not started, under the lock.
 * Returns -ENOENT if there is none, -EBUSY if it is started.
 */
#define WITH_IDLE_SESSION(rc_, name_, call_) do { \
	struct vu_session *s; \
	pthread_mutex_lock(&sessions_lock); \
	s = session_by_name(name_); \
	rc_ = s == NULL ? -ENOENT : s->started || atomic_load(&s->closing) ? -EBUSY : (call_); \
	pthread_mutex_unlock(&sessions_lock); \
} while (0)

/* ---- options ---- */

static void
options_fill(struct rte_vfio_user_options *opt, const struct rte_vfio_user_options *from)
{
	memset(opt, 0, sizeof(*opt));
	/* a program built with an older header knows less of it */
	if (from != NULL)
		memcpy(opt, from, RTE_MIN(from->size, sizeof(*opt)));
	opt->size = sizeof(*opt);
	if (opt->sock_mode == 0)
		opt->sock_mode = DEFAULT_MODE;
	if (opt->max_msg_fds == 0)
		opt->max_msg_fds = DEFAULT_MSG_FDS;
	if (opt->max_data_xfer_size == 0)
		opt->max_data_xfer_size = VU_DEFAULT_MAX_DATA_XFER;
	if (opt->max_dma_maps == 0)
		opt->max_dma_maps = VU_DEFAULT_MAX_DMA_MAPS;
	if (opt->pgsizes == 0)
		opt->pgsizes = VU_DEFAULT_PGSIZES;
	if (opt->request_timeout_ms == 0)
		opt->request_timeout_ms = DEFAULT_TIMEOUT_MS;
	if (!(opt->flags & RTE_VFIO_USER_F_SOCK_FD))
		opt->sock_fd = -1;
}

/* What is wrong with options, or NULL. */
static const char *
options_fault(const struct rte_vfio_user_options *opt)
{
	if (opt->flags & ~FLAGS_KNOWN)
		return "unknown flags";
	if (opt->sock_mode & ~(mode_t)0777)
		return "sock_mode has more than permissions";
	if (opt->max_msg_fds > VU_SCM_MAX_FD)
		return "max_msg_fds above 253";
	if (opt->max_data_xfer_size > XFER_MAX)
		return "max_data_xfer_size above 64 MiB";
	if (opt->max_dma_maps > VU_DEFAULT_MAX_DMA_MAPS)
		return "max_dma_maps above 65535";
	if (opt->pgsizes & (VU_DEFAULT_PGSIZES - 1) || opt->pgsizes > INT64_MAX)
		return "pgsizes with pages below 4 KiB";
	if (opt->flags & RTE_VFIO_USER_F_SOCK_FD && vu_socket_kind(opt->sock_fd) < 0)
		return "sock_fd is no UNIX stream socket that listens or is connected";
	return NULL;
}

/* ---- register ---- */

static int
session_new(const char *name, const struct rte_vfio_user_notify_ops *ops,
	const struct rte_vfio_user_options *opt, struct vu_session **out)
{
	struct vu_session *s;
	int rc;

	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	memcpy(s->name, name, strlen(name));
	s->opt = *opt;
	if (ops != NULL)
		s->ops = *ops;
	rc = vu_session_init(s);
	if (rc < 0) {
		free(s);
		return rc;
	}
	*out = s;
	return 0;
}

static void
session_free(struct vu_session *s)
{
	vu_session_fini(s);
	free(s);
}

/* Under the lock. */
static int
session_insert(struct vu_session *s)
{
	int id;

	if (session_by_name(s->name) != NULL)
		return -EEXIST;
	for (id = 0; id < VU_SESSIONS_MAX; id++) {
		if (atomic_load_explicit(&vu_sessions[id], memory_order_relaxed) != NULL)
			continue;
		s->id = id;
		s->serial = vu_session_serial();
		atomic_store(&vu_sessions[id], s);
		return 0;
	}
	return -ENOMEM;
}

static int
register_checked(const char *name, const struct rte_vfio_user_notify_ops *ops,
	const struct rte_vfio_user_options *opt)
{
	struct vu_session *s;
	int rc;

	rc = session_new(name, ops, opt, &s);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&sessions_lock);
	rc = session_insert(s);
	pthread_mutex_unlock(&sessions_lock);
	if (rc < 0)
		session_free(s);
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_register_opt, 25.11)
int
rte_vfio_user_register_opt(const char *sock_addr, const struct rte_vfio_user_notify_ops *ops,
	const struct rte_vfio_user_options *opt)
{
	struct rte_vfio_user_options filled;
	const char *fault;

	if (sock_addr == NULL || sock_addr[0] == '\0' || strlen(sock_addr) > VU_SOCKET_PATH_MAX) {
		VU_LOG(ERR, "no socket path, or one longer than %u bytes", VU_SOCKET_PATH_MAX);
		return -EINVAL;
	}
	options_fill(&filled, opt);
	fault = options_fault(&filled);
	if (fault != NULL) {
		VU_LOG(ERR, "%s: options: %s", sock_addr, fault);
		return -EINVAL;
	}
	return register_checked(sock_addr, ops, &filled);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_register, 25.11)
int
rte_vfio_user_register(const char *sock_addr, const struct rte_vfio_user_notify_ops *ops)
{
	return rte_vfio_user_register_opt(sock_addr, ops, NULL);
}

/* ---- describe ---- */

void
vu_sessions_hold_still(void)
{
	pthread_mutex_lock(&sessions_lock);
}

void
vu_sessions_go_on(void)
{
	pthread_mutex_unlock(&sessions_lock);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_set_dev_info, 25.11)
int
rte_vfio_user_set_dev_info(const char *sock_addr, struct vfio_device_info *dev_info)
{
	int rc;

	WITH_IDLE_SESSION(rc, sock_addr, vu_device_set_info(&s->dev, s->name, dev_info));
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_set_reg_info, 25.11)
int
rte_vfio_user_set_reg_info(const char *sock_addr, struct rte_vfio_user_regions *reg)
{
	int rc;

	WITH_IDLE_SESSION(rc, sock_addr, vu_device_set_regions(&s->dev, s->name, reg));
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_set_irq_info, 25.11)
int
rte_vfio_user_set_irq_info(const char *sock_addr, struct rte_vfio_user_irq_info *irq)
{
	int rc;

	WITH_IDLE_SESSION(rc, sock_addr, vu_device_set_irqs(&s->dev, s->name, irq));
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_set_migration, 25.11)
int
rte_vfio_user_set_migration(const char *sock_addr, const struct rte_vfio_user_migration_ops *ops)
{
	int rc;

	WITH_IDLE_SESSION(rc, sock_addr, vu_device_set_migration(&s->dev, s->name, ops));
	return rc;
}

/* ---- start ---- */

static int
session_open_socket(struct vu_session *s)
{
	int flags;

	if (!(s->opt.flags & RTE_VFIO_USER_F_SOCK_FD))
		return vu_socket_listen(&s->listener, s->name, s->opt.sock_mode);
	if (vu_socket_kind(s->opt.sock_fd) == VU_SOCKET_CONNECTED)
		return 0;
	flags = fcntl(s->opt.sock_fd, F_GETFL);
	if (flags < 0 || fcntl(s->opt.sock_fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	s->listener.fd = s->opt.sock_fd;
	return 0;
}

/* In poll mode a session has an epoll of its own, just to sleep on. */
static int
session_poll_open(struct vu_session *s)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = VU_WATCH_KICK };

	s->epfd = epoll_create1(EPOLL_CLOEXEC);
	s->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->epfd < 0 || s->kick_fd < 0 ||
			epoll_ctl(s->epfd, EPOLL_CTL_ADD, s->kick_fd, &event) < 0)
		return -errno;
	return vu_session_begin(s);
}

static void
session_poll_close(struct vu_session *s)
{
	if (s->epfd >= 0)
		close(s->epfd);
	if (s->kick_fd >= 0)
		close(s->kick_fd);
	s->epfd = s->kick_fd = -1;
}

static int
session_serve(struct vu_session *s)
{
	int rc;

	if (!(s->opt.flags & RTE_VFIO_USER_F_POLL))
		return vu_loop_add(s);
	rc = session_poll_open(s);
	if (rc < 0)
		session_poll_close(s);
	return rc;
}

/* Leaves an adopted socket to be tried again, or closed by unregister. */
static void
session_close_socket(struct vu_session *s)
{
	if (s->opt.flags & RTE_VFIO_USER_F_SOCK_FD)
		s->listener.fd = -1;
	else
		vu_socket_close(&s->listener, s->name);
}

static int
session_start(struct vu_session *s)
{
	int rc;

	rc = vu_device_check(&s->dev, s->name);
	if (rc < 0)
		return rc;
	rc = vu_irqs_init(&s->irqs, s->dev.irqs, s->dev.nb_irqs);
	if (rc < 0)
		return rc;
	rc = session_open_socket(s);
	if (rc < 0)
		goto err_irqs;
	s->started = true;
	vu_sigbus_watch_regions(&s->dma, &s->dev);
	rc = session_serve(s);
	if (rc < 0)
		goto err_socket;
	return 0;

err_socket:
	s->started = false;
	vu_sigbus_watch_regions(&s->dma, NULL);
	session_close_socket(s);
err_irqs:
	vu_irqs_drop(&s->irqs);
	VU_LOG(ERR, "%s: cannot start: %s", s->name, strerror(-rc));
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_start, 25.11)
int
rte_vfio_user_start(const char *sock_addr)
{
	int rc;

	WITH_IDLE_SESSION(rc, sock_addr, session_start(s));
	return rc;
}

/* ---- unregister ---- */

static int
unregister_begin(const char *name, struct vu_session **out)
{
	struct vu_session *s;
	int rc = 0;

	pthread_mutex_lock(&sessions_lock);
	s = session_by_name(name);
	if (s == NULL || atomic_load(&s->closing))
		rc = -ENOENT;
	else if (vu_session_serving(s) && s->depth > 0)
		rc = -EBUSY;
	else
		atomic_store(&s->closing, true);
	pthread_mutex_unlock(&sessions_lock);
	*out = s;
	return rc;
}

static void
users_wait(const struct vu_session *s)
{
	const struct timespec nap = { .tv_nsec = 50000 };

	while (atomic_load(&s->users) > 0)
		nanosleep(&nap, NULL);
}

static void
session_stop(struct vu_session *s)
{
	if (!s->started) {
		if (s->opt.sock_fd >= 0)
			close(s->opt.sock_fd);
		return;
	}
	if (!(s->opt.flags & RTE_VFIO_USER_F_POLL)) {
		vu_session_attend(s);
		vu_loop_remove(s);
		return;
	}
	/* whoever polls leaves soon, and who waits for that to happen does not wait any longer */
	vu_dma_msg_close(s);
	users_wait(s);
	vu_session_end(s);
	session_poll_close(s);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_unregister, 25.11)
int
rte_vfio_user_unregister(const char *sock_addr)
{
	struct vu_session *s;
	int rc;

	/* the thread that serves may have to wait for the end of this section */
	rc = vu_epoch_inside() ? -EDEADLK : unregister_begin(sock_addr, &s);
	if (rc < 0)
		return rc;
	session_stop(s);
	pthread_mutex_lock(&sessions_lock);
	atomic_store(&vu_sessions[s->id], NULL);
	pthread_mutex_unlock(&sessions_lock);
	vu_epoch_wait();
	users_wait(s);
	session_free(s);
	return 0;
}

/* ---- ids ---- */

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_dev_id, 25.11)
int
rte_vfio_user_dev_id(const char *sock_addr)
{
	struct vu_session *s;
	int id;

	pthread_mutex_lock(&sessions_lock);
	s = session_by_name(sock_addr);
	id = s != NULL ? s->id : -ENOENT;
	pthread_mutex_unlock(&sessions_lock);
	return id;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_get_sock_addr, 25.11)
int
rte_vfio_get_sock_addr(int dev_id, char *buf, size_t len)
{
	struct vu_session *s = vu_session_get(dev_id);
	int rc = -ENOSPC;

	if (s == NULL)
		return -ENODEV;
	if (buf != NULL && strlen(s->name) < len) {
		memcpy(buf, s->name, strlen(s->name) + 1);
		rc = 0;
	}
	vu_session_put(s);
	return rc;
}
