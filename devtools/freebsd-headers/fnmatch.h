/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_FNMATCH_H
#define STANDIN_FNMATCH_H

#define FNM_NOMATCH 1

int fnmatch(const char *, const char *, int);

#endif
