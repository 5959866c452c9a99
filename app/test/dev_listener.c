/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <semaphore.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bus_driver.h>
#include <dev_driver.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_interrupts.h>

#include "dev_listener.h"
#include "eal_intr.h"
#include "test.h"

void
dev_listener_called(const char *name, enum rte_dev_event_type event, void *arg)
{
	struct dev_listener *listener = arg;

	listener->calls++;
	snprintf(listener->name, sizeof(listener->name), "%s", name);
	listener->event = event;
	listener->in_intr_thread = rte_thread_is_intr();
	sem_post(&listener->called);
}

void
dev_listener_init(struct dev_listener *listener)
{
	memset(listener, 0, sizeof(*listener));
	assert_int_equal(sem_init(&listener->called, 0, 0), 0);
}

void
dev_listener_wait(struct dev_listener *listener)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 30;
	assert_int_equal(sem_timedwait(&listener->called, &end), 0);
}

void
dev_listener_end(struct dev_listener *listener)
{
	int rc;

	do
		rc = rte_dev_event_callback_unregister(DEV_NAME, dev_listener_called, listener);
	while (rc == -EAGAIN);
	assert_int_equal(rc, 1);
	sem_destroy(&listener->called);
}

struct dev_fake dev_fake = { .dev = { .name = DEV_NAME } };

static int
fake_scan(void)
{
	return 0;
}

static struct rte_device *
fake_find(const struct rte_device *from, rte_dev_cmp_t cmp, const void *data)
{
	return from == NULL && cmp(&dev_fake.dev, data) == 0 ? &dev_fake.dev : NULL;
}

static int
fake_hot_unplug(struct rte_device *dev)
{
	assert_ptr_equal(dev, &dev_fake.dev);
	dev_fake.unplugged++;
	return 0;
}

static int
fake_sigbus(const void *addr)
{
	dev_fake.asked++;
	if ((uintptr_t)addr - (uintptr_t)dev_fake.addr >= dev_fake.len)
		return 1;
	if (dev_fake.sigbus_rc != 0)
		return dev_fake.sigbus_rc;
	syscall(SYS_mmap, dev_fake.addr, dev_fake.len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (dev_fake.raises_event)
		rte_dev_event_callback_process(DEV_NAME, RTE_DEV_EVENT_REMOVE);
	return 0;
}

static struct rte_bus fake_bus = {
	.name = "pci",
	.scan = fake_scan,
	.probe = fake_scan,
	.find_device = fake_find,
	.hot_unplug_handler = fake_hot_unplug,
	.sigbus_handler = fake_sigbus,
};

int
dev_listener_start(void **state)
{
	struct rte_bus *real = rte_bus_find_by_name("pci");

	if (real != NULL)
		rte_bus_unregister(real);
	rte_bus_register(&fake_bus);
	return eal_intr_init();
}

int
dev_listener_stop(void **state)
{
	rte_bus_unregister(&fake_bus);
	return eal_intr_cleanup();
}
