#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Drivers that were faster: one that an earlier script loaded, and one that is built
# into the kernel. Both are taken off, with unbind=no neither is.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 25;

my @serial = (machine => [ '-m', 'pci-serial,addr=1d.0' ]);
my $before = <<'END';
modprobe e1000e
for card in 0000:03:00.0 0000:03:00.1; do
	for i in 1 2 3 4 5 6 7 8 9 10; do [ -e /sys/bus/pci/devices/$card/driver ] || sleep 1; done
done
for dev in 0000:03:00.0 0000:03:00.1 0000:00:1d.0; do
	echo "before: $dev $(readlink /sys/bus/pci/devices/$dev/driver)" >/dev/kmsg
done
END
my $conf = "ids = 0000:03:00.* 0000:00:1d.0\n";
my $yes = Guest->boot('bound', conf => $conf, @serial, overlay => Guest::around_claim($before));
my $no  = Guest->boot('bound-unbind-no', conf => "${conf}unbind = no\n", @serial,
	overlay => Guest::around_claim($before));

for my $boot ($yes, $no) {
	like($boot->{console}, qr{before: 0000:03:00\.$_ \S*/e1000e\b}, "$boot->{name}: e1000e has 03:00.$_ first") for 0, 1;
	like($boot->{console}, qr{before: 0000:00:1d\.0 \S*/serial\b}, 'and serial its own, built into the kernel');
}
is($yes->held_by('vfio-pci'), '0000:00:1d.0 0000:03:00.0 0000:03:00.1', 'unbind=yes: vfio-pci holds all three');
$yes->usable($yes->pci('0000:00:1d.0')->{group}, '0000:00:1d.0');
$yes->usable($yes->pci('0000:03:00.0')->{group}, '0000:03:00.0', '0000:03:00.1');
is($yes->report($_)->{verdict}, 'claimed', "$_ is reported as claimed") for '0000:03:00.1', '0000:00:1d.0';

is($no->held_by('vfio-pci'), '', 'unbind=no: it holds nothing');
is($no->driver('0000:03:00.0'), 'e1000e', 'the card is with e1000e');
is($no->driver('0000:00:1d.0'), 'serial', 'and the port with serial');
is($no->report($_)->{reason}, 'unbind-not-allowed', "$_ is refused for that") for '0000:03:00.0', '0000:00:1d.0';
# The plan for the next boot knows that e1000e is a module, and serial is not.
like($no->text('plan'), qr/^0000:03:00\.0 .*: claim for vfio-pci$/m, 'the plan: the next boot would have the card');
like($no->text('plan'), qr/^0000:00:1d\.0 .*: refused, unbind-not-allowed/m, 'but not the port');
