/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_COMMON_H
#define RTE_COMMON_H

/**
 * @file
 * Small macros that everything else uses: compiler attributes, constructors, alignment and
 * pointer arithmetic. Every macro evaluates its arguments once unless it says otherwise.
 */

#include <assert.h>
#include <limits.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_compat.h>
#include <rte_config.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef typeof
/** The type of an expression, also where the language has no word for it. */
#define typeof __typeof__
#endif

#ifndef __cplusplus
#ifndef asm
/** Assembly, also where the language has no word for it. */
#define asm __asm__
#endif
#endif

#ifdef __clang__
#define RTE_CC_CLANG 1
#elif defined(__GNUC__)
#define RTE_CC_GCC 1
#endif

#ifdef __GNUC__
/** Version of gcc as one number, or of the gcc that clang stands in for. */
#define GCC_VERSION (__GNUC__ * 10000 + __GNUC_MINOR__ * 100 + __GNUC_PATCHLEVEL__)
#endif

/* ---- attributes ---- */

/** Align a type or an object to @p a bytes, a power of two. */
#define __rte_aligned(a) __attribute__((__aligned__(a)))

/** Lay a structure out without padding. */
#define __rte_packed __attribute__((__packed__))
/** Opens a structure without padding; goes with __rte_packed_end. */
#define __rte_packed_begin
/** Closes what __rte_packed_begin opened. */
#define __rte_packed_end __attribute__((__packed__))

/** Objects of the type may alias objects of any other. */
#define __rte_may_alias __attribute__((__may_alias__))

/** Using the object draws a warning. */
#define __rte_deprecated __attribute__((__deprecated__))
/** Using the object draws a warning with the text @p msg. */
#define __rte_deprecated_msg(msg) __attribute__((__deprecated__(msg)))

/** Emit the pragma @p x from within a macro. */
#define RTE_PRAGMA(x) _Pragma(#x)
/** Make the use of the macro @p x draw a warning. */
#define RTE_DEPRECATED(x) RTE_PRAGMA(GCC warning #x " is deprecated")

/** The compiler shall not complain when the object is not used. */
#define __rte_unused __attribute__((__unused__))
/** The compiler shall keep the object though nothing refers to it. */
#define __rte_used __attribute__((used))
/** Another definition of the symbol takes precedence. */
#define __rte_weak __attribute__((__weak__))
/** The result depends on the arguments and on memory only, and nothing is changed. */
#define __rte_pure __attribute__((pure))
/** The function does not come back. */
#define __rte_noreturn __attribute__((noreturn))
/** Ignoring the result draws a warning. */
#define __rte_warn_unused_result __attribute__((warn_unused_result))
/** Inline always, whatever the optimiser thinks. */
#define __rte_always_inline inline __attribute__((always_inline))
/** Inline never. */
#define __rte_noinline __attribute__((noinline))
/** Called often. */
#define __rte_hot __attribute__((hot))
/** Called seldom. */
#define __rte_cold __attribute__((cold))
/** Argument @p format_index is a printf format for those from @p first_arg on. */
#define __rte_format_printf(format_index, first_arg) \
	__attribute__((format(gnu_printf, format_index, first_arg)))
#ifdef __clang__
#undef __rte_format_printf
#define __rte_format_printf(format_index, first_arg) \
	__attribute__((format(printf, format_index, first_arg)))
#endif
/** The function returns memory of as many bytes as the named arguments multiply to. */
#define __rte_alloc_size(...) __attribute__((alloc_size(__VA_ARGS__)))
/** Argument @p argno is the alignment of the memory that the function returns. */
#define __rte_alloc_align(argno) __attribute__((alloc_align(argno)))
/** The function returns memory that nothing else points to. */
#define __rte_malloc __attribute__((__malloc__))
#if defined(RTE_CC_GCC) && GCC_VERSION >= 110000
/** Memory from the function is released by giving it to @p dealloc as argument @p argno. */
#define __rte_dealloc(dealloc, argno) __attribute__((malloc(dealloc, argno)))
#else
/** Memory from the function is released by giving it to @p dealloc as argument @p argno. */
#define __rte_dealloc(dealloc, argno)
#endif
/** The pointer is the only way to its object. */
#define __rte_restrict __restrict
/** Control never gets here. */
#define __rte_unreachable() __builtin_unreachable()
/** The address sanitizer shall not look into the function. */
#define __rte_no_asan __attribute__((no_sanitize_address))
/** The undefined behaviour sanitizer shall not look into the function. */
#define __rte_no_ubsan_alignment __attribute__((no_sanitize("alignment")))

