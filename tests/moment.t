#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What changes between the decision and the act: while the module is loaded, somebody mounts the disk, plugs something
# in, writes an override. The claim looks again, writes nothing, and tells both facts. Looks that claim nothing open no
# disk exclusively. What is sick costs nobody else.

use strict;
use warnings;
use Cwd 'abs_path';
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;
use Time::HiRes 'time';

my $root = 'build/moment';
my $pci = "$root/sys/bus/pci";
my ($disk, $net) = ('0000:04:00.0', '0000:03:00.0');
my @claim = (@as_root, 'build/vfio-boot-claim', '--sysroot', $root);

sub rows { return slurp("$root/run/vfio-boot/report") }
sub override { return slurp("$pci/devices/$_[0]/driver_override") }

# A disk that nvme holds and nobody uses, and files that a claim writes to.
sub tree {
	my ($settings) = @_;
	q35($root, $settings);
	make_path("$pci/drivers/nvme");
	spew("$pci/drivers/nvme/unbind", '');
}

# Claims the disk; while modprobe runs, a file or directory takes the place of another: [PATH, TEXT].
sub claim_while {
	my ($settings, @changes) = @_;
	tree($settings);
	my $moves = '';
	for (@changes) {
		my ($path, $text) = @$_;
		if (defined $text) {
			spew("$root/later/$path", $text);
		} else {
			make_path("$root/later/$path");
		}
		make_path("$root/$path" =~ s{/[^/]*\z}{}r);
		$moves .= "later/$path $path\n";
	}
	spew("$root/modprobe.moves", $moves);
	system("@claim 2>$root/stderr");
	return $? >> 8;
}

my $holders = "sys/devices/pci0000:00/0000:00:04.0/$disk/nvme/nvme0/nvme0n1/holders";
my $device = "sys/devices/pci0000:00/0000:00:04.0/$disk";
my @changes = (
	['a disk is mounted', 'in-use', 'since the decision nvme0n1 on it is mounted (free it first)',
		['proc/mounts', "/dev/nvme0n1 /mnt ext4 rw 0 0\n"]],
	['a disk gets a holder', 'in-use', 'since the decision nvme0n1 on it is held (LVM, LUKS, RAID) (free it first)', ["$holders/md0"]],
	['virtual functions are made', 'in-use', 'since the decision it has VFs enabled (free it first)', ["$device/sriov_numvfs", "2\n"]],
	['another device is at the address', 'guard-mismatch',
		'since the decision another device is there: 10de:2204:1458:4043, not 1b36:0010:1af4:1100',
		["$device/modalias", "pci:v000010DEd00002204sv00001458sd00004043bc03sc00i00\n"]],
	['somebody writes an override', 'overridden', 'since the decision somebody set its driver_override to pci-stub (clear it first)',
		["$device/driver_override", "pci-stub\n"]],
	['a device joins the group', 'group-member-refused', '0000:0a:00.0 has joined its group since the decision',
		['sys/kernel/iommu_groups/8/devices/0000:0a:00.0', '']],
);
for (@changes) {
	my ($what, $reason, $message, @paths) = @$_;
	is(claim_while("ids = $disk\n", @paths), 1, "$what while a module is loaded: exit status 1");
	like(rows(), qr/^\Q$disk\E\t\S+\t8\trefused\t$reason\t-\t\Q$disk\E\t\Q$message\E$/m, 'it is refused, with both facts');
	like(slurp("$root/dev/kmsg"), qr/^<4>vfio-boot: \Q$disk\E .*: refused, $reason: \Q$message\E$/m, 'and so in the log');
	is(slurp("$pci/drivers/nvme/unbind"), '', 'its driver stays');
	like(override($disk), qr/^(?:\(null\)|pci-stub)?\n/, 'without an override of ours');
}
is(claim_while("ids = $disk\n", ['proc/mounts', "/dev/nvme0n1 /home/me/x fuse.mine rw,user_id=1000 0 0\n"]), 1, 'a fuse mount with the name of the disk');
is(slurp("$pci/drivers/nvme/unbind"), $disk, 'keeps nobody from the disk');
is(claim_while("ids = $disk\n", ['proc/mounts', "/dev/nvme0n1 /win fuseblk rw 0 0\n"]), 1, 'a disk that a program mounts');
is(slurp("$pci/drivers/nvme/unbind"), '', 'is mounted all the same');

