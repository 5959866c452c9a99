/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Does the kernel module under devtools/vm/sparse-module do what the suite vm_sparse takes for
 * granted? Plain system calls, nothing of ours in between.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"
#include "vm.h"

#define IVSHMEM_VENDOR 0x1af4
#define IVSHMEM_DEVICE 0x1110
#define BAR 2
#define BAR_SIZE (1u << 20)
#define PAGE 4096u

static char bdf[VM_BDF_LEN];

static void
open_with(struct vm_vfio *vfio, const char *windows)
{
	assert_int_equal(vm_sparse_windows(windows), 0);
	assert_int_equal(vm_bind(bdf, "sparse-vfio-pci"), 0);
	assert_int_equal(vm_vfio_open(bdf, vfio), 0);
}

static bool
can_map(const struct vm_vfio *vfio, uint64_t bar_off, uint64_t off, size_t len)
{
	void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, vfio->device,
		(off_t)(bar_off + off));

	if (addr == MAP_FAILED)
		return false;
	assert_int_equal(munmap(addr, len), 0);
	return true;
}

static const struct {
	const char *name;
	const char *windows;
	size_t nb;
	struct vm_span span[3];
} advertised[] = {
	{ "one at the start", "2:0+0x1000", 1, { { 0, 0x1000 } } },
	{ "one in the middle", "2:0x80000+0x3000", 1, { { 0x80000, 0x3000 } } },
	{ "one at the end", "2:0xff000+0x1000", 1, { { 0xff000, 0x1000 } } },
	{ "several, any order", "2:0x9000+0x1000,0x1000+0x2000", 2,
		{ { 0x9000, 0x1000 }, { 0x1000, 0x2000 } } },
	{ "adjacent ones stay two", "2:0x1000+0x1000,0x2000+0x1000", 2,
		{ { 0x1000, 0x1000 }, { 0x2000, 0x1000 } } },
	{ "unaligned as given", "2:0x1800+0x2000", 1, { { 0x1800, 0x2000 } } },
	{ "empty list", "2:", 0, { { 0, 0 } } },
	{ "another BAR's windows", "0:;2:0+0x1000", 1, { { 0, 0x1000 } } },
};

