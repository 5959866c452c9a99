/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_CTYPE_H
#define STANDIN_CTYPE_H

int isalnum(int);
int isalpha(int);
int isblank(int);
int isdigit(int);
int isprint(int);
int isspace(int);
int isupper(int);
int isxdigit(int);
int tolower(int);
int toupper(int);

#endif
