/* SPDX-License-Identifier: BSD-3-Clause */

/* The 64-bit variants are names of their own here, not redirections. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "interpose.h"
#include "test.h"

#define FD_MAX 65536
#define MAPPINGS_MAX 16384

/* What each kind is called and how it fails when the test does not care. */
static const struct {
	const char *name;
	int err;
} calls[INTERPOSE_NB_CALLS] = {
	[INTERPOSE_OPEN] = { "open", EMFILE },
	[INTERPOSE_CLOSE] = { "close", EIO },
	[INTERPOSE_IOCTL] = { "ioctl", EIO },
	[INTERPOSE_MMAP] = { "mmap", ENOMEM },
	[INTERPOSE_MUNMAP] = { "munmap", ENOMEM },
	[INTERPOSE_MPROTECT] = { "mprotect", ENOMEM },
	[INTERPOSE_MREMAP] = { "mremap", ENOMEM },
	[INTERPOSE_MADVISE] = { "madvise", EINVAL },
	[INTERPOSE_PREAD] = { "pread", EIO },
	[INTERPOSE_PWRITE] = { "pwrite", EIO },
	[INTERPOSE_READ] = { "read", EIO },
	[INTERPOSE_WRITE] = { "write", EIO },
	[INTERPOSE_READLINK] = { "readlink", EACCES },
	[INTERPOSE_ACCESS] = { "access", EACCES },
	[INTERPOSE_OPENDIR] = { "opendir", EMFILE },
	[INTERPOSE_READDIR] = { "readdir", EIO },
	[INTERPOSE_FOPEN] = { "fopen", EMFILE },
	[INTERPOSE_EVENTFD] = { "eventfd", EMFILE },
	[INTERPOSE_EPOLL_CREATE] = { "epoll_create", EMFILE },
	[INTERPOSE_EPOLL_CTL] = { "epoll_ctl", ENOSPC },
	[INTERPOSE_PIPE] = { "pipe", EMFILE },
	[INTERPOSE_TIMERFD] = { "timerfd_create", EMFILE },
	[INTERPOSE_SOCKET] = { "socket", EMFILE },
	[INTERPOSE_BIND] = { "bind", EACCES },
	[INTERPOSE_LISTEN] = { "listen", EADDRINUSE },
	[INTERPOSE_CONNECT] = { "connect", ECONNREFUSED },
	[INTERPOSE_ACCEPT] = { "accept", EMFILE },
	[INTERPOSE_SOCKETPAIR] = { "socketpair", EMFILE },
	[INTERPOSE_SETSOCKOPT] = { "setsockopt", ENOMEM },
	[INTERPOSE_SENDMSG] = { "sendmsg", ENOBUFS },
	[INTERPOSE_RECVMSG] = { "recvmsg", ENOMEM },
	[INTERPOSE_DUP] = { "fcntl", EMFILE },
	[INTERPOSE_MEMFD] = { "memfd_create", EMFILE },
	[INTERPOSE_FTRUNCATE] = { "ftruncate", ENOSPC },
	[INTERPOSE_FALLOCATE] = { "fallocate", ENOSPC },
	[INTERPOSE_THREAD] = { "pthread_create", EAGAIN },
	[INTERPOSE_ALLOC] = { "malloc", ENOMEM },
	[INTERPOSE_WAIT] = { "poll", EINTR },
	[INTERPOSE_LOCK] = { "pthread_mutex_lock", EAGAIN },
};

/* The failure that is ordered. Written while disarmed, except for what is counted. */
static struct {
	atomic_bool armed;
	uint64_t mask;
	unsigned int nth;
	int err;
	pthread_t thread;
	atomic_uint count;
	atomic_uint count_of[INTERPOSE_NB_CALLS];
	atomic_int fired;	/* the enum interpose_call plus one */
} order;

static __thread unsigned int bypass;

void
interpose_bypass_begin(void)
{
	bypass++;
}

void
interpose_bypass_end(void)
{
	bypass--;
}

void
interpose_fail(uint64_t mask, unsigned int nth, int err)
{
	int i;

	interpose_disarm();
	order.mask = mask;
	order.nth = nth;
	order.err = err;
	order.thread = pthread_self();
	atomic_store(&order.count, 0);
	for (i = 0; i < INTERPOSE_NB_CALLS; i++)
		atomic_store(&order.count_of[i], 0);
	atomic_store(&order.fired, 0);
	atomic_store(&order.armed, true);
}

