/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef DEV_LISTENER_H
#define DEV_LISTENER_H

/**
 * @file
 * What suites about events of devices share: a callback that notes what it is told, and a bus with
 * one device, whose memory is a file that may shrink. Functions fail the test if they cannot do
 * what they should.
 */

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>

#include <dev_driver.h>
#include <rte_dev.h>

/** For rte_dev_event_callback_unregister(): of any argument. */
#define ANY_ARG ((void *)-1)

/** The device, and another one. */
#define DEV_NAME "0000:01:00.0"
#define DEV_OTHER_NAME "0000:02:00.0"

/** A message of the kernel with its length. */
#define DEV_MSG(text_) text_, sizeof(text_)

/** What a callback was told. */
struct dev_listener {
	unsigned int calls;
	char name[RTE_DEV_NAME_MAX_LEN];
	enum rte_dev_event_type event;
	int in_intr_thread;
	int rc;
	sem_t called;
};

/** Setup and teardown of a suite: the bus is registered, and the interrupt thread runs. */
int dev_listener_start(void **state);
int dev_listener_stop(void **state);

void dev_listener_init(struct dev_listener *listener);

/** Wait until the callback was called once more. */
void dev_listener_wait(struct dev_listener *listener);

/** Take back what was registered for the device. */
void dev_listener_end(struct dev_listener *listener);

/** The callback, whose argument is a listener. */
void dev_listener_called(const char *name, enum rte_dev_event_type event, void *arg);

/** The device of the bus. */
extern struct dev_fake {
	struct rte_device dev;
	char *addr;
	size_t len;
	int sigbus_rc;	/**< what the handler says of its own addresses */
	unsigned int asked;
	unsigned int unplugged;
	bool raises_event;
} dev_fake;

#endif /* DEV_LISTENER_H */
