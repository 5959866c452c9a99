/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_STRINGS_H
#define STANDIN_STRINGS_H

#include <string.h>

#endif
