# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run inside the guest `boot` by image.t: the hook, in every situation in which it
# must neither fail nor keep silent. Each ends in `CASE: status N`; what it said
# stands before, each line with the name of the case.

set -eu
version=$(ls /lib/modules)
hook=/usr/share/initramfs-tools/hooks/vfio-boot
claim=/usr/lib/vfio-boot/vfio-boot-claim
plan=/usr/sbin/vfio-boot
cryptroot=/usr/share/initramfs-tools/scripts/local-top/cryptroot
work=$(mktemp -d)

cleanup() {
	rm -rf "$work" /lib/modules/0.0.0-none /sys/bus $cryptroot
	for file in $claim $plan; do
		[ ! -e "$file.away" ] || mv -f "$file.away" "$file"
	done
}
trap cleanup EXIT

run_hook() { # CASE [NAME=VALUE...]
	case=$1
	shift
	rm -rf "$work/image"
	mkdir -p "$work/image/scripts"
	cp -a /usr/share/initramfs-tools/scripts/init-top "$work/image/scripts/"
	: >"$work/modules"
	status=0
	env DESTDIR="$work/image" CONFDIR=/etc/initramfs-tools verbose=n \
		version="$version" MODULESDIR="/lib/modules/$version" \
		__MODULES_TO_ADD="$work/modules" "$@" $hook 2>"$work/said" || status=$?
	sed "s/^/$case: /" "$work/said"
	echo "$case: status $status"
}

fake_plan() {
	cat >$plan
	chmod +x $plan
}

[ ! -e $plan ] || mv $plan $plan.away
mkdir -p /sys/bus/pci/devices
printf '#!/bin/sh\n' | fake_plan
run_hook plain
[ -x "$work/image$claim" ] && [ -f "$work/image/etc/vfio-boot.conf" ] && echo "plain: copied"

mkdir "$work/aliases"
cp "/lib/modules/$version"/modules.dep "/lib/modules/$version"/modules.builtin "$work/aliases/"
echo "alias vfio_pci:v00008086d000010D3sv*sd*bc*sc*i* e1000e" >"$work/aliases/modules.alias"
run_hook variants MODULESDIR="$work/aliases"
# In the initramfs-tools of trixie a hook only asks for modules, and mkinitramfs copies all of them at once.
# shellcheck disable=SC2016 # expanded by the inner shell
env DESTDIR="$work/image" version="$version" verbose=n __MODULES_TO_ADD="$work/modules" sh -c \
	'. /usr/share/initramfs-tools/hook-functions; [ ! -s "$__MODULES_TO_ADD" ] || apply_add_modules'
find "$work/image" -name 'e1000e.ko*' -o -name 'vfio-pci.ko*' | sed 's|.*/\([^.]*\).*|variants: \1|'

fake_plan <<-"END"
	#!/bin/sh
	[ "$1" = plan ] || exit 0
	echo "asked: $*" >&2
	echo "0000:03:00.0 [8086:10d3] group 7: claim for vfio-pci"
	echo "0000:01:00.0 [10de:1b80] group 1: kept, boot-vga: refused, absent: only words"
	echo "0000:02:01.0 [8086:100e] group 6: refused, group-incomplete: a, b: c"
	echo "0000:08:00.0 [10de:1b80] no group: pending, no-iommu: d"
	echo "10de:2204: absent: no such device"
	echo "vfio-boot: /etc/vfio-boot.conf:4:7: not a selector" >&2
	exit 2
END
run_hook verdicts

for status in 0 1 2 3; do
	fake_plan <<-END
		#!/bin/sh
		[ "\$1" = protect ] || exit $status
	END
	run_hook "exit-$status"
done
fake_plan <<-"END"
	#!/bin/sh
	[ "$1" = protect ] || kill -SEGV $$
END
run_hook crash
printf '#!/bin/sh\n' | fake_plan

mkdir /lib/modules/0.0.0-none
: >/lib/modules/0.0.0-none/modules.builtin
: >/lib/modules/0.0.0-none/modules.order
depmod 0.0.0-none
run_hook no-module version=0.0.0-none MODULESDIR=/lib/modules/0.0.0-none

# Somebody's own script of that name, which wants to come after udev.
mkdir -p "$work/conf/scripts/init-top"
printf '#!/bin/sh\necho udev\n' >"$work/conf/scripts/init-top/00-vfio-boot"
chmod +x "$work/conf/scripts/init-top/00-vfio-boot"
run_hook order CONFDIR="$work/conf"

mv $claim $claim.away
run_hook no-program
mv $claim.away $claim
rm -r $plan /sys/bus

# cryptroot wants to be the last of its phase, and asks for all others by name.
cat >$cryptroot <<-"END"
	#!/bin/sh
	[ "$1" = prereqs ] || exit 0
	for script in "${0%/*}"/*; do
		[ "$script" = "$0" ] || echo "${script##*/}"
	done
END
chmod +x $cryptroot
mkinitramfs -d /etc/initramfs-tools-small -o "$work/initrd" "$version" 2>"$work/said"
sed "s/^/cryptroot: /" "$work/said"
unmkinitramfs "$work/initrd" "$work/tree"
sed -n 's|^/scripts/local-top/\([^ ]*\).*|cryptroot: order \1|p' \
	"$work"/tree/scripts/local-top/ORDER "$work"/tree/main/scripts/local-top/ORDER 2>/dev/null || :
