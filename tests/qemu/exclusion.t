#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Of two identical cards one is kept back: IDs select both, an exclusion takes the
# twin away again, and it stays with its driver.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 11;

my $boot = Guest->boot('exclusion', conf => "ids = 8086:10d3 !0000:09:00.0\n");

is($boot->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', 'vfio-pci holds the card');
$boot->usable(7, '0000:03:00.0', '0000:03:00.1');
is($boot->driver('0000:09:00.0'), 'e1000e', 'the twin is with its driver');
is($boot->pci('0000:09:00.0')->{override}, '(null)', 'and has no override');
like($boot->text('net'), qr/^0000:09:00\.0 \S/m, 'it is a network interface');
is($boot->report('0000:09:00.0')->{verdict}, 'excluded', 'the report says that it was excluded');
like($boot->text('again'), qr/^exit 0$/m, 'which is no fault');
