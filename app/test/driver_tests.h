/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef DRIVER_TESTS_H
#define DRIVER_TESTS_H

/**
 * @file
 * One table of tests of a driver, which run, unchanged, over every way to reach its device. The
 * driver is drivers/raw/edu. A way is a row, struct driver_transport; what a device does not have
 * there the row says, with the reason, and the tests that need it are skipped by that name.
 *
 * A suite is a list of such rows: DRIVER_SUITE(). Functions fail the test if they cannot do what
 * they should.
 */

#include <stdbool.h>
#include <stdint.h>

#include <bus_pci_driver.h>
#include <rte_edu.h>
#include <rte_interrupts.h>

#include "test.h"

/** What tests need, besides registers and configuration space. */
enum driver_need {
	DRIVER_INTERRUPTS,	/**< they arrive */
	DRIVER_MSI,	/**< a capability of the device */
	DRIVER_DMA,	/**< the device reaches the driver's memory */
	DRIVER_IOVA,	/**< memory appears to the device where the program says */
	DRIVER_OWN_MEMORY,	/**< also memory that is not EAL's */
	DRIVER_LAST_BYTE,	/**< transfers may touch the last byte of the device's buffer */
	DRIVER_MEMORY,	/**< BAR 2: 64 KiB of plain memory */
	DRIVER_WINDOW,	/**< a part of it is mapped */
	DRIVER_TRAPPED,	/**< and a part is not */
	DRIVER_RESET,	/**< a device is reset when it is opened */
	DRIVER_SEVERAL,	/**< more devices than one */
	DRIVER_ANY_WIDTH,	/**< an access of a width that a register lacks does no harm */
	DRIVER_WIDE,	/**< eight bytes of a register are one access */
	DRIVER_EXISTS,	/**< to probe what is there already is an error */
	DRIVER_NEEDS
};

#define DRIVER_DEVICES_MAX 4u

struct driver_case;

/** A device that the driver has taken. */
struct driver_device {
	struct driver_case *of;
	/** As given to EAL by -a and to rte_dev_probe(). Set by the transport. */
	char devargs[128];
	struct rte_pci_device *dev;	/**< NULL: it is not plugged */
	struct rte_edu *edu;	/**< the driver's handle */
};

/** Devices of one kind, EAL runs. */
struct driver_case {
	const struct driver_transport *transport;
	struct driver_device device[DRIVER_DEVICES_MAX];
	unsigned int nb;	/**< of devices */
	void *priv;	/**< the transport's */
};

/** A way to reach devices. */
struct driver_transport {
	const char *name;	/**< as shown with each test */
	unsigned int nb;	/**< of devices */
	/** Make the devices, tell their devargs. EAL does not run. */
	void (*setup)(struct driver_case *c);
	/** Undo setup(). EAL does not run; the device may say what it thinks of its use. */
	void (*teardown)(struct driver_case *c);
	const char *args[4];	/**< more arguments for EAL; ends with NULL */
	bool huge_pages;	/**< shall EAL's memory be of these? */
	const char *backend;	/**< rte_pci_backend_name() */
	enum rte_intr_handle_type intr;	/**< of the interrupts */
	bool registers_mapped;	/**< BAR 0 by load and store? */
	struct rte_pci_bar_window window;	/**< of BAR 2: offset, size */
	const char *lacks[DRIVER_NEEDS];	/**< why there is not; NULL: there is */
	const void *priv;	/**< the transport's */
};

/** A test; a row of the table. */
struct driver_test {
	const char *name;
	/** Runs for each device in turn, while all are open. */
	void (*run)(struct driver_device *d);
	uint32_t needs;	/**< a bit for each enum driver_need */
};

#define DRIVER_NEED(need) (UINT32_C(1) << DRIVER_##need)
#define DRIVER_TEST(f, needs_) { .name = #f, .run = f, .needs = (needs_) }

/** The table, in parts; each ends with a row without a name. */
extern const struct driver_test driver_tests_register[];
extern const struct driver_test driver_tests_config[];
extern const struct driver_test driver_tests_memory[];
extern const struct driver_test driver_tests_calls[];
extern const struct driver_test driver_tests_interrupt[];
extern const struct driver_test driver_tests_mask[];
extern const struct driver_test driver_tests_dma[];
extern const struct driver_test driver_tests_life[];

/* For tests. */

/** Long enough never to pass in a test that works. */
#define DRIVER_TIMEOUT_MS 20000

/** Are those things there? For parts of a test. */
bool driver_has(const struct driver_device *d, uint32_t needs);

/** A register of BAR 0, by the bus and not by the driver. */
uint32_t driver_reg_read(const struct driver_device *d, uint32_t reg);
void driver_reg_write(const struct driver_device *d, uint32_t reg, uint32_t value);

/** Bytes in a pattern of their own for each @p seed. */
void driver_fill(void *buf, size_t len, unsigned int seed);

/** Take the device off the bus, as if it were pulled out, with the driver's handle open. */
void driver_unplug(struct driver_device *d);

/** Find it again, open it anew, close the old handle. */
void driver_plug(struct driver_device *d);

/** Run something in @p nb threads at once; each returns how much was wrong, which must be 0. */
void driver_threads(struct driver_device *const d[], unsigned int nb,
	unsigned int (*run)(struct driver_device *d, unsigned int number));

/* For suites. */

/**
 * Make all tests over @p nb transports known to dpdk-test. A row without a name is left out.
 *
 * @param setup
 *   Once before the first test; NULL: none.
 */
void driver_suite_register(const char *name, const char *kind,
	const struct driver_transport *transports, size_t nb, CMFixtureFunction setup);

/** The suite @p name_ of the array @p transports_. */
#define DRIVER_SUITE(name_, kind_, transports_) \
DRIVER_SUITE_SETUP(name_, kind_, transports_, NULL)

#define DRIVER_SUITE_SETUP(name_, kind_, transports_, setup_) \
static void __attribute__((constructor)) \
suite_register_##name_(void) \
{ \
	driver_suite_register(#name_, kind_, transports_, \
		sizeof(transports_) / sizeof((transports_)[0]), setup_); \
}

#endif /* DRIVER_TESTS_H */
