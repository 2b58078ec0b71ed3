#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Settings files that are no text, or far too big: the kernel log says so, nothing
# is claimed from them, and the boot reaches the root all the same.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 10;

# Every byte there is, in no order, around a line that would be good.
my $rubbish = join '', map { chr($_ * 73 % 256) } 0 .. 2047;
my %broken = (
	rubbish  => "$rubbish\nids = 8086:10d3\n$rubbish",
	megabyte => "ids = 8086:10d3\n" . ("# " . 'x' x 61 . "\n") x 16384,
);
for my $name (sort keys %broken) {
	my $boot = Guest->boot("broken-$name", conf => $broken{$name});
	is($boot->held_by('vfio-pci'), '', 'vfio-pci holds nothing');
	is($boot->held_by('e1000e'), '0000:03:00.0 0000:03:00.1 0000:09:00.0', 'the drivers have their devices');
	my @log = $boot->log(qr{/etc/vfio-boot\.conf});
	cmp_ok(scalar @log, '>=', 1, 'the kernel log names the file');
	cmp_ok(scalar($boot->lines('log')), '<=', 40, 'without a flood');
}
