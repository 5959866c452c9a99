/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_STRING_FNS_H
#define RTE_STRING_FNS_H

/**
 * @file
 * Strings: splitting, and copying that always ends with NUL and never overruns. Any thread.
 */

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <rte_common.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Split a string at each @p delim, by writing NUL over it.
 *
 * @param string What to split; changed.
 * @param stringlen Bytes of @p string to look at; an earlier NUL ends it too.
 * @param tokens Where the pointers to the parts go.
 * @param maxtokens Elements of @p tokens; the last part keeps what is left.
 * @param delim The character between parts.
 * @return The number of parts; -1 with errno EINVAL when a pointer is NULL.
 */
int rte_strsplit(char *string, int stringlen, char **tokens, int maxtokens, char delim);

/**
 * Copy a string.
 *
 * @param dst Where to.
 * @param src What.
 * @param size Bytes at @p dst; 0: nothing is written.
 * @return The length of @p src; @p size or more means that the copy is cut.
 */
static inline size_t
rte_strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);
	size_t n;

	if (size != 0) {
		n = len < size ? len : size - 1;
		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}

/**
 * Append a string.
 *
 * @param dst What to append to.
 * @param src What to append.
 * @param size Bytes at @p dst in all.
 * @return The length that was wanted; @p size or more means that the result is cut.
 */
static inline size_t
rte_strlcat(char *dst, const char *src, size_t size)
{
	size_t len = strnlen(dst, size);

	return len + rte_strlcpy(dst + len, src, size - len);
}

#if defined(__FreeBSD__) || (defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 38))
/* the C library has strlcpy() and strlcat() */
#elif !defined(strlcpy)
/** rte_strlcpy() under its usual name. */
#define strlcpy(dst, src, size) rte_strlcpy(dst, src, size)
/** rte_strlcat() under its usual name. */
#define strlcat(dst, src, size) rte_strlcat(dst, src, size)
#endif

/**
 * Copy a string, or tell that it does not fit.
 *
 * @param dst Where to.
 * @param src What.
 * @param dsize Bytes at @p dst.
 * @return The length of the copy; -E2BIG when it is cut or @p dsize is 0, rte_errno as well.
 */
ssize_t rte_strscpy(char *dst, const char *src, size_t dsize);

/**
 * Skip white space.
 *
 * @param src A string.
 * @return Where its first character is that is no white space, which may be the ending NUL.
 */
static inline const char *
rte_str_skip_leading_spaces(const char *src)
{
	while (isspace((unsigned char)*src))
		src++;
	return src;
}

/**
 * Read a size: a number in any base that C knows, and k, M, G, T, P or E for powers of 1024.
 *
 * @param str The text; leading spaces, and one between number and letter, are allowed.
 * @return The size in bytes; 0 when the text is no size or the size is too large.
 */
uint64_t rte_str_to_size(const char *str);

#ifdef __cplusplus
}
#endif

#endif /* RTE_STRING_FNS_H */
