/* SPDX-License-Identifier: BSD-3-Clause */

/* Memory for DMA under FreeBSD: buffers of contigmem, and memory where there is none. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <rte_memzone.h>
#include <rte_pci.h>

#include "eal_contigmem.h"
#include "eal_session.h"
#include "fake_freebsd.h"
#include "interpose.h"
#include "resources.h"
#include "test.h"

#define MIB (UINT64_C(1) << 20)
#define BUFFERS 4
#define BUFFER_SIZE (8 * MIB)

static const char *const physical[] = { "--iova-mode=pa", NULL };

static int
setup(void **state)
{
	(void)state;
	fake_freebsd_start();
	return 0;
}

static int
setup_loaded(void **state)
{
	setup(state);
	fake_freebsd_contigmem(BUFFERS, BUFFER_SIZE);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fake_freebsd_stop();
	return 0;
}

/* ---- what the module says ---- */

static void
test_buffers_are_read(void **state)
{
	static const int lens[] = { 4, 8 };
	struct eal_contigmem contigmem;
	unsigned int i, n;

	(void)state;
	for (i = 0; i < RTE_DIM(lens); i++) {
		fake_freebsd.number_len = lens[i];
		assert_int_equal(eal_contigmem_read(&contigmem), 0);
		assert_int_equal(contigmem.nb, BUFFERS);
		assert_int_equal(contigmem.size, BUFFER_SIZE);
		for (n = 0; n < BUFFERS; n++)
			assert_int_equal(contigmem.phys[n], fake_freebsd.physaddr[n]);
	}
}

static void
test_a_module_that_is_not_loaded_is_no_error(void **state)
{
	struct eal_contigmem contigmem;

	(void)state;
	eal_log_capture();
	assert_int_equal(eal_contigmem_read(&contigmem), -ENOENT);
	assert_string_equal(eal_log_text(), "");
	eal_log_release();
}

static void
test_what_makes_no_sense_is_refused(void **state)
{
	static const struct {
		unsigned int nb;
		uint64_t size;
		unsigned int at;	/* a physical address that is wrong */
		uint64_t phys;
		const char *name;
	} rows[] = {
		{ 65, BUFFER_SIZE, 0, 0, "num_buffers is 0x41" },
		{ UINT32_MAX, BUFFER_SIZE, 0, 0, "num_buffers is 0xffffffff" },
		{ 2, 0, 0, 0, "buffer_size is 0" },
		{ 2, 4096, 0, 0, "buffer_size is 0x1000" },
		{ 2, 3 * MIB, 0, 0, "buffer_size is 0x300000" },
		{ 2, UINT64_MAX, 0, 0, "buffer_size is 0xffffffffffffffff" },
		{ 2, BUFFER_SIZE, 1, 0x12345, "physaddr.1 is 0x12345" },
		{ 2, BUFFER_SIZE, 1, UINT64_MAX - 4095, "physaddr.1 is 0xfffffffffffff000" },
		/* where the first one is, or half of it */
		{ 2, BUFFER_SIZE, 1, 64 * MIB, "physaddr.1 is 0x4000000" },
		{ 2, BUFFER_SIZE, 1, 68 * MIB, "physaddr.1 is 0x4400000" },
		{ 2, BUFFER_SIZE, 1, 60 * MIB, "physaddr.1 is 0x3c00000" },
	};
	struct eal_contigmem contigmem;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(rows); i++) {
		fake_freebsd.physaddr[0] = 64 * MIB;
		fake_freebsd.physaddr[1] = 128 * MIB;
		fake_freebsd.nb_buffers = rows[i].nb;
		fake_freebsd.buffer_size = rows[i].size;
		if (rows[i].at != 0)
			fake_freebsd.physaddr[rows[i].at] = rows[i].phys;
		eal_log_capture();
		assert_int_equal(eal_contigmem_read(&contigmem), -EPROTO);
		assert_int_equal(eal_log_lines_with(eal_log_text(), rows[i].name), 1);
		eal_log_release();
	}
	fake_freebsd.physaddr[1] = 72 * MIB;
	fake_freebsd.nb_buffers = 2;
	fake_freebsd.buffer_size = BUFFER_SIZE;
	assert_int_equal(eal_contigmem_read(&contigmem), 0);
	fake_freebsd.number_len = 2;
	assert_int_equal(eal_contigmem_read(&contigmem), -EPROTO);
}

