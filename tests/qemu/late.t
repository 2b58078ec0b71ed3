#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# arm64: yes
# A card that is not there at the claim, and appears before the root is mounted,
# is claimed by the second look.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 11;

# Takes the card away before the claim, and lets it come back once udev has run.
# The driver is kept out, so that the card is free when it appears.
my $boot = Guest->boot('late', conf => "ids = 0000:03:00.*\n",
	words => 'modprobe.blacklist=e1000e', overlay => Guest::around_claim(<<'BEFORE', <<'AFTER'));
for card in /sys/bus/pci/devices/0000:03:00.*; do echo 1 >$card/remove; done
BEFORE
echo 1 >/sys/bus/pci/rescan
AFTER

is($boot->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', 'vfio-pci holds the card');
# Who comes back gets a group of its own, at least on 6.1.
$boot->usable($boot->pci($_)->{group}, $_) for '0000:03:00.0', '0000:03:00.1';
is($boot->report('0000:03:00.0')->{verdict}, 'claimed', 'it is reported as claimed');
unlike($boot->text('report'), qr/\tabsent\t/, 'and no longer as absent');
is(scalar($boot->log(qr/absent/)), 0, 'which the claim did not say either: a slow bus may still bring it');
