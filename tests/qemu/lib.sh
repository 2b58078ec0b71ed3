# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What guest, image and boot share. They are run from anywhere and work below
# build/ only, so that `make clean` removes all of it.
#
#   VFIO_BOOT_SUITE   the Debian suite of the guests (default: bookworm)

# shellcheck disable=SC2034,SC2154 # $here is set by who reads this, $guests used there
set -eu
top=$(cd "$here/../.." && pwd)
suite=${VFIO_BOOT_SUITE:-bookworm}
guests=$top/build/guest/$suite

die() {
	echo "${0##*/}: $*" >&2
	exit 1
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

# Says how long a step takes that somebody waits for.
step() {
	printf '%s ... ' "$1" >&2
	shift
	step_start=$(date +%s)
	"$@" || { echo "failed" >&2; return 1; }
	echo "$(($(date +%s) - step_start)) s" >&2
}
