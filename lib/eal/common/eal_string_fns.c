/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <eal_export.h>
#include <rte_errno.h>
#include <rte_string_fns.h>

RTE_EXPORT_SYMBOL(rte_strsplit)
int
rte_strsplit(char *string, int stringlen, char **tokens, int maxtokens, char delim)
{
	bool in_token = false;
	int nb = 0;
	int i;

	if (string == NULL || tokens == NULL) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; i < stringlen && string[i] != '\0'; i++) {
		if (!in_token) {
			if (nb == maxtokens)
				break;
			tokens[nb++] = &string[i];
			in_token = true;
		}
		if (string[i] == delim && nb < maxtokens) {
			string[i] = '\0';
			in_token = false;
		}
	}
	return nb;
}

RTE_EXPORT_SYMBOL(rte_strscpy)
ssize_t
rte_strscpy(char *dst, const char *src, size_t dsize)
{
	size_t len = strnlen(src, dsize);

	if (len < dsize) {
		memcpy(dst, src, len + 1);
		return (ssize_t)len;
	}
	if (dsize != 0) {
		memcpy(dst, src, dsize - 1);
		dst[dsize - 1] = '\0';
	}
	rte_errno = E2BIG;
	return -E2BIG;
}

/* The power of two that a size's letter stands for; -1: none. */
static int
size_shift(char letter)
{
	static const char letters[] = "kmgtpe";
	const char *at;

	if (letter == '\0')
		return 0;
	at = strchr(letters, tolower((unsigned char)letter));
	return at == NULL ? -1 : 10 * (int)(at - letters + 1);
}

RTE_EXPORT_SYMBOL(rte_str_to_size)
uint64_t
rte_str_to_size(const char *str)
{
	unsigned long long size;
	char *end;
	int shift;

	str = rte_str_skip_leading_spaces(str);
	if (*str == '-')
		return 0;
	errno = 0;
	size = strtoull(str, &end, 0);
	if (errno != 0 || end == str)
		return 0;
	if (*end == ' ')
		end++;
	shift = size_shift(*end);
	if (shift < 0 || (shift > 0 && (size << shift) >> shift != size))
		return 0;
	return size << shift;
}