void
interpose_disarm(void)
{
	atomic_store(&order.armed, false);
}

bool
interpose_fired(void)
{
	return atomic_load(&order.fired) != 0;
}

const char *
interpose_fired_name(void)
{
	int fired = atomic_load(&order.fired);

	return fired == 0 ? "nothing" : calls[fired - 1].name;
}

unsigned int
interpose_count(void)
{
	return atomic_load(&order.count);
}

unsigned int
interpose_count_of(enum interpose_call call)
{
	return atomic_load(&order.count_of[call]);
}

/* Counts the call; if it is the one to fail, sets errno and returns true. */
static bool
fails(enum interpose_call call)
{
	if (!atomic_load_explicit(&order.armed, memory_order_acquire) || bypass != 0)
		return false;
	if ((order.mask & (UINT64_C(1) << call)) == 0)
		return false;
	if ((order.mask & INTERPOSE_THIS_THREAD) != 0 &&
			!pthread_equal(order.thread, pthread_self()))
		return false;
	atomic_fetch_add(&order.count_of[call], 1);
	if (atomic_fetch_add(&order.count, 1) + 1 != order.nth)
		return false;
	atomic_store(&order.fired, (int)call + 1);
	errno = order.err != 0 && call != INTERPOSE_ALLOC ? order.err : calls[call].err;
	return true;
}

void
interpose_loop_start(struct interpose_loop *loop, uint64_t mask, int err)
{
	loop->mask = mask;
	loop->err = err;
	loop->nth = -1;
}

bool
interpose_loop_next(struct interpose_loop *loop)
{
	bool done = loop->nth > 0 && !interpose_fired();
	char text[4096];

	interpose_disarm();
	if (loop->nth > 0 && resources_diff_settled(&loop->before, text, sizeof(text)) != 0) {
		print_error("after call %d of %u (%s) failed:\n%s", loop->nth, interpose_count(),
			interpose_fired_name(), text);
		fail();
	}
	/* The first run may start what stays for the life of the process. */
	if (loop->nth == 0)
		resources_take(&loop->before);
	if (done) {
		resources_drop(&loop->before);
		return false;
	}
	loop->nth++;
	interpose_fail(loop->mask, loop->nth, loop->err);
	return true;
}

/* The next definition of a function: a sanitizer's, else libc's. */
static void *
real_find(const char *name)
{
	void *function = NULL;
#if SANITIZER_OWNS_CALLS
	char interceptor[64];

	snprintf(interceptor, sizeof(interceptor), "__interceptor_%s", name);
	function = dlsym(RTLD_DEFAULT, interceptor);
#endif
	if (function == NULL)
		function = dlsym(RTLD_NEXT, name);
	if (function == NULL)
		abort();
	return function;
}

static void *
real_get(void **cache, const char *name)
{
	void *function = __atomic_load_n(cache, __ATOMIC_ACQUIRE);

	if (function == NULL) {
		bypass++;
		function = real_find(name);
		bypass--;
		__atomic_store_n(cache, function, __ATOMIC_RELEASE);
	}
	return function;
}

#define REAL(name_) __extension__({ \
	static void *cache_; \
	(__typeof__(&name_))real_get(&cache_, #name_); \
})

