# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR/../guest

# The bus and dpdk-pci on the kernel's UIO, without an IOMMU.

#vm device edu
#vm device pci-testdev,membar=2M
#vm device nvme
#vm device e1000e
#vm device virtio-net
#vm device ivshmem
#vm iommu none
#vm append hugepages=32
#vm module uio_pci_generic
#vm program app/test/dpdk-test
#vm program app/pci/dpdk-pci

. /lib.sh

# shows TEXT COMMAND... : a line of the output matches
shows()
{
	text=$1
	shift
	"$@" >/tmp/out 2>&1 && grep -qE -e "$text" /tmp/out && return
	echo "$*: exit status $?, or no \"$text\""
	cat /tmp/out
	return 1
}

# written VALUE DEVICE BAR OFFSET : what is read after this value has been written
written()
{
	dpdk-pci -- write "$2" "$3" "$4" "$1" && shows "$1" dpdk-pci -- read "$2" "$3" "$4"
}

load uio_pci_generic
suite vm_uio
suite vm_uio_trouble

edu=$(device 1234:11e8)
e1000e=$(device 8086:10d3)
shm=$(device 1af4:1110)
for address in "$edu" "$e1000e" "$shm"; do
	bind "$address" uio_pci_generic || exit
done
check list shows "^$edu .*1234:11e8 .* uio_pci_generic .* uio" dpdk-pci -- list
check show_memory shows '0x00000000-0x000fffff +1 MiB +mapped' dpdk-pci -- show "$edu"
check show_ports shows 'BAR2 +I/O ports, 32 bytes' dpdk-pci -- show "$e1000e"
check read_edu_identification shows 0x010000ed dpdk-pci -- read "$edu" 0 0
check read_configuration shows 0x11e81234 dpdk-pci -- read "$edu" config 0
check write_ports written 0x00005400 "$e1000e" 2 0
check write_memory written 0x600df00d "$shm" 2 0x40010
finish
