#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# arm64: yes
# Of a group of two only one is selected: the group is refused, and both devices
# work with their own drivers as if nothing had been asked for. An SMMU knows only the
# first function behind a PCIe-to-PCI bridge up to Linux 6.12 at least ("stream already in
# tree"), so on arm64 it is the card with two functions.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 15;

my $arm64 = $Guest::arch eq 'arm64';
my ($asked, $other) = $arm64 ? qw(0000:03:00.0 0000:03:00.1) : qw(0000:02:01.0 0000:02:02.0);
my ($driver, $others) = $arm64 ? qw(e1000e e1000e) : qw(e1000 snd_hda_intel);
my $boot = Guest->boot('incomplete', conf => "ids = $asked\n");
my ($ids, $other_ids) = map { $boot->pci($_)->{ids} } $asked, $other;
my $group = $boot->group($asked);

is($boot->held_by('vfio-pci'), '', 'vfio-pci holds nothing');
is($boot->driver($asked), $driver, "the network card is with $driver");
is($boot->driver($other), $others, "the other device is with $others");
is($boot->pci($_)->{override}, '(null)', "$_ has no override") for $asked, $other;
like($boot->text('net'), qr/^\Q$asked\E \S/m, 'the network card is a network interface');

my $record = $boot->report($asked);
is("$record->{verdict} $record->{reason}", 'refused group-incomplete', 'it is reported as refused, with the reason');
like($record->{message}, qr/\Q$other [$other_ids]\E/, 'the message names the device that is missing');
unlike($boot->text('report'), qr/^0000:01:00\.0/m, 'the bridge of the group is not reported');
my @log = $boot->log(qr/^vfio-boot: \Q$asked\E.*\Q$other\E.*add it/);
is(scalar @log, 1, 'the kernel log says so once');
is($log[0][0], 4, 'as a warning');

like($boot->text('plan'), qr/^\Q$asked [$ids]\E group $group: refused, group-incomplete: /m, 'the plan for the next boot is the same');
like($boot->text('plan'), qr/^exit 1$/m, 'with exit status 1');
is($boot->text('again-pci'), $boot->text('pci'), 'a second run changes nothing');
