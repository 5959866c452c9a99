/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "interpose.h"
#include "resources.h"
#include "test.h"

#define FDS_MAX 4096
#define MAPPINGS_MAX 16384

/* The content of a snapshot; most of its pages are never touched. */
struct pages {
	size_t nb_fds;
	size_t nb_mappings;
	struct {
		int fd;
		char target[92];
	} fds[FDS_MAX];
	struct interpose_mapping mappings[MAPPINGS_MAX];
};

static int
mapping_cmp(const void *a, const void *b)
{
	const struct interpose_mapping *one = a, *two = b;

	return one->start < two->start ? -1 : one->start > two->start;
}

/* Sorted, neighbours in one. */
static void
mappings_tidy(struct pages *pages)
{
	struct interpose_mapping *m = pages->mappings;
	size_t i, n = 0;

	qsort(m, pages->nb_mappings, sizeof(*m), mapping_cmp);
	for (i = 0; i < pages->nb_mappings; i++) {
		if (n > 0 && m[n - 1].end == m[i].start)
			m[n - 1].end = m[i].end;
		else
			m[n++] = m[i];
	}
	pages->nb_mappings = n;
}

static void
fds_take(struct pages *pages)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	ssize_t len;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL && pages->nb_fds < FDS_MAX) {
		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir))
			continue;
		pages->fds[pages->nb_fds].fd = atoi(entry->d_name);
		len = readlinkat(dirfd(dir), entry->d_name, pages->fds[pages->nb_fds].target,
			sizeof(pages->fds[0].target) - 1);
		pages->fds[pages->nb_fds++].target[len > 0 ? len : 0] = '\0';
	}
	closedir(dir);
}

