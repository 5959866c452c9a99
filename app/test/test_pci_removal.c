/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <bus_driver.h>
#include <bus_pci_driver.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>

#include "eal_session.h"
#include "fake_backend.h"
#include "pci_device.h"
#include "tame_driver.h"
#include "test.h"

static char event_name[RTE_DEV_NAME_MAX_LEN];
static unsigned int nb_events;

static void
note_event(const char *name, enum rte_dev_event_type event, void *arg)
{
	snprintf(event_name, sizeof(event_name), "%s", name);
	nb_events += event == RTE_DEV_EVENT_REMOVE;
}

static void
test_owner_that_asks_late_finds_no_device(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);
	uintptr_t token;

	nb_events = 0;
	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(rte_dev_event_callback_register(NULL, note_event, NULL), 0);
	token = fake->token;
	assert_int_equal(rte_pci_ask_back(token), 0);
	assert_int_equal(nb_events, 1);
	assert_string_equal(event_name, "0000:01:00.0");
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	fake->absent = true;
	assert_int_equal(tame_bus->scan(), 0);
	assert_int_equal(rte_pci_ask_back(token), -ENODEV);
	fake->absent = false;
	assert_int_equal(rte_dev_probe("01:00.0"), 0);	/* another one at the same address */
	assert_int_equal(rte_pci_ask_back(token), -ENODEV);
	assert_int_equal(nb_events, 1);
	assert_int_equal(rte_dev_event_callback_unregister(NULL, note_event, NULL), 1);
	eal_session_stop();
}

static void
test_handler_of_removal_reaches_the_backend(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);

	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(tame_bus->hot_unplug_handler(&one->dev->device), 0);
	assert_int_equal(fake->nb_removed, 1);
	assert_int_equal(fake->nb_removed_in_signal, 0);
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	assert_int_equal(tame_bus->hot_unplug_handler(&one->dev->device), 0);
	assert_int_equal(fake->nb_removed, 1);
	eal_session_stop();
}

/* The event thread hears that a device went away, and its owner gives it up at the same time. */
static struct {
	atomic_bool told, removed;
	bool closed_meanwhile;
} race;

static void
be_slow(struct fake_pci *fake)
{
	unsigned int ms;

	atomic_store(&race.told, true);
	for (ms = 0; ms < 100 && !atomic_load(&race.removed); ms++)
		usleep(1000);
	race.closed_meanwhile = fake->nb_closes != 0;
}

static void *
tell_thread(void *arg)
{
	tame_bus->hot_unplug_handler(arg);
	return NULL;
}

static void
test_device_stays_open_while_its_backend_is_told(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);
	pthread_t thread;

	memset(&race, 0, sizeof(race));
	tame_register(one);
	eal_session_start(NULL);
	fake->in_removed = be_slow;
	assert_int_equal(pthread_create(&thread, NULL, tell_thread, &one->dev->device), 0);
	while (!atomic_load(&race.told))
		sched_yield();
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	atomic_store(&race.removed, true);
	pthread_join(thread, NULL);
	assert_false(race.closed_meanwhile);
	assert_int_equal(fake->nb_closes, 1);
	eal_session_stop();
}

static void
test_fault_in_a_bar_of_a_pulled_device_is_survived(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	struct fake_pci *fake = fake_pci_add("0000:01:00.0", &tame_device);
	uint8_t *bar, *stale;

	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	bar = one->bar0;
	fake_pci_bar_pull(fake, 0);
	assert_int_equal(*(volatile uint8_t *)(bar + 0x8010), 0);	/* SIGBUS on the way */
	assert_int_equal(fake->nb_removed_in_signal, 1);
	assert_int_equal(tame_bus->sigbus_handler(bar - 1), 1);
	assert_int_equal(tame_bus->sigbus_handler(bar + 0x10000), 1);
	assert_int_equal(tame_bus->sigbus_handler(NULL), 1);
	stale = bar;
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	assert_int_equal(tame_bus->sigbus_handler(stale), 1);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
	eal_session_stop();
}

static void
test_fault_is_found_among_many_devices(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	struct fake_pci *fakes[150];
	char name[PCI_PRI_STR_SIZE];
	struct rte_device *dev = NULL;
	unsigned int i;
	void *stale;

	tame_register(one);
	for (i = 0; i < RTE_DIM(fakes); i++) {
		snprintf(name, sizeof(name), "0000:%02x:00.0", i);
		fakes[i] = fake_pci_add(name, &tame_device);
	}
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(fakes); i++) {
		snprintf(name, sizeof(name), "0000:%02x:00.0", i);
		dev = tame_find(name);
		assert_int_equal(tame_bus->sigbus_handler(
			RTE_DEV_TO_PCI(dev)->mem_resource[0].addr), 0);
		assert_int_equal(fakes[i]->nb_removed_in_signal, 1);
	}
	stale = RTE_DEV_TO_PCI(dev)->mem_resource[0].addr;
	assert_int_equal(rte_dev_remove(dev), 0);
	assert_int_equal(tame_bus->sigbus_handler(stale), 1);
	eal_session_stop();
}

static const struct CMUnitTest tests[] = {
	TAME_TEST(test_owner_that_asks_late_finds_no_device),
	TAME_TEST(test_handler_of_removal_reaches_the_backend),
	TAME_TEST(test_device_stays_open_while_its_backend_is_told),
	TAME_TEST(test_fault_in_a_bar_of_a_pulled_device_is_survived),
	TAME_TEST(test_fault_is_found_among_many_devices),
};

TEST_SUITE(pci_removal, "functional", tests, NULL, NULL)
