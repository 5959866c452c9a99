/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <rte_alarm.h>
#include <rte_common.h>
#include <rte_errno.h>
#include <rte_string_fns.h>
#include <rte_vfio_user.h>

#include "pci_device.h"
#include "pci_log.h"
#include "pci_vfio_user_link.h"

/*
 * Looking for servers that are gone. A server that accepts a connection may take its time to say
 * the first word, and so this is done in a thread of its own and not in the event thread, where
 * others wait. That one tells what came of it.
 */

/*
 * Between two tries, in milliseconds: twice as long each time, up to the longest, which is longer
 * where somebody is there that talks nonsense.
 */
#define FIRST_DELAY_MS 1u
#define LONGEST_DELAY_MS 1000u
#define LONGEST_ERROR_DELAY_MS 10000u

/* After what takes memory, of which there may be more again. */
#define LACK_DELAY_MS 10u

static struct {
	pthread_t thread;
	bool running;
	bool stop;
	bool untold;	/* something is back, and the event thread does not know yet */
} keeper;

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- telling, in the event thread ---- */

static struct pci_vfio_user_link *
returned_take(void)
{
	struct pci_vfio_user_link *link = pci_vfio_user_links.first;

	while (link != NULL && !link->returned)
		link = link->next;
	if (link != NULL)
		link->returned = false;
	return link;
}

/* An end that comes from now on is another one. */
static int
watch_again(struct pci_vfio_user_link *link)
{
	int rc = 0;

	if (link->started && !link->lost && link->watch == NULL)
		rc = pci_vfio_user_watch_register(link);
	if (rc != 0 && !link->unwatched)
		PCI_LOG(WARNING, "%s: is not seen yet when it goes: %s", link->name,
			rte_strerror(-rc));
	link->unwatched = rc != 0;
	return rc;
}

/* The link may be gone when all have been told. */
static void
returned_tell(const struct pci_vfio_user_link *link)
{
	const struct rte_pci_addr addr = link->target.addr;
	struct pci_vfio_user_link *still;
	char name[RTE_DEV_NAME_MAX_LEN];

	strlcpy(name, link->name, sizeof(name));
	pci_vfio_user_unlock();
	rte_dev_event_callback_process(name, RTE_DEV_EVENT_ADD);
	pci_vfio_user_lock();
	still = pci_vfio_user_link_find(&addr);
	if (still != NULL && watch_again(still) != 0)
		pthread_cond_broadcast(&pci_vfio_user_links.changed);
}

static void
tell_callback(void *arg)
{
	const struct pci_vfio_user_link *link;

	(void)arg;
	pci_vfio_user_lock();
	while ((link = returned_take()) != NULL)
		returned_tell(link);
	pci_vfio_user_unlock();
}

static void
tell_soon(struct pci_vfio_user_link *link)
{
	PCI_LOG(NOTICE, "%s: its server is back", link->name);
	link->lost = link->awaited = false;
	link->returned = true;
	keeper.untold = true;
}

/* What may lack memory. @return 0; -errno: it is to be tried again */
static int
news_pass_on(void)
{
	struct pci_vfio_user_link *link;
	int rc = 0;

	if (keeper.untold)
		rc = rte_eal_alarm_set(1, tell_callback, NULL);
	if (rc == 0)
		keeper.untold = false;
	for (link = pci_vfio_user_links.first; link != NULL && rc == 0; link = link->next)
		if (link->unwatched)
			rc = watch_again(link);
	return rc;
}

/* ---- trying ---- */

static void
try_later(struct pci_vfio_user_link *link, int rc)
{
	const bool nobody = rc == -ENOENT || rc == -ECONNREFUSED || rc == -ENOTCONN;
	const unsigned int delay = FIRST_DELAY_MS << RTE_MIN(link->nb_tries++, 14u);

	link->due_ms = now_ms() + RTE_MIN(delay, nobody ? LONGEST_DELAY_MS :
		LONGEST_ERROR_DELAY_MS);
	PCI_LOG(DEBUG, "%s: not back yet: %s", link->name, pci_vfio_user_attach_error(rc));
}

/* A device that is in the hands of a driver. */
static void
device_back(struct pci_vfio_user_link *link, int dev_id, const struct rte_pci_id *id)
{
	int rc;

	link->touched = true;
	pci_vfio_user_unlock();
	rc = pci_vfio_user_restart(link->dev, dev_id, id);
	if (rc != 0)
		rte_vfio_user_detach_dev(dev_id);
	pci_vfio_user_lock();
	link->touched = false;
	if (rc == 0) {
		tell_soon(link);
	} else if (rc == -ENODEV) {
		PCI_LOG(ERR, "%s: there is another device at %s now", link->name,
			link->target.path);
		link->awaited = false;
	} else {
		try_later(link, rc);
	}
}

