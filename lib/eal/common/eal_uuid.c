/* SPDX-License-Identifier: BSD-3-Clause */

#include <ctype.h>
#include <stdio.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_uuid.h>

/* Before which bytes the written form has a dash. */
static bool
uuid_dash_before(size_t byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

RTE_EXPORT_SYMBOL(rte_uuid_is_null)
bool
rte_uuid_is_null(const rte_uuid_t uu)
{
	static const rte_uuid_t null;

	return memcmp(uu, null, sizeof(null)) == 0;
}

RTE_EXPORT_SYMBOL(rte_uuid_compare)
int
rte_uuid_compare(const rte_uuid_t a, const rte_uuid_t b)
{
	return memcmp(a, b, sizeof(rte_uuid_t));
}

static unsigned int
hex_digit(char c)
{
	return isdigit((unsigned char)c) ? (unsigned int)(c - '0') :
		(unsigned int)(tolower((unsigned char)c) - 'a' + 10);
}

RTE_EXPORT_SYMBOL(rte_uuid_parse)
int
rte_uuid_parse(const char *in, rte_uuid_t uu)
{
	rte_uuid_t out;
	size_t i;

	for (i = 0; i < sizeof(out); i++, in += 2) {
		if (uuid_dash_before(i) && *in++ != '-')
			return -1;
		if (!isxdigit((unsigned char)in[0]) || !isxdigit((unsigned char)in[1]))
			return -1;
		out[i] = (unsigned char)(hex_digit(in[0]) << 4 | hex_digit(in[1]));
	}
	if (*in != '\0')
		return -1;
	rte_uuid_copy(uu, out);
	return 0;
}

RTE_EXPORT_SYMBOL(rte_uuid_unparse)
void
rte_uuid_unparse(const rte_uuid_t uu, char *out, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char text[RTE_UUID_STRLEN];
	size_t at = 0;
	size_t i;

	for (i = 0; i < sizeof(rte_uuid_t); i++) {
		if (uuid_dash_before(i))
			text[at++] = '-';
		text[at++] = digits[uu[i] >> 4];
		text[at++] = digits[uu[i] & 0xf];
	}
	text[at] = '\0';
	snprintf(out, len, "%s", text);
}
