#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The commands of doc/other-builders.md for an image with systemd, which another builder has made (dracut without our
# module): an archive behind it is enough. The units claim, give back what may be the root, and look a second time.
# builders: initramfs-tools
# suites: bookworm trixie forky

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../qemu";
use ByPage;
use Guest;
use Test::More tests => 19;

my @card = ('0000:03:00.0', '0000:03:00.1');
my $image = ByPage::image('systemd', 'boot-dracut', "ids = @card\nroot-wait = 3\n", [ 'files', 'systemd' ], from => 'dracut-without');
my @end = (words => 'rd.shell=0 rd.emergency=poweroff systemd.log_target=kmsg systemd.log_level=info');

my $boot = Guest->boot('systemd', image => $image, @end);
is($boot->held_by('vfio-pci'), "@card", 'vfio-pci holds the card');
$boot->untouched($card[0], 'e1000e');
$boot->usable(7, @card);
is($boot->driver('0000:09:00.0'), 'e1000e', 'its twin is with its driver');
is($boot->report($_)->{verdict}, 'claimed', "$_ is reported as claimed in the root") for @card;
ok($boot->{console} =~ /systemd\[1\]: Finished vfio-boot-second-look\.service.*systemd\[1\]: Mounting sysroot\.mount/s,
	'the second look was made before the root was mounted');

my $off = Guest->boot('systemd-off', image => $image, words => "$end[1] vfio.ids=off");
is($off->held_by('vfio-pci'), '', 'vfio.ids=off: vfio-pci holds nothing');
is($off->held_by('e1000e'), "@card 0000:09:00.0", 'e1000e holds all cards');

# The root is on the disk that is claimed.
my $root = Guest->boot('systemd-root', image => $image, machine => [ '-R', '-t', 200 ],
	words => "$end[1] root=LABEL=root vfio.ids=0000:04:00.0 vfio-boot.protect=off");
is($root->driver('0000:04:00.0'), 'nvme', 'the disk with the root is back with its driver');
is($root->report('0000:04:00.0')->{reason}, 'root-missing', 'and the report says why');