static void
test_buffers_are_64_at_most(void **state)
{
	struct eal_contigmem contigmem;
	unsigned int i;

	(void)state;
	fake_freebsd.nb_buffers = 64;
	for (i = 0; i < fake_freebsd.nb_buffers; i++)
		fake_freebsd.physaddr[i] = (UINT64_C(1) << 36) - i * BUFFER_SIZE;
	assert_int_equal(eal_contigmem_read(&contigmem), 0);
	assert_int_equal(contigmem.nb, 64);
	assert_int_equal(contigmem.phys[63], fake_freebsd.physaddr[63]);
	fake_freebsd.nb_buffers = 2;
}

static void
test_each_question_fails_in_turn(void **state)
{
	struct eal_contigmem contigmem;
	unsigned int n = 1;
	int rc;

	(void)state;
	do {
		fake_freebsd_fail(n++, -EPERM);
		rc = eal_contigmem_read(&contigmem);
		assert_int_equal(rc, fake_freebsd_failed() ? -EPERM : 0);
	} while (fake_freebsd_failed());
	assert_int_equal(n, 2 + BUFFERS + 2);
	/* a name that is missing among those that are there */
	fake_freebsd_fail(2, -ENOENT);
	assert_int_equal(eal_contigmem_read(&contigmem), -EPROTO);
}

/* ---- memory of EAL ---- */

/* Which buffer a physical address is in; its number, and the offset in it. */
static unsigned int
buffer_of(rte_iova_t iova, uint64_t *offset)
{
	unsigned int n;

	for (n = 0; n < BUFFERS; n++) {
		*offset = iova - fake_freebsd.physaddr[n];
		if (iova >= fake_freebsd.physaddr[n] && *offset < BUFFER_SIZE)
			return n;
	}
	fail_msg("no buffer has %#lx", iova);
	return 0;
}

/* What a program writes is where a device finds it. */
static void
test_a_device_finds_memory_at_its_iova(void **state)
{
	uint64_t offset;
	uint8_t *seen;
	char *block;

	(void)state;
	eal_session_start_huge(physical);
	assert_int_equal(rte_eal_iova_mode(), RTE_IOVA_PA);
	assert_true(rte_eal_using_phys_addrs());
	block = rte_malloc("block", MIB, 4096);
	assert_non_null(block);
	strcpy(block + 12345, "found");
	seen = fake_freebsd_buffer(buffer_of(rte_malloc_virt2iova(block), &offset));
	assert_string_equal((char *)seen + offset + 12345, "found");
	munmap(seen, BUFFER_SIZE);
	assert_int_equal(rte_mem_virt2iova(block + 5), rte_malloc_virt2iova(block) + 5);
	assert_int_equal(rte_mem_virt2phy(block), rte_malloc_virt2iova(block));
	rte_free(block);
	eal_session_stop();
}

/* What no buffer holds, has no physical address. */
static void
test_other_memory_has_no_physical_address(void **state)
{
	int local;

	(void)state;
	eal_session_start_huge(physical);
	assert_int_equal(rte_mem_virt2phy(&local), RTE_BAD_PHYS_ADDR);
	assert_int_equal(rte_mem_virt2iova(&local), RTE_BAD_IOVA);
	eal_session_stop();
}

static void
test_all_buffers_are_used_and_no_more(void **state)
{
	void *block[BUFFERS * BUFFER_SIZE / MIB];
	unsigned int nb = 0, seen = 0;
	uint64_t offset;

	(void)state;
	eal_session_start_huge(physical);
	while (nb < RTE_DIM(block) && (block[nb] = rte_malloc("block", MIB, 0)) != NULL)
		seen |= 1u << buffer_of(rte_malloc_virt2iova(block[nb++]), &offset);
	assert_int_equal(seen, (1u << BUFFERS) - 1);
	assert_in_range(nb, RTE_DIM(block) - BUFFERS - 1, RTE_DIM(block) - 1);
	while (nb-- > 0)
		rte_free(block[nb]);
	eal_session_stop();
}

