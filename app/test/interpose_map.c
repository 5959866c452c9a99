/* SPDX-License-Identifier: BSD-3-Clause */

#include "interpose_priv.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Mappings, and a ledger of them. */

#define MAPPINGS_MAX 16384

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

	if (interpose_fails(INTERPOSE_MMAP))
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

	if (interpose_fails(INTERPOSE_MUNMAP))
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
	if (interpose_fails(INTERPOSE_MREMAP))
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
void *mmap64(void *addr, size_t len, int prot, int flags, int fd, off64_t off) ALIAS(mmap);
#endif
