/* SPDX-License-Identifier: BSD-3-Clause */

#include <time.h>

#include <eal_export.h>
#include <rte_cycles.h>
#include <rte_pause.h>
#include <rte_stdatomic.h>

/* Long enough that the two clocks' reading times do not matter: an error below 0.01 %. */
#define TSC_MEASURE_NS (5 * UINT64_C(1000000))

static uint64_t
clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t
tsc_hz_measure(void)
{
	uint64_t ns = clock_ns();
	uint64_t cycles = rte_rdtsc();
	uint64_t passed;

	do {
		passed = clock_ns() - ns;
	} while (passed < TSC_MEASURE_NS);
	return (uint64_t)((double)(rte_rdtsc() - cycles) * NS_PER_S / (double)passed);
}

RTE_EXPORT_SYMBOL(rte_get_tsc_hz)
uint64_t
rte_get_tsc_hz(void)
{
	static uint64_t hz;
	uint64_t known = rte_atomic_load_explicit(&hz, rte_memory_order_relaxed);

	if (known == 0) {
		known = tsc_hz_measure();
		rte_atomic_store_explicit(&hz, known, rte_memory_order_relaxed);
	}
	return known;
}

RTE_EXPORT_SYMBOL(rte_delay_us_block)
void
rte_delay_us_block(unsigned int us)
{
	uint64_t start = clock_ns();

	while (clock_ns() - start < (uint64_t)us * 1000)
		rte_pause();
}

RTE_EXPORT_SYMBOL(rte_delay_us_sleep)
void
rte_delay_us_sleep(unsigned int us)
{
	struct timespec left = {
		.tv_sec = us / US_PER_S,
		.tv_nsec = (long)(us % US_PER_S) * 1000,
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) != 0)
		;
}

RTE_EXPORT_SYMBOL(rte_delay_us)
void (*rte_delay_us)(unsigned int us) = rte_delay_us_block;

RTE_EXPORT_SYMBOL(rte_delay_us_callback_register)
void
rte_delay_us_callback_register(void (*userfunc)(unsigned int us))
{
	rte_delay_us = userfunc;
}
