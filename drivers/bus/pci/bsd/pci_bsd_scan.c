/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "pci_addr.h"
#include "pci_bsd_kernel.h"
#include "pci_bsd_scan.h"
#include "pci_log.h"

#define DEVICE "/dev/pci"

/* Records that are asked for at a time. */
#define PAGE_RECORDS 16

/* A list that changes is begun anew, but not for ever. */
#define SCAN_TRIES 16

/* A kernel that lists more devices than this does not know what it says. */
#define DEVICES_MAX (1u << 20)

struct device_table {
	struct pci_bsd_device *device;
	size_t nb;
	size_t room;
};

/* The two forms of the list, the newer first: older kernels do not know it. */
static const struct list_form {
	unsigned long request;
	size_t record_len;
} list_forms[] = {
	{ PCI_BSD_LIST_15, PCI_BSD_RECORD_15 },
	{ PCI_BSD_LIST_14, PCI_BSD_RECORD_14 },
};

#define NB_LIST_FORMS (sizeof(list_forms) / sizeof(list_forms[0]))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* of the two below */
static struct device_table known;	/* sorted by address */
static int pci_fd = -1;	/* to read what needs no rights */

/* ---- one scan ---- */

static int
table_grow(struct device_table *table)
{
	const size_t room = table->room == 0 ? 64 : 2 * table->room;
	struct pci_bsd_device *device;

	if (room > DEVICES_MAX)
		return -EPROTO;
	device = realloc(table->device, room * sizeof(*device));
	if (device == NULL)
		return -ENOMEM;
	table->device = device;
	table->room = room;
	return 0;
}

static int
record_add(struct device_table *table, const uint8_t *record, size_t len)
{
	int rc = table->nb == table->room ? table_grow(table) : 0;

	if (rc == 0)
		rc = pci_bsd_device_parse(record, len, &table->device[table->nb]);
	if (rc == 0)
		table->nb++;
	return rc;
}

/* One part of the list. 1: there is more. */
static int
page_read(int fd, const struct list_form *form, struct pci_bsd_list *list,
	struct device_table *table)
{
	_Alignas(8) uint8_t records[PAGE_RECORDS * PCI_BSD_RECORD_15];
	uint32_t i;
	int more, rc;

	memset(records, 0, sizeof(records));
	list->match_buf_len = (uint32_t)(PAGE_RECORDS * form->record_len);
	list->matches = records;
	list->nb_matches = 0;
	list->status = PCI_BSD_LIST_ERROR;
	rc = pci_bsd_kernel->ioctl(fd, form->request, list);
	if (rc != 0)
		return rc;
	more = pci_bsd_list_check(list, PAGE_RECORDS);
	for (i = 0; i < list->nb_matches && more >= 0; i++) {
		rc = record_add(table, records + i * form->record_len, form->record_len);
		more = rc == 0 ? more : rc;
	}
	return more;
}

static int
list_read_once(int fd, const struct list_form *form, struct device_table *table)
{
	struct pci_bsd_list list = { 0 };
	int more;

	table->nb = 0;
	do
		more = page_read(fd, form, &list, table);
	while (more > 0);
	return more;
}

static int
list_read(int fd, const struct list_form *form, struct device_table *table)
{
	unsigned int tries;
	int rc = -EAGAIN;

	for (tries = 0; rc == -EAGAIN && tries < SCAN_TRIES; tries++)
		rc = list_read_once(fd, form, table);
	return rc;
}

/*
 * What a request is called that the kernel does not know depends on who is asked first: whether
 * there is such a request, or whether the descriptor permits it.
 */
static bool
form_is_unknown(int rc)
{
	return rc == -ENOTTY || rc == -EPERM || rc == -EINVAL || rc == -ENODEV;
}

static int
forms_try(int fd, struct device_table *table)
{
	int rc = -ENOTTY;
	size_t i;

	for (i = 0; i < NB_LIST_FORMS && form_is_unknown(rc); i++)
		rc = list_read(fd, &list_forms[i], table);
	return rc;
}

