/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_CYCLES_H
#define RTE_CYCLES_H

/**
 * @file
 * Time: a cheap counter of the processor, and delays. Any thread.
 */

#include <stdint.h>

#include <rte_atomic.h>
#include <rte_common.h>
#include <rte_compat.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MS_PER_S 1000	/**< milliseconds in a second */
#define US_PER_S 1000000	/**< microseconds in a second */
#define NS_PER_S 1000000000	/**< nanoseconds in a second */

/**
 * Read the counter.
 *
 * @return Its value; it counts rte_get_tsc_hz() times a second, from a start of its own.
 */
static inline uint64_t
rte_rdtsc(void)
{
#if defined(RTE_ARCH_X86)
	return __builtin_ia32_rdtsc();
#elif defined(RTE_ARCH_ARM64)
	uint64_t count;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r" (count));
	return count;
#elif defined(RTE_ARCH_PPC_64)
	return __builtin_ppc_get_timebase();
#endif
}

/**
 * Read the counter after all that stands before has been done.
 *
 * @return Its value, as of rte_rdtsc().
 */
static inline uint64_t
rte_rdtsc_precise(void)
{
	rte_mb();
#if defined(RTE_ARCH_ARM64)
	/* reads of the counter wait for no barrier of memory */
	__asm__ volatile("isb" ::: "memory");
#endif
	return rte_rdtsc();
}

/**
 * Same as rte_rdtsc().
 *
 * @return The counter's value.
 */
static inline uint64_t
rte_get_tsc_cycles(void)
{
	return rte_rdtsc();
}

/**
 * How fast the counter is. The first call may take some milliseconds, as it measures.
 *
 * @return How often it counts in a second.
 */
uint64_t rte_get_tsc_hz(void);

/**
 * Same as rte_get_tsc_cycles().
 *
 * @return The counter's value.
 */
static inline uint64_t
rte_get_timer_cycles(void)
{
	return rte_get_tsc_cycles();
}

/**
 * Same as rte_get_tsc_hz().
 *
 * @return How often the counter counts in a second.
 */
static inline uint64_t
rte_get_timer_hz(void)
{
	return rte_get_tsc_hz();
}

/** Wait at least @p us microseconds; a pointer that rte_delay_us_callback_register() sets. */
extern void (*rte_delay_us)(unsigned int us);

/**
 * Wait, by rte_delay_us().
 *
 * @param ms At least so many milliseconds.
 */
static inline void
rte_delay_ms(unsigned int ms)
{
	while (ms-- > 0)
		rte_delay_us(1000);
}

/**
 * Wait in a loop, without giving the core away; what rte_delay_us is at first.
 *
 * @param us At least so many microseconds.
 */
void rte_delay_us_block(unsigned int us);

/**
 * Sleep, through signals too.
 *
 * @param us At least so many microseconds.
 */
void rte_delay_us_sleep(unsigned int us);

/**
 * Choose what rte_delay_us is. Not while another thread waits by it.
 *
 * @param userfunc A function that waits at least so many microseconds.
 */
void rte_delay_us_callback_register(void (*userfunc)(unsigned int us));

#ifdef __cplusplus
}
#endif

#endif /* RTE_CYCLES_H */