/* A function that only forwards. */
#define FORWARD(type_, failure_, call_, name_, params_, args_) \
type_ \
name_ params_ \
{ \
	return fails(INTERPOSE_##call_) ? (failure_) : REAL(name_) args_; \
}

/* Routes of paths. */

static struct interpose_path *paths;
static pthread_mutex_t paths_lock = PTHREAD_MUTEX_INITIALIZER;

void
interpose_route_path(struct interpose_path *route)
{
	pthread_mutex_lock(&paths_lock);
	route->next = paths;
	__atomic_store_n(&paths, route, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&paths_lock);
}

void
interpose_unroute_path(struct interpose_path *route)
{
	struct interpose_path **at = &paths;

	pthread_mutex_lock(&paths_lock);
	while (*at != NULL && *at != route)
		at = &(*at)->next;
	if (*at != NULL)
		__atomic_store_n(at, route->next, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&paths_lock);
}

static bool
path_is_under(const char *path, const char *route)
{
	size_t len = strlen(route);

	if (len > 0 && route[len - 1] == '/')
		return strncmp(path, route, len) == 0;
	return strcmp(path, route) == 0;
}

static struct interpose_path *
path_route(const char *path)
{
	struct interpose_path *route = __atomic_load_n(&paths, __ATOMIC_ACQUIRE);

	if (bypass != 0 || path == NULL)
		return NULL;
	while (route != NULL && !path_is_under(path, route->path))
		route = __atomic_load_n(&route->next, __ATOMIC_ACQUIRE);
	return route;
}

/* From -errno to errno. */
static long
answer(long rc)
{
	if (rc >= 0)
		return rc;
	errno = (int)-rc;
	return -1;
}

static int
path_open(struct interpose_path *route, const char *path, int flags)
{
	int rc;

	bypass++;
	rc = route->open(route->ctx, path, flags);
	bypass--;
	return (int)answer(rc);
}

static int
path_access(struct interpose_path *route, const char *path)
{
	int rc = 0;

	bypass++;
	if (route->access != NULL)
		rc = route->access(route->ctx, path);
	bypass--;
	return (int)answer(rc);
}

/* Routes of descriptors. */

static struct {
	const struct interpose_fd_ops *ops;
	void *ctx;
} fds[FD_MAX];

void
interpose_route_fd(int fd, const struct interpose_fd_ops *ops, void *ctx)
{
	if (fd < 0 || fd >= FD_MAX)
		abort();
	fds[fd].ctx = ctx;
	__atomic_store_n(&fds[fd].ops, ops, __ATOMIC_RELEASE);
}

static const struct interpose_fd_ops *
fd_ops(int fd)
{
	if (fd < 0 || fd >= FD_MAX || bypass != 0)
		return NULL;
	return __atomic_load_n(&fds[fd].ops, __ATOMIC_ACQUIRE);
}

#define HAS_ROUTE(fd_, member_) (fd_ops(fd_) != NULL && fd_ops(fd_)->member_ != NULL)

/* Calls the fake's function; its own calls are its own affair. */
#define ROUTE(fd_, member_, ...) __extension__({ \
	long rc_; \
	bypass++; \
	rc_ = __atomic_load_n(&fds[fd_].ops, __ATOMIC_ACQUIRE)->member_( \
		fds[fd_].ctx, __VA_ARGS__); \
	bypass--; \
	answer(rc_); \
})

/* The ledger of mappings. */

static struct interpose_mapping mappings[MAPPINGS_MAX];
static size_t nb_mappings;
static pthread_mutex_t mappings_lock = PTHREAD_MUTEX_INITIALIZER;

static void
mapping_append(uintptr_t start, uintptr_t end)
{
	if (nb_mappings == MAPPINGS_MAX)
		abort();
	mappings[nb_mappings++] = (struct interpose_mapping){ start, end };
}

static void
mapping_cut(uintptr_t start, uintptr_t end)
{
	size_t i = 0;

	while (i < nb_mappings) {
		struct interpose_mapping old = mappings[i];

		if (old.end <= start || end <= old.start) {
			i++;
			continue;
		}
		mappings[i] = mappings[--nb_mappings];
		if (old.start < start)
			mapping_append(old.start, start);
		if (end < old.end)
			mapping_append(end, old.end);
	}
}

static uintptr_t
mapping_end(const void *addr, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (uintptr_t)addr + (len + page - 1) / page * page;
}

static void
mapping_gone(const void *addr, size_t len)
{
	pthread_mutex_lock(&mappings_lock);
	mapping_cut((uintptr_t)addr, mapping_end(addr, len));
	pthread_mutex_unlock(&mappings_lock);
}

static void
mapping_new(const void *addr, size_t len)
{
	pthread_mutex_lock(&mappings_lock);
	mapping_cut((uintptr_t)addr, mapping_end(addr, len));
	mapping_append((uintptr_t)addr, mapping_end(addr, len));
	pthread_mutex_unlock(&mappings_lock);
}

size_t
interpose_mappings(struct interpose_mapping *out, size_t max)
{
	size_t n;

	pthread_mutex_lock(&mappings_lock);
	n = nb_mappings;
	memcpy(out, mappings, (n < max ? n : max) * sizeof(*out));
	pthread_mutex_unlock(&mappings_lock);
	return n;
}

/* Opening and closing. */

static mode_t
mode_arg(int flags, va_list ap)
{
	return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(ap, mode_t) : 0;
}

