#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# vfio.ids= on the kernel command line stands in place of the ids in the file.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 9;

my $boot = Guest->boot('command-line', conf => "ids = 0000:09:00.0\n",
	words => 'vfio.ids=0000:03:00.0,0000:03:00.1');

is($boot->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', 'what the command line names is claimed');
$boot->usable(7, '0000:03:00.0', '0000:03:00.1');
is($boot->driver('0000:09:00.0'), 'e1000e', 'what only the file names is not');
is($boot->report('0000:03:00.1')->{selector}, '0000:03:00.1', 'the report names the selector');
is($boot->report('0000:09:00.0')->{verdict}, undef, 'and not the one from the file');
