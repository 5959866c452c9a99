/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_BITOPS_H
#define RTE_BITOPS_H

/**
 * @file
 * Bits of integers: naming, counting, finding, and powers of two.
 */

#include <stdint.h>

#include <rte_common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bit @p nr of 64. */
#define RTE_BIT64(nr) (UINT64_C(1) << (nr))
/** Bit @p nr of 32. */
#define RTE_BIT32(nr) (UINT32_C(1) << (nr))
/** @p val shifted to bit @p nr, as 32 bits. */
#define RTE_SHIFT_VAL32(val, nr) (UINT32_C(val) << (nr))
/** @p val shifted to bit @p nr, as 64 bits. */
#define RTE_SHIFT_VAL64(val, nr) (UINT64_C(val) << (nr))
/** The bits from @p low to @p high, both included, of 32. */
#define RTE_GENMASK32(high, low) (((~UINT32_C(0)) << (low)) & (~UINT32_C(0) >> (31u - (high))))
/** The bits from @p low to @p high, both included, of 64. */
#define RTE_GENMASK64(high, low) (((~UINT64_C(0)) << (low)) & (~UINT64_C(0) >> (63u - (high))))
/** The field of @p reg that @p mask names, shifted to bit 0, 32 bits. */
#define RTE_FIELD_GET32(mask, reg) ((typeof(mask))(((reg) & (mask)) >> rte_ctz32(mask)))
/** The field of @p reg that @p mask names, shifted to bit 0, 64 bits. */
#define RTE_FIELD_GET64(mask, reg) ((typeof(mask))(((reg) & (mask)) >> rte_ctz64(mask)))

/**
 * Count the zeros above the highest one.
 *
 * @param v The number; not 0.
 * @return How many there are.
 */
static inline unsigned int
rte_clz32(uint32_t v)
{
	return (unsigned int)__builtin_clz(v);
}

/**
 * Count the zeros above the highest one.
 *
 * @param v The number; not 0.
 * @return How many there are.
 */
static inline unsigned int
rte_clz64(uint64_t v)
{
	return (unsigned int)__builtin_clzll(v);
}

/**
 * Count the zeros below the lowest one.
 *
 * @param v The number; not 0.
 * @return How many there are.
 */
static inline unsigned int
rte_ctz32(uint32_t v)
{
	return (unsigned int)__builtin_ctz(v);
}

/**
 * Count the zeros below the lowest one.
 *
 * @param v The number; not 0.
 * @return How many there are.
 */
static inline unsigned int
rte_ctz64(uint64_t v)
{
	return (unsigned int)__builtin_ctzll(v);
}

/**
 * Count the bits that are one.
 *
 * @param v The number.
 * @return How many there are.
 */
static inline unsigned int
rte_popcount32(uint32_t v)
{
	return (unsigned int)__builtin_popcount(v);
}

/**
 * Count the bits that are one.
 *
 * @param v The number.
 * @return How many there are.
 */
static inline unsigned int
rte_popcount64(uint64_t v)
{
	return (unsigned int)__builtin_popcountll(v);
}

/**
 * Find the lowest bit that is one.
 *
 * @param v The number; not 0.
 * @return Its number, from 0.
 */
static inline uint32_t
rte_bsf32(uint32_t v)
{
	return rte_ctz32(v);
}

/**
 * Find the lowest bit that is one, if there is any.
 *
 * @param v The number.
 * @param pos Where the bit's number goes, from 0; untouched when there is none.
 * @return 1: there is one; 0: there is none.
 */
static inline int
rte_bsf32_safe(uint32_t v, uint32_t *pos)
{
	if (v == 0)
		return 0;
	*pos = rte_bsf32(v);
	return 1;
}

/**
 * Find the lowest bit that is one.
 *
 * @param v The number; not 0.
 * @return Its number, from 0.
 */
static inline uint32_t
rte_bsf64(uint64_t v)
{
	return rte_ctz64(v);
}

/**
 * Find the lowest bit that is one, if there is any.
 *
 * @param v The number.
 * @param pos Where the bit's number goes, from 0; untouched when there is none.
 * @return 1: there is one; 0: there is none.
 */
static inline int
rte_bsf64_safe(uint64_t v, uint32_t *pos)
{
	if (v == 0)
		return 0;
	*pos = rte_bsf64(v);
	return 1;
}

/**
 * Find the highest bit that is one.
 *
 * @param x The number.
 * @return Its number, from 1; 0: there is none.
 */
static inline uint32_t
rte_fls_u32(uint32_t x)
{
	return x == 0 ? 0 : 32 - rte_clz32(x);
}

/**
 * Find the highest bit that is one.
 *
 * @param x The number.
 * @return Its number, from 1; 0: there is none.
 */
static inline uint32_t
rte_fls_u64(uint64_t x)
{
	return x == 0 ? 0 : 64 - rte_clz64(x);
}

/**
 * Is a number a power of two?
 *
 * @param n The number.
 * @return 1: yes; 0: no, or it is 0.
 */
static inline int
rte_is_power_of_2(uint32_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/**
 * Round up to a power of two.
 *
 * @param x The number.
 * @return The smallest one that is not less; 0: it needs more than 32 bits, or @p x is 0.
 */
static inline uint32_t
rte_align32pow2(uint32_t x)
{
	return x <= 1 ? x : (uint32_t)(UINT64_C(1) << rte_fls_u32(x - 1));
}

/**
 * Round down to a power of two.
 *
 * @param x The number.
 * @return The largest one that is not greater; 0 for 0.
 */
static inline uint32_t
rte_align32prevpow2(uint32_t x)
{
	return x == 0 ? 0 : RTE_BIT32(rte_fls_u32(x) - 1);
}

/**
 * Round up to a power of two.
 *
 * @param v The number.
 * @return The smallest one that is not less; 0: it needs more than 64 bits, or @p v is 0.
 */
static inline uint64_t
rte_align64pow2(uint64_t v)
{
	if (v <= 1)
		return v;
	return rte_fls_u64(v - 1) == 64 ? 0 : RTE_BIT64(rte_fls_u64(v - 1));
}

/**
 * Round down to a power of two.
 *
 * @param v The number.
 * @return The largest one that is not greater; 0 for 0.
 */
static inline uint64_t
rte_align64prevpow2(uint64_t v)
{
	return v == 0 ? 0 : RTE_BIT64(rte_fls_u64(v) - 1);
}

/**
 * The logarithm to base 2.
 *
 * @param v The number.
 * @return The logarithm, rounded up; 0 for 0.
 */
static inline uint32_t
rte_log2_u32(uint32_t v)
{
	return v == 0 ? 0 : rte_fls_u32(v - 1);
}

/**
 * The logarithm to base 2.
 *
 * @param v The number.
 * @return The logarithm, rounded up; 0 for 0.
 */
static inline uint32_t
rte_log2_u64(uint64_t v)
{
	return v == 0 ? 0 : rte_fls_u64(v - 1);
}

#ifdef __cplusplus
}
#endif

#endif /* RTE_BITOPS_H */
