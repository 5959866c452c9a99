/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <bus_driver.h>
#include <eal_export.h>
#include <rte_bus.h>
#include <rte_dev.h>

#include "eal_dev_event.h"
#include "eal_log.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool enabled;		/* written with the lock, read by the handler */
static bool hooked;		/* our handler is installed, or others chain to it */
static struct sigaction previous;

struct fault {
	const void *addr;
	int *rc;
};

/* Stops the search at the first bus that knows the address. */
static int
bus_ask(const struct rte_bus *bus, const void *data)
{
	const struct fault *fault = data;

	if (bus->sigbus_handler == NULL)
		return 1;
	*fault->rc = bus->sigbus_handler(fault->addr);
	return *fault->rc > 0 ? 1 : 0;
}

/* 0: a bus handled it, 1: no bus knows the address, negative: the bus could not. */
static int
buses_ask(const void *addr)
{
	int rc = 1;
	struct fault fault = { .addr = addr, .rc = &rc };

	eal_dev_event_defer(true);
	rte_bus_find(NULL, bus_ask, &fault);
	eal_dev_event_defer(false);
	return rc;
}

static bool
is_fault(const siginfo_t *info)
{
	return info->si_code > 0;
}

/* The default action ends the process, at the latest when the access is tried again. */
static void
default_action(int sig)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	sigaction(sig, &action, NULL);
	raise(sig);
}

static void
chain(int sig, siginfo_t *info, void *context)
{
	if ((previous.sa_flags & SA_SIGINFO) != 0)
		previous.sa_sigaction(sig, info, context);
	else if (previous.sa_handler == SIG_IGN && !is_fault(info))
		return;
	else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN)
		default_action(sig);
	else
		previous.sa_handler(sig);
}

/* What comes by kill() has no address. */
static void
on_sigbus(int sig, siginfo_t *info, void *context)
{
	static const char failed[] = "EAL: a bus could not handle an access to a lost device\n";
	int saved_errno = errno;
	int rc = 1;

	if (is_fault(info) && __atomic_load_n(&enabled, __ATOMIC_ACQUIRE))
		rc = buses_ask(info->si_addr);
	if (rc < 0 && write(STDERR_FILENO, failed, sizeof(failed) - 1) < 0)
		rc = 1;
	errno = saved_errno;
	if (rc != 0)
		chain(sig, info, context);
}

/* What stands for the previous handler has to be there before ours can run. */
static int
hook(void)
{
	struct sigaction action = {
		.sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO | SA_ONSTACK,
	};

	sigemptyset(&action.sa_mask);
	if (sigaction(SIGBUS, NULL, &previous) < 0 || sigaction(SIGBUS, &action, NULL) < 0)
		return -errno;
	hooked = true;
	return 0;
}

/* A handler installed after ours may call it, so then it stays. */
static void
unhook(void)
{
	struct sigaction current;

	if (sigaction(SIGBUS, NULL, &current) < 0 || (current.sa_flags & SA_SIGINFO) == 0 ||
			current.sa_sigaction != on_sigbus)
		return;
	sigaction(SIGBUS, &previous, NULL);
	hooked = false;
}

RTE_EXPORT_SYMBOL(rte_dev_hotplug_handle_enable)
int
rte_dev_hotplug_handle_enable(void)
{
	int rc;

	pthread_mutex_lock(&lock);
	rc = hooked ? 0 : hook();
	if (rc == 0)
		__atomic_store_n(&enabled, true, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&lock);
	if (rc < 0)
		EAL_LOG(ERR, "Cannot handle accesses to lost devices: %s", strerror(-rc));
	return rc;
}

RTE_EXPORT_SYMBOL(rte_dev_hotplug_handle_disable)
int
rte_dev_hotplug_handle_disable(void)
{
	pthread_mutex_lock(&lock);
	__atomic_store_n(&enabled, false, __ATOMIC_RELEASE);
	if (hooked)
		unhook();
	pthread_mutex_unlock(&lock);
	return 0;
}

bool
eal_sigbus_enabled(void)
{
	return __atomic_load_n(&enabled, __ATOMIC_ACQUIRE);
}

void
eal_sigbus_cleanup(void)
{
	rte_dev_hotplug_handle_disable();
}
