/* SPDX-License-Identifier: BSD-3-Clause */

/* The device of sum.h, emulated, and what may be wrong with it. */

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_vfio_user_pci.h>

#include "sum.h"

/* What the author of a driver wants to see it survive. */
struct faults {
	bool wrong_id;	/* it says it is something else */
	bool never_done;	/* it begins, and does not end */
	bool no_interrupt;	/* it ends, and does not tell */
	bool all_ones;	/* its registers read as if it were not there */
	bool dies;	/* the process ends in the middle of an operation */
};

static const struct {
	const char *name;
	struct faults faults;
} scenarios[] = {
	{ "none", { .wrong_id = false } },
	{ "wrong-id", { .wrong_id = true } },
	{ "never-done", { .never_done = true } },
	{ "no-interrupt", { .no_interrupt = true } },
	{ "all-ones", { .all_ones = true } },
	{ "dies", { .dies = true } },
};

struct sum_device {
	struct faults faults;
	uint64_t address;
	uint32_t length;
	uint32_t status;
	uint32_t result;
};

/* ---- what the device does ---- */

static uint32_t
add_bytes(const uint8_t *bytes, uint32_t length)
{
	uint32_t sum = 0;

	while (length > 0)
		sum += bytes[--length];
	return sum;
}

static uint32_t
compute(struct rte_vfio_user_pci *pci, struct sum_device *sum)
{
	static uint8_t bytes[SUM_LENGTH_MAX];

	if (sum->length == 0 || sum->length > SUM_LENGTH_MAX ||
			rte_vfio_user_pci_dma_read(pci, sum->address, bytes, sum->length) < 0)
		return SUM_STATUS_ERROR;
	sum->result = add_bytes(bytes, sum->length);
	return SUM_STATUS_DONE;
}

/* Faults are where the device would do the right thing. */
static void
go(struct rte_vfio_user_pci *pci, struct sum_device *sum)
{
	if (sum->faults.dies)
		_exit(EXIT_FAILURE);
	sum->status = SUM_STATUS_BUSY;
	if (sum->faults.never_done)
		return;
	sum->status = compute(pci, sum);
	if (!sum->faults.no_interrupt)
		rte_vfio_user_pci_raise(pci, 0);
}

/* ---- registers ---- */

static uint64_t
on_read(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t offset, unsigned int width)
{
	const struct sum_device *sum = rte_vfio_user_pci_priv(pci);

	if (sum->faults.all_ones && offset != SUM_ID)
		return UINT64_MAX;
	switch (offset) {
	case SUM_ID:
		return sum->faults.wrong_id ? 0x12345678 : SUM_ID_VALUE;
	case SUM_ADDRESS:
		return sum->address;
	case SUM_LENGTH:
		return sum->length;
	case SUM_STATUS:
		return sum->status;
	case SUM_RESULT:
		return sum->result;
	default:
		return UINT64_MAX;
	}
}

static void
on_write(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t offset, unsigned int width,
	uint64_t value)
{
	struct sum_device *sum = rte_vfio_user_pci_priv(pci);

	switch (offset) {
	case SUM_ADDRESS:
		sum->address = value;
		break;
	case SUM_LENGTH:
		sum->length = (uint32_t)value;
		break;
	case SUM_GO:
		go(pci, sum);
		break;
	}
}

static int
on_reset(struct rte_vfio_user_pci *pci)
{
	struct sum_device *sum = rte_vfio_user_pci_priv(pci);

	sum->address = 0;
	sum->length = 0;
	sum->status = SUM_STATUS_IDLE;
	sum->result = 0;
	return 0;
}

/* ---- what the device is ---- */

static const struct rte_vfio_user_pci_info info = {
	.size = sizeof(info),
	.vendor_id = SUM_VENDOR_ID,
	.device_id = SUM_DEVICE_ID,
	.class_code = 0x120000,	/* a processing accelerator */
};

static const struct rte_vfio_user_pci_ops ops = { .reset = on_reset };

static const struct rte_vfio_user_pci_bar registers = {
	.size = 4096,
	.read = on_read,
	.write = on_write,
};

/* Put it together, and serve until SIGTERM. */
static int
serve(struct rte_vfio_user_pci *pci, const char *path)
{
	sigset_t set;
	int rc, sig;

	/* before there are other threads, which inherit it */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	rc = rte_vfio_user_pci_set_bar(pci, 0, &registers);
	if (rc >= 0)
		rc = rte_vfio_user_pci_add_msi(pci, 1, RTE_VFIO_USER_PCI_MSI_64);
	if (rc >= 0)
		rc = rte_vfio_user_pci_start(pci, path, NULL);
	if (rc < 0)
		return rc;
	printf("sum: serving at %s\n", path);
	fflush(stdout);
	sigwait(&set, &sig);
	return 0;
}

static bool
faults_parse(const char *name, struct faults *faults)
{
	size_t i;

	for (i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		if (strcmp(scenarios[i].name, name) == 0) {
			*faults = scenarios[i].faults;
			return true;
		}
	}
	return false;
}

int
main(int argc, char **argv)
{
	struct sum_device sum = { .status = SUM_STATUS_IDLE };
	struct rte_vfio_user_pci *pci;
	int rc;

	if (argc < 2 || argc > 3 || !faults_parse(argc == 3 ? argv[2] : "none", &sum.faults)) {
		fprintf(stderr, "usage: %s SOCKET [none | wrong-id | never-done | no-interrupt | "
			"all-ones | dies]\n", argv[0]);
		return 2;
	}
	rc = rte_vfio_user_pci_create(&info, &ops, &sum, &pci);
	if (rc == 0) {
		rc = serve(pci, argv[1]);
		rte_vfio_user_pci_free(pci);
	}
	if (rc < 0)
		fprintf(stderr, "sum: %s: %s\n", argv[1], strerror(-rc));
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
