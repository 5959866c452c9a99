/* SPDX-License-Identifier: BSD-3-Clause */

#include "interpose_priv.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Routes of paths, and what opens them. */

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

	if (interpose_bypass != 0 || path == NULL)
		return NULL;
	while (route != NULL && !path_is_under(path, route->path))
		route = __atomic_load_n(&route->next, __ATOMIC_ACQUIRE);
	return route;
}

static int
path_open(struct interpose_path *route, const char *path, int flags)
{
	int rc;

	interpose_bypass++;
	rc = route->open(route->ctx, path, flags);
	interpose_bypass--;
	return (int)interpose_answer(rc);
}

static int
path_access(struct interpose_path *route, const char *path)
{
	int rc = 0;

	interpose_bypass++;
	if (route->access != NULL)
		rc = route->access(route->ctx, path);
	interpose_bypass--;
	return (int)interpose_answer(rc);
}

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
	if (interpose_fails(INTERPOSE_OPEN))
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
	if (interpose_fails(INTERPOSE_OPEN))
		return -1;
	route = path_route(path);
	return route != NULL ? path_open(route, path, flags)
		: REAL(openat)(dirfd, path, flags, mode);
}

FILE *
fopen(const char *path, const char *mode)
{
	struct interpose_path *route;
	int fd;

	if (interpose_fails(INTERPOSE_FOPEN))
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

	if (interpose_fails(INTERPOSE_ACCESS))
		return -1;
	route = path_route(path);
	return route != NULL ? path_access(route, path) : REAL(access)(path, mode);
}

int
faccessat(int dirfd, const char *path, int mode, int flags)
{
	struct interpose_path *route;

	if (interpose_fails(INTERPOSE_ACCESS))
		return -1;
	route = path_route(path);
	return route != NULL ? path_access(route, path) : REAL(faccessat)(dirfd, path, mode, flags);
}

/* With a 64-bit off_t the two variants are one function. */
#ifdef __LP64__
int open64(const char *path, int flags, ...) ALIAS(open);
int openat64(int dirfd, const char *path, int flags, ...) ALIAS(openat);
FILE *fopen64(const char *path, const char *mode) ALIAS(fopen);
#endif
