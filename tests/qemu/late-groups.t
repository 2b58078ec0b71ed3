#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# arm64: yes
# suites: trixie
# IOMMU groups that come late: a virtio-iommu, whose driver is a module in Debian 13. (It is in
# forky, too, but Linux 7.2 makes groups up to the bridge of this machine, 01:00.0, and takes
# them all back; the devices are refused there, no-iommu.)
# The claim finds no group and leaves the device pending; the second look, after udev
# has loaded the driver, completes it.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 11;

my $boot = Guest->boot('late-groups', suite => 'trixie', conf => "ids = 0000:03:00.* 0000:04:00.0\n", machine => [ '-t', 240, '-o' ],
	# This IOMMU remaps no interrupts.
	words => 'vfio_iommu_type1.allow_unsafe_interrupts=1');
my @pending = $boot->log(qr/^vfio-boot: 0000:03:00\.0 .*: pending, no-iommu: no IOMMU group yet/);
is(scalar @pending, 1, 'pending at the claim');
is($pending[0][0], 6, 'which is nothing to worry about');
is($boot->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1 0000:04:00.0', 'the second look claims the cards, and the disk');
my ($group) = $boot->pci('0000:03:00.0')->{group};
isnt($group // '-', '-', 'they have a group by now');
$boot->usable($group, '0000:03:00.0', '0000:03:00.1');
is($boot->report($_)->{verdict}, 'claimed', "$_ is reported as claimed") for '0000:03:00.0', '0000:03:00.1';
