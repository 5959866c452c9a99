/* SPDX-License-Identifier: BSD-3-Clause */

#include "vu_log.h"

RTE_LOG_REGISTER_DEFAULT(vu_logtype, NOTICE);
