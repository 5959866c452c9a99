/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_LANGINFO_H
#define STANDIN_LANGINFO_H

#define CODESET 0

char *nl_langinfo(int);

#endif
