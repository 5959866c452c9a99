/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_BUS_H
#define FAKE_BUS_H

/**
 * @file
 * A bus "fake" whose system is a bit mask: its devices are d0 to d7. Names may be padded with
 * zeros, as "d007"; d7 is the canonical form. The class "fakeclass" has an object on each device
 * of an odd number.
 */

#include <stdbool.h>
#include <stdint.h>

#include <bus_driver.h>
#include <dev_driver.h>
#include <rte_class.h>

#define FAKE_BUS_DEVICES 8

/** The device that arguments without a name, as "bus=fake,path=/x", are for. */
#define FAKE_BUS_UNNAMED 4

struct fake_bus_device {
	struct rte_device dev;
	char name[8];
	bool listed;	/**< by the last scan */
};

/** Set by the test, except for what is counted. */
struct fake_bus {
	struct rte_bus bus;
	struct fake_bus_device devices[FAKE_BUS_DEVICES];
	uint32_t present;	/**< bit n: the system has the device dn */
	enum rte_iova_mode iova_mode;	/**< what the bus wants */
	int scan_rc;	/**< 0 or what the call returns instead, as those that follow */
	int probe_rc;
	int plug_rc;
	int unplug_rc;
	int cleanup_rc;
	unsigned int nb_scans;
	unsigned int nb_probes;
	unsigned int nb_cleanups;
};

extern struct fake_bus fake_bus;
extern struct rte_class fake_class;

/** Register bus and class, with d1, d2 and d3 present. */
void fake_bus_add(void);

/** Undo fake_bus_add(). */
void fake_bus_remove(void);

/** The device d@p number, or NULL when the bus does not list it. */
struct rte_device *fake_bus_device(unsigned int number);

#endif /* FAKE_BUS_H */
