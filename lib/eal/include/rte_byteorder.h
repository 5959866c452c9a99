/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_BYTEORDER_H
#define RTE_BYTEORDER_H

/**
 * @file
 * Byte order: this machine's to and from little and big endian.
 */

#include <stdint.h>

#include <rte_common.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef RTE_BIG_ENDIAN
#define RTE_BIG_ENDIAN 1	/**< the highest byte comes first */
#endif
#ifndef RTE_LITTLE_ENDIAN
#define RTE_LITTLE_ENDIAN 2	/**< the lowest byte comes first */
#endif

#ifndef RTE_BYTE_ORDER
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
/** That of this machine. */
#define RTE_BYTE_ORDER RTE_BIG_ENDIAN
#else
/** That of this machine. */
#define RTE_BYTE_ORDER RTE_LITTLE_ENDIAN
#endif
#endif

typedef uint16_t rte_be16_t;	/**< 16 bits, big endian */
typedef uint32_t rte_be32_t;	/**< 32 bits, big endian */
typedef uint64_t rte_be64_t;	/**< 64 bits, big endian */
typedef uint16_t rte_le16_t;	/**< 16 bits, little endian */
typedef uint32_t rte_le32_t;	/**< 32 bits, little endian */
typedef uint64_t rte_le64_t;	/**< 64 bits, little endian */

#define rte_bswap16(x) __builtin_bswap16(x)	/**< 16 bits, bytes the other way round */
#define rte_bswap32(x) __builtin_bswap32(x)	/**< 32 bits, bytes the other way round */
#define rte_bswap64(x) __builtin_bswap64(x)	/**< 64 bits, bytes the other way round */

#if RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN
#define RTE_BE16(v) ((rte_be16_t)__builtin_bswap16(v))	/**< @p v as 16 bits, big endian */
#define RTE_BE32(v) ((rte_be32_t)__builtin_bswap32(v))	/**< @p v as 32 bits, big endian */
#define RTE_BE64(v) ((rte_be64_t)__builtin_bswap64(v))	/**< @p v as 64 bits, big endian */
#define RTE_LE16(v) ((rte_le16_t)(v))	/**< @p v as 16 bits, little endian */
#define RTE_LE32(v) ((rte_le32_t)(v))	/**< @p v as 32 bits, little endian */
#define RTE_LE64(v) ((rte_le64_t)(v))	/**< @p v as 64 bits, little endian */
#else
#define RTE_BE16(v) ((rte_be16_t)(v))	/**< @p v as 16 bits, big endian */
#define RTE_BE32(v) ((rte_be32_t)(v))	/**< @p v as 32 bits, big endian */
#define RTE_BE64(v) ((rte_be64_t)(v))	/**< @p v as 64 bits, big endian */
#define RTE_LE16(v) ((rte_le16_t)__builtin_bswap16(v))	/**< @p v as 16 bits, little endian */
#define RTE_LE32(v) ((rte_le32_t)__builtin_bswap32(v))	/**< @p v as 32 bits, little endian */
#define RTE_LE64(v) ((rte_le64_t)__builtin_bswap64(v))	/**< @p v as 64 bits, little endian */
#endif

#define rte_cpu_to_le_16(x) RTE_LE16(x)	/**< 16 bits to little endian */
#define rte_cpu_to_le_32(x) RTE_LE32(x)	/**< 32 bits to little endian */
#define rte_cpu_to_le_64(x) RTE_LE64(x)	/**< 64 bits to little endian */
#define rte_cpu_to_be_16(x) RTE_BE16(x)	/**< 16 bits to big endian */
#define rte_cpu_to_be_32(x) RTE_BE32(x)	/**< 32 bits to big endian */
#define rte_cpu_to_be_64(x) RTE_BE64(x)	/**< 64 bits to big endian */
#define rte_le_to_cpu_16(x) RTE_LE16(x)	/**< 16 bits from little endian */
#define rte_le_to_cpu_32(x) RTE_LE32(x)	/**< 32 bits from little endian */
#define rte_le_to_cpu_64(x) RTE_LE64(x)	/**< 64 bits from little endian */
#define rte_be_to_cpu_16(x) RTE_BE16(x)	/**< 16 bits from big endian */
#define rte_be_to_cpu_32(x) RTE_BE32(x)	/**< 32 bits from big endian */
#define rte_be_to_cpu_64(x) RTE_BE64(x)	/**< 64 bits from big endian */

#ifdef __cplusplus
}
#endif

#endif /* RTE_BYTEORDER_H */
