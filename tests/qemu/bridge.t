#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# A bridge whose driver, the hot-plug driver shpchp, would keep its group from being
# used: it is taken off with the claim, comes back when the group is given back, and
# stays with unbind=no, where the group is refused.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 19;

my @bridge = (words => 'acpiphp.disable=1', machine => [ '-m', 'pci-bridge,id=pb,chassis_nr=20,shpc=on,addr=1b.0', '-m', 'e1000,bus=pb,addr=1.0,romfile=' ]);
# Who took it off finds it there again: a claim that fails at the probe.
my $script = <<'END';
#!/bin/sh
card=$(basename /sys/bus/pci/devices/0000:00:1b.0/0000:*)
link() { if [ -e "$1" ]; then basename "$(readlink "$1")"; else echo -; fi; }
state() { echo "$1: $(link /sys/bus/pci/devices/0000:00:1b.0/driver) $(link /sys/bus/pci/devices/$card/driver)"; }
echo "card: $card"
state before
strace -f -qq -o /run/trace -e trace=write -P /sys/bus/pci/drivers_probe -e inject=write:error=EIO:when=1 \
	/usr/lib/vfio-boot/vfio-boot-claim --cmdline "vfio.ids=$card"
state failed
/usr/lib/vfio-boot/vfio-boot-claim --cmdline "vfio.ids=$card"
state claimed
vfio-check "$(link /sys/bus/pci/devices/$card/iommu_group)" $card
END
my $boot = Guest->boot('bridge', conf => "ids = 0000:09:00.0\n", @bridge, overlay => { 'etc/test' => $script });
my $said = $boot->text('test');
my ($card) = $said =~ /^card: (\S+)$/m;
like($said, qr/^before: shpchp e1000$/m, 'shpchp has the bridge, e1000 the card behind it');
like($said, qr/^failed: shpchp e1000$/m, 'after a claim that failed both have them again');
like($said, qr/^claimed: - vfio-pci$/m, 'a claim takes shpchp off the bridge');
like($said, qr/^group \d+ viable: yes$/m, 'and the group is viable');
like($said, qr/^group \d+ iommu: ok$/m, 'to the IOMMU');
like($said, qr/^device \Q$card\E descriptor: ok$/m, 'and the device');

my $yes = Guest->boot('bridge-yes', conf => "ids = $card\n", @bridge);
is($yes->held_by('vfio-pci'), $card, 'at boot too');
$yes->usable($yes->pci($card)->{group}, $card);
is($yes->driver('0000:00:1b.0'), '-', 'the bridge has no driver');
is($yes->report('0000:00:1b.0')->{verdict}, undef, 'and is not in the report');
my $no = Guest->boot('bridge-no', conf => "ids = $card\nunbind = no\n", @bridge);
is($no->driver('0000:00:1b.0'), 'shpchp', 'unbind=no: the bridge keeps shpchp');
is($no->driver($card), 'e1000', 'and the card e1000');
is($no->report($card)->{reason}, 'unbind-not-allowed', 'the report says why');
like($no->report($card)->{message}, qr/0000:00:1b\.0 \S+ is bound to shpchp, and unbind=no/, 'and which one it is');
