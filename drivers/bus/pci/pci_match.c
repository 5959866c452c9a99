/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#include <rte_common.h>
#include <rte_tailq.h>

#include "pci_match.h"

/* A row of a driver's table, to be found by vendor and device. */
struct match_row {
	uint32_t key;	/* vendor and device, each of them may be RTE_PCI_ANY_ID */
	uint32_t turn;	/* of the driver */
	const struct rte_pci_id *id;
	struct rte_pci_driver *driver;	/* NULL: it was taken out */
};

/* What the table was made of: a driver may change its own without telling. */
struct known_driver {
	const struct rte_pci_driver *driver;
	const struct rte_pci_id *id_table;
	uint32_t turn;	/* grows from driver to driver and is never given to another one */
};

struct match_table {
	struct match_row *rows;	/* by key and turn */
	size_t nb_rows;
	struct known_driver *known;
	size_t nb_known;
};

RTE_TAILQ_HEAD(driver_list, rte_pci_driver);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct driver_list drivers = TAILQ_HEAD_INITIALIZER(drivers);
static struct match_table table;
static uint32_t last_turn;

void
pci_match_add(struct rte_pci_driver *driver)
{
	pthread_mutex_lock(&lock);
	TAILQ_INSERT_TAIL(&drivers, driver, next);
	pthread_mutex_unlock(&lock);
}

/* The driver may be unloaded next, so that nothing of it may be looked at any more. */
void
pci_match_remove(struct rte_pci_driver *driver)
{
	size_t i;

	pthread_mutex_lock(&lock);
	TAILQ_REMOVE(&drivers, driver, next);
	for (i = 0; i < table.nb_rows; i++)
		if (table.rows[i].driver == driver)
			table.rows[i].driver = NULL;
	for (i = 0; i < table.nb_known; i++)
		if (table.known[i].driver == driver)
			table.known[i].driver = NULL;
	pthread_mutex_unlock(&lock);
}

static bool
table_is_current(void)
{
	const struct rte_pci_driver *driver;
	size_t i = 0;

	TAILQ_FOREACH(driver, &drivers, next) {
		if (i == table.nb_known || driver != table.known[i].driver ||
				driver->id_table != table.known[i].id_table)
			return false;
		i++;
	}
	return i == table.nb_known;
}

static void
table_free(struct match_table *old)
{
	free(old->rows);
	free(old->known);
	*old = (struct match_table){ .nb_rows = 0 };
}

static size_t
id_table_len(const struct rte_pci_id *id)
{
	size_t len = 0;

	while (id != NULL && id[len].vendor_id != 0)
		len++;
	return len;
}

static int
table_alloc(struct match_table *new)
{
	const struct rte_pci_driver *driver;

	*new = (struct match_table){ .nb_rows = 0 };
	TAILQ_FOREACH(driver, &drivers, next) {
		new->nb_known++;
		new->nb_rows += id_table_len(driver->id_table);
	}
	new->rows = calloc(new->nb_rows + 1, sizeof(*new->rows));
	new->known = calloc(new->nb_known + 1, sizeof(*new->known));
	if (new->rows != NULL && new->known != NULL)
		return 0;
	table_free(new);
	return -ENOMEM;
}

static uint32_t
driver_turn(const struct rte_pci_driver *driver)
{
	size_t i;

	for (i = 0; i < table.nb_known; i++)
		if (table.known[i].driver == driver)
			return table.known[i].turn;
	return ++last_turn;
}

static uint32_t
row_key(uint16_t vendor_id, uint16_t device_id)
{
	return (uint32_t)vendor_id << 16 | device_id;
}

static int
row_cmp(const void *a, const void *b)
{
	const struct match_row *left = a, *right = b;

	if (left->key != right->key)
		return left->key < right->key ? -1 : 1;
	return (left->turn > right->turn) - (left->turn < right->turn);
}

