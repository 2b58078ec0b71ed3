#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The install lines of README.md, run as they stand there in a Debian with systemd,
# and that Debian booted from its disk: the device is with vfio-pci.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 21;

my $readme = Guest::read_file("$Guest::top/README.md");
my ($lines) = $readme =~ /<!-- install -->\s*```\w*\n(.*?)^```/ms;
ok($lines, 'README.md has install lines');
like($lines, qr/$_/, "there is a line with $_") for 'apt', 'make install', 'vfio-boot\.conf', 'update-initramfs';

my $dir = "$Guest::top/build/qemu/install";
Guest::write_file("$dir.sh", $lines);
is(system("$Guest::here/install", "$dir.sh", "$dir-made"), 0, 'every line succeeds') or die "see $dir-made/log\n";
my $log = Guest::read_file("$dir-made/log");
unlike($log, qr/^W: vfio-boot/m, 'the hook has nothing to complain about');

my $boot = Guest->boot('install', words => 'systemd.mask=serial-getty@ttyS0.service',
	disk => "$dir-made", machine => [ '-t', 300 ]);
is($boot->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', 'vfio-pci holds the card');
$boot->usable(7, '0000:03:00.0', '0000:03:00.1');
$boot->untouched($_, 'e1000e') for '0000:03:00.0', '0000:03:00.1';
is($boot->driver('0000:09:00.0'), 'e1000e', 'its twin is with its driver');
is($boot->report($_)->{verdict}, 'claimed', "$_ is reported as claimed") for '0000:03:00.0', '0000:03:00.1';
is($boot->text('host-plan'), $boot->text('plan'), 'both programs print the same plan');
