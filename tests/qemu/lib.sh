# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What guest, image and boot share. They are run from anywhere and work below
# build/ only, so that `make clean` removes all of it.
#
#   VFIO_BOOT_SUITE   the Debian suite of the guests (default: bookworm); with -backports
#                     behind it, the kernel is the one of its backports; no-groups is a
#                     trixie with the kernel of tests/qemu/kernel
#   VFIO_BOOT_ARCH    their architecture (default: amd64); another one is emulated

# shellcheck disable=SC2034,SC2154 # $here is set by who reads this, $guests used there
set -eu
top=$(cd "$here/../.." && pwd)
suite=${VFIO_BOOT_SUITE:-bookworm}
case $suite in
no-groups) base=trixie ;;
*) base=${suite%-backports} ;;
esac
arch=${VFIO_BOOT_ARCH:-amd64}
of_arch=''
[ "$arch" = amd64 ] || of_arch=-$arch
guests=$top/build/guest/$suite$of_arch

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# Finds the programs of a guest without a system: sets `usr`, and `loader` and `libraries`, with which they start from here.
find_programs() { # NAME
	usr=$("$here/guest" "$1")/root/usr
	loader=$(echo "$usr"/lib/*/ld-linux*.so.*)
	libraries=${loader%/*}
}

# Runs a command as root, or as the root of a user namespace in which that root
# is the caller, so that both leave files which the caller owns. --propagation:
# in a chroot / need not be a mount point, and cannot be made private.
as_root() {
	if [ "$(id -u)" -ne 0 ]; then
		unshare --map-root-user --map-auto --mount --pid --fork --kill-child "$@"
	elif unshare --mount --propagation unchanged true 2>/dev/null; then
		unshare --mount --propagation unchanged "$@"
	else
		"$@"
	fi
}

# Runs a program in a guest tree, with the /proc and the device nodes that
# package scripts and mkinitramfs look for, as far as mounting is allowed here.
in_guest() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	as_root sh -c '
		root=$1
		shift
		mounted=
		trap '\''for dir in $mounted; do umount "$dir"; done'\'' EXIT
		for node in null zero full random urandom; do
			[ ! -c "$root/dev/$node" ] || continue
			: >"$root/dev/$node"
			mount --bind "/dev/$node" "$root/dev/$node" 2>/dev/null || continue
			mounted="$root/dev/$node $mounted"
		done
		if mount -t proc proc "$root/proc" 2>/dev/null; then
			mounted="$root/proc $mounted"
		fi
		chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive \
			${http_proxy+"http_proxy=$http_proxy"} \
			${https_proxy+"https_proxy=$https_proxy"} "$@"
	' in_guest "$@"
}

# What GNU and QEMU call the architecture of the guests.
gnu_cpu() { dpkg-architecture -f -a "$arch" -q DEB_HOST_GNU_CPU 2>/dev/null; }

# compile SOURCE PROGRAM: for the guests, static
compile() {
	if [ "$arch" = amd64 ]; then
		${CC:-gcc} -static -O2 -Wall -o "$2" "$1"
	else
		build=$("$here/guest" build)/root
		as_root cp "$1" "$build/tmp/compiled.c"
		in_guest "$build" sh -c "$(gnu_cpu)-linux-gnu-gcc -static -O2 -Wall -o /tmp/compiled /tmp/compiled.c" &&
			as_root cp "$build/tmp/compiled" "$2"
	fi
}

# Says how long a step takes that somebody waits for.
step() {
	printf '%s ... ' "$1" >&2
	shift
	step_start=$(date +%s)
	"$@" || { echo "failed" >&2; return 1; }
	echo "$(($(date +%s) - step_start)) s" >&2
}

# machine DIR SECONDS IOMMU DISK DRIVE OPTION...: the test machine, until it is switched off
# or its time is up (124). DIR gets what QEMU says and its socket; IOMMU and DISK are -device
# of QEMU, the first may be empty; $cpus is how many it has (2), $qemu another emulator; DISK is alone in its group, with -drive DRIVE. Beside it:
# network and sound, a group of two behind a bridge; a card with two functions; and a switch
# with display, USB and the twin of the card, each with its port in a group. Its processors
# take turns: QEMU 7.2 to 8.0, with a thread for each, now and then runs what the kernel is
# just patching ("Oops: int3", or a hang; lkml, July 2023, "still see int3").
machine() {
	machine_dir=$1 limit=$2 iommu=$3 disk_device=$4 disk_drive=$5
	shift 5
	case $arch in
	amd64)
		board=q35,kernel-irqchip=split emulator=qemu-system-x86_64
		set -- -accel tcg,thread=single "$@"
		;;
	arm64)
		# Its SMMU is part of the board. The chipset at 1f, which the other board has, is put together.
		board=virt,gic-version=3 emulator=qemu-system-aarch64
		[ "$iommu" != smmuv3 ] || board=$board,iommu=smmuv3 iommu=''
		set -- -accel tcg -cpu cortex-a57 -chardev "file,id=facts,path=$machine_dir/facts" \
			-device pci-serial,chardev=facts,multifunction=on,addr=1f.0 -device ich9-ahci,id=ide,addr=1f.2 "$@"
		;;
	esac
	# No network, no display, no firmware that looks for either.
	set -- -M "$board" -m 1024 -smp "${cpus:-2}" -nodefaults -display none \
		-qmp "unix:qmp,server=on,wait=off" ${iommu:+-device "$iommu"} \
		-device pcie-root-port,id=rp1,chassis=1,addr=02.0 -device pcie-pci-bridge,id=br1,bus=rp1 \
		-device e1000,bus=br1,addr=1.0,romfile= -device intel-hda,bus=br1,addr=2.0 \
		-device pcie-root-port,id=rp2,chassis=2,addr=03.0 \
		-device e1000e,id=card0,bus=rp2,multifunction=on,addr=0.0,romfile= \
		-device e1000e,id=card1,bus=rp2,addr=0.1,romfile= \
		-device pcie-root-port,id=rp3,chassis=3,addr=04.0 \
		-drive "if=none,id=n0,$disk_drive" -device "$disk_device,bus=rp3,drive=n0" \
		-device pcie-root-port,id=rp4,chassis=4,addr=05.0 -device x3130-upstream,id=up,bus=rp4 \
		-device xio3130-downstream,id=dn1,bus=up,chassis=11 -device secondary-vga,bus=dn1 \
		-device xio3130-downstream,id=dn2,bus=up,chassis=12 -device qemu-xhci,bus=dn2 \
		-device xio3130-downstream,id=dn3,bus=up,chassis=13 -device e1000e,bus=dn3,romfile= \
		"$@"
	# The path of a socket may have a hundred bytes.
	cd "$machine_dir"
	timeout --kill-after=5 "$limit" "${qemu:-$emulator}" "$@" </dev/null 2>qemu
}