int
open(const char *path, int flags, ...)
{
	struct interpose_path *route;
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = mode_arg(flags, ap);
	va_end(ap);
	if (fails(INTERPOSE_OPEN))
		return -1;
	route = path_route(path);
	return route != NULL ? path_open(route, path, flags) : REAL(open)(path, flags, mode);
}

int
openat(int dirfd, const char *path, int flags, ...)
{
	struct interpose_path *route;
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = mode_arg(flags, ap);
	va_end(ap);
	if (fails(INTERPOSE_OPEN))
		return -1;
	route = path_route(path);
	return route != NULL ? path_open(route, path, flags)
		: REAL(openat)(dirfd, path, flags, mode);
}

int
close(int fd)
{
	const struct interpose_fd_ops *ops = fd_ops(fd);
	bool fail_it = fails(INTERPOSE_CLOSE);
	int err = errno;
	int rc;

	if (fd >= 0 && fd < FD_MAX)
		__atomic_store_n(&fds[fd].ops, NULL, __ATOMIC_RELEASE);
	if (ops != NULL && ops->close != NULL) {
		bypass++;
		ops->close(fds[fd].ctx);
		bypass--;
	}
	rc = REAL(close)(fd);
	if (fail_it)
		errno = err;
	return fail_it ? -1 : rc;
}

FILE *
fopen(const char *path, const char *mode)
{
	struct interpose_path *route;
	int fd;

	if (fails(INTERPOSE_FOPEN))
		return NULL;
	route = path_route(path);
	if (route == NULL)
		return REAL(fopen)(path, mode);
	fd = path_open(route, path, strchr(mode, '+') != NULL ? O_RDWR :
		mode[0] == 'r' ? O_RDONLY : O_WRONLY);
	return fd < 0 ? NULL : fdopen(fd, mode);
}

int
access(const char *path, int mode)
{
	struct interpose_path *route;

	if (fails(INTERPOSE_ACCESS))
		return -1;
	route = path_route(path);
	return route != NULL ? path_access(route, path) : REAL(access)(path, mode);
}

int
faccessat(int dirfd, const char *path, int mode, int flags)
{
	struct interpose_path *route;

	if (fails(INTERPOSE_ACCESS))
		return -1;
	route = path_route(path);
	return route != NULL ? path_access(route, path) : REAL(faccessat)(dirfd, path, mode, flags);
}

FORWARD(FILE *, NULL, FOPEN, fdopen, (int fd, const char *mode), (fd, mode))
FORWARD(DIR *, NULL, OPENDIR, opendir, (const char *path), (path))
FORWARD(DIR *, NULL, OPENDIR, fdopendir, (int fd), (fd))
FORWARD(struct dirent *, NULL, READDIR, readdir, (DIR *dir), (dir))
FORWARD(struct dirent64 *, NULL, READDIR, readdir64, (DIR *dir), (dir))
FORWARD(ssize_t, -1, READLINK, readlink, (const char *path, char *buf, size_t len),
	(path, buf, len))
FORWARD(ssize_t, -1, READLINK, readlinkat, (int fd, const char *path, char *buf, size_t len),
	(fd, path, buf, len))
FORWARD(int, -1, EVENTFD, eventfd, (unsigned int count, int flags), (count, flags))
FORWARD(int, -1, EPOLL_CREATE, epoll_create, (int size), (size))
FORWARD(int, -1, EPOLL_CREATE, epoll_create1, (int flags), (flags))
FORWARD(int, -1, EPOLL_CTL, epoll_ctl, (int epfd, int op, int fd, struct epoll_event *event),
	(epfd, op, fd, event))
FORWARD(int, -1, PIPE, pipe, (int fd[2]), (fd))
FORWARD(int, -1, PIPE, pipe2, (int fd[2], int flags), (fd, flags))
FORWARD(int, -1, TIMERFD, timerfd_create, (clockid_t clock, int flags), (clock, flags))
FORWARD(int, -1, SOCKET, socket, (int domain, int type, int protocol), (domain, type, protocol))
FORWARD(int, -1, BIND, bind, (int fd, const struct sockaddr *addr, socklen_t len),
	(fd, addr, len))
FORWARD(int, -1, LISTEN, listen, (int fd, int backlog), (fd, backlog))
FORWARD(int, -1, CONNECT, connect, (int fd, const struct sockaddr *addr, socklen_t len),
	(fd, addr, len))
