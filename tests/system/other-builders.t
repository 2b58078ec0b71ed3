#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The commands of doc/other-builders.md, run as they stand there. An image by hand, of cpio and busybox, claims before any
# driver is loaded, carries the report over to the root, knows the rescue switch,
# gives back what may be the root, and looks a second time.
# builders: initramfs-tools

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../qemu";
use ByPage;
use Guest;
use Test::More tests => 33;

my @card = ('0000:03:00.0', '0000:03:00.1');

# What is installed, and that another PREFIX holds in all of it.
for my $prefix ('/usr', '/opt') {
	my $stage = "$Guest::top/build/qemu/install-files";
	my $said = qx(rm -rf $stage && make -s -C $Guest::top install-files DESTDIR=$stage PREFIX=$prefix 2>&1);
	is($?, 0, "make install-files PREFIX=$prefix") or diag($said);
	my $list = join ' ', sort split /\n/, qx(cd $stage && find . -type f -printf '/%P\n');
	is($list, join(' ', sort '/etc/vfio-boot.conf', '/usr/lib/udev/rules.d/60-vfio-boot.rules', map { "$prefix/lib/vfio-boot/$_" } 'vfio-boot-claim', 'image-files',
			map { "initrd/vfio-boot-$_" } 'claim.service', 'second-look.service', 'root-missing.service', 'root-missing.timer'),
		'installs just that');
	my @paths = qx(cd $stage$prefix/lib/vfio-boot && cat image-files initrd/*) =~ m{(?<![\w/])(?!/var)(/[\w/]*lib/vfio-boot\b)}g;
	my %paths = map { $_ => 1 } @paths;
	is(join(' ', sort keys %paths), "$prefix/lib/vfio-boot", 'and all of it knows where');
	is(qx(cd $stage$prefix/lib/vfio-boot && find . -type f -perm /111 -printf '%P\n' | sort | xargs), "image-files vfio-boot-claim\n", 'two of it are programs');
	Guest::write_file("$stage/etc/vfio-boot.conf", "mine\n");
	system("make -s -C $Guest::top install-files DESTDIR=$stage PREFIX=$prefix >/dev/null 2>&1");
	is(Guest::read_file("$stage/etc/vfio-boot.conf"), "mine\n", 'settings that are there stay');
}

# The card is needed by nobody for the root; its driver is in the image, to be loaded by the boot.
my $image = ByPage::image('by-hand', 'boot-tiny', "ids = @card\nroot-wait = 3\n", [ 'files', 'by-hand' ],
	qr/^drivers=.*/m => "drivers='ahci sd_mod nvme ext4 crc32c_generic e1000e'");
my $log = Guest::read_file("$image/log");
unlike($log, qr/^W: (?!vfio-boot: no device of the host is visible here)/m, 'nothing else to complain about than that a chroot shows no devices');

my $boot = Guest->boot('by-hand', image => $image);
is($boot->held_by('vfio-pci'), "@card", 'vfio-pci holds the card');
$boot->untouched($card[0], 'e1000e');
$boot->usable(7, @card);
is($boot->driver('0000:09:00.0'), 'e1000e', 'its twin is with its driver');
is($boot->report($_)->{verdict}, 'claimed', "$_ is reported as claimed in the root") for @card;

my $off = Guest->boot('by-hand-off', image => $image, words => 'vfio.ids=off');
is($off->held_by('vfio-pci'), '', 'vfio.ids=off: vfio-pci holds nothing');
is($off->held_by('e1000e'), "@card 0000:09:00.0", 'e1000e holds all cards');
cmp_ok(scalar($off->log(qr/nothing is claimed: vfio\.ids=off/)), '>=', 1, 'and the kernel log says why');

# The root is on the disk that is claimed.
my $root = Guest->boot('by-hand-root', image => $image, machine => ['-R'],
	words => 'root=/dev/nvme0n1 vfio.ids=0000:04:00.0 vfio-boot.protect=off');
is($root->driver('0000:04:00.0'), 'nvme', 'the disk with the root is back with its driver');
is($root->report('0000:04:00.0')->{reason}, 'root-missing', 'and the report says why');

# What is pending at the claim is decided by the second look: no group may come after it.
my $late = Guest->boot('by-hand-late', image => $image, words => 'intel_iommu=off');
is(scalar($late->log(qr/^vfio-boot: \Q$card[0]\E .*: pending, no-iommu/)), 1, 'without an IOMMU the card is pending first');
is($late->report($card[0])->{verdict}, 'refused', 'and the second look has decided');