static int
device_cmp(const void *a, const void *b)
{
	const struct pci_bsd_device *left = a, *right = b;

	return rte_pci_addr_cmp(&left->addr, &right->addr);
}

/* ---- the descriptor ---- */

static int
fd_get(void)
{
	if (pci_fd < 0)
		pci_fd = pci_bsd_kernel->open(DEVICE, O_RDONLY);
	return pci_fd;
}

/* ---- what others see ---- */

static void
table_keep(struct device_table *table)
{
	if (table->nb > 1)
		qsort(table->device, table->nb, sizeof(*table->device), device_cmp);
	free(known.device);
	known = *table;
}

static int
scan_locked(void)
{
	struct device_table table = { .nb = 0 };
	int fd = fd_get();
	int rc;

	if (fd == -ENOENT || fd == -ENXIO) {
		PCI_LOG(DEBUG, "no %s, so there are no devices", DEVICE);
		table_keep(&table);
		return 0;
	}
	rc = fd < 0 ? fd : forms_try(fd, &table);
	if (rc == 0) {
		table_keep(&table);
		return 0;
	}
	free(table.device);
	PCI_LOG(ERR, "%s: cannot list devices: %s", DEVICE, strerror(-rc));
	return rc;
}

int
pci_bsd_scan(void)
{
	int rc;

	pthread_mutex_lock(&lock);
	rc = scan_locked();
	pthread_mutex_unlock(&lock);
	return rc;
}

/* The first device at or after a key; with the lock held. */
static size_t
known_lower_bound(uint64_t key)
{
	size_t low = 0, high = known.nb, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (pci_addr_key(&known.device[mid].addr) < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int
pci_bsd_next(uint64_t *from, struct pci_bsd_device *device)
{
	int rc = -ENODEV;
	size_t i;

	pthread_mutex_lock(&lock);
	i = known_lower_bound(*from);
	if (i < known.nb) {
		*device = known.device[i];
		*from = pci_addr_key(&device->addr) + 1;
		rc = 0;
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

int
pci_bsd_find(const struct rte_pci_addr *addr, struct pci_bsd_device *device)
{
	uint64_t from = pci_addr_key(addr);
	int rc = pci_bsd_next(&from, device);

	return rc == 0 && rte_pci_addr_cmp(&device->addr, addr) != 0 ? -ENODEV : rc;
}

static int
get_bar(struct pci_bsd_get_bar *request)
{
	int fd, rc;

	pthread_mutex_lock(&lock);
	fd = fd_get();
	rc = fd < 0 ? fd : pci_bsd_kernel->ioctl(fd, PCI_BSD_GET_BAR, request);
	pthread_mutex_unlock(&lock);
	return rc;
}

/* -EINVAL: the kernel knows of no such BAR. */
int
pci_bsd_bar_get(const struct rte_pci_addr *addr, unsigned int bar, struct pci_bsd_bar *out)
{
	struct pci_bsd_get_bar request = {
		.sel = pci_bsd_sel_of(addr),
		.reg = pci_bsd_bar_reg(bar),
	};
	int rc = get_bar(&request);

	*out = (struct pci_bsd_bar){ .length = 0 };
	if (rc == -EINVAL)
		return 0;
	return rc == 0 ? pci_bsd_bar_parse(&request, out) : rc;
}

int
pci_bsd_bars_get(const struct rte_pci_addr *addr, struct pci_bsd_bar out[PCI_MAX_RESOURCE])
{
	bool upper_half = false;
	unsigned int bar;
	int rc;

	for (bar = 0; bar < PCI_MAX_RESOURCE; bar++) {
		out[bar] = (struct pci_bsd_bar){ .length = 0 };
		rc = upper_half ? 0 : pci_bsd_bar_get(addr, bar, &out[bar]);
		if (rc != 0)
			return rc;
		upper_half = out[bar].wide;
	}
	return 0;
}

void
pci_bsd_scan_fini(void)
{
	pthread_mutex_lock(&lock);
	free(known.device);
	known = (struct device_table){ .nb = 0 };
	if (pci_fd >= 0)
		pci_bsd_kernel->close(pci_fd);
	pci_fd = -1;
	pthread_mutex_unlock(&lock);
}