/* ---- constructors and destructors ---- */

#define RTE_PRIORITY_LOG 101	/**< types of messages */
#define RTE_PRIORITY_BUS 110	/**< buses */
#define RTE_PRIORITY_CLASS 120	/**< classes of devices */
#define RTE_PRIORITY_LAST 65535	/**< all the rest */

/** The number of a priority by its name, as LOG. */
#define RTE_PRIO(prio) RTE_PRIORITY_ ## prio

#ifndef RTE_INIT_PRIO
/** Define a function that runs before main(), lower priorities first. */
#define RTE_INIT_PRIO(func, prio) \
static void __attribute__((constructor(RTE_PRIO(prio)), used)) func(void)
#endif

/** Define a function that runs before main(), after all those with a priority. */
#define RTE_INIT(func) RTE_INIT_PRIO(func, LAST)

#ifndef RTE_FINI_PRIO
/** Define a function that runs after main(), higher priorities first. */
#define RTE_FINI_PRIO(func, prio) \
static void __attribute__((destructor(RTE_PRIO(prio)), used)) func(void)
#endif

/** Define a function that runs after main(), before all those with a priority. */
#define RTE_FINI(func) RTE_FINI_PRIO(func, LAST)

/* ---- words ---- */

/** Use @p x once, to no effect. */
#define RTE_SET_USED(x) (void)(x)

/** The text of @p x after macro expansion. */
#define RTE_STR(x) RTE_STR_(x)
/** @internal The text of @p x as it stands. */
#define RTE_STR_(x) #x

/** Join two words after macro expansion. */
#define RTE_CONCAT(a, b) RTE_CONCAT_(a, b)
/** @internal Two words as they stand. */
#define RTE_CONCAT_(a, b) a ## b

/** A format and its arguments, of which there may be none; takes the place of two arguments. */
#define RTE_FMT(fmt, ...) fmt "%.0s", __VA_ARGS__ ""
/** The first of some arguments. */
#define RTE_FMT_HEAD(fmt, ...) fmt
/** All but the first of some arguments. */
#define RTE_FMT_TAIL(fmt, ...) __VA_ARGS__

/** The number of elements of an array; not for pointers. */
#define RTE_DIM(a) (sizeof(a) / sizeof((a)[0]))

/** The size of a member of a structure type, in bytes. */
#define RTE_SIZEOF_FIELD(type, field) (sizeof(((type *)0)->field))

