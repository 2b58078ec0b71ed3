# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What disks and boot share: the layout of this suite, and the machine with its disks.

# With VFIO_BOOT_IMAGE=dracut the images are those of dracut.
# shellcheck disable=SC2034,SC2154 # for who reads this; $suite is in lib.sh
case $suite in
bullseye) layout=plain modules=most ;;
bookworm) layout=luks modules=dep ;;
trixie) layout=btrfs modules=most ;;
forky) layout=twin modules=dep ;;
*) die "no layout is set down for $suite" ;;
esac
case ${VFIO_BOOT_IMAGE:-} in
dracut*) builder=-dracut ;;
*) builder='' ;;
esac

# machine_of_layout DIR SECONDS OPTION...: boots from DIR/disk0.
machine_of_layout() {
	machine_dir=$1 machine_limit=$2
	# What is done there is done by shells, one after the other: with two it takes longer.
	cpus=1
	first="file=$1/disk0,format=raw,cache=unsafe" second="if=none,id=n1,file=$1/disk1,format=raw,cache=unsafe"
	shift 2
	case $layout in
	plain) disk=virtio-blk-pci ;;
	*) disk=nvme,serial=first ;;
	esac
	# Not SATA, which QEMU 7.2 cannot do with the large requests of newer kernels.
	case $layout in
	btrfs) other=virtio-blk-pci ;;
	twin) other=nvme,serial=second ;;
	*) other='' ;;
	esac
	[ -z "$other" ] || set -- "$@" -device pcie-root-port,id=rp5,chassis=5,addr=06.0 -drive "$second" \
		-device "$other,drive=n1,bus=rp5"
	machine "$machine_dir" "$machine_limit" intel-iommu,intremap=on "$disk,bootindex=1" "$first" "$@"
}