/* The driver may have given the device up while the server was looked for. */
static void
server_back(struct pci_vfio_user_link *link, int dev_id, const struct pci_ident *ident)
{
	if (link->dev != NULL && link->started) {
		device_back(link, dev_id, &ident->id);
	} else if (link->dev != NULL) {
		rte_vfio_user_detach_dev(dev_id);
	} else {
		link->dev_id = dev_id;
		link->ident = *ident;
		tell_soon(link);
	}
}

/* With the lock, but for the time that it takes. */
static void
link_try(struct pci_vfio_user_link *link)
{
	struct pci_vfio_user_target target = link->target;
	struct pci_ident ident;
	int rc;

	link->busy = true;
	pci_vfio_user_unlock();
	rc = pci_vfio_user_attach(&target, &ident);
	pci_vfio_user_lock();
	if (link->dev == NULL)
		pci_vfio_user_link_detach(link);
	if (rc < 0)
		try_later(link, rc);
	else
		server_back(link, rc, &ident);
	link->busy = false;
	pthread_cond_broadcast(&pci_vfio_user_links.changed);
}

/* ---- the thread ---- */

/* A device that is about to be closed is tried when it is. */
static struct pci_vfio_user_link *
next_due(void)
{
	struct pci_vfio_user_link *link, *next = NULL;

	for (link = pci_vfio_user_links.first; link != NULL; link = link->next)
		if (link->awaited && !link->busy && (link->dev == NULL || link->started) &&
				(next == NULL || link->due_ms < next->due_ms))
			next = link;
	return next;
}

static void
wait_until(uint64_t until_ms)
{
	const struct timespec until = {
		.tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000 * 1000000),
	};

	pthread_cond_clockwait(&pci_vfio_user_links.changed, &pci_vfio_user_links.lock,
		CLOCK_MONOTONIC, &until);
}

static void *
keeper_main(void *arg)
{
	struct pci_vfio_user_link *link;

	(void)arg;
	pci_vfio_user_lock();
	while (!keeper.stop) {
		link = next_due();
		if (news_pass_on() != 0)
			wait_until(now_ms() + LACK_DELAY_MS);
		else if (link == NULL)
			pthread_cond_wait(&pci_vfio_user_links.changed,
				&pci_vfio_user_links.lock);
		else if (link->due_ms > now_ms())
			wait_until(link->due_ms);
		else
			link_try(link);
	}
	pci_vfio_user_unlock();
	return NULL;
}

/* Signals are for the application's threads, except for those that this thread's faults raise. */
static int
keeper_start(void)
{
	sigset_t blocked, saved;
	int rc;

	sigfillset(&blocked);
	sigdelset(&blocked, SIGBUS);
	sigdelset(&blocked, SIGSEGV);
	pthread_sigmask(SIG_SETMASK, &blocked, &saved);
	rc = pthread_create(&keeper.thread, NULL, keeper_main, NULL);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	return rc;
}

static void
wake_callback(void *arg)
{
	(void)arg;
	pci_vfio_user_lock();
	pci_vfio_user_keeper_wake();
	pci_vfio_user_unlock();
}

void
pci_vfio_user_keeper_wake(void)
{
	int rc;

	pthread_cond_broadcast(&pci_vfio_user_links.changed);
	if (keeper.running)
		return;
	rc = keeper_start();
	keeper.running = rc == 0;
	if (rc == 0)
		return;
	PCI_LOG(ERR, "cannot look for vfio-user servers yet: %s", strerror(rc));
	rte_eal_alarm_set(LONGEST_DELAY_MS * 1000, wake_callback, NULL);
}

void
pci_vfio_user_keeper_stop(void)
{
	bool running;

	rte_eal_alarm_cancel(wake_callback, NULL);
	pci_vfio_user_lock();
	running = keeper.running;
	keeper.stop = true;
	pthread_cond_broadcast(&pci_vfio_user_links.changed);
	pci_vfio_user_unlock();
	if (running)
		pthread_join(keeper.thread, NULL);
	keeper.running = keeper.stop = keeper.untold = false;
	rte_eal_alarm_cancel(tell_callback, NULL);
}

void
pci_vfio_user_await(struct pci_vfio_user_link *link)
{
	if (link->awaited)
		return;
	link->awaited = true;
	link->nb_tries = 0;
	link->due_ms = now_ms() + FIRST_DELAY_MS;
	pci_vfio_user_keeper_wake();
}
