#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The test bed itself: udev runs in the root and loads drivers, QEMU does what the guest says, and a card with SR-IOV makes
# VFs. Tests of hotplug rely on it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../qemu";
use Guest;
use Test::More tests => 28;

my $boot = Guest->boot('bed', conf => "ids = 0000:04:00.0\n", machine => [ '-U', '-H', '-S', 'igb', '-S', 'nvme' ],
	qmp => {
		plug => [ Guest::plug('one', 'hp1') ],
		unplug => [ Guest::unplug('one') ],
		both => [ Guest::plug('second', 'hp2', 1), Guest::plug('first', 'hp2', 0) ],
		third => [ Guest::plug('third', 'hp2', 2) ],
		switch => [ Guest::plug_switch('dock', 'hp3') ],
	},
	overlay => { 'etc/udev/rules.d/90-test.rules' => <<'RULES', 'etc/test' => <<'END' });
ACTION=="add", SUBSYSTEM=="pci", RUN+="/bin/sh -c 'echo %k >>/run/added'"
RULES
#!/bin/sh
pci=/sys/bus/pci/devices
link() { if [ -e "$1" ]; then basename "$(readlink "$1")"; else echo -; fi; }
# For ten seconds at most, until a command succeeds.
until_true() {
	n=0
	until "$@" || [ $n -eq 100 ]; do sleep 0.1; n=$((n + 1)); done
}
# Whether a function has come for udev as well, and its driver has it.
has_come() { [ -e $pci/$1/driver ] && grep -q $1 /run/added; }
# NAME FUNCTION...: waits for these, and tells what has become of them.
await() {
	name=$1
	shift
	for dev; do until_true has_come $dev; done
	udevadm settle
	for dev; do
		echo "$name $dev $(link $pci/$dev/driver) group $(link $pci/$dev/iommu_group) udev $(grep -c $dev /run/added)"
	done
	: >/run/added
}
say() { echo "qmp: $1" >/dev/kmsg; }

# The driver is not there, until udev loads it.
for dev in 0000:03:00.0 0000:03:00.1 0000:09:00.0; do echo 1 >$pci/$dev/remove; done
rmmod e1000e
[ -e /sys/module/e1000e ] || echo "no driver"
: >/run/added
say plug
await plug 0000:0c:00.0
say unplug
until_true [ ! -e $pci/0000:0c:00.0 ]
[ -e $pci/0000:0c:00.0 ] || echo "unplugged"
say plug
await again 0000:0c:00.0
say both
await both 0000:0d:00.0 0000:0d:00.1
# QEMU brings no function behind the first. It can be taken away and found again.
say third
echo 1 >$pci/0000:0d:00.1/remove
[ -e $pci/0000:0d:00.1 ] || echo "removed"
echo 1 >/sys/bus/pci/rescan
await later 0000:0d:00.1
say switch
await switch 0000:0e:00.0 0000:0f:00.0 0000:0f:01.0 0000:10:00.0 0000:11:00.0
echo "PF $(link $pci/0000:0a:00.0/driver)"
echo 7 >$pci/0000:0a:00.0/sriov_numvfs
vfs=
for vf in $pci/0000:0a:00.0/virtfn*; do vfs="$vfs $(link $vf)"; done
await vf $vfs
# Their driver gives up: VFs of this one have to be given queues first.
echo 4 >$pci/0000:0b:00.0/sriov_numvfs
for vf in $pci/0000:0b:00.0/virtfn*; do echo "disk $(link $vf) - group $(link $vf/iommu_group)"; done
END

my $said = $boot->text('test');
sub state { my ($line) = @_; like($said, qr/^\Q$line\E$/m, $line) }
# That a function came once for udev, and has its driver.
sub comes {
	my ($name, $dev, $driver) = @_;
	like($said, qr/^$name \Q0000:$dev\E $driver group \d+ udev 1$/m, "$name: udev sees $dev, and $driver has it");
}
sub group { my ($dev) = @_; return $said =~ /^\w+ \Q0000:$dev\E \S+ group (\d+)/m ? $1 : "none of $dev" }

state('no driver');
comes('plug', '0c:00.0', 'e1000e');
state('unplugged');
comes('again', '0c:00.0', 'e1000e');
comes('both', "0d:00.$_", 'e1000e') for 0, 1;
is(group('0d:00.0'), group('0d:00.1'), 'two functions without isolation are in one group');
like($boot->{qmp}, qr/^third: .*cannot be exposed to guest/m, 'QEMU brings no function to a card that is there');
state('removed');
comes('later', '0d:00.1', 'e1000e');
comes('switch', $_, 'pcieport') for '0e:00.0', '0f:00.0', '0f:01.0';
comes('switch', $_, 'e1000e') for '10:00.0', '11:00.0';
isnt(group('10:00.0'), group('11:00.0'), 'the cards behind the switch are in two groups');
state('PF igb');
my @vfs = map { "0a:$_" } qw(10.0 10.2 10.4 10.6 11.0 11.2 11.4);
comes('vf', $_, 'igbvf') for @vfs;
my %groups = map { group($_) => 1 } @vfs, map { "0b:00.$_" } 1 .. 4;
is(join(' ', grep { /none/ } keys %groups), '', 'the disk makes four');
is(scalar(keys %groups), 11, 'each VF is in a group of its own');
is($boot->driver('0000:04:00.0'), 'vfio-pci', 'and what the boot has claimed stays so');
