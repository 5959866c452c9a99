/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_COMPAT_H
#define RTE_COMPAT_H

/**
 * @file
 * Marks that tell how stable a function is. A program that uses an experimental function says so
 * by defining ALLOW_EXPERIMENTAL_API, a driver that uses an internal one by ALLOW_INTERNAL_API.
 */

#ifdef __cplusplus
extern "C" {
#endif

#ifdef ALLOW_EXPERIMENTAL_API
/** The function may change or vanish in any release. */
#define __rte_experimental __attribute__((section(".text.experimental")))
#else
/** The function may change or vanish in any release. */
#define __rte_experimental \
	__attribute__((deprecated("experimental: define ALLOW_EXPERIMENTAL_API to use it"), \
		section(".text.experimental")))
#endif

#ifdef ALLOW_INTERNAL_API
/** The function is for libraries and drivers of this tree. */
#define __rte_internal __attribute__((section(".text.internal")))
#elif defined(__clang__)
/** The function is for libraries and drivers of this tree. */
#define __rte_internal \
	_Pragma("GCC diagnostic push") \
	_Pragma("GCC diagnostic ignored \"-Wgcc-compat\"") \
	__attribute__((diagnose_if(1, "internal: define ALLOW_INTERNAL_API to use it", "error"), \
		section(".text.internal"))) \
	_Pragma("GCC diagnostic pop")
#else
/** The function is for libraries and drivers of this tree. */
#define __rte_internal \
	__attribute__((error("internal: define ALLOW_INTERNAL_API to use it"), \
		section(".text.internal")))
#endif

#ifdef __cplusplus
}
#endif

#endif /* RTE_COMPAT_H */
