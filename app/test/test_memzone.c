/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <rte_memzone.h>

#include "eal_command.h"
#include "test.h"

#define MIB ((size_t)1 << 20)

static int
eal_start(void **state)
{
	return eal_command_init("--no-pci --no-huge") < 0 ? -1 : 0;
}

static int
eal_stop(void **state)
{
	rte_eal_cleanup();
	return 0;
}

static void
test_without_eal_there_are_no_zones(void **state)
{
	rte_errno = 0;
	assert_null(rte_memzone_reserve("zone", 1, SOCKET_ID_ANY, 0));
	assert_int_equal(rte_errno, E_RTE_NO_CONFIG);
	assert_null(rte_memzone_lookup("zone"));
	assert_int_equal(rte_errno, ENOENT);
	assert_int_equal(rte_memzone_free(NULL), -EINVAL);
	rte_memzone_dump(stdout);
}

static void
test_a_zone_is_found_by_its_name(void **state)
{
	const struct rte_memzone *mz = rte_memzone_reserve("zone", 5000, SOCKET_ID_ANY, 0);
	size_t i;

	assert_non_null(mz);
	assert_string_equal(mz->name, "zone");
	assert_int_equal(mz->len, 5000);
	assert_int_equal(mz->iova, mz->addr_64);
	assert_int_equal(mz->socket_id, rte_socket_id_by_idx(0));
	assert_int_equal(mz->hugepage_sz, rte_mem_virt2memseg(mz->addr, NULL)->hugepage_sz);
	for (i = 0; i < 5000; i++)
		assert_int_equal(((char *)mz->addr)[i], 0);
	assert_ptr_equal(rte_memzone_lookup("zone"), mz);
	assert_null(rte_memzone_lookup("zon"));
	assert_int_equal(rte_memzone_free(mz), 0);
	assert_null(rte_memzone_lookup("zone"));
	assert_int_equal(rte_memzone_free(mz), -EINVAL);
}

static void
test_bad_wishes_are_refused(void **state)
{
	static const char longest[] = "1234567890123456789012345678901";
	static const char too_long[] = "12345678901234567890123456789012";
	static const struct {
		const char *name;
		size_t len;
		int socket;
		unsigned int flags;
		unsigned int align;
		unsigned int bound;
		int err;
	} cases[] = {
		{ NULL, 1, SOCKET_ID_ANY, 0, 0, 0, EINVAL },
		{ "", 1, SOCKET_ID_ANY, 0, 0, 0, EINVAL },
		{ too_long, 1, SOCKET_ID_ANY, 0, 0, 0, EINVAL },
		{ "z", 1, 31, 0, 0, 0, EINVAL },
		{ "z", 1, SOCKET_ID_ANY, 0, 3, 0, EINVAL },
		{ "z", 1, SOCKET_ID_ANY, 0, 96, 0, EINVAL },
		{ "z", 1, SOCKET_ID_ANY, 0, 64, 96, EINVAL },
		{ "z", 4097, SOCKET_ID_ANY, 0, 64, 4096, EINVAL },
		{ "z", SIZE_MAX, SOCKET_ID_ANY, 0, 64, 0, EINVAL },
		{ "z", (size_t)1 << 39, SOCKET_ID_ANY, 0, 64, 0, ENOMEM },
		{ "z", 1, SOCKET_ID_ANY, RTE_MEMZONE_16GB, 64, 0, ENOMEM },
		{ longest, 1, SOCKET_ID_ANY, RTE_MEMZONE_16GB | RTE_MEMZONE_SIZE_HINT_ONLY, 64, 0,
			0 },
		{ longest, 1, SOCKET_ID_ANY, 0, 64, 0, EEXIST },
	};
	const struct rte_memzone *mz;
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		rte_errno = 0;
		mz = rte_memzone_reserve_bounded(cases[i].name, cases[i].len, cases[i].socket,
			cases[i].flags, cases[i].align, cases[i].bound);
		assert_int_equal(mz != NULL, cases[i].err == 0);
		if (mz == NULL)
			assert_int_equal(rte_errno, cases[i].err);
	}
}

static void
test_zones_keep_alignment_and_bounds(void **state)
{
	const struct rte_memzone *mz;
	char name[RTE_MEMZONE_NAMESIZE];
	unsigned int align;
	size_t len;

	for (align = 64; align <= MIB; align *= 4) {
		for (len = 100; len <= 4096; len = len * 3 + 1) {
			snprintf(name, sizeof(name), "%u-%zu", align, len);
			mz = rte_memzone_reserve_bounded(name, len, SOCKET_ID_ANY,
				RTE_MEMZONE_IOVA_CONTIG, align, 4096);
			assert_non_null(mz);
			assert_true(rte_is_aligned(mz->addr, align));
			assert_int_equal(mz->addr_64 / 4096, (mz->addr_64 + len - 1) / 4096);
		}
	}
}

