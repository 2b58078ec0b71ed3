#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The host comes first. Two identical disks have changed their slots: the guard fits, the disk with the root is claimed,
# and so the boot waits for its root in vain. It gets the disk back, and goes on. So does a boot whose root was named
# by force. A root that never comes ends in the usual shell, as soon as without us.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 24;

# The disk with the root is at 04:00.0, its twin at 0a:00.0, with the port of which the group numbers have moved up.
my ($disk, $twin, $card) = ('0000:04:00.0', '0000:0a:00.0', '0000:03:00.0');
my @twin = ('-R', '-t', 200, '-m', 'pcie-root-port,id=rp9,chassis=9,addr=09.0', '-m', 'nvme,serial=y,bus=rp9');

my $swapped = Guest->boot('twins-swapped', machine => \@twin, words => 'root=LABEL=root',
	conf => "ids = $disk\@1b36:0010 0000:03:00.*\nroot-wait = 4\n",
	overlay => { 'var/lib/vfio-boot/protect' => "protect = $twin\@1b36:0010  # / on nvme0n1\n" });
like($swapped->{console}, qr/nvme nvme\d+: pci function \Q$twin\E/, 'the twin has its driver from the beginning');
is($swapped->driver($disk), 'nvme', 'the disk with the root is back with its driver');
is($swapped->pci($disk)->{override}, '(null)', 'without an override');
is($swapped->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', 'the card, which cannot be the root, stays claimed');
$swapped->usable(8, '0000:03:00.0', '0000:03:00.1');
my $row = $swapped->report($disk);
is("$row->{verdict} $row->{reason}", 'given-back root-missing', 'the report says which disk was given back');
like($row->{message}, qr{^the root did not appear in 4 s, so the host has it again, bound to nvme \(if the root is on it, correct \Q$disk\E\@1b36:0010 \(/etc/vfio-boot\.conf:1:7\)\)$},
	'and which line to change');
is($swapped->report('0000:03:00.0')->{verdict}, 'claimed', 'and that the card is claimed');
my @log = $swapped->log(qr/given.back/);
is(scalar @log, 2, 'the log says it');
like($log[0][1], qr/the root did not appear in 4 s: what may be it is given back/, 'why');
like($log[1][1], qr/\Q$disk\E .*: given-back, root-missing: /, 'and which');
is($log[$_][0], 4, 'as a warning') for 0, 1;

# Named by force: nothing protects it.
my $forced = Guest->boot('twins-forced', machine => [ '-R', '-t', 200 ], words => 'root=LABEL=root vfio-boot.protect=off',
	conf => "ids = $disk\nroot-wait = 4\n", overlay => { 'var/lib/vfio-boot/protect' => "protect = $disk\@1b36:0010  # /\n" });
is($forced->driver($disk), 'nvme', 'a root that was claimed by force comes back');
is($forced->report($disk)->{reason}, 'root-missing', 'which is reported');

# A root that there is not: when the kernel restarts for panic=-1, in seconds since its start.
sub gives_up {
	my ($name, $words) = @_;
	my $dir = "$Guest::top/build/qemu/$name";
	Guest::write_file("$dir/overlay/etc/vfio-boot.conf", "ids = 0000:03:00.*\nroot-wait = 4\n");
	Guest::write_file("$dir/overlay/var/lib/vfio-boot/protect", "# nothing\n");
	system("$Guest::here/boot", '-i', $Guest::image, '-t', 200, '-c', "root=LABEL=nowhere rd.retry=30 $words", $dir);
	my $console = Guest::read_file("$dir/console");
	like($console, $Guest::dracut ? qr/Could not boot/ : qr/LABEL=nowhere does not exist/, "$name: the usual words");
	return $console =~ /^\[ *(\d+)\.\d+\] reboot: /m ? $1 : 0;
}
my ($with, $without) = (gives_up('twins-nowhere', ''), gives_up('twins-nowhere-off', 'vfio.ids=off'));
cmp_ok($without, '>', 30, 'without us it takes its time');
cmp_ok($with, '<', $without + 8, "and no longer with us ($with and $without s)");
