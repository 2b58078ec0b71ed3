#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Of a group of two only one is selected: the group is refused, and both devices
# work with their own drivers as if nothing had been asked for.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 15;

my $boot = Guest->boot('incomplete', conf => "ids = 0000:02:01.0\n");

is($boot->held_by('vfio-pci'), '', 'vfio-pci holds nothing');
is($boot->driver('0000:02:01.0'), 'e1000', 'the network card is with e1000');
is($boot->driver('0000:02:02.0'), 'snd_hda_intel', 'the sound device is with snd_hda_intel');
is($boot->pci($_)->{override}, '(null)', "$_ has no override") for '0000:02:01.0', '0000:02:02.0';
like($boot->text('net'), qr/^0000:02:01\.0 \S/m, 'the network card is a network interface');

my $record = $boot->report('0000:02:01.0');
is("$record->{verdict} $record->{reason}", 'refused group-incomplete', 'it is reported as refused, with the reason');
like($record->{message}, qr/0000:02:02\.0 \[8086:2668\]/, 'the message names the device that is missing');
unlike($boot->text('report'), qr/^0000:01:00\.0/m, 'the bridge of the group is not reported');
my @log = $boot->log(qr/^vfio-boot: 0000:02:01\.0.*0000:02:02\.0/);
is(scalar @log, 1, 'the kernel log says so once');
is($log[0][0], 4, 'as a warning');

like($boot->text('plan'), qr/^0000:02:01\.0 \[8086:100e\] group 6: refused, group-incomplete: /m, 'the plan for the next boot is the same');
like($boot->text('plan'), qr/^exit 1$/m, 'with exit status 1');
is($boot->text('again-pci'), $boot->text('pci'), 'a second run changes nothing');
