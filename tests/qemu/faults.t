#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Settings with faults: a device that is not there, a selector that is none, a
# setting that does not exist. Each is reported; the rest holds.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 10;

my $boot = Guest->boot('faults', conf => <<'END');
# line 1
ids = 0000:03:00.*
ids = 10de:2204
ids = 0000:zz:00.0
colour = red
END

is($boot->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', 'the device that is there is claimed');
is($boot->driver('0000:09:00.0'), 'e1000e', 'its twin is not');
is($boot->report('10de:2204')->{verdict}, 'absent', 'the device that is not there is reported as absent');
my @absent = $boot->log(qr/^vfio-boot: 10de:2204.*absent/);
is(scalar @absent, 1, 'the kernel log says so once');
is($absent[0][0], 4, 'as a warning');
is(scalar($boot->log(qr{/etc/vfio-boot\.conf:4:7\b})), 1, 'the selector that is none: file, line and column');
is(scalar($boot->log(qr{/etc/vfio-boot\.conf:5\b.*colour})), 1, 'the unknown setting: file, line and name');
like($boot->text('plan'), qr{/etc/vfio-boot\.conf:4:7}, 'the plan names the faults too');
like($boot->text('plan'), qr/^exit 2$/m, 'with exit status 2');
