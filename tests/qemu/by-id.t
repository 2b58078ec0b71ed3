#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# arm64: yes
# IDs select every device that has them: both functions of a card, and its twin in
# another group. Each group is claimed and usable for itself.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 23;

my $boot = Guest->boot('by-id', conf => "ids = 8086:10d3\n");
my @cards = ('0000:03:00.0', '0000:03:00.1', '0000:09:00.0');

is($boot->held_by('vfio-pci'), "@cards", 'vfio-pci holds all functions with these IDs and nothing else');
is($boot->held_by('e1000e'), '', 'e1000e holds none');
$boot->untouched($_, 'e1000e') for @cards;
$boot->usable($boot->group($cards[0]), @cards[ 0, 1 ]);
$boot->usable($boot->group($cards[2]), $cards[2]);
is($boot->driver('0000:06:02.0'), 'pcieport', 'the bridge in the group of the twin stays with pcieport');
for (@cards) {
	my $record = $boot->report($_);
	is("$record->{verdict} $record->{selector}", 'claimed 8086:10d3', "$_ is reported as claimed by its IDs");
}
is($boot->report($_, 'again-report')->{verdict}, 'already', "a second run says already of $_") for @cards;
