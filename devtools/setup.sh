#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/devtools/lib/packages.sh"

usage()
{
	cat <<'END'
usage: devtools/setup.sh [GROUP...]
Installs the Debian packages that are missing, of the groups build, test, vm, docs (default: these)
and foreign.
END
}

case ${1:-} in
-h | --help) usage; exit 0 ;;
'') set -- build test vm docs ;;
esac
packages_install "$@"
