# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh

# What devtools/quickstart.sh runs in the guest.

#vm device edu
#vm device ivshmem
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
edu=$(device 1234:11e8) && shm=$(device 1af4:1110) || exit
echo "Linux $(uname -r) has started"

echo
echo "== An edu device goes to vfio-pci; its owner, the kernel, lets all of it be mapped."
show bind "$edu" vfio-pci

echo
echo "== A memory device goes to a variant of vfio-pci that permits three windows only."
echo '2:0+0x10000,0x40000+0x20000,0xf0000+0x10000' >/sys/module/sparse_vfio_pci/parameters/windows
show bind "$shm" sparse-vfio-pci

show dpdk-pci -- list
show dpdk-pci -- show "$edu"
show dpdk-pci -- show "$shm"

echo
echo "== A word inside a window (load and store), and one outside (calls to the kernel)."
show dpdk-pci -- write "$shm" 2 0x40000 0x600df00d
show dpdk-pci -- read "$shm" 2 0x40000
show dpdk-pci -- write "$shm" 2 0x20000 0x0ff51de5
show dpdk-pci -- read "$shm" 2 0x20000

echo
echo "== A driver at work: registers, interrupts, DMA."
show dpdk-edu