/* A snapshot counts nothing of itself: its memory comes from neither malloc() nor mmap(). */
static void
snapshot(struct resources *r)
{
	struct pages *pages;
	size_t n;
	long addr;

	interpose_bypass_begin();
	r->heap = interpose_heap_bytes();
	r->pages_len = sizeof(*pages);
	addr = syscall(SYS_mmap, NULL, r->pages_len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_int_not_equal(addr, -1);
	r->pages = pages = (void *)addr;
	n = interpose_mappings(pages->mappings, MAPPINGS_MAX);
	pages->nb_mappings = n < MAPPINGS_MAX ? n : MAPPINGS_MAX;
	mappings_tidy(pages);
	fds_take(pages);
	interpose_bypass_end();
}

void
resources_drop(struct resources *r)
{
	syscall(SYS_munmap, r->pages, r->pages_len);
	r->pages = NULL;
}

/* Text that stops growing when its buffer is full. */
struct report {
	char *text;
	size_t size;
	unsigned int nb;
};

static void __attribute__((format(printf, 2, 3)))
report(struct report *out, const char *format, ...)
{
	va_list ap;
	int n;

	out->nb++;
	va_start(ap, format);
	n = vsnprintf(out->text, out->size, format, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < out->size) {
		out->text += n;
		out->size -= (size_t)n;
	}
}

static bool
fd_in(const struct pages *pages, int fd, const char *target)
{
	size_t i;

	for (i = 0; i < pages->nb_fds; i++)
		if (pages->fds[i].fd == fd && strcmp(pages->fds[i].target, target) == 0)
			return true;
	return false;
}

static void
fds_diff(const struct pages *a, const struct pages *b, const char *what, struct report *out)
{
	size_t i;

	for (i = 0; i < a->nb_fds; i++)
		if (!fd_in(b, a->fds[i].fd, a->fds[i].target))
			report(out, "%s descriptor %d: %s\n", what, a->fds[i].fd, a->fds[i].target);
}

/* Each part of a range of a that no range of b has. */
static void
mappings_diff(const struct pages *a, const struct pages *b, const char *what, struct report *out)
{
	size_t i, j;

	for (i = 0; i < a->nb_mappings; i++) {
		uintptr_t at = a->mappings[i].start;
		uintptr_t end = a->mappings[i].end;

		for (j = 0; j < b->nb_mappings && at < end; j++) {
			if (b->mappings[j].end <= at || end <= b->mappings[j].start)
				continue;
			if (at < b->mappings[j].start)
				report(out, "%s mapping %" PRIxPTR "-%" PRIxPTR "\n", what, at,
					b->mappings[j].start);
			at = b->mappings[j].end;
		}
		if (at < end)
			report(out, "%s mapping %" PRIxPTR "-%" PRIxPTR "\n", what, at, end);
	}
}

unsigned int
resources_diff(const struct resources *before, char *text, size_t size)
{
	struct report out = { .text = text, .size = size };
	struct resources after;

	text[0] = '\0';
	snapshot(&after);
	fds_diff(after.pages, before->pages, "left:", &out);
	fds_diff(before->pages, after.pages, "lost:", &out);
	mappings_diff(after.pages, before->pages, "left:", &out);
	mappings_diff(before->pages, after.pages, "lost:", &out);
	/*
	 * Less is no leak: some thread was at work when the earlier snapshot was taken. Nor is less
	 * than there can be in a chunk: one that was made anew may be a little longer than before.
	 */
	if (after.heap > before->heap && after.heap - before->heap >= interpose_heap_least())
		report(&out, "left: %zu bytes of heap\n", after.heap - before->heap);
	resources_drop(&after);
	return out.nb;
}

static bool
snapshots_equal(const struct resources *a, const struct resources *b)
{
	char text[1];
	struct report out = { .text = text, .size = 0 };

	fds_diff(a->pages, b->pages, "", &out);
	fds_diff(b->pages, a->pages, "", &out);
	return out.nb == 0 && a->heap == b->heap;
}

/*
 * Another thread may be about to give back what it uses: a snapshot counts when the next ones tell
 * the same. One that never rests is not waited for.
 */
void
resources_take(struct resources *r)
{
	struct resources next;
	unsigned int same = 0, tries;

	snapshot(r);
	for (tries = 0; same < 3 && tries < 50; tries++) {
		usleep(2000);
		snapshot(&next);
		same = snapshots_equal(r, &next) ? same + 1 : 0;
		resources_drop(r);
		*r = next;
	}
}

/* How often it is looked again, 1 ms apart at first. */
#define BRIEF_TRIES   100u
#define PATIENT_TRIES 500u

/* Another thread may be about to give back what it uses, on a machine that is busy. */
static unsigned int
diff_after(const struct resources *before, char *text, size_t size, unsigned int most)
{
	unsigned int n = resources_diff(before, text, size);
	unsigned int tries;

	for (tries = 0; n != 0 && tries < most; tries++) {
		usleep(tries < BRIEF_TRIES ? 1000 : 20000);
		n = resources_diff(before, text, size);
	}
	return n;
}

unsigned int
resources_diff_settled(const struct resources *before, char *text, size_t size)
{
	return diff_after(before, text, size, PATIENT_TRIES);
}

void
resources_rounds(void (*round)(void *ctx), void *ctx, unsigned int least, unsigned int most)
{
	struct resources before;
	unsigned int i, nb = 1;
	char text[1024];

	for (i = 1; i <= most && (nb > 0 || i <= least); i++) {
		resources_take(&before);
		round(ctx);
		/* who has another try need not wait long */
		nb = diff_after(&before, text, sizeof(text),
			i < most ? BRIEF_TRIES : PATIENT_TRIES);
		resources_drop(&before);
	}
	if (nb > 0)
		fail_msg("each time there is left:\n%s", text);
}

struct warm_up {
	pthread_barrier_t barrier;
	void (*each)(void);
};

static void *
warm_thread(void *arg)
{
	struct warm_up *warm_up = arg;

	if (warm_up->each != NULL)
		warm_up->each();
	pthread_barrier_wait(&warm_up->barrier);
	return NULL;
}

#define WARM_THREADS_MAX 32

void
resources_warm_up(unsigned int nb_threads, size_t stack, void (*each)(void))
{
	struct warm_up warm_up = { .each = each };
	pthread_t threads[WARM_THREADS_MAX];
	pthread_attr_t attr;
	unsigned int i;

	assert_in_range(nb_threads, 1, WARM_THREADS_MAX);
	pthread_attr_init(&attr);
	if (stack > 0)
		pthread_attr_setstacksize(&attr, stack);
	pthread_barrier_init(&warm_up.barrier, NULL, nb_threads);
	for (i = 0; i < nb_threads; i++)
		assert_int_equal(pthread_create(&threads[i], &attr, warm_thread, &warm_up), 0);
	for (i = 0; i < nb_threads; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&warm_up.barrier);
	pthread_attr_destroy(&attr);
}

void
resources_assert_same(const struct resources *before)
{
	char text[4096];

	if (resources_diff_settled(before, text, sizeof(text)) == 0)
		return;
	print_error("%s", text);
	fail();
}
