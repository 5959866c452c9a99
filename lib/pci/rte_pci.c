/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_debug.h>
#include <rte_pci.h>

/* A number that orders addresses as the specification does. */
static uint64_t
addr_rank(const struct rte_pci_addr *addr)
{
	return (uint64_t)addr->domain << 24 | (uint32_t)addr->bus << 16 |
		(uint32_t)addr->devid << 8 | addr->function;
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at;

	if (c >= 'A' && c <= 'F')
		c += 'a' - 'A';
	at = c == '\0' ? NULL : strchr(digits, c);
	return at == NULL ? -1 : (int)(at - digits);
}

/* Digits up to @p end, which is stepped over; strtoul() would let signs, blanks and 0x pass. */
static const char *
hex_field(const char *str, char end, uint32_t max, uint32_t *value)
{
	const char *at;
	uint64_t sum = 0;

	if (str == NULL)
		return NULL;
	for (at = str; hex_digit(*at) >= 0; at++) {
		sum = sum << 4 | (uint32_t)hex_digit(*at);
		if (sum > max)
			return NULL;
	}
	if (at == str || *at != end)
		return NULL;
	*value = (uint32_t)sum;
	return end == '\0' ? at : at + 1;
}

RTE_EXPORT_SYMBOL(rte_pci_device_name)
void
rte_pci_device_name(const struct rte_pci_addr *addr, char *output, size_t size)
{
	RTE_VERIFY(size >= PCI_PRI_STR_SIZE);
	snprintf(output, size, PCI_PRI_FMT, addr->domain, addr->bus, addr->devid, addr->function);
}

RTE_EXPORT_SYMBOL(rte_pci_addr_cmp)
int
rte_pci_addr_cmp(const struct rte_pci_addr *addr, const struct rte_pci_addr *addr2)
{
	uint64_t rank, rank2;

	if (addr == NULL || addr2 == NULL)
		return -1;
	rank = addr_rank(addr);
	rank2 = addr_rank(addr2);
	return (rank > rank2) - (rank < rank2);
}

RTE_EXPORT_SYMBOL(rte_pci_addr_parse)
int
rte_pci_addr_parse(const char *str, struct rte_pci_addr *addr)
{
	uint32_t domain = 0, bus = 0, devid = 0, function = 0;

	if (str == NULL || addr == NULL)
		return -EINVAL;
	if (strchr(str, ':') != strrchr(str, ':'))
		str = hex_field(str, ':', UINT32_MAX, &domain);
	str = hex_field(str, ':', UINT8_MAX, &bus);
	str = hex_field(str, '.', UINT8_MAX, &devid);
	str = hex_field(str, '\0', UINT8_MAX, &function);
	if (str == NULL)
		return -EINVAL;
	*addr = (struct rte_pci_addr){
		.domain = domain,
		.bus = (uint8_t)bus,
		.devid = (uint8_t)devid,
		.function = (uint8_t)function,
	};
	return 0;
}
