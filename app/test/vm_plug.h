/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VM_PLUG_H
#define VM_PLUG_H

/**
 * @file
 * The edu device of a guest that comes and goes while its driver works: which kernel driver it is
 * for, events, the device from outside and from inside. Functions fail the test if they cannot do
 * what they should.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <bus_pci_driver.h>
#include <rte_dev.h>
#include <rte_edu.h>

#include "vm.h"

#define VM_PLUG_SECONDS 30u
#define VM_PLUG_LIVENESS 0x04	/* a register that reads as the complement of what was written */

/** A kernel driver that the device is for; the guest script names it in DPDK_TEST_TRANSPORT. */
struct vm_plug_way {
	const char *kernel_driver;
	bool huge_pages;
	bool asks;	/* the kernel asks for the device before it goes, and waits */
};

/** What there is of the device. */
struct vm_plug {
	const struct vm_plug_way *way;
	char bdf[VM_BDF_LEN];
	struct rte_edu *edu;	/* NULL: not in use */
	struct rte_pci_device *dev;
	atomic_uint nb_events[RTE_DEV_EVENT_MAX];
};

extern struct vm_plug vm_plug;

/** For a suite: start EAL with the device and @p args for its driver, "" for none; and its end. */
int vm_plug_setup(const char *args);
int vm_plug_teardown(void **state);

/** Listen to events of devices, and handle accesses to those that are gone; and no longer. */
void vm_plug_listen(void);
void vm_plug_unlisten(void);

/** Wait until one such event has come, and count anew. */
void vm_plug_await(enum rte_dev_event_type type);

/** Say a line to vm.py, which does what it says. */
void vm_plug_ask_host(const char *what);

/** Wait until the kernel has forgotten the device. */
void vm_plug_await_absence(void);

/**
 * Give the device to the kernel's driver, then to ours with @p devargs, or with the old ones if
 * that is NULL; see that it works; take it from ours.
 */
void vm_plug_take(const char *devargs);
void vm_plug_use(void);
void vm_plug_give_back(void);

/** A thread that accesses the device all the time. */
struct vm_worker {
	pthread_t thread;
	atomic_bool stop;
	atomic_uint nb;	/* of accesses */
	unsigned int wrong;	/* that found what nobody can have stored */
};

void vm_worker_start(struct vm_worker *worker);
void vm_worker_end(struct vm_worker *worker);

#endif /* VM_PLUG_H */
