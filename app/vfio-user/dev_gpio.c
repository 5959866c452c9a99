/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The registers are those that Linux' drivers/gpio/gpio-pci-idio-16.c uses: eight bytes in BAR 2,
 * several of which do one thing when read and another when written.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "devices.h"

#define REG_OUT_0_7    0u
#define REG_IN_0_7     1u	/* written: the interrupt is acknowledged */
#define REG_IRQ_CTRL   2u	/* read: interrupts are on; written: off */
#define REG_FILTER     3u	/* of inputs; there is nothing to filter here */
#define REG_OUT_8_15   4u
#define REG_IN_8_15    5u
#define REG_IRQ_STATUS 6u

#define STATUS_CHANGED(port) (1u << (port))
#define STATUS_PENDING 4u

#define BAR_REGISTERS  2u
#define IO_BAR_LEN     8u
#define MEMORY_BAR_LEN 4096u

struct gpio {
	bool loop;
	bool irq_enabled;
	uint8_t out[2], in[2];
	uint8_t changed;	/* STATUS_CHANGED() of ports since the last acknowledge */
};

static void
irq_update(struct rte_vfio_user_pci *pci, const struct gpio *gpio)
{
	rte_vfio_user_pci_intx(pci, gpio->irq_enabled && gpio->changed != 0);
}

static void
input_set(struct rte_vfio_user_pci *pci, struct gpio *gpio, unsigned int port, uint8_t value)
{
	if (gpio->in[port] == value)
		return;
	gpio->in[port] = value;
	/* changes while interrupts are off are not remembered */
	if (!gpio->irq_enabled)
		return;
	gpio->changed |= STATUS_CHANGED(port);
	irq_update(pci, gpio);
}

static void
output_set(struct rte_vfio_user_pci *pci, struct gpio *gpio, unsigned int port, uint8_t value)
{
	gpio->out[port] = value;
	if (gpio->loop)
		input_set(pci, gpio, port, value);
}

static uint8_t
status_of(const struct gpio *gpio)
{
	return gpio->changed == 0 ? 0 : gpio->changed | STATUS_PENDING;
}

static uint8_t
byte_read(struct gpio *gpio, uint64_t reg)
{
	const uint8_t values[IO_BAR_LEN] = {
		[REG_OUT_0_7] = gpio->out[0],
		[REG_OUT_8_15] = gpio->out[1],
		[REG_IN_0_7] = gpio->in[0],
		[REG_IN_8_15] = gpio->in[1],
		[REG_IRQ_STATUS] = status_of(gpio),
	};

	if (reg == REG_IRQ_CTRL)
		gpio->irq_enabled = true;
	return reg < sizeof(values) ? values[reg] : 0xff;
}

static void
irq_acknowledge(struct rte_vfio_user_pci *pci, struct gpio *gpio)
{
	gpio->changed = 0;
	irq_update(pci, gpio);
}

static void
irq_disable(struct rte_vfio_user_pci *pci, struct gpio *gpio)
{
	gpio->irq_enabled = false;
	irq_acknowledge(pci, gpio);
}

static void
byte_write(struct rte_vfio_user_pci *pci, struct gpio *gpio, uint64_t reg, uint8_t value)
{
	switch (reg) {
	case REG_OUT_0_7:
		output_set(pci, gpio, 0, value);
		break;
	case REG_OUT_8_15:
		output_set(pci, gpio, 1, value);
		break;
	case REG_IN_0_7:
		irq_acknowledge(pci, gpio);
		break;
	case REG_IRQ_CTRL:
		irq_disable(pci, gpio);
		break;
	default:
		break;
	}
}

static uint64_t
on_read(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t offset, unsigned int width)
{
	struct gpio *gpio = rte_vfio_user_pci_priv(pci);
	uint64_t value = 0;
	unsigned int i;

	(void)bar;
	for (i = 0; i < width; i++)
		value |= (uint64_t)byte_read(gpio, offset + i) << (8 * i);
	return value;
}

static void
on_write(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t offset, unsigned int width,
	uint64_t value)
{
	unsigned int i;

	(void)bar;
	for (i = 0; i < width; i++)
		byte_write(pci, rte_vfio_user_pci_priv(pci), offset + i, (uint8_t)(value >> 8 * i));
}

static int
on_reset(struct rte_vfio_user_pci *pci)
{
	struct gpio *gpio = rte_vfio_user_pci_priv(pci);

	*gpio = (struct gpio){ .loop = gpio->loop };
	return 0;
}

static const struct rte_vfio_user_pci_ops gpio_ops = { .reset = on_reset };

/* The class is "other data acquisition"; the real card's is 0, and Linux gives those no BARs. */
static const struct rte_vfio_user_pci_info gpio_info = {
	.size = sizeof(gpio_info),
	.vendor_id = 0x494f,
	.device_id = 0x0dc8,
	.class_code = 0x118000,
	.interrupt_pin = 1,
};

static int
gpio_make(uint32_t flags, struct rte_vfio_user_pci **pci)
{
	const struct rte_vfio_user_pci_bar bar = {
		.size = flags & DEVICE_MEMORY_BAR ? MEMORY_BAR_LEN : IO_BAR_LEN,
		.flags = flags & DEVICE_MEMORY_BAR ? 0 : RTE_VFIO_USER_PCI_BAR_IO,
		.read = on_read,
		.write = on_write,
	};
	struct gpio *gpio = calloc(1, sizeof(*gpio));
	int rc;

	if (gpio == NULL)
		return -ENOMEM;
	gpio->loop = flags & DEVICE_LOOP;
	rc = rte_vfio_user_pci_create(&gpio_info, &gpio_ops, gpio, pci);
	if (rc < 0)
		goto err_free;
	rc = rte_vfio_user_pci_set_bar(*pci, BAR_REGISTERS, &bar);
	if (rc < 0)
		goto err_free_pci;
	return 0;

err_free_pci:
	rte_vfio_user_pci_free(*pci);
err_free:
	free(gpio);
	return rc;
}

static void
gpio_destroy(struct rte_vfio_user_pci *pci)
{
	struct gpio *gpio = rte_vfio_user_pci_priv(pci);

	rte_vfio_user_pci_free(pci);
	free(gpio);
}

const struct device_kind device_gpio = {
	.name = "gpio",
	.summary = "PCI-IDIO-16 (494f:0dc8), 16 outputs and 16 inputs; Linux: gpio-pci-idio-16",
	.flags = DEVICE_LOOP | DEVICE_MEMORY_BAR,
	.make = gpio_make,
	.destroy = gpio_destroy,
};
