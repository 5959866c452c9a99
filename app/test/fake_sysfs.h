/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_SYSFS_H
#define FAKE_SYSFS_H

/**
 * @file
 * A folder that looks like /sys/bus/pci/devices, to which SYSFS_PCI_DEVICES points. Cheap enough
 * for thousands of devices. Functions fail the test if they cannot do what they should.
 */

#include <stdbool.h>
#include <stdint.h>

struct fake_sysfs {
	char root[64];	/**< the temporary folder */
	char devices[96];	/**< the folder of devices in it */
};

/** A device; zeros are good values. */
struct fake_sysfs_desc {
	const char *driver;	/**< kernel driver; NULL: none */
	uint16_t vendor, device, subsystem_vendor, subsystem_device;
	uint32_t class_id;
	int numa_node;
	uint64_t bar_len;	/**< of BAR 0, in memory; 0: there is none */
	bool no_modalias;	/**< as in other people's fake trees */
};

/** Make an empty tree, in memory if there is a place. */
struct fake_sysfs *fake_sysfs_start(void);

/** Take it away, and the environment variable with it. */
void fake_sysfs_stop(struct fake_sysfs *fs);

void fake_sysfs_add(const struct fake_sysfs *fs, const char *name,
	const struct fake_sysfs_desc *desc);

/** Take a device away with all its files. */
void fake_sysfs_remove(const struct fake_sysfs *fs, const char *name);

/** Let another kernel driver hold it; NULL: none. */
void fake_sysfs_bind(const struct fake_sysfs *fs, const char *name, const char *driver);

/** Write an attribute of a device; @p text NULL: take it away. */
void fake_sysfs_set(const struct fake_sysfs *fs, const char *name, const char *attribute,
	const char *text);

#endif /* FAKE_SYSFS_H */
