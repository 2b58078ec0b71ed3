#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The commands of doc/other-builders.md for tiny-initramfs, whose images have no shell and no modprobe: a script in front of
# its /init claims before that loads a driver, and the report gets into the running system.
# builders: initramfs-tools

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../qemu";
use ByPage;
use Guest;
use Test::More tests => 19;

my @card = ('0000:03:00.0', '0000:03:00.1');
# Nobody can see in a chroot what the root needs.
my $image = ByPage::image('tiny', 'boot-tiny', "ids = @card\n", ['tiny-initramfs'],
	qr/^mktirfs -o/m => 'mktirfs -m no --include-modules=ahci,sd_mod,ext4,crc32c_generic,e1000e -o');
my $log = Guest::read_file("$image/log");
unlike($log, qr/^W: (?!vfio-boot: no device of the host is visible here)/m, 'nothing else to complain about than that a chroot shows no devices');
my ($line) = ByPage::page() =~ m{^echo '(C .*)' >/etc/tmpfiles\.d/}m;
ok($line, 'the page has a line for systemd-tmpfiles');

# What systemd does with that line and before it. /etc/test is all that is executable of what a test brings.
my $begin = <<'END';
#!/bin/sh
[ $$ -eq 1 ] || exit 0
mount -t sysfs sysfs /sys
mount -t tmpfs run /run
read -r what to mode user group age from </etc/line
if [ "$what" = C ]; then mkdir -p "${to%/*}" && cp "$from" "$to"; fi
exec /sbin/init
END
my %root = (overlay => { 'etc/test' => $begin, 'etc/line' => "$line\n" });

my $boot = Guest->boot('tiny', image => $image, words => 'init=/etc/test', %root);
is($boot->held_by('vfio-pci'), "@card", 'vfio-pci holds the card');
$boot->untouched($card[0], 'e1000e');
$boot->usable(7, @card);
is($boot->driver('0000:09:00.0'), 'e1000e', 'its twin is with its driver');
is($boot->report($_)->{verdict}, 'claimed', "$_ is reported as claimed in the root") for @card;
# Of modules that need another processor it complains without us, too.
is(join(' ', grep { !/No such device/ } $boot->{console} =~ /^(initramfs: .*?)\s*$/mg), '', 'tiny-initramfs has nothing to complain about');

my $off = Guest->boot('tiny-off', image => $image, words => 'vfio.ids=off init=/etc/test', %root);
is($off->held_by('vfio-pci'), '', 'vfio.ids=off: vfio-pci holds nothing');
is($off->held_by('e1000e'), "@card 0000:09:00.0", 'e1000e holds all cards');
cmp_ok(scalar($off->log(qr/nothing is claimed: vfio\.ids=off/)), '>=', 1, 'and the kernel log says why');
