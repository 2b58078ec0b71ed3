#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The image that people boot, MODULES=most: many more drivers are in it, and the
# claim is still the first to come.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 14;

my $boot = Guest->boot('most', conf => "ids = 0000:03:00.*\n", image => $Guest::dracut ? 'dracut-most' : 'most', machine => [ '-t', 240 ]);

is($boot->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', 'vfio-pci holds the card and nothing else');
$boot->usable(7, '0000:03:00.0', '0000:03:00.1');
$boot->untouched($_, 'e1000e') for '0000:03:00.0', '0000:03:00.1';
is($boot->driver('0000:09:00.0'), 'e1000e', 'the twin is left to its driver');
is($boot->driver('0000:00:1f.2'), 'ahci', 'the root disk is where it was');
is($boot->report($_)->{verdict}, 'claimed', "$_ is reported as claimed") for '0000:03:00.0', '0000:03:00.1';