/* Buffers that follow on one another for the program do not for a device. */
static void
test_a_zone_without_a_gap_is_in_one_buffer(void **state)
{
	const struct rte_memzone *zone[BUFFERS];
	uint64_t first, last;
	unsigned int i;

	(void)state;
	eal_session_start_huge(physical);
	for (i = 0; i < BUFFERS - 1; i++) {
		char name[] = { 'z', (char)('0' + i), '\0' };

		zone[i] = rte_memzone_reserve(name, BUFFER_SIZE * 5 / 8, SOCKET_ID_ANY,
			RTE_MEMZONE_IOVA_CONTIG);
		assert_non_null(zone[i]);
		assert_int_equal(buffer_of(zone[i]->iova, &first),
			buffer_of(zone[i]->iova + zone[i]->len - 1, &last));
		assert_int_equal(last - first, zone[i]->len - 1);
		assert_int_equal(rte_mem_virt2iova((char *)zone[i]->addr + zone[i]->len - 1),
			zone[i]->iova + zone[i]->len - 1);
	}
	eal_session_stop();
}

static int
segment_visit(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	unsigned int *nb = arg;
	uint64_t offset;

	assert_int_equal(msl->page_sz, BUFFER_SIZE);
	assert_int_equal(ms->len, BUFFER_SIZE);
	assert_int_equal(ms->hugepage_sz, BUFFER_SIZE);
	buffer_of(ms->iova, &offset);
	assert_int_equal(offset, 0);
	*nb += 1;
	return 0;
}

static void
test_a_buffer_is_a_segment(void **state)
{
	static const char *const args[] = { "--iova-mode=pa", "-m", "16", NULL };
	unsigned int nb = 0;

	(void)state;
	eal_session_start_huge(args);
	assert_int_equal(rte_memseg_walk(segment_visit, &nb), 0);
	assert_in_range(nb, 2, BUFFERS);
	eal_session_stop();
}

/* The module clears a buffer only once. */
static void
test_memory_that_others_had_before_is_cleared(void **state)
{
	uint8_t *seen, *block;
	unsigned int n;
	size_t i;

	(void)state;
	for (n = 0; n < BUFFERS; n++) {
		seen = fake_freebsd_buffer(n);
		memset(seen, 0x5a, BUFFER_SIZE);
		munmap(seen, BUFFER_SIZE);
	}
	eal_session_start_huge(physical);
	block = rte_malloc("block", 3 * MIB, 0);
	assert_non_null(block);
	for (i = 0; i < 3 * MIB; i++)
		assert_int_not_equal(block[i], 0x5a);
	rte_free(block);
	eal_session_stop();
}

/* Before a device was found that needs it, too. */
static void
test_a_device_decides_for_physical_addresses(void **state)
{
	(void)state;
	eal_session_start_huge(NULL);
	eal_session_stop();
	fake_freebsd_add(&(struct fake_freebsd_device){ .vendor = 0x1234, .device = 0x11e8,
		.driver = "nic_uio" });
	eal_session_start_huge(NULL);
	assert_int_equal(rte_eal_iova_mode(), RTE_IOVA_PA);
	eal_session_stop();
}

/* ---- without contigmem ---- */

static void
test_without_contigmem_memory_is_ordinary(void **state)
{
	static const char *const virtual[] = { "--iova-mode=va", NULL };
	uint8_t *block;

	(void)state;
	eal_session_start_huge(virtual);
	assert_false(rte_eal_using_phys_addrs());
	block = rte_malloc("block", 10 * MIB, 0);
	assert_non_null(block);
	memset(block, 0xa5, 10 * MIB);
	assert_int_equal(rte_malloc_virt2iova(block), (uintptr_t)block);
	assert_int_equal(rte_mem_virt2phy(block), RTE_BAD_PHYS_ADDR);
	rte_free(block);
	assert_true(fake_freebsd.nb_punched > 0);
	eal_session_stop();
}

static int
eal_start(const char *arg)
{
	char *argv[] = { strdup("test"), strdup("--in-memory"), strdup(arg), NULL };
	char *kept[] = { argv[0], argv[1], argv[2] };
	unsigned int i;
	int rc;

	rc = rte_eal_init(3, argv);
	for (i = 0; i < RTE_DIM(kept); i++)
		free(kept[i]);
	return rc < 0 ? -rte_errno : 0;
}

static void
test_without_contigmem_there_are_no_physical_addresses(void **state)
{
	(void)state;
	eal_log_capture();
	assert_int_equal(eal_start("--iova-mode=pa"), -ENOTSUP);
	assert_int_equal(eal_log_lines_with(eal_log_text(), "need the kernel module contigmem"), 1);
	eal_log_release();
}

