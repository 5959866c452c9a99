# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# dpdk-pci on devices of every kind, and the example program.

#vm device edu
#vm device pci-testdev,membar=2M
#vm device nvme
#vm device e1000e
#vm device virtio-net
#vm device ivshmem
#vm program app/pci/dpdk-pci
#vm program app/edu/dpdk-edu

. /lib.sh

# shows TEXT... -- COMMAND... : every text is a pattern that a line of the output matches
shows()
{
	rm -f /tmp/texts
	while [ "$1" != -- ]; do
		echo "$1" >>/tmp/texts
		shift
	done
	shift
	"$@" >/tmp/out 2>&1 || { echo "$*: exit status $?"; cat /tmp/out; return 1; }
	while read -r text; do
		grep -qE -e "$text" /tmp/out || {
			echo "$*: does not show: $text"
			cat /tmp/out
			return 1
		}
	done </tmp/texts
}

# refuses STATUS TEXT COMMAND... : ends with this status and one line of complaint
refuses()
{
	wanted=$1
	text=$2
	shift 2
	"$@" >/tmp/out 2>&1
	status=$?
	[ "$status" -eq "$wanted" ] && grep -qE -e "$text" /tmp/out && return
	echo "$*: exit status $status, not $wanted, or no \"$text\""
	cat /tmp/out
	return 1
}

show()
{
	shown=$1
	shift
	shows "$@" -- dpdk-pci -- show "$shown"
}

# gives VALUE COMMAND...
gives()
{
	value=$1
	shift
	got=$("$@")
	[ "$got" = "$value" ] || { echo "$*: \"$got\", not $value"; return 1; }
}

# written VALUE SHOWN DEVICE BAR OFFSET : what is read after this value has been written
written()
{
	dpdk-pci -- write "$3" "$4" "$5" "$1" || return
	gives "$2" dpdk-pci -- read "$3" "$4" "$5"
}

load_vfio
edu=$(device 1234:11e8)
testdev=$(device 1b36:0005)
nvme=$(device 1b36:0010)
e1000e=$(device 8086:10d3)
net=$(device 1af4:1000)
shm=$(device 1af4:1110)
for address in "$edu" "$testdev" "$nvme" "$e1000e" "$net"; do
	bind "$address" vfio-pci || exit
done
echo '2:0+0x1000,0x80000+0x40000,0xff000+0x1000' >/sys/module/sparse_vfio_pci/parameters/windows
bind "$shm" sparse-vfio-pci || exit

check list shows "^$edu .*1234:11e8 .* vfio-pci .* vfio" "^$testdev .*1b36:0005 .* vfio-pci" \
	"^$nvme .*1b36:0010 " "^$e1000e .*8086:10d3 " "^$net .*1af4:1000 " \
	"^$shm .*1af4:1110 .* sparse-vfio-pci .* vfio" -- dpdk-pci -- list
check list_json shows '"address": "'"$edu"'"' '"kernel_driver": "sparse-vfio-pci"' \
	'"backend": "vfio"' -- dpdk-pci -- list --json

check show_edu show "$edu" 'BAR0 +memory, 1 MiB' '0x00000000-0x000fffff +1 MiB +mapped' \
	'INTx 1, MSI 1, MSI-X 0' 'REQ yes'
check show_pci_testdev show "$testdev" 'BAR0 +memory, 4 KiB' 'BAR1 +I/O ports, 256 bytes' \
	'BAR2 +memory, 2 MiB' '0x00000000-0x001fffff +2 MiB +mapped'
check show_nvme show "$nvme" 'BAR0 +memory, 16 KiB' 'INTx 1, MSI 0, MSI-X 65'
check show_e1000e show "$e1000e" 'BAR0 +memory, 128 KiB' 'BAR1 +memory, 128 KiB' \
	'BAR2 +I/O ports, 32 bytes' 'BAR3 +memory, 16 KiB' 'INTx 1, MSI 1, MSI-X 5'
check show_virtio_net show "$net" 'BAR0 +I/O ports, 32 bytes' 'BAR1 +memory, 4 KiB' \
	'BAR4 +memory, 16 KiB' 'MSI-X [1-9]'
check show_sparse show "$shm" 'BAR2 +memory, 1 MiB' \
	'0x00000000-0x00000fff +4 KiB +mapped' '0x00001000-0x0007ffff +508 KiB +trapped' \
	'0x00080000-0x000bffff +256 KiB +mapped' '0x000c0000-0x000fefff +252 KiB +trapped' \
	'0x000ff000-0x000fffff +4 KiB +mapped'
check show_sparse_json shows '"offset": 524288' '"length": 262144' '"mapped_read": false' -- \
	dpdk-pci -- show "$shm" --json

check read_edu_identification gives 0x010000ed dpdk-pci -- read "$edu" 0 0
check read_nvme_version gives 0x00010400 dpdk-pci -- read "$nvme" 0 8
check read_configuration gives 0x11e81234 dpdk-pci -- read "$edu" config 0
check read_narrow gives 0x11e8 dpdk-pci -- read "$edu" config 2 --width 2
check read_ports gives 0x00000000 dpdk-pci -- read "$e1000e" 2 0
check write_inside_a_window written 0x600df00d 0x600df00d "$shm" 2 0x80010
check write_outside_the_windows written 0x0ff51de5 0x0ff51de5 "$shm" 2 0x40010
check write_at_the_end written 0x12345678 0x12345678 "$shm" 2 0xffffc

check refuse_past_the_end refuses 1 . dpdk-pci -- read "$edu" 0 0x100000
check refuse_unaligned refuses 2 . dpdk-pci -- read "$edu" 0 2
check refuse_no_such_bar refuses 1 . dpdk-pci -- read "$edu" 1 0
check refuse_unknown_device refuses 1 0000:00:1e.0 dpdk-pci -- show 0000:00:1e.0

check edu_program shows '1\.0' '3628800' '2048 bytes' -- dpdk-edu
finish
