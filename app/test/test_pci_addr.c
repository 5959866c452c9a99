/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_pci.h>

#include "test.h"

static const struct {
	const char *text;
	struct rte_pci_addr addr;
	const char *canonical;
} good[] = {
	{ "0000:01:02.3", { 0, 1, 2, 3 }, "0000:01:02.3" },
	{ "01:02.3", { 0, 1, 2, 3 }, "0000:01:02.3" },
	{ "1:2.3", { 0, 1, 2, 3 }, "0000:01:02.3" },
	{ "0:0:0.0", { 0, 0, 0, 0 }, "0000:00:00.0" },
	{ "aBcD:Ef:1f.7", { 0xabcd, 0xef, 0x1f, 7 }, "abcd:ef:1f.7" },
	{ "10000:00:00.0", { 0x10000, 0, 0, 0 }, "10000:00:00.0" },
	{ "ffffffff:ff:1f.7", { 0xffffffff, 0xff, 0x1f, 7 }, "ffffffff:ff:1f.7" },
	{ "00010000:02:00.0", { 0x10000, 2, 0, 0 }, "10000:02:00.0" },
	{ "000001:00.0", { 0, 1, 0, 0 }, "0000:01:00.0" },
};

static const char *const bad[] = {
	"", ":", ".", ":.", "::.", "01", "01:02", "01:02.", "01:.3", ":02.3", "0000::02.3",
	":01:02.3", "0000:01:02", "0000:01:02.", "0:0:0:0.0", "01.02.3", "01:02:3",
	"+1:02.3", "01:+2.3", "01:02.+3", "-1:02.3", "0x1:02.3", "0x0:01:02.3", "01:0x2.3",
	" 01:02.3", "01: 02.3", "01:02.3 ", "01:02.3\n", "01:02.3,arg", "01:02.3x",
	"0000:01:02.3.4",
	"g0:00.0", "00:g0.0", "00:00.g", "100:00.0", "00:100.0", "00:00.100",
	"100000000:00:00.0", "ffffffffffffffff1:00:00.0", "10000000000000001:02.3",
};

static void
test_parse_reads_both_forms(void **state __rte_unused)
{
	struct rte_pci_addr addr;
	unsigned int i;

	for (i = 0; i < RTE_DIM(good); i++) {
		assert_int_equal(rte_pci_addr_parse(good[i].text, &addr), 0);
		assert_int_equal(rte_pci_addr_cmp(&addr, &good[i].addr), 0);
	}
}

static void
test_parse_rejects_what_is_no_address(void **state __rte_unused)
{
	const struct rte_pci_addr before = { 1, 2, 3, 4 };
	struct rte_pci_addr addr = before;
	unsigned int i;

	for (i = 0; i < RTE_DIM(bad); i++) {
		if (rte_pci_addr_parse(bad[i], &addr) != -EINVAL)
			fail_msg("\"%s\" was taken for an address", bad[i]);
		assert_memory_equal(&addr, &before, sizeof(addr));
	}
	assert_int_equal(rte_pci_addr_parse(NULL, &addr), -EINVAL);
	assert_int_equal(rte_pci_addr_parse("00:00.0", NULL), -EINVAL);
}

static void
test_device_name_is_canonical(void **state __rte_unused)
{
	char name[PCI_PRI_STR_SIZE];
	unsigned int i;

	for (i = 0; i < RTE_DIM(good); i++) {
		rte_pci_device_name(&good[i].addr, name, sizeof(name));
		assert_string_equal(name, good[i].canonical);
	}
}

static void
test_device_name_panics_without_room(void **state __rte_unused)
{
	char name[PCI_PRI_STR_SIZE];
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		freopen("/dev/null", "w", stderr);
		rte_pci_device_name(&good[0].addr, name, sizeof(name) - 1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void
test_cmp_orders_by_domain_bus_device_function(void **state __rte_unused)
{
	static const struct rte_pci_addr rising[] = {
		{ 0, 0, 0, 0 }, { 0, 0, 0, 7 }, { 0, 0, 1, 0 }, { 0, 0, 0x1f, 7 }, { 0, 1, 0, 0 },
		{ 0, 0xff, 0xff, 0xff }, { 1, 0, 0, 0 }, { 0xffff, 1, 0, 0 }, { 0x10000, 0, 0, 0 },
		{ 0x80000000, 0, 0, 0 }, { 0xffffffff, 0xff, 0xff, 0xff },
	};
	unsigned int i, j;
	int order;

	for (i = 0; i < RTE_DIM(rising); i++)
		for (j = 0; j < RTE_DIM(rising); j++) {
			order = rte_pci_addr_cmp(&rising[i], &rising[j]);
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
	assert_true(rte_pci_addr_cmp(NULL, &rising[0]) < 0);
	assert_true(rte_pci_addr_cmp(&rising[0], NULL) < 0);
}

static void
test_ext_cap_header_is_split(void **state __rte_unused)
{
	assert_int_equal(RTE_PCI_EXT_CAP_ID(0x15010010u), RTE_PCI_EXT_CAP_ID_SRIOV);
	assert_int_equal(RTE_PCI_EXT_CAP_NEXT(0x15010010u), 0x150);
	assert_int_equal(RTE_PCI_EXT_CAP_NEXT(0xfff10001u), 0xffc);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_parse_reads_both_forms),
	cmocka_unit_test(test_parse_rejects_what_is_no_address),
	cmocka_unit_test(test_device_name_is_canonical),
	cmocka_unit_test(test_device_name_panics_without_room),
	cmocka_unit_test(test_cmp_orders_by_domain_bus_device_function),
	cmocka_unit_test(test_ext_cap_header_is_split),
};

TEST_SUITE(pci_addr, "unit", tests, NULL, NULL)
