/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A device that adds numbers: a complete one, small enough to begin with. It puts the sum into
 * memory of its user, and tells by an interrupt that it is there.
 */

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_vfio_user_pci.h>

/* Registers of BAR 0. */
#define REG_ID      0x00	/* read: ADDER_ID */
#define REG_ADDEND  0x04	/* written: is added; read: the sum */
#define REG_ADDRESS 0x08	/* 8 bytes: where the sum goes to, in the user's memory */
#define REG_GO      0x10	/* written: the sum goes there, then the interrupt comes */

#define ADDER_ID 0x61646421u

struct adder {
	uint32_t sum;
	uint64_t address;
};

/* The client reads a register. */
static uint64_t
adder_read(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t offset, unsigned int width)
{
	const struct adder *adder = rte_vfio_user_pci_priv(pci);

	switch (offset) {
	case REG_ID:
		return ADDER_ID;
	case REG_ADDEND:
		return adder->sum;
	case REG_ADDRESS:
		return adder->address;
	default:
		return UINT64_MAX;
	}
}

/* The sum goes to the memory of the client, who is told by an interrupt. */
static void
adder_go(struct rte_vfio_user_pci *pci, struct adder *adder)
{
	int rc = rte_vfio_user_pci_dma_write(pci, adder->address, &adder->sum, sizeof(adder->sum));

	if (rc < 0)
		fprintf(stderr, "adder: no memory at %#" PRIx64 ": %s\n", adder->address,
			strerror(-rc));
	rte_vfio_user_pci_raise(pci, 0);
}

/* The client writes a register. */
static void
adder_write(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t offset, unsigned int width,
	uint64_t value)
{
	struct adder *adder = rte_vfio_user_pci_priv(pci);

	switch (offset) {
	case REG_ADDEND:
		adder->sum += (uint32_t)value;
		break;
	case REG_ADDRESS:
		adder->address = value;
		break;
	case REG_GO:
		adder_go(pci, adder);
		break;
	}
}

/* As after power-on. */
static int
adder_reset(struct rte_vfio_user_pci *pci)
{
	memset(rte_vfio_user_pci_priv(pci), 0, sizeof(struct adder));
	return 0;
}

/* What the device is, and what there is of it. */
static const struct rte_vfio_user_pci_info info = {
	.size = sizeof(info),
	.vendor_id = 0x1234,
	.device_id = 0xadd0,
	.class_code = 0x120000,	/* a processing accelerator */
};

static const struct rte_vfio_user_pci_ops ops = { .reset = adder_reset };

static const struct rte_vfio_user_pci_bar registers = {
	.size = 4096,
	.read = adder_read,
	.write = adder_write,
};

/* Put it together, and serve until a signal comes. */
static int
serve(struct rte_vfio_user_pci *pci, const char *path)
{
	sigset_t set;
	int rc, sig;

	rc = rte_vfio_user_pci_set_bar(pci, 0, &registers);
	if (rc < 0)
		return rc;
	rc = rte_vfio_user_pci_add_msi(pci, 1, RTE_VFIO_USER_PCI_MSI_64);
	if (rc < 0)
		return rc;
	/* before there are other threads: they inherit it, and the signal comes to sigwait() */
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	rc = rte_vfio_user_pci_start(pci, path, NULL);
	if (rc < 0)
		return rc;
	printf("adder: serving at %s\n", path);
	fflush(stdout);
	sigwait(&set, &sig);
	return 0;
}

/* The device, with the state that it keeps from client to client. */
int
main(int argc, char **argv)
{
	struct rte_vfio_user_pci *pci;
	struct adder adder = { 0 };
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
		return 2;
	}
	rc = rte_vfio_user_pci_create(&info, &ops, &adder, &pci);
	if (rc == 0) {
		rc = serve(pci, argv[1]);
		rte_vfio_user_pci_free(pci);
	}
	if (rc < 0)
		fprintf(stderr, "adder: %s: %s\n", argv[1], strerror(-rc));
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
