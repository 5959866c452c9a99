#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A driver at work on a device that another process emulates: what devtools/quickstart.sh shows.
# Needs neither root nor hardware nor network. What the programs print is shown and checked.
#
# usage: devtools/quickstart-socket.sh BUILD_DIR

set -eu

[ $# -eq 1 ] || { sed -n 's/^# usage/usage/p' "$0" >&2; exit 2; }
build=$(cd "$1" && pwd)
PATH=$build/app/pci:$build/app/edu:$build/app/vfio-user:$PATH

work=$(mktemp -d /tmp/dpdk-vfio.XXXXXX)
sock=$work/edu.sock
out=$work/out
server=

end()
{
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	rm -rf "$work"
}
trap end EXIT
trap 'exit 1' HUP INT PIPE TERM

fail()
{
	echo "quickstart: $*" >&2
	exit 1
}

# Every command is shown before it runs; its output is kept for expect().
show()
{
	echo
	echo "\$ $*"
	"$@" >"$out" 2>&1 || { cat "$out"; fail "the command failed"; }
	cat "$out"
}

# expect WHAT EXPRESSION : a line of the last output matches
expect()
{
	grep -Eq -e "$2" "$out" || fail "the output does not tell $1"
}

# The server says when clients can connect.
serve()
{
	echo
	echo "\$ dpdk-vfio-user serve edu --socket-path $sock &"
	: >"$work/server"
	dpdk-vfio-user serve edu --socket-path "$sock" >"$work/server" 2>&1 &
	server=$!
	i=0
	until grep -q "serving at $sock" "$work/server"; do
		i=$((i + 1))
		[ $i -le 100 ] && kill -0 "$server" 2>/dev/null ||
			{ cat "$work/server" >&2; fail "the server does not start"; }
		sleep 0.1
	done
	cat "$work/server"
}

stop()
{
	echo
	echo "\$ kill $server"
	kill "$server"
	wait "$server" || fail "the server ended with status $?"
	server=
	[ ! -e "$sock" ] || fail "the server left its socket"
	echo "(the server has ended and removed its socket)"
}

echo "== One process emulates a device, user $(id -un):"
serve

echo
echo "== The PCI bus sees it like any other; its owner lets a part of BAR2 be mapped:"
show dpdk-pci -- show "vfio-user:$sock"
expect 'the ids of the device' '^ *id +1234:11e8'
expect 'the backend' '^ *backend +vfio-user$'
expect 'the registers that are trapped' '0x00000000-0x000fffff +1 MiB +trapped'
expect 'the window' '0x00004000-0x0000bfff +32 KiB +mapped'
expect 'what is around the window' '0x0000c000-0x0000ffff +16 KiB +trapped'

echo
echo "== Its driver, the same program as for the hardware, in a second process:"
show dpdk-edu --no-huge --in-memory -a "vfio-user:$sock"
expect 'who the device is' '^identity +version 1\.0$'
expect 'the factorial and its interrupt' '^factorial +of 10 is 3628800, an interrupt told$'
expect 'DMA both ways' '^DMA +2048 bytes went to the device and came back the same$'

echo
echo "== What a request costs, beside bare sockets, with both on one processor:"
cpu=$(taskset -cp $$ | sed 's/.*[ ,-]//')
show taskset -acp "$cpu" "$server"
show taskset -c "$cpu" dpdk-vfio-user bench "$sock"
expect 'a read' '^read of 4 bytes +[0-9.]+ us +bare socket +[0-9.]+ us +[0-9.]+x$'
expect 'memory' '^map and unmap beside 1 +[0-9.]+ us +bare socket +[0-9.]+ us +[0-9.]+x$'

stop
