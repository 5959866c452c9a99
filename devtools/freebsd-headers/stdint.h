/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_STDINT_H
#define STANDIN_STDINT_H

#include_next <stdint.h>

/* The compiler's own have a U behind, FreeBSD's fit into an int and are ints. */
#undef UINT8_MAX
#undef UINT16_MAX
#define UINT8_MAX 0xff
#define UINT16_MAX 0xffff

#endif
