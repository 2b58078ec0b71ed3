#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# suites: trixie
# builders: initramfs-tools
# A kernel without VFIO groups, and with vfio-pci built in (tests/qemu/kernel): the claim, a virtual machine that has the card
# through /dev/iommu, who has it open, and the way back. The image has none of vfio's modules, since there are none.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../qemu";
use Guest;
use Test::More;

my @card = ('0000:03:00.0', '0000:03:00.1');
my $disk = '0000:04:00.0';
my $boot = Guest->boot('no-groups', suite => 'no-groups', conf => "ids = @card\n", machine => [ '-U', '-E', '-t', 300 ], overlay => { 'etc/test' => "#!/bin/sh\n$Guest::functions" . <<'END' });
PATH=/usr/sbin:/usr/bin:/sbin:/bin
# Through a pipe, as a log has it.
say() { echo "# $*"; { "$@" 2>&1; echo "exit $?"; } | cat; }
modprobe -q vfio_iommu_type1 || echo "no vfio_iommu_type1"
find /dev/vfio | sed 's/^/file: /'
dmesg | grep 'e1000e 0000:' | sed 's/^/before: /'
say vfio-boot status
say vfio-boot doctor
say vfio-boot export qemu
words=$(vfio-boot export qemu 2>/dev/null)
begin_machine $words
for file in /proc/$qemu/fd/*; do readlink $file; done | sed -n 's,^/dev/,open: ,p'
say vfio-boot release 03:00
end_machine
echo "qemu: exit $?"
tr -d '\r' </run/monitor.log | grep -c 'dev: vfio-pci,' | sed 's/^/qemu: devices /'
sed 's/^/qemu says: /' /run/qemu.log
# The disk is claimed while somebody has the card open, and one that has it open is named.
group=$(link /sys/bus/pci/devices/0000:03:00.0/iommu_group)
vfio-check -w /run/let-go $group 0000:03:00.0 0000:03:00.1 >/run/checked &
wait_for grep -q viable /run/checked
say vfio-boot release 03:00.1
say vfio-boot claim 04:00.0
touch /run/let-go
wait $!
say vfio-boot release 03:00 04:00.0
udevadm settle --timeout=60
for dev in 0000:03:00.0 0000:03:00.1 0000:04:00.0; do echo "released: $dev $(link /sys/bus/pci/devices/$dev/driver)"; done
dmesg | grep -E 'BUG:|Oops|Call Trace|DMAR.*fault' | sed 's/^/kernel: /'
END

my $said = $boot->text('test');
diag($said) if $ENV{VFIO_BOOT_VERBOSE};
sub answer {
	my ($command) = @_;
	my @answers = $said =~ /^# \Q$command\E\n(.*?^exit \d+)$/msg;
	return wantarray ? @answers : $answers[0] // '';
}

# The boot.
is($boot->held_by('vfio-pci'), "@card", 'the claim is made');
like($said, qr/^before: .* 0000:09:00\.0/m, 'e1000e was loaded');
unlike($said, qr/^before: .* \Q$_\E/m, "and never had $_") for @card;
$boot->usable($boot->pci($card[0])->{group}, @card);
is($boot->report($_)->{verdict}, 'claimed', "$_ is reported as claimed") for @card;
is(scalar($boot->log(qr/modprobe|type1/)), 0, 'nobody misses vfio_iommu_type1');
like($said, qr/^no vfio_iommu_type1$/m, 'which this kernel has not');
like($said, qr{^file: /dev/vfio/devices/vfio\d$}m, 'there are files of devices');
unlike($said, qr{^file: /dev/vfio/(?:\d|vfio)}m, 'and none of groups');
like(answer('vfio-boot status'), qr/^exit 0$/m, 'status is content');
like(answer('vfio-boot doctor'), qr/^ok  kernel +\S+: vfio-pci built in, no VFIO groups: guests reach devices through \/dev\/iommu alone$/m, 'doctor says what kind of kernel it is');

# A virtual machine.
like(answer('vfio-boot export qemu'), qr/this kernel has no VFIO groups: printed as with --iommufd/, 'export knows');
like($said, qr/^qemu: exit 0$/m, 'QEMU takes its words');
like($said, qr/^qemu: devices 2$/m, 'and has both devices');
unlike($said, qr/^qemu says:/m, 'and nothing to complain about');
like($said, qr{^open: iommu$}m, 'it has /dev/iommu open');
is(scalar(() = $said =~ m{^open: vfio/devices/vfio\d$}mg), 2, 'and both devices');
my ($first, $last) = answer('vfio-boot release 03:00');
like($first // '', qr/^\Q$_\E .*: refused, in-use: its group is open, by loader \(process \d+\) \(end it first\)$/m, "release names who has $_: the loader of tests/qemu/boot -E is QEMU") for @card;
unlike($said, qr/waited in vain/, 'what was to come has come');
like(answer('vfio-boot release 03:00.1'), qr/: refused, in-use: its group is open, by vfio-check \(process \d+\)/, 'so it does with one function of the group');
like(answer('vfio-boot claim 04:00.0'), qr/^\Q$disk\E .*: claimed for vfio-pci.*\nexit 0$/ms, 'a claim beside it works');
like(answer('vfio-boot release 03:00 04:00.0'), qr/^exit 0$/m, 'all are released in the end');
like($said, qr/^released: \Q$_\E e1000e$/m, "$_ is with its driver") for @card;
like($said, qr/^released: \Q$disk\E nvme$/m, "$disk, too");
unlike($said, qr/^kernel:/m, 'the kernel has nothing to complain about');
done_testing();
