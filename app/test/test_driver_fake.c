/* SPDX-License-Identifier: BSD-3-Clause */

/* The table of driver tests over a device inside the process, one and several at once. */

#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "driver_tests.h"
#include "fake_edu.h"
#include "fake_sysfs.h"

static const char *const addresses[DRIVER_DEVICES_MAX] = {
	"0000:00:04.0", "0000:00:04.1", "0001:02:1f.7", "ffff:ff:00.0",
};

struct fakes {
	struct fake_sysfs *system;	/* empty: what this machine has is not ours */
	struct fake_edu *edu[DRIVER_DEVICES_MAX];
};

static void
setup(struct driver_case *c)
{
	struct fakes *fakes = calloc(1, sizeof(*fakes));
	unsigned int i;

	assert_non_null(fakes);
	c->priv = fakes;
	fakes->system = fake_sysfs_start();
	for (i = 0; i < c->nb; i++) {
		fakes->edu[i] = fake_edu_start(addresses[i]);
		fakes->edu[i]->no_irq = c->transport->lacks[DRIVER_INTERRUPTS] != NULL;
		strcpy(c->device[i].devargs, addresses[i]);
	}
}

static void
teardown(struct driver_case *c)
{
	struct fakes *fakes = c->priv;
	unsigned int i;

	for (i = 0; i < c->nb; i++) {
		assert_false(fakes->edu[i]->bus_master);
		fake_edu_stop(fakes->edu[i]);
	}
	fake_sysfs_stop(fakes->system);
	free(fakes);
}

#define FAKE \
	.setup = setup, \
	.teardown = teardown, \
	.args = { "--iova-mode=va" }, \
	.backend = "fake-edu", \
	.intr = RTE_INTR_HANDLE_VDEV, \
	.window = { .offset = 0x4000, .size = 0x8000 }

static const struct driver_transport transports[] = {
	{
		.name = "fake", .nb = 1, FAKE,
		.lacks = { [DRIVER_SEVERAL] = "there is one, the last row has more" },
	},
	{
		.name = "fake without interrupts", .nb = 1, FAKE,
		.lacks = {
			[DRIVER_INTERRUPTS] = "the driver must do without",
			[DRIVER_SEVERAL] = "there is one, the last row has more",
		},
	},
	{ .name = "several fakes", .nb = DRIVER_DEVICES_MAX, FAKE },
};

DRIVER_SUITE(driver_fake, "functional", transports)
