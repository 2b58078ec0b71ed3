#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Without an IOMMU nothing is claimed. Where the firmware has one that the kernel
# does not use, groups could still come: the claim waits for the second look, and
# only that one refuses.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 14;

my $conf = "ids = 0000:03:00.*\n";
my $off = Guest->boot('iommu-off', conf => $conf, words => 'intel_iommu=off');
my $none = Guest->boot('iommu-none', conf => $conf, machine => ['-n']);
for my $boot ($off, $none) {
	is($boot->held_by('vfio-pci'), '', "$boot->{name}: vfio-pci holds nothing");
	is($boot->held_by('e1000e'), '0000:03:00.0 0000:03:00.1 0000:09:00.0', 'the drivers have their devices');
	my $record = $boot->report('0000:03:00.0');
	is("$record->{verdict} $record->{reason}", 'refused no-iommu', 'the report says why');
	is($boot->pci('0000:03:00.0')->{override}, '(null)', 'no override is left behind');
	like($boot->text('now'), qr/^exit 1$/m, 'a dry run ends with exit status 1');
}
is(scalar($off->log(qr/^vfio-boot: 0000:03:00\.0.*pending/)), 1, 'pending at the claim');
is(scalar($off->log(qr/^vfio-boot: 0000:03:00\.0.*refused, no-iommu/)), 1, 'refused at the second look');
