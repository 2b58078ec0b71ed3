#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# /run that cannot be written: read only, and full. The claim is made all the same,
# and the kernel log says that there is no report. Two runs at once: one after the
# other, and both say the same.
# builders: initramfs-tools

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 27;

my $conf = "ids = 0000:03:00.*\n";
my %run = (
	'read-only' => "mount -o remount,ro /run\n/scripts/init-top/00-vfio-boot\nmount -o remount,rw /run\n",
	full => "mkdir -p /run/vfio-boot; mount -t tmpfs -o size=4k none /run/vfio-boot\n"
		. "dd if=/dev/zero of=/run/vfio-boot/fill bs=1k count=8 2>/dev/null\n/scripts/init-top/00-vfio-boot\n"
		. "umount /run/vfio-boot\n",
);
for my $case (sort keys %run) {
	my $boot = Guest->boot("run-$case", conf => $conf,
		overlay => { 'scripts/init-top/ORDER' => "$run{$case}/scripts/init-top/udev\n" });
	is($boot->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', "$case: the card is claimed");
	$boot->usable(7, '0000:03:00.0', '0000:03:00.1');
	my @log = $boot->log(qr{^vfio-boot: /run/vfio-boot/report: });
	is(scalar @log, 1, 'the kernel log says that there is no report');
	is($log[0][0], 3, 'as an error');
	is($boot->report($_)->{verdict}, 'already', "the second look reports $_") for '0000:03:00.0', '0000:03:00.1';
}

my $two = Guest->boot('run-two', conf => $conf, overlay => { 'scripts/init-top/ORDER' => <<'END' });
/usr/lib/vfio-boot/vfio-boot-claim & first=$!
/usr/lib/vfio-boot/vfio-boot-claim & second=$!
wait $first; echo "first ended with $?" >/dev/kmsg
wait $second; echo "second ended with $?" >/dev/kmsg
/scripts/init-top/udev
END
is($two->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', 'two at once: the card is claimed');
$two->usable(7, '0000:03:00.0', '0000:03:00.1');
is(scalar(() = $two->{console} =~ /(?:first|second) ended with 0/g), 2, 'both end well');