/** Fail to compile when the constant @p condition is true. */
#define RTE_BUILD_BUG_ON(condition) \
	do { static_assert(!(condition), #condition); } while (0)

/* ---- numbers ---- */

/** @internal The one of two numbers that is @p op the other; @p n makes names unique. */
#define RTE_PICK_(a, b, op, n) \
	__extension__ ({ \
		typeof(a) RTE_CONCAT(pick_a_, n) = (a); \
		typeof(b) RTE_CONCAT(pick_b_, n) = (b); \
		RTE_CONCAT(pick_a_, n) op RTE_CONCAT(pick_b_, n) ? \
			RTE_CONCAT(pick_a_, n) : RTE_CONCAT(pick_b_, n); \
	})

/** The smaller of two numbers. */
#define RTE_MIN(a, b) RTE_PICK_(a, b, <, __COUNTER__)
/** The larger of two numbers. */
#define RTE_MAX(a, b) RTE_PICK_(a, b, >, __COUNTER__)
/** The smaller of two numbers of type @p t; may evaluate them twice, is a constant expression. */
#define RTE_MIN_T(a, b, t) ((t)(a) < (t)(b) ? (t)(a) : (t)(b))
/** The larger of two numbers of type @p t; may evaluate them twice, is a constant expression. */
#define RTE_MAX_T(a, b, t) ((t)(a) > (t)(b) ? (t)(a) : (t)(b))

/** @p val rounded down to a multiple of @p align, a power of two. */
#define RTE_ALIGN_FLOOR(val, align) \
	(typeof(val))((val) & (~((typeof(val))((align) - 1))))
/** @p val rounded up to a multiple of @p align, a power of two. */
#define RTE_ALIGN_CEIL(val, align) \
	RTE_ALIGN_FLOOR(((val) + ((typeof(val))(align) - 1)), align)
/** Same as RTE_ALIGN_CEIL(). */
#define RTE_ALIGN(val, align) RTE_ALIGN_CEIL(val, align)

/** @p v rounded up to a multiple of @p mul, any number. */
#define RTE_ALIGN_MUL_CEIL(v, mul) \
	((((v) + (typeof(v))(mul) - 1) / ((typeof(v))(mul))) * (typeof(v))(mul))
/** @p v rounded down to a multiple of @p mul, any number. */
#define RTE_ALIGN_MUL_FLOOR(v, mul) (((v) / ((typeof(v))(mul))) * (typeof(v))(mul))

/* ---- pointers ---- */

/** @p ptr plus @p x bytes. */
#define RTE_PTR_ADD(ptr, x) ((void *)((uintptr_t)(ptr) + (x)))
/** @p ptr minus @p x bytes. */
#define RTE_PTR_SUB(ptr, x) ((void *)((uintptr_t)(ptr) - (x)))
/** The bytes from @p ptr2 to @p ptr1. */
#define RTE_PTR_DIFF(ptr1, ptr2) ((uintptr_t)(ptr1) - (uintptr_t)(ptr2))
/** @p ptr without const and volatile. */
#define RTE_PTR_UNQUAL(ptr) ((void *)(uintptr_t)(ptr))
/** @p ptr rounded down to @p align bytes, a power of two. */
#define RTE_PTR_ALIGN_FLOOR(ptr, align) \
	((typeof(ptr))RTE_ALIGN_FLOOR((uintptr_t)(ptr), align))
/** @p ptr rounded up to @p align bytes, a power of two. */
#define RTE_PTR_ALIGN_CEIL(ptr, align) \
	RTE_PTR_ALIGN_FLOOR((typeof(ptr))RTE_PTR_ADD(ptr, (align) - 1), align)
/** Same as RTE_PTR_ALIGN_CEIL(). */
#define RTE_PTR_ALIGN(ptr, align) RTE_PTR_ALIGN_CEIL(ptr, align)

/**
 * Is a pointer a multiple of so many bytes?
 *
 * @param ptr The pointer.
 * @param align Bytes, a power of two.
 * @return 1: yes; 0: no.
 */
static inline int
rte_is_aligned(const void *ptr, const unsigned int align)
{
	return ((uintptr_t)ptr & (align - 1)) == 0;
}

#ifndef container_of
/** The object of @p type whose @p member is at @p ptr. */
#define container_of(ptr, type, member) \
	((type *)((uintptr_t)(1 ? (ptr) : &((type *)0)->member) - offsetof(type, member)))
#endif

/** Swap two objects. */
#define RTE_SWAP(a, b) \
	__extension__ ({ \
		typeof(a) swap_tmp_ = (a); \
		(a) = (b); \
		(b) = swap_tmp_; \
	})

/* ---- cache lines ---- */

/** The part of an address that is within a cache line. */
#define RTE_CACHE_LINE_MASK (RTE_CACHE_LINE_SIZE - 1)
/** @p size rounded up to whole cache lines. */
#define RTE_CACHE_LINE_ROUNDUP(size) RTE_ALIGN_CEIL(size, RTE_CACHE_LINE_SIZE)
/** The smallest cache line that any supported machine has, in bytes. */
#define RTE_CACHE_LINE_MIN_SIZE 64
/** Align to a cache line. */
#define __rte_cache_aligned __rte_aligned(RTE_CACHE_LINE_SIZE)
/** Align to the smallest cache line that any supported machine has. */
#define __rte_cache_min_aligned __rte_aligned(RTE_CACHE_LINE_MIN_SIZE)

/* ---- addresses as devices see them ---- */

/** An address in physical memory. */
typedef uint64_t phys_addr_t;
/** No address. */
#define RTE_BAD_PHYS_ADDR ((phys_addr_t)-1)

/** An address as a device uses it: physical, or virtual behind an IOMMU. */
typedef uint64_t rte_iova_t;
/** No address. */
#define RTE_BAD_IOVA ((rte_iova_t)-1)

#ifdef __cplusplus
}
#endif

#endif /* RTE_COMMON_H */
