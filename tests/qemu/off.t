#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# arm64: yes
# The rescue switch on the kernel command line: nothing is claimed, whatever the
# settings say.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 6;

my $boot = Guest->boot('off', conf => "ids = 8086:10d3\n", words => 'vfio.ids=off');

is($boot->held_by('vfio-pci'), '', 'vfio-pci holds nothing');
is($boot->held_by('e1000e'), '0000:03:00.0 0000:03:00.1 0000:09:00.0', 'e1000e has its three devices');
unlike($boot->text('pci'), qr/ vfio-pci$/m, 'no device has an override');
unlike($boot->text('report'), qr/\tclaimed\t/, 'nothing is reported as claimed');
cmp_ok(scalar($boot->log(qr/\boff\b/)), '>=', 1, 'the kernel log says that it is off');