FORWARD(int, -1, ACCEPT, accept, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))
FORWARD(int, -1, ACCEPT, accept4, (int fd, struct sockaddr *addr, socklen_t *len, int flags),
	(fd, addr, len, flags))
FORWARD(int, -1, SOCKETPAIR, socketpair, (int domain, int type, int protocol, int fd[2]),
	(domain, type, protocol, fd))
FORWARD(int, -1, SETSOCKOPT, setsockopt,
	(int fd, int level, int name, const void *value, socklen_t len),
	(fd, level, name, value, len))
FORWARD(ssize_t, -1, SENDMSG, sendmsg, (int fd, const struct msghdr *msg, int flags),
	(fd, msg, flags))
FORWARD(ssize_t, -1, SENDMSG, send, (int fd, const void *buf, size_t len, int flags),
	(fd, buf, len, flags))
FORWARD(ssize_t, -1, RECVMSG, recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags))
FORWARD(int, -1, WAIT, poll, (struct pollfd *pfd, nfds_t nb, int timeout_ms), (pfd, nb, timeout_ms))
FORWARD(int, -1, WAIT, epoll_wait, (int epfd, struct epoll_event *events, int max, int timeout_ms),
	(epfd, events, max, timeout_ms))
FORWARD(int, -1, MEMFD, memfd_create, (const char *name, unsigned int flags), (name, flags))
FORWARD(int, -1, FTRUNCATE, ftruncate, (int fd, off_t len), (fd, len))
FORWARD(int, -1, FALLOCATE, fallocate, (int fd, int mode, off_t off, off_t len),
	(fd, mode, off, len))
FORWARD(int, -1, MPROTECT, mprotect, (void *addr, size_t len, int prot), (addr, len, prot))
FORWARD(int, -1, MADVISE, madvise, (void *addr, size_t len, int advice), (addr, len, advice))
FORWARD(ssize_t, -1, READ, read, (int fd, void *buf, size_t len), (fd, buf, len))
FORWARD(ssize_t, -1, WRITE, write, (int fd, const void *buf, size_t len), (fd, buf, len))

int
pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
	if (fails(INTERPOSE_THREAD))
		return errno;
	return REAL(pthread_create)(thread, attr, start, arg);
}

#if !SANITIZER_OWNS_CALLS
int
pthread_mutex_lock(pthread_mutex_t *mutex)
{
	return fails(INTERPOSE_LOCK) ? errno : REAL(pthread_mutex_lock)(mutex);
}
#endif

static bool
dup_fails(int cmd)
{
	return (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC) && fails(INTERPOSE_DUP);
}

/* What a duplicate does is what its original does. */
static int
dup_route(int from, int cmd, int fd)
{
	const struct interpose_fd_ops *ops;

	if (fd < 0 || (cmd != F_DUPFD && cmd != F_DUPFD_CLOEXEC))
		return fd;
	ops = fd_ops(from);
	if (ops != NULL && ops->dup != NULL) {
		interpose_route_fd(fd, ops, fds[from].ctx);
		ops->dup(fds[from].ctx, fd);
	}
	return fd;
}

/* All commands take a word at most. */
int
fcntl(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return dup_fails(cmd) ? -1 : dup_route(fd, cmd, REAL(fcntl)(fd, cmd, arg));
}

int
fcntl64(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return dup_fails(cmd) ? -1 : dup_route(fd, cmd, REAL(fcntl64)(fd, cmd, arg));
}

/* Devices. */

int
ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (fails(INTERPOSE_IOCTL))
		return -1;
	if (HAS_ROUTE(fd, ioctl))
		return (int)ROUTE(fd, ioctl, request, arg);
	return REAL(ioctl)(fd, request, arg);
}

ssize_t
pread(int fd, void *buf, size_t len, off_t off)
{
	if (fails(INTERPOSE_PREAD))
		return -1;
	return HAS_ROUTE(fd, pread) ? ROUTE(fd, pread, buf, len, off)
		: REAL(pread)(fd, buf, len, off);
}

ssize_t
pwrite(int fd, const void *buf, size_t len, off_t off)
{
	if (fails(INTERPOSE_PWRITE))
		return -1;
	return HAS_ROUTE(fd, pwrite) ? ROUTE(fd, pwrite, buf, len, off)
		: REAL(pwrite)(fd, buf, len, off);
}

/* Mappings. */

