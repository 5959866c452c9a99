# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh source-path=SCRIPTDIR

# A guest of another processor: I/O ports that are there, suites of dpdk-test. Memory of the guest
# is nowhere that the edu device reaches on arm64; on ppc64el an IOMMU that UIO knows nothing of is
# in the way, and edu is big-endian there.

#vm device edu
#vm device pci-testdev,membar=2M
#vm device e1000e
#vm device nvme
#vm device virtio-net,disable-legacy=off
#vm device ivshmem
#vm iommu none
#vm append hugepages=32
#vm module uio_pci_generic
#vm program app/test/dpdk-test
#vm program app/pci/dpdk-pci
#vm program app/vfio-user/dpdk-vfio-user

. /lib.sh

pci()
{
	dpdk-pci --no-huge --iova-mode=va --log-level=bus.pci:debug -- "$@" 2>/tmp/log
}

# Registers of e1000e by ports, and by memory; 0x5400 is a MAC's start, which is never 0.
ports_and_memory_agree()
{
	pci write "$e1000e" 2 0 0x5400 && by_ports=$(pci read "$e1000e" 2 4) || return
	grep -o 'its ports are reached.*' /tmp/log
	by_memory=$(pci read "$e1000e" 0 0x5400)
	[ "$by_ports" = "$by_memory" ] && [ $((by_ports)) -ne 0 ] && return
	echo "by ports $by_ports, by memory $by_memory"
	return 1
}

# What the kernel of this processor does with I/O space.
ports_are_reached_as_they_should_be()
{
	case $(uname -m) in
	ppc64le) way=mapped ;;
	*) way='by its file' ;;
	esac
	pci read "$e1000e" 2 0 && grep -q "BAR2: its ports are reached $way" /tmp/log
}

memory_keeps_what_is_written()
{
	pci write "$shm" 2 0x40010 0x600df00d &&
		[ "$(pci read "$shm" 2 0x40010)" = 0x600df00d ]
}

load uio_pci_generic
e1000e=$(device 8086:10d3)
shm=$(device 1af4:1110)
for address in "$e1000e" "$shm"; do
	bind "$address" uio_pci_generic || exit
done
check ports_and_memory_agree ports_and_memory_agree
check ports_are_reached_as_they_should_be ports_are_reached_as_they_should_be
check memory_keeps_what_is_written memory_keeps_what_is_written
for address in "$e1000e" "$shm"; do
	unbind "$address"
done
defaults=base,malloc,memzone,pci_uio,pci_uio_port,pci_uio_trouble,vfio_region,vm_uio,vm_uio_trouble
[ "$(uname -m)" = ppc64le ] || defaults=$defaults,vm_driver
export DPDK_TEST_TRANSPORT=uio_without_dma DPDK_TEST_EAL_ARGS=--iova-mode=pa
for name in $(echo "${VM_SUITES:-$defaults}" | tr , ' '); do
	echo "suite $name"
	suite "$name"
done
finish
