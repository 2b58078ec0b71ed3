#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run in the test machine: starts a virtual machine with all that is claimed, which boots and drives it (nested-init), and
# takes it back for the host. Each line that is told begins with who tells it, or with the moment.

PATH=/usr/sbin:/usr/bin:/sbin:/bin
pci=/sys/bus/pci/devices
card=0000:03:00.0 disk=0000:04:00.0
link() { if [ -e "$1" ]; then basename "$(readlink -f "$1")"; else echo -; fi; }
uptime() {
	read -r uptime _ </proc/uptime
	echo "host: $* after $uptime s"
}
wait_for() { # COMMAND...: until it succeeds, 60 s at most
	tries=0
	until "$@" || [ $tries -eq 300 ]; do
		tries=$((tries + 1))
		sleep 0.2
	done
}
status() {
	vfio-boot status >/run/said 2>&1
	echo "$1: status $?"
	sed "s/^/$1: /" /run/said
}

status before
words=$(vfio-boot export qemu)
echo "host: words $words"
uptime start
# What follows quiet saves time: the processor is emulated twice.
# shellcheck disable=SC2086 # words on purpose
{
	qemu-system-x86_64 -machine q35 -nodefaults -display none -m 320 -no-reboot \
		-serial file:/run/console -serial file:/proc/self/fd/1 -kernel /boot/kernel -initrd /boot/initrd \
		-append "console=ttyS0 panic=-1 quiet mitigations=off cryptomgr.notests tsc=reliable" $words 2>/run/qemu.log
	echo "exit $?"
} | while read -r line; do
	echo "guest: $line"
	case $line in 'disk '*)
		status during
		# It is what the loader runs, see tests/qemu/boot.
		grep VmHWM "/proc/$(pidof loader)/status" | sed 's/^/during: it runs, with /'
		;;
	esac
done
uptime end
sed 's/^/qemu says /' /run/qemu.log
tr -d '\r' </run/console | sed 's/^/console: /'
status after

vfio-boot release 03:00 "$disk" 2>&1 | cat
udevadm settle --timeout=60
for dev in $card 0000:03:00.1 $disk; do echo "host: $dev $(link "$pci/$dev/driver")"; done
wait_for [ -e /dev/nvme0n1 ]
echo "host: read $(dd if=/dev/nvme0n1 bs=4096 skip=256 count=1 2>/dev/null | head -n 1)"
lan=$(ls $pci/$card/net)
ip addr add 10.0.2.15/24 dev "$lan"
ip link set "$lan" up
has_carrier() { [ "$(cat "/sys/class/net/$lan/carrier")" = 1 ]; }
wait_for has_carrier
ping -c 3 -W 10 10.0.2.2 | sed -n 's/^\(.*\) packets received.*/host: ping \1/p'
dmesg | grep -E 'BUG:|Oops|Call Trace|DMAR.*fault' | sed 's/^/fault /'