/* Linux has unmapped what was there by the time it asks the driver of a device. */
static void
range_give_up(void *addr, size_t len)
{
	int err = errno;

	if (REAL(munmap)(addr, len) == 0)
		mapping_gone(addr, len);
	errno = err;
}

void *
mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	void *map;

	if (fails(INTERPOSE_MMAP))
		return MAP_FAILED;
	if (HAS_ROUTE(fd, mmap) && ROUTE(fd, mmap, len, prot, flags, off) != 0) {
		if ((flags & MAP_FIXED) != 0)
			range_give_up(addr, len);
		return MAP_FAILED;
	}
	map = REAL(mmap)(addr, len, prot, flags, fd, off);
	if (map != MAP_FAILED)
		mapping_new(map, len);
	return map;
}

int
munmap(void *addr, size_t len)
{
	int rc;

	if (fails(INTERPOSE_MUNMAP))
		return -1;
	rc = REAL(munmap)(addr, len);
	if (rc == 0)
		mapping_gone(addr, len);
	return rc;
}

void *
mremap(void *addr, size_t len, size_t new_len, int flags, ...)
{
	void *new_addr;
	va_list ap;
	void *map;

	va_start(ap, flags);
	new_addr = (flags & MREMAP_FIXED) != 0 ? va_arg(ap, void *) : NULL;
	va_end(ap);
	if (fails(INTERPOSE_MREMAP))
		return MAP_FAILED;
	map = REAL(mremap)(addr, len, new_len, flags, new_addr);
	if (map != MAP_FAILED) {
		mapping_gone(addr, len);
		mapping_new(map, new_len);
	}
	return map;
}

/* With a 64-bit off_t the two variants are one function. */
#ifdef __LP64__
#define ALIAS(name_) __attribute__((alias(#name_)))
int open64(const char *path, int flags, ...) ALIAS(open);
int openat64(int dirfd, const char *path, int flags, ...) ALIAS(openat);
FILE *fopen64(const char *path, const char *mode) ALIAS(fopen);
ssize_t pread64(int fd, void *buf, size_t len, off64_t off) ALIAS(pread);
ssize_t pwrite64(int fd, const void *buf, size_t len, off64_t off) ALIAS(pwrite);
void *mmap64(void *addr, size_t len, int prot, int flags, int fd, off64_t off) ALIAS(mmap);
int ftruncate64(int fd, off64_t len) ALIAS(ftruncate);
int fallocate64(int fd, int mode, off64_t off, off64_t len) ALIAS(fallocate);
#endif

/* The heap. */

#if SANITIZER_OWNS_CALLS

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

size_t
interpose_heap_bytes(void)
{
	return __sanitizer_get_current_allocated_bytes != NULL ?
		__sanitizer_get_current_allocated_bytes() : 0;
}

#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

static atomic_size_t heap;

size_t
interpose_heap_bytes(void)
{
	return atomic_load(&heap);
}

static void *
heap_gained(void *p)
{
	if (p != NULL)
		atomic_fetch_add_explicit(&heap, malloc_usable_size(p), memory_order_relaxed);
	return p;
}

static void
heap_lost(size_t size)
{
	atomic_fetch_sub_explicit(&heap, size, memory_order_relaxed);
}

void *
malloc(size_t size)
{
	return fails(INTERPOSE_ALLOC) ? NULL : heap_gained(__libc_malloc(size));
}

void *
calloc(size_t n, size_t size)
{
	return fails(INTERPOSE_ALLOC) ? NULL : heap_gained(__libc_calloc(n, size));
}

void *
realloc(void *p, size_t size)
{
	size_t old = p != NULL ? malloc_usable_size(p) : 0;
	void *new;

	if (size != 0 && fails(INTERPOSE_ALLOC))
		return NULL;
	new = __libc_realloc(p, size);
	if (new != NULL || size == 0)
		heap_lost(old);
	return heap_gained(new);
}

void *
reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, bytes);
}

void *
memalign(size_t align, size_t size)
{
	return fails(INTERPOSE_ALLOC) ? NULL : heap_gained(__libc_memalign(align, size));
}

void *
aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

int
posix_memalign(void **out, size_t align, size_t size)
{
	void *p = memalign(align, size);

	if (p == NULL)
		return ENOMEM;
	*out = p;
	return 0;
}

void
free(void *p)
{
	if (p != NULL)
		heap_lost(malloc_usable_size(p));
	__libc_free(p);
}

#endif
