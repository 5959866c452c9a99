/* SPDX-License-Identifier: BSD-3-Clause */

/* What devices of one container reach changes as they come and go. */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "eal_session.h"
#include "test.h"
#include "vfio_eal.h"

#define FAR (IOVA + 0xff000)	/* the page that the narrow device does not reach */
#define NARROW "0000:02:00.0"

static int wide_fd, narrow_fd;

static void
open_wide(void)
{
	wide_fd = vfio_eal_open_card();
}

static void
close_wide(void)
{
	vfio_eal_close_card(wide_fd);
}

/* The kernel's word changes with the devices that are there. */
static void
open_narrow(void)
{
	struct fake_vfio *kernel = vfio_eal_kernel;

	vfio_eal_add(NARROW, 8);
	kernel->iova_ranges[0] = (struct vfio_iova_range){ 0, FAR - 1 };
	kernel->iova_ranges[1] = (struct vfio_iova_range){ FAR + KB4, UINT64_MAX };
	kernel->nb_iova_ranges = 2;
	assert_int_equal(vfio_eal_open(NARROW, &narrow_fd), 0);
}

static void
close_narrow(void)
{
	vfio_eal_kernel->nb_iova_ranges = 0;
	vfio_eal_close(NARROW, narrow_fd);
}

static void
assert_all_is_reached(void)
{
	uint8_t *mem = vfio_eal_pages(KB4);

	assert_int_equal(vfio_eal_map(mem, FAR, KB4), 0);
	assert_int_equal(vfio_eal_unmap(mem, FAR, KB4), 0);
	munmap(mem, KB4);
}

static void
assert_a_page_is_not_reached(void)
{
	uint8_t *mem = vfio_eal_pages(KB4);

	eal_log_text();
	assert_int_equal(vfio_eal_map(mem, FAR, KB4), -EINVAL);
	assert_non_null(strstr(eal_log_text(), "0x0-0x100fefff 0x10100000-0xffffffffffffffff"));
	munmap(mem, KB4);
}

static void
test_device_that_comes_may_narrow_the_reach(void **state)
{
	open_wide();
	assert_all_is_reached();
	open_narrow();
	assert_a_page_is_not_reached();
	close_narrow();
	assert_all_is_reached();
	close_wide();
}

static void
test_device_that_goes_takes_its_limits_with_it(void **state)
{
	open_narrow();
	assert_a_page_is_not_reached();
	open_wide();
	assert_a_page_is_not_reached();
	close_narrow();
	assert_all_is_reached();
	close_wide();
}

static const struct CMUnitTest tests[] = {
	VFIO_EAL_TEST_BOTH(test_device_that_comes_may_narrow_the_reach),
	VFIO_EAL_TEST_BOTH(test_device_that_goes_takes_its_limits_with_it),
};

TEST_SUITE(vfio_reach, "functional", tests, NULL, NULL)
