/* SPDX-License-Identifier: BSD-3-Clause */

/* Uses the device of ../vfio_user_device: registers, memory that both see, an interrupt. */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include <rte_vfio_user.h>

#define REG_ID      0x00
#define REG_ADDEND  0x04
#define REG_ADDRESS 0x08
#define REG_GO      0x10

#define ADDER_ID 0x61646421u

#define MEMORY_LEN  4096
#define MEMORY_IOVA 0x100000	/* where the device sees the memory: our choice */
#define TIMEOUT_MS  5000

struct user {
	int dev_id;
	int event;	/* of the interrupt */
	int memory_fd;
	uint32_t *memory;
};

static int
reg_read(const struct user *user, uint64_t reg, uint32_t *value)
{
	return rte_vfio_user_region_read(user->dev_id, VFIO_PCI_BAR0_REGION_INDEX, reg,
		sizeof(*value), value);
}

static int
reg_write(const struct user *user, uint64_t reg, const void *value, uint32_t len)
{
	return rte_vfio_user_region_write(user->dev_id, VFIO_PCI_BAR0_REGION_INDEX, reg, len,
		value);
}

/* Only a bus master reaches memory. */
static int
master_enable(const struct user *user)
{
	const uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	return rte_vfio_user_region_write(user->dev_id, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND,
		sizeof(command), &command);
}

/* A page that both see: the device at MEMORY_IOVA. */
static int
memory_share(struct user *user)
{
	struct rte_vfio_user_mem_reg region = {
		.gpa = MEMORY_IOVA,
		.size = MEMORY_LEN,
		.protection = PROT_READ | PROT_WRITE,
		.flags = RTE_VUSER_MEM_MAPPABLE,
	};

	user->memory_fd = memfd_create("adder", MFD_CLOEXEC);
	if (user->memory_fd < 0 || ftruncate(user->memory_fd, MEMORY_LEN) < 0)
		return -errno;
	user->memory = mmap(NULL, MEMORY_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, user->memory_fd,
		0);
	if (user->memory == MAP_FAILED)
		return -errno;
	return rte_vfio_user_dma_map(user->dev_id, &region, &user->memory_fd, 1);
}

/* The only vector of MSI signals an eventfd. */
static int
interrupt_bind(struct user *user)
{
	union {
		struct vfio_irq_set set;
		uint8_t bytes[sizeof(struct vfio_irq_set) + sizeof(int)];
	} irqs = {
		.set = {
			.argsz = sizeof(irqs),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = VFIO_PCI_MSI_IRQ_INDEX,
			.count = 1,
		},
	};

	user->event = eventfd(0, EFD_CLOEXEC);
	if (user->event < 0)
		return -errno;
	memcpy(irqs.set.data, &user->event, sizeof(user->event));
	return rte_vfio_user_set_irqs(user->dev_id, &irqs.set);
}

/* Sleep until the interrupt comes. */
static int
interrupt_wait(const struct user *user)
{
	struct pollfd pfd = { .fd = user->event, .events = POLLIN };

	return poll(&pfd, 1, TIMEOUT_MS) == 1 ? 0 : -ETIMEDOUT;
}

/* Let the device add, and see in memory what it has. */
static int
add(const struct user *user, uint32_t n)
{
	const uint64_t address = MEMORY_IOVA;
	const uint32_t go = 1;
	uint32_t i;
	int rc = 0;

	for (i = 1; i <= n && rc == 0; i++)
		rc = reg_write(user, REG_ADDEND, &i, sizeof(i));
	if (rc == 0)
		rc = reg_write(user, REG_ADDRESS, &address, sizeof(address));
	if (rc == 0)
		rc = reg_write(user, REG_GO, &go, sizeof(go));
	if (rc == 0)
		rc = interrupt_wait(user);
	if (rc == 0)
		printf("the sum of 1 to %" PRIu32 " is %" PRIu32 "\n", n, *user->memory);
	return rc;
}

/* All there is to do between attach and detach. */
static int
use(struct user *user)
{
	uint32_t id = 0;
	int rc = rte_vfio_user_reset(user->dev_id);

	if (rc == 0)
		rc = reg_read(user, REG_ID, &id);
	if (rc == 0 && id != ADDER_ID)
		rc = -ENODEV;
	if (rc == 0)
		rc = master_enable(user);
	if (rc == 0)
		rc = memory_share(user);
	if (rc == 0)
		rc = interrupt_bind(user);
	return rc == 0 ? add(user, 100) : rc;
}

/* Attach, use, detach. */
int
main(int argc, char **argv)
{
	struct user user = { .event = -1, .memory_fd = -1 };
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
		return 2;
	}
	user.dev_id = rc = rte_vfio_user_attach_dev(argv[1]);
	if (rc >= 0) {
		rc = use(&user);
		rte_vfio_user_detach_dev(user.dev_id);
	}
	if (rc < 0)
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-rc));
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