# An exclusive open makes a mount at the same moment fail. Only the claim of that very disk may risk it.
sub opens_of {
	my (@command) = @_;
	system(@as_root, 'strace', '-f', '-qq', '-o', "$root.trace", '-e', 'trace=open,openat', @command, '--sysroot', $root);
	return join "\n", grep { /O_EXCL/ && m{dev/} && !/O_CREAT/ } split /\n/, slurp("$root.trace");
}
tree("ids = $disk $net\n");
spew("$root/dev/$_", '') for 'nvme0n1', 'sda';
is(opens_of('build/vfio-boot-claim', '--dry-run'), '', 'vfio-boot-claim --dry-run opens no disk exclusively');
is(opens_of('build/vfio-boot', 'plan', '--now'), '', 'nor does vfio-boot plan --now');
tree("ids = $net\n");
spew("$root/dev/$_", '') for 'nvme0n1', 'sda';
is(opens_of('build/vfio-boot-claim'), '', 'nor a claim of something else');
tree("ids = $disk\n");
spew("$root/dev/$_", '') for 'nvme0n1', 'sda';
like(opens_of('build/vfio-boot-claim'), qr{\A[^\n]*"dev/nvme0n1", [^\n]*O_EXCL[^\n]*\z}, 'the claim of a disk opens that disk');

# EBUSY of that open is a use that shows nowhere else (a disk of ZFS).
tree("ids = $disk\n");
spew("$root/dev/nvme0n1", '');
system(@as_root, 'strace', '-f', '-qq', '-o', '/dev/null', '-P', 'dev/nvme0n1', '-e', 'inject=openat:error=EBUSY',
	'build/vfio-boot-claim', '--sysroot', $root);
like(rows(), qr/\trefused\tin-use\t.*since the decision nvme0n1 on it is open \(free it first\)$/m, 'a disk that somebody has open exclusively is refused');
is(slurp("$pci/drivers/nvme/unbind"), '', 'and keeps its driver');

# Native multipath: a disk with two paths is a use of both controllers, found without a list of all disks for each disk.
sub multipath {
	my ($disks) = @_;
	tree("ids = $disk $net\n");
	unlink glob "$root/sys/class/block/*";
	for my $n (0 .. $disks - 1) {
		my $head = "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n$n";
		make_path("$root/$head/nvme0n${n}p1");
		symlink "../../../$head", "$root/sys/class/block/nvme0n$n";
		symlink "../../../$head/nvme0n${n}p1", "$root/sys/class/block/nvme0n${n}p1";
		symlink "../../devices/pci0000:00/0000:00:04.0/$disk/nvme/nvme0/nvme0c0n$n", "$root/sys/class/block/nvme0c0n$n";
		symlink "../../devices/pci0000:00/0000:00:03.0/$net/nvme/nvme1/nvme0c1n$n", "$root/sys/class/block/nvme0c1n$n";
	}
}
multipath(1);
spew("$root/proc/mounts", "/dev/nvme0n0p1 /mnt ext4 rw 0 0\n");
system("@claim --dry-run >$root/out 2>&1");
like(slurp("$root/out"), qr/^\Q$_\E .*: refused, in-use: nvme0n0p1 on it is mounted/m, "a disk with two paths is a use of $_") for $disk, $net;
sub calls {
	multipath($_[0]);
	system(@as_root, 'strace', '-f', '-qq', '-o', "$root.trace", 'build/vfio-boot-claim', '--dry-run', '--sysroot', $root);
	return scalar split /\n/, slurp("$root.trace");
}
my @calls = map { calls($_) } 100, 200, 400;
cmp_ok($calls[2] - $calls[1], '<', 2.2 * ($calls[1] - $calls[0]), "twice the disks are twice the calls (@calls)");

# Somebody who looks at no disk cannot say that none is in use.
tree("ids = $disk\n");
remove_tree("$root/sys/class/block");
spew("$root/sys/class/block", '');
system("@claim 2>$root/stderr");
like(rows(), qr/^-\t-\t-\tfailed\t/m, '/sys/class/block cannot be listed: the devices cannot be read');
is(slurp("$pci/drivers/nvme/unbind"), '', 'and nothing is taken');

