/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_dev.h>

#include "dev_listener.h"
#include "eal_uevent.h"
#include "test.h"

/* The kernel's messages. Each string ends with a zero byte, also the last. */

static const struct uevent_row {
	const char *what;
	const char *msg;
	size_t len;
	int rc;
	enum rte_dev_event_type type;
	const char *name;
} uevent_rows[] = {
	{ "PCI device removed", DEV_MSG("remove@/devices/pci0000:00/0000:00:03.0\0ACTION=remove\0"
		"DEVPATH=/devices/pci0000:00/0000:00:03.0\0SUBSYSTEM=pci\0PCI_CLASS=FF0000\0"
		"PCI_ID=1234:11E8\0PCI_SLOT_NAME=0000:00:03.0\0SEQNUM=3210"),
		0, RTE_DEV_EVENT_REMOVE, "0000:00:03.0" },
	{ "PCI device added, keys in another order", DEV_MSG("add@/x\0PCI_SLOT_NAME=10000:e1:1f.7\0"
		"SUBSYSTEM=pci\0ACTION=add"),
		0, RTE_DEV_EVENT_ADD, "10000:e1:1f.7" },
	{ "driver bound",
		DEV_MSG("bind@/x\0ACTION=bind\0SUBSYSTEM=pci\0PCI_SLOT_NAME=0000:00:03.0"),
		-ENOENT, 0, NULL },
	{ "another subsystem",
		DEV_MSG("add@/x\0ACTION=add\0SUBSYSTEM=net\0PCI_SLOT_NAME=0000:00:03.0"),
		-ENOENT, 0, NULL },
	{ "a subsystem that begins alike", DEV_MSG("add@/x\0ACTION=add\0SUBSYSTEM=pci_express\0"
		"PCI_SLOT_NAME=0000:00:03.0"), -ENOENT, 0, NULL },
	{ "an action that begins alike", DEV_MSG("address@/x\0ACTION=address\0SUBSYSTEM=pci\0"
		"PCI_SLOT_NAME=0000:00:03.0"), -ENOENT, 0, NULL },
	{ "a key that ends alike", DEV_MSG("add@/x\0XACTION=add\0SUBSYSTEM=pci\0"
		"PCI_SLOT_NAME=0000:00:03.0"), -ENOENT, 0, NULL },
	{ "no slot name", DEV_MSG("add@/x\0ACTION=add\0SUBSYSTEM=pci"), -ENOENT, 0, NULL },
	{ "empty slot name", DEV_MSG("add@/x\0ACTION=add\0SUBSYSTEM=pci\0PCI_SLOT_NAME="),
		-EINVAL, 0, NULL },
	{ "slot name that is none", DEV_MSG("add@/x\0ACTION=add\0SUBSYSTEM=pci\0"
		"PCI_SLOT_NAME=../../etc"), -EINVAL, 0, NULL },
	{ "slot name with an escape", DEV_MSG("add@/x\0ACTION=add\0SUBSYSTEM=pci\0"
		"PCI_SLOT_NAME=0000:\x1b[2J"), -EINVAL, 0, NULL },
	{ "slot name of 64 bytes", DEV_MSG("add@/x\0ACTION=add\0SUBSYSTEM=pci\0PCI_SLOT_NAME="
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
		-EINVAL, 0, NULL },
	{ "slot name of 63 bytes", DEV_MSG("add@/x\0ACTION=add\0SUBSYSTEM=pci\0PCI_SLOT_NAME="
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"),
		0, RTE_DEV_EVENT_ADD,
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde" },
	{ "udev's own form", DEV_MSG("libudev\0\xfe\xed\xca\xfe\0ACTION=add\0SUBSYSTEM=pci\0"
		"PCI_SLOT_NAME=0000:00:03.0"), -EINVAL, 0, NULL },
	{ "first string only", DEV_MSG("add@/x"), -ENOENT, 0, NULL },
	{ "empty strings", DEV_MSG("add@/x\0\0\0\0ACTION=add\0\0SUBSYSTEM=pci\0\0"
		"PCI_SLOT_NAME=0000:00:03.0\0\0"), 0, RTE_DEV_EVENT_ADD, "0000:00:03.0" },
	{ "not ended", "add@/x\0ACTION=add\0SUBSYSTEM=pci\0PCI_SLOT_NAME=0000:00:03.0", 58,
		-EINVAL, 0, NULL },
	{ "nothing", "", 0, -EINVAL, 0, NULL },
	{ "a zero byte", "", 1, -EINVAL, 0, NULL },
};

static void
test_messages_of_the_kernel(void **state)
{
	const struct uevent_row *row;
	struct eal_uevent event;
	char *exact;

	for (row = uevent_rows; row < uevent_rows + RTE_DIM(uevent_rows); row++) {
		print_message("%s\n", row->what);
		exact = malloc(RTE_MAX(row->len, 1U));	/* a read beyond it is seen by ASan */
		memcpy(exact, row->msg, row->len);
		assert_int_equal(eal_uevent_parse(exact, row->len, &event), row->rc);
		free(exact);
		if (row->rc < 0)
			continue;
		assert_int_equal(event.type, row->type);
		assert_string_equal(event.name, row->name);
	}
}

static void
test_every_cut_message_is_survived(void **state)
{
	const struct uevent_row *row = &uevent_rows[0];
	struct eal_uevent event;
	size_t len;
	char *cut;

	for (len = 1; len < row->len; len++) {
		cut = malloc(len);
		memcpy(cut, row->msg, len);
		assert_true(eal_uevent_parse(cut, len, &event) <= 0);
		cut[len - 1] = '\0';
		assert_true(eal_uevent_parse(cut, len, &event) <= 0);
		free(cut);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_messages_of_the_kernel),
	cmocka_unit_test(test_every_cut_message_is_survived),
};

TEST_SUITE(dev_uevent, "functional", tests, dev_listener_start, dev_listener_stop)
