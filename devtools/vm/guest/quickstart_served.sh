# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh

# What devtools/quickstart.sh runs in the guest of a QEMU that shows an emulated device to it.

#vm served edu
#vm iommu caching-mode=on
#vm program app/pci/dpdk-pci
#vm program app/edu/dpdk-edu

. /lib.sh

# Every command is shown before it runs.
show()
{
	echo
	echo "guest# $*"
	"$@" || { echo "quickstart: the command failed"; exit 1; }
}

load_vfio
edu=$(device 1234:11e8) || exit
echo "Linux $(uname -r) has started"

echo
echo "== The device that a process outside emulates goes to the guest's vfio-pci."
show bind "$edu" vfio-pci
show dpdk-pci -- show "$edu"

echo
echo "== The driver at work: guest, its kernel's VFIO, QEMU, socket, emulated device."
show dpdk-edu