# A device whose attribute does not come back: its name is said, and the others are claimed.
tree("ids = $disk $net\ntimeout = 8\n");
spew("$pci/devices/$net/driver_override", "(null)\n");
system(@as_root, 'strace', '-f', '-qq', '-o', '/dev/null', '-P', abs_path("$pci/devices/0000:03:00.1/driver_override"),
	'-e', 'trace=read', '-e', 'inject=read:delay_enter=9000000', @claim[ @claim - 3 .. $#claim ]);
like(rows(), qr/^0000:03:00\.1\t\S+\t7\tfailed\ttimeout\t-\t-\tprocess \d+ is still running after the time limit, waiting for: its driver_override \(a driver holds its lock\)\t\d+\@\d+\t-$/m,
	'a device that blocks while it is read is named');
like(rows(), qr/^\Q$net\E\t\S+\t7\trefused\tgroup-member-refused\t.*0000:03:00\.1 \S+ shares its group: process/m, 'nobody touches its group');
is(slurp("$pci/drivers/nvme/unbind"), $disk, 'and the others are claimed');

# A device on which a write does not come back: the others have their share of the time, and two of them leave a third.
for my $sick ([$net], [$net, '0000:02:02.0']) {
	tree("ids = $disk $net 0000:03:00.1 0000:02:02.0 0000:02:01.0\ntimeout = 4\n");
	unlink map { "$pci/devices/$_/driver" } '0000:02:01.0', '0000:02:02.0';
	system(@as_root, 'strace', '-f', '-qq', '-o', '/dev/null', (map { ('-P', abs_path("$pci/devices/$_/driver_override")) } @$sick), '-e', 'trace=write',
		'-e', 'inject=write:delay_enter=5000000', @claim[ @claim - 3 .. $#claim ]);
	like(rows(), qr/^\Q$_\E\t\S+\t[67]\tfailed\ttimeout\t.*waiting for: vfio-pci to \S+\/\Q$_\E\/driver_override\t\d+\@\d+\t-$/m, "a write to $_ does not come back") for @$sick;
	is(slurp("$pci/drivers/nvme/unbind"), $disk, 'and another one is claimed all the same');
}

# A console on which no line comes to an end.
tree("ids = $disk\ntimeout = 2\n");
unlink "$root/dev/kmsg";
system('mkfifo', "$root/dev/kmsg") == 0 or die "no FIFO\n";
my $start = time;
system("@claim 2>$root/stderr");
cmp_ok(time - $start, '<', 3, 'a console that takes no line does not hold up the boot');
like(rows(), qr/^\Q$disk\E\t/m, 'and the report is there');
spew("$root/console", '');
system("timeout 5 cat $root/dev/kmsg >$root/console");
like(slurp("$root/console"), qr/^<3>vfio-boot: \Q$disk\E /m, 'what was to be said is said when the console wakes up');

# A caller that ignores SIGCHLD.
tree("ids = $disk\n");
{
	local $SIG{CHLD} = 'IGNORE';
	system(@claim); # a shell would not ignore it any more
}
is(slurp("$pci/drivers/nvme/unbind"), $disk, 'a caller that ignores SIGCHLD gets its claim');

# What did not bind at one look is not torn off its driver again at the next; somebody who asks for it by hand may.
tree("ids = $disk\n");
system("@claim 2>$root/stderr");
like(rows(), qr/^\Q$disk\E\t\S+\t8\tfailed\tbind\t/m, 'a disk does not bind');
spew("$pci/drivers/nvme/unbind", '');
spew("$pci/devices/$disk/driver_override", "(null)\n");
system("@claim --second-look 2>$root/stderr");
is(slurp("$pci/drivers/nvme/unbind"), '', 'the second look leaves it with its driver');
like(rows(), qr/^\Q$disk\E\t\S+\t8\tfailed\tbind\t/m, 'and the report says the same as before');
system("@as_root build/vfio-boot claim $disk --sysroot $root >/dev/null 2>$root/stderr");
is(slurp("$pci/drivers/nvme/unbind"), $disk, 'vfio-boot claim tries again');
done_testing();
