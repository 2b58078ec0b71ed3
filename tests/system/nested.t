#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# A virtual machine in the test machine boots the kernel of the suite with what is claimed, in the words of `vfio-boot export
# qemu`: it drives the card and the disk, with their interrupts, and the host has them back when it has ended. nested.sh runs
# in the test machine, nested-init in the virtual machine.
# builders: initramfs-tools

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../qemu";
use Guest;
use Test::More;

my @card = ('0000:03:00.0', '0000:03:00.1');
my @mac = ('52:54:00:c0:ff:01', '52:54:00:c0:ff:02');
my $disk = '0000:04:00.0';
my $dir = "$Guest::top/build/qemu/nested-system";
is(system("$FindBin::Bin/nested-files", "$dir-files"), 0, 'there is something to boot') or die "no files\n";
Guest::write_file("$dir.img", "written outside\n");
truncate "$dir.img", 64 << 20 or die "$dir.img: $!\n";
my $boot = Guest->boot('nested-system', conf => "ids = @card $disk\n", machine => [ '-U', '-E', '-a', "$dir-files", '-t', 1500,
	'-N', "file=$dir.img,format=raw", '-x', '-m 1536 -set device.disk.serial=nested -netdev user,id=lan,restrict=on'
	. " -set device.card0.netdev=lan -set device.card0.mac=$mac[0] -set device.card1.mac=$mac[1]" ]);
my $said = $boot->text('test');
diag($said) if $ENV{VFIO_BOOT_VERBOSE};

like($said, qr/^guest: exit 0$/m, 'the virtual machine boots and powers off');
unlike($said, qr/^qemu says/m, 'QEMU has nothing to complain about');
like($said, qr/^$_: status 0$/m, "$_: status is content") for 'before', 'during', 'after';
like($said, qr/^during: it runs, /m, 'it ran meanwhile');
like($said, qr/^guest: card $mac[$_] e1000e$/m, "it has the card of $mac[$_], with its driver") for 0, 1;
like($said, qr/^guest: disk nested nvme$/m, 'and the disk, by its serial number, with its driver');
like($said, qr/^guest: read written outside$/m, 'it reads what is on the disk');
like($said, qr/^guest: read back written in the virtual machine$/m, 'and what it has written');
like($said, qr/^guest: ping 3 packets transmitted, 3$/m, 'it pings through the card');
like($said, qr/^guest: irq $_\S* msix [1-9]/m, "it gets MSI-X interrupts of $_") for 'eth\d', 'nvme0q';
unlike($said, qr/^console: .*(?:BUG:|Oops|Call Trace)/m, 'its kernel has nothing to complain about');

like($said, qr/^host: \Q$_\E e1000e$/m, "release brings the driver of $_ back") for @card;
like($said, qr/^host: \Q$disk\E nvme$/m, "and that of $disk");
like($said, qr/^host: read written in the virtual machine$/m, 'the host reads what the virtual machine has written');
like($said, qr/^host: ping 3 packets transmitted, 3$/m, 'and pings through the card');
unlike($said, qr/^fault/m, 'its kernel has nothing to complain about');
open my $image, '<:raw', "$dir.img" or die "$dir.img: $!\n";
seek $image, 1 << 20, 0;
is(scalar(<$image>), "written in the virtual machine\n", 'it is on the drive');
system('rm', '-rf', "$dir.img", "$dir-files");
done_testing();