static void
table_fill(struct match_table *new)
{
	struct known_driver *known = new->known;
	struct match_row *row = new->rows;
	struct rte_pci_driver *driver;
	const struct rte_pci_id *id;

	TAILQ_FOREACH(driver, &drivers, next) {
		known->driver = driver;
		known->id_table = driver->id_table;
		known->turn = driver_turn(driver);
		for (id = driver->id_table; id != NULL && id->vendor_id != 0; id++)
			*row++ = (struct match_row){
				.key = row_key(id->vendor_id, id->device_id),
				.turn = known->turn,
				.id = id,
				.driver = driver,
			};
		known++;
	}
	qsort(new->rows, new->nb_rows, sizeof(*new->rows), row_cmp);
}

static int
table_update(void)
{
	struct match_table new;

	if (table_is_current())
		return 0;
	if (table_alloc(&new) != 0)
		return -ENOMEM;
	table_fill(&new);
	table_free(&table);
	table = new;
	return 0;
}

int
pci_match_update(void)
{
	int rc;

	pthread_mutex_lock(&lock);
	rc = table_update();
	pthread_mutex_unlock(&lock);
	return rc;
}

void
pci_match_fini(void)
{
	pthread_mutex_lock(&lock);
	table_free(&table);
	pthread_mutex_unlock(&lock);
}

bool
pci_match_any_unmapped(void)
{
	const struct rte_pci_driver *driver;

	pthread_mutex_lock(&lock);
	TAILQ_FOREACH(driver, &drivers, next)
		if ((driver->drv_flags & RTE_PCI_DRV_NEED_MAPPING) == 0)
			break;
	pthread_mutex_unlock(&lock);
	return driver != NULL;
}

/* Vendor and device fit, or else the row would not have been found. */
static bool
row_fits(const struct match_row *row, const struct rte_pci_id *id)
{
	const struct rte_pci_id *want = row->id;

	return row->driver != NULL &&
		(want->subsystem_vendor_id == RTE_PCI_ANY_ID ||
			want->subsystem_vendor_id == id->subsystem_vendor_id) &&
		(want->subsystem_device_id == RTE_PCI_ANY_ID ||
			want->subsystem_device_id == id->subsystem_device_id) &&
		(want->class_id == RTE_CLASS_ANY_ID || want->class_id == id->class_id);
}

static size_t
row_index(uint32_t key, uint32_t turn)
{
	const struct match_row wanted = { .key = key, .turn = turn };
	size_t from = 0, to = table.nb_rows;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (row_cmp(&table.rows[mid], &wanted) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* The first row with this key that fits and whose driver has its turn at @turn or later. */
static const struct match_row *
row_find(uint32_t key, uint32_t turn, const struct rte_pci_id *id)
{
	size_t i;

	for (i = row_index(key, turn); i < table.nb_rows && table.rows[i].key == key; i++)
		if (row_fits(&table.rows[i], id))
			return &table.rows[i];
	return NULL;
}

static const struct match_row *
row_next(const struct rte_pci_id *id, uint32_t turn)
{
	const uint32_t keys[] = {
		row_key(id->vendor_id, id->device_id),
		row_key(id->vendor_id, RTE_PCI_ANY_ID),
		row_key(RTE_PCI_ANY_ID, id->device_id),
		row_key(RTE_PCI_ANY_ID, RTE_PCI_ANY_ID),
	};
	const struct match_row *row, *first = NULL;
	unsigned int i;

	for (i = 0; i < RTE_DIM(keys); i++) {
		row = row_find(keys[i], turn, id);
		if (row != NULL && (first == NULL || row->turn < first->turn))
			first = row;
	}
	return first;
}

struct rte_pci_driver *
pci_match_next(const struct rte_pci_id *id, uint32_t *from)
{
	struct rte_pci_driver *driver = NULL;
	const struct match_row *row;

	pthread_mutex_lock(&lock);
	row = row_next(id, *from);
	if (row != NULL) {
		driver = row->driver;
		*from = row->turn + 1;
	}
	pthread_mutex_unlock(&lock);
	return driver;
}
