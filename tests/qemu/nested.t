#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# A virtual machine in the test machine is given what is claimed, in the words of `vfio-boot export qemu`: QEMU has the devices
# and vfio-boot sees no fault meanwhile; then the host's drivers have them back. Once with all devices in one export, once
# with an export for each card. Nothing boots in it; tests/system/nested.t does that.
# builders: initramfs-tools

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my @card = ('0000:03:00.0', '0000:03:00.1');
my $disk = '0000:04:00.0';
my $boot = Guest->boot('nested', conf => "ids = @card $disk\n", machine => [ '-U', '-E', '-t', 240 ], overlay => { 'etc/test' => "#!/bin/sh\n$Guest::functions" . <<'END' });
PATH=/usr/sbin:/usr/bin:/sbin:/bin
pci=/sys/bus/pci/devices
drivers() { for dev in 0000:03:00.0 0000:03:00.1 0000:04:00.0; do echo "$1: $dev $(link $pci/$dev/driver)"; done; }
status() {
	vfio-boot status >/run/said 2>&1
	echo "$1: status $?"
	sed "s/^/$1: /" /run/said
}
machine() { # STEP WORDS...: of a virtual machine that stands still, by its monitor
	step=$1
	shift
	echo "$step: words $*"
	begin_machine "$@"
	status "$step"
	for file in /proc/$qemu/fd/*; do readlink $file; done | grep /dev/vfio/ | sed "s/^/$step: open /"
	for dev in 0000:03:00.0 0000:04:00.0; do echo "$step: group $dev $(link $pci/$dev/iommu_group)"; done
	drivers "$step"
	end_machine
	echo "$step: exit $?"
	status "$step-after"
	tr -d '\r' </run/monitor.log | sed "s/^/$step: qtree /"
	sed "s/^/$step: qemu says /" /run/qemu.log
}
machine all $(vfio-boot export qemu)
machine pair $(vfio-boot export qemu 03:00) $(vfio-boot export qemu 04:00.0)
vfio-boot release 03:00 04:00.0 | sed 's/^/release: /'
udevadm settle --timeout=60
drivers released
for net in /sys/class/net/*; do echo "released: net $(link $net/device)"; done
live() { grep -q live $pci/0000:04:00.0/nvme/nvme*/state; }
wait_for live && echo "released: disk is live"
dmesg | grep -E 'BUG:|Oops|Call Trace|DMAR.*fault' | sed 's/^/kernel: /'
END

my $said = $boot->text('test');
diag($said) if $ENV{VFIO_BOOT_VERBOSE};

# Each vfio-pci device of a monitor's tree: the function of the host, and its place in the guest.
sub realized {
	my ($step) = @_;
	my (%of, $host);
	for (map { /^\Q$step\E: qtree (.*)/ ? $1 : () } split /\n/, $said) {
		$host = /^ *dev: vfio-pci,/ ? '' : undef if /^ *dev: /;
		next unless defined $host;
		$host = $1 if /^ *host = "(.*)"/;
		$of{$host} = $1 if $host && /^ *addr = (\S+)/;
	}
	return \%of;
}

unlike($said, qr/waited in vain/, 'what was to come has come');
for my $step ('all', 'pair') {
	like($said, qr/^$step: exit 0$/m, "$step: QEMU takes the words, and ends without a fault");
	is_deeply(realized($step), { $card[0] => '00.0', $card[1] => '00.1', $disk => '00.0' }, "$step: it has these devices, and the functions of a card together");
	for my $address ($card[0], $disk) {
		my ($group) = $said =~ /^$step: group \Q$address\E (\d+)$/m;
		like($said, qr{^$step: open /dev/vfio/$group$}m, "$step: and the group of $address open");
	}
	like($said, qr/^$step: status 0$/m, "$step: status is content meanwhile");
	like($said, qr/^$step-after: status 0$/m, "$step: and afterwards");
	like($said, qr/^$step: \Q$_\E vfio-pci$/m, "$step: $_ is with vfio-pci") for @card, $disk;
	unlike($said, qr/^$step: qemu says/m, "$step: QEMU has nothing to complain about");
}
like($said, qr/^released: \Q$_\E e1000e$/m, "release brings the driver of $_ back") for @card;
like($said, qr/^released: \Q$disk\E nvme$/m, "and that of $disk");
like($said, qr/^released: net \Q$_\E$/m, "$_ is a network card again") for @card;
like($said, qr/^released: disk is live$/m, 'and the disk is a disk');
unlike($said, qr/^kernel:/m, 'the kernel has nothing to complain about');
done_testing();