static void
test_length_0_takes_the_largest_free_piece(void **state)
{
	struct rte_malloc_socket_stats stats;
	const struct rte_memzone *mz, *bounded;
	void *small;

	assert_null(rte_memzone_reserve("nothing", 0, SOCKET_ID_ANY, 0));
	assert_int_equal(rte_errno, ENOMEM);
	small = rte_malloc("test", 64, 0);
	assert_non_null(small);
	bounded = rte_memzone_reserve_bounded("bounded", 0, SOCKET_ID_ANY, 0, 0, 8192);
	assert_non_null(bounded);
	assert_int_equal(bounded->len, 8192);
	mz = rte_memzone_reserve_aligned("largest", 0, SOCKET_ID_ANY, 0, 4096);
	assert_non_null(mz);
	assert_true(rte_is_aligned(mz->addr, 4096));
	assert_true(mz->len > MIB);
	assert_int_equal(rte_eal_get_physmem_size(), 2 * MIB);
	assert_int_equal(rte_malloc_get_socket_stats(mz->socket_id, &stats), 0);
	assert_true(stats.greatest_free_size < 64 * 1024);
	rte_free(small);
}

static void
zone_count(const struct rte_memzone *mz, void *arg)
{
	unsigned int *nb = arg;

	assert_ptr_equal(strchr(mz->name, 'z'), mz->name);
	(*nb)++;
}

static void
test_zones_are_limited_and_reused(void **state)
{
	const struct rte_memzone *mz[4];
	char name[RTE_MEMZONE_NAMESIZE], *text = NULL;
	unsigned int i, nb = 0;
	size_t len;
	FILE *f;

	assert_int_equal(rte_memzone_max_get(), 2560);
	assert_int_equal(rte_memzone_max_set(0), -1);
	assert_int_equal(rte_memzone_max_set(4), 0);
	assert_int_equal(eal_start(NULL), 0);
	assert_int_equal(rte_memzone_max_set(5), -1);
	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "z%u", i);
		mz[i] = rte_memzone_reserve(name, 100, SOCKET_ID_ANY, 0);
		assert_non_null(mz[i]);
	}
	assert_null(rte_memzone_reserve("z4", 100, SOCKET_ID_ANY, 0));
	assert_int_equal(rte_errno, ENOSPC);
	assert_int_equal(rte_memzone_free(mz[1]), 0);
	assert_ptr_equal(rte_memzone_reserve("z4", 100, SOCKET_ID_ANY, 0), mz[1]);
	rte_memzone_walk(zone_count, &nb);
	assert_int_equal(nb, 4);
	f = open_memstream(&text, &len);
	rte_memzone_dump(f);
	fclose(f);
	assert_non_null(strstr(text, "Zone z4:"));
	assert_null(strstr(text, "Zone z1:"));
	free(text);
	rte_eal_cleanup();
	assert_int_equal(rte_memzone_max_set(2560), 0);
}

static void
test_what_is_no_zone_cannot_be_freed(void **state)
{
	const struct rte_memzone *mz = rte_memzone_reserve("zone", 100, SOCKET_ID_ANY, 0);
	struct rte_memzone copy = *mz;

	assert_int_equal(rte_memzone_free(&copy), -EINVAL);
	assert_int_equal(rte_memzone_free(mz + 1), -EINVAL);
	assert_int_equal(rte_memzone_free((const void *)((const char *)mz + 8)), -EINVAL);
	assert_int_equal(rte_memzone_free(mz), 0);
}

static void
test_a_child_finds_zones_of_its_parent(void **state)
{
	const struct rte_memzone *mz = rte_memzone_reserve("parent", 100, SOCKET_ID_ANY, 0);
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		const struct rte_memzone *own = rte_memzone_reserve("child", 100, SOCKET_ID_ANY, 0);

		if (own == NULL || rte_memzone_lookup("parent") != mz)
			_exit(1);
		strcpy(own->addr, "hello");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	mz = rte_memzone_lookup("child");
	assert_non_null(mz);
	assert_string_equal(mz->addr, "hello");
}

#define WITH(func_) cmocka_unit_test_setup_teardown(func_, eal_start, eal_stop)
#define WITHOUT(func_) cmocka_unit_test_setup_teardown(func_, NULL, eal_stop)

static const struct CMUnitTest tests[] = {
	WITHOUT(test_without_eal_there_are_no_zones),
	WITH(test_a_zone_is_found_by_its_name),
	WITH(test_bad_wishes_are_refused),
	WITH(test_zones_keep_alignment_and_bounds),
	WITH(test_length_0_takes_the_largest_free_piece),
	WITHOUT(test_zones_are_limited_and_reused),
	WITH(test_what_is_no_zone_cannot_be_freed),
	WITH(test_a_child_finds_zones_of_its_parent),
};

TEST_SUITE(memzone, "functional", tests, NULL, NULL)
