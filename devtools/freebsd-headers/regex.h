/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_REGEX_H
#define STANDIN_REGEX_H

#include <sys/types.h>

typedef struct {
	int re_magic;
	size_t re_nsub;
	const char *re_endp;
	struct re_guts *re_g;
} regex_t;
typedef struct {
	off_t rm_so;
	off_t rm_eo;
} regmatch_t;

#define REG_EXTENDED 0001
#define REG_NOSUB 0004
#define REG_NOMATCH 1

int regcomp(regex_t *, const char *, int);
int regexec(const regex_t *, const char *, size_t, regmatch_t [], int);
void regfree(regex_t *);

#endif
