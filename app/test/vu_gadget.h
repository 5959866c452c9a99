/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_GADGET_H
#define VU_GADGET_H

/**
 * @file
 * A PCI function for tests of the bus, served by this process: memory behind its BARs, any kinds of
 * interrupts, raised by the test; and the driver that takes it. Functions fail the test if they
 * cannot do what they should.
 */

#include <stdatomic.h>
#include <stdint.h>

#include <bus_pci_driver.h>
#include <rte_vfio_user_pci.h>

/** What the driver takes. */
#define GADGET_VENDOR 0x1af4
#define GADGET_DEVICE 0x9999

/** BARs: trapped registers; memory with two windows; the MSI-X table. */
#define GADGET_REGS   0
#define GADGET_MEMORY 2
#define GADGET_MSIX   4

#define GADGET_REGS_LEN   4096u
#define GADGET_MEMORY_LEN 65536u
#define GADGET_WINDOWS    { { 0x1000, 0x1000 }, { 0x8000, 0x4000 } }

struct gadget {
	/* set by the test before gadget_start() */
	unsigned int nb_msix;
	unsigned int nb_msi;
	uint8_t intx_pin;
	uint16_t device_id;	/**< 0: GADGET_DEVICE */
	unsigned int nb_windows;	/**< 0: both */
	void (*on_command)(uint16_t command);	/**< the client has changed it; or NULL */

	char dir[16];
	char path[32];
	char name[64];	/**< of the device on the bus */
	struct rte_vfio_user_pci *pci;
	int session;	/**< of the server, for DMA */
	uint8_t regs[GADGET_REGS_LEN];	/**< in the order in which they were written */
	uint8_t *memory;
	int memory_fd;
	atomic_uint nb_resets;
};

/** Serve it at a new path. */
void gadget_start(struct gadget *gadget);

/** Serve it again at the same path, as a new server does. */
void gadget_restart(struct gadget *gadget);

/** Stop to serve it; the path stays. */
void gadget_stop(struct gadget *gadget);

/** Take all away. */
void gadget_end(struct gadget *gadget);

/** The device that the driver was given last; NULL: none. */
extern _Atomic(struct rte_pci_device *) gadget_device;

/** Serve it at a new path and start EAL, whose driver takes it. @p option of EAL, or NULL. */
void gadget_attach(struct gadget *gadget, const char *option);

/** Stop EAL, and take all away. */
void gadget_detach(struct gadget *gadget);

/** Setup and teardown of a suite: the driver is there, and no device of this machine. */
int gadget_suite_setup(void **state);
int gadget_suite_teardown(void **state);

#endif /* VU_GADGET_H */
