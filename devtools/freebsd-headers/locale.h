/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_LOCALE_H
#define STANDIN_LOCALE_H

#define LC_ALL 0
#define LC_CTYPE 2

char *setlocale(int, const char *);

#endif
