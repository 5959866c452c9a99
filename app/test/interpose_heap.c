/* SPDX-License-Identifier: BSD-3-Clause */

#include "interpose_priv.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

/* The heap. */

#if SANITIZER_OWNS_CALLS

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

size_t
interpose_heap_bytes(void)
{
	return __sanitizer_get_current_allocated_bytes != NULL ?
		__sanitizer_get_current_allocated_bytes() : 0;
}

/* It counts what was asked for. */
size_t
interpose_heap_least(void)
{
	return 1;
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

/* libc has chunks in steps of 16 bytes, with room for 24 at least. */
size_t
interpose_heap_least(void)
{
	return 24;
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
	return interpose_fails(INTERPOSE_ALLOC) ? NULL : heap_gained(__libc_malloc(size));
}

void *
calloc(size_t n, size_t size)
{
	return interpose_fails(INTERPOSE_ALLOC) ? NULL : heap_gained(__libc_calloc(n, size));
}

void *
realloc(void *p, size_t size)
{
	size_t old = p != NULL ? malloc_usable_size(p) : 0;
	void *new;

	if (size != 0 && interpose_fails(INTERPOSE_ALLOC))
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
	return interpose_fails(INTERPOSE_ALLOC) ? NULL : heap_gained(__libc_memalign(align, size));
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