static void
test_module_advertises_the_windows_as_given(void **state)
{
	const struct vfio_region_info_cap_sparse_mmap *sparse;
	struct vfio_region_info *info;
	struct vm_vfio vfio;
	size_t i, w;

	for (i = 0; i < sizeof(advertised) / sizeof(advertised[0]); i++) {
		open_with(&vfio, advertised[i].windows);
		info = vm_vfio_region(vfio.device, BAR);
		assert_non_null(info);
		assert_int_equal(info->size, BAR_SIZE);
		assert_int_equal(info->flags & VFIO_REGION_INFO_FLAG_MMAP,
			VFIO_REGION_INFO_FLAG_MMAP);
		sparse = (const void *)vm_vfio_capability(info, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
		assert_non_null(sparse);
		assert_int_equal(sparse->nr_areas, advertised[i].nb);
		for (w = 0; w < advertised[i].nb; w++) {
			assert_int_equal(sparse->areas[w].offset, advertised[i].span[w].off);
			assert_int_equal(sparse->areas[w].size, advertised[i].span[w].len);
		}
		free(info);
		vm_vfio_close(&vfio);
	}
}

static const struct {
	const char *windows;
	uint64_t off;
	size_t len;
	bool permitted;
} mappings[] = {
	{ "2:0x1000+0x2000", 0x1000, 0x2000, true },
	{ "2:0x1000+0x2000", 0x2000, 0x1000, true },
	{ "2:0x1000+0x2000", 0x0000, 0x1000, false },
	{ "2:0x1000+0x2000", 0x0000, 0x2000, false },
	{ "2:0x1000+0x2000", 0x2000, 0x2000, false },
	{ "2:0x1000+0x2000", 0x3000, 0x1000, false },
	{ "2:0x1000+0x1000,0x2000+0x1000", 0x1000, 0x2000, true },
	{ "2:0x1000+0x1000,0x3000+0x1000", 0x1000, 0x3000, false },
	{ "2:0x1800+0x2000", 0x2000, 0x1000, true },
	{ "2:0x1800+0x2000", 0x1000, 0x1000, false },
	{ "2:0x1800+0x2000", 0x3000, 0x1000, false },
	{ "2:", 0, 0x1000, false },
	{ "2:", 0, BAR_SIZE, false },
	{ "0:", 0, BAR_SIZE, true },
	{ "", 0, BAR_SIZE, true },
};

static void
test_module_refuses_mappings_that_leave_the_windows(void **state)
{
	struct vfio_region_info *info;
	struct vm_vfio vfio;
	unsigned int refused;
	size_t i;

	for (i = 0; i < sizeof(mappings) / sizeof(mappings[0]); i++) {
		open_with(&vfio, mappings[i].windows);
		info = vm_vfio_region(vfio.device, BAR);
		assert_non_null(info);
		refused = vm_sparse_refused();
		if (can_map(&vfio, info->offset, mappings[i].off, mappings[i].len) !=
				mappings[i].permitted)
			fail_msg("\"%s\": [%#" PRIx64 ", +%#zx) should %sbe permitted",
				mappings[i].windows, mappings[i].off, mappings[i].len,
				mappings[i].permitted ? "" : "not ");
		assert_int_equal(vm_sparse_refused() - refused, !mappings[i].permitted);
		free(info);
		vm_vfio_close(&vfio);
	}
}

static void
test_module_shows_the_same_memory_by_window_and_by_pread(void **state)
{
	struct vfio_region_info *info;
	struct vm_vfio vfio;
	uint32_t word = 0x600df00d, got = 0;
	uint32_t *addr;

	open_with(&vfio, "2:0x2000+0x1000");
	info = vm_vfio_region(vfio.device, BAR);
	assert_non_null(info);
	addr = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, vfio.device,
		(off_t)(info->offset + 0x2000));
	assert_ptr_not_equal(addr, MAP_FAILED);
	assert_int_equal(pwrite(vfio.device, &word, 4, (off_t)(info->offset + 0x2010)), 4);
	assert_int_equal(addr[4], word);
	addr[5] = ~word;
	assert_int_equal(pread(vfio.device, &got, 4, (off_t)(info->offset + 0x2014)), 4);
	assert_int_equal(got, ~word);
	assert_int_equal(munmap(addr, PAGE), 0);
	free(info);
	vm_vfio_close(&vfio);
}

static void
test_module_declines_a_malformed_list(void **state)
{
	static const char *const malformed[] = { "2", "6:", "x:", "2:0x1000", "2:+0x1000", "2:0+" };
	size_t i;

	for (i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		assert_int_equal(vm_sparse_windows(malformed[i]), 0);
		assert_int_equal(vm_bind(bdf, "sparse-vfio-pci"), -ENODEV);
	}
}

static void
test_mapped_spans_are_those_of_proc_self_maps(void **state)
{
	struct vfio_region_info *info;
	struct vm_span span[4];
	struct vm_vfio vfio;
	void *low, *high;

	open_with(&vfio, "");
	info = vm_vfio_region(vfio.device, BAR);
	assert_non_null(info);
	assert_int_equal(vm_mapped_spans(bdf, BAR, span, 4), 0);
	high = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, vfio.device,
		(off_t)(info->offset + 8 * PAGE));
	low = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, vfio.device, (off_t)info->offset);
	assert_int_equal(vm_mapped_spans(bdf, BAR, span, 4), 2);
	assert_int_equal(span[0].off, 0);
	assert_int_equal(span[0].len, PAGE);
	assert_int_equal(span[1].off, 8 * PAGE);
	assert_int_equal(span[1].len, 2 * PAGE);
	munmap(low, PAGE);
	munmap(high, 2 * PAGE);
	free(info);
	vm_vfio_close(&vfio);
}

static int
find_device(void **state)
{
	return vm_find(IVSHMEM_VENDOR, IVSHMEM_DEVICE, bdf) ? 0 : -1;
}

static int
release_device(void **state)
{
	vm_sparse_windows("");
	return vm_bind(bdf, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_module_advertises_the_windows_as_given),
	cmocka_unit_test(test_module_refuses_mappings_that_leave_the_windows),
	cmocka_unit_test(test_module_shows_the_same_memory_by_window_and_by_pread),
	cmocka_unit_test(test_module_declines_a_malformed_list),
	cmocka_unit_test(test_mapped_spans_are_those_of_proc_self_maps),
};

TEST_SUITE(vm_sparse_module, "vm", tests, find_device, release_device)
