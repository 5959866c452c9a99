#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Write a source file that includes one header and nothing else.

usage: gen-include.py HEADER OUTPUT
"""

import os
import sys

if len(sys.argv) != 3:
    sys.exit(__doc__)
with open(sys.argv[2], "w", encoding="utf-8") as output:
    output.write(f'#include "{os.path.abspath(sys.argv[1])}"\n')