static void
test_no_huge_leaves_contigmem_alone(void **state)
{
	(void)state;
	fake_freebsd.contigmem_rc = -EIO;
	eal_session_start(NULL);
	assert_false(rte_eal_using_phys_addrs());
	rte_free(rte_malloc("block", MIB, 0));
	eal_session_stop();
}

/* ---- what is lacking ---- */

static void
test_why_the_buffers_cannot_be_had(void **state)
{
	static const struct {
		bool taken;
		int rc;
		const char *text;
	} rows[] = {
		{ true, 0, "cannot lock /dev/contigmem: Device or resource busy (another process" },
		{ false, -EACCES, "cannot open /dev/contigmem: Permission denied (the file is" },
		{ false, -ENOENT, "cannot open /dev/contigmem: No such file or directory (hidden" },
	};
	struct resources before;
	const char *text;
	unsigned int i;

	(void)state;
	eal_log_capture();
	assert_int_equal(eal_start("--iova-mode=pa"), 0);
	rte_eal_cleanup();
	resources_take(&before);
	for (i = 0; i < RTE_DIM(rows); i++) {
		fake_freebsd.taken = rows[i].taken;
		fake_freebsd.contigmem_rc = rows[i].rc;
		assert_true(eal_start("--iova-mode=pa") < 0);
		text = eal_log_text();
		assert_int_equal(eal_log_lines_with(text, rows[i].text), 1);
		assert_int_equal(fake_freebsd.nb_open, 0);
	}
	resources_drop(&before);
	eal_log_release();
}

/* From the first question to the last buffer; EAL starts, or it does not, and nothing is left. */
static void
test_each_call_of_a_session_fails_in_turn(void **state)
{
	unsigned int n = 1, started = 0;
	void *block;

	(void)state;
	fake_freebsd.no_dev_pci = true;
	eal_log_capture();
	do {
		fake_freebsd_fail(n++, -ENOMEM);
		if (eal_start("--iova-mode=pa") == 0) {
			started++;
			block = rte_malloc("block", 2 * BUFFER_SIZE, 0);
			rte_free(block);
			rte_eal_cleanup();
		}
		assert_int_equal(fake_freebsd.nb_open, 0);
	} while (fake_freebsd_failed());
	fake_freebsd_fail(0, 0);
	eal_log_release();
	assert_in_range(n, 15, 100);
	assert_true(started > 0);
}

static void
test_each_call_of_libc_fails_in_turn(void **state)
{
	struct interpose_loop loop;

	(void)state;
	fake_freebsd.no_dev_pci = true;
	eal_session_start_huge(physical);
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(MMAP) | INTERPOSE_ONLY(OPEN) |
			INTERPOSE_THIS_THREAD, 0) {
		rte_free(rte_malloc("block", 2 * BUFFER_SIZE, 0));
		interpose_disarm();
	}
	eal_session_stop();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define TEST_LOADED(f) cmocka_unit_test_setup_teardown(f, setup_loaded, teardown)

static const struct CMUnitTest tests[] = {
	TEST_LOADED(test_buffers_are_read),
	TEST(test_a_module_that_is_not_loaded_is_no_error),
	TEST_LOADED(test_what_makes_no_sense_is_refused),
	TEST_LOADED(test_buffers_are_64_at_most),
	TEST_LOADED(test_each_question_fails_in_turn),
	TEST_LOADED(test_a_device_finds_memory_at_its_iova),
	TEST_LOADED(test_other_memory_has_no_physical_address),
	TEST_LOADED(test_all_buffers_are_used_and_no_more),
	TEST_LOADED(test_a_zone_without_a_gap_is_in_one_buffer),
	TEST_LOADED(test_a_buffer_is_a_segment),
	TEST_LOADED(test_memory_that_others_had_before_is_cleared),
	TEST_LOADED(test_a_device_decides_for_physical_addresses),
	TEST(test_without_contigmem_memory_is_ordinary),
	TEST(test_without_contigmem_there_are_no_physical_addresses),
	TEST_LOADED(test_no_huge_leaves_contigmem_alone),
	TEST_LOADED(test_why_the_buffers_cannot_be_had),
	TEST_LOADED(test_each_call_of_a_session_fails_in_turn),
	TEST_LOADED(test_each_call_of_libc_fails_in_turn),
};

TEST_SUITE(pci_bsd_contigmem, "functional", tests, NULL, NULL)
