#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vfio-boot protect: what machines of all kinds live on, each a tree with the links and
# files that its kernel would show; and that the file which is written works in a plan.

use strict;
use warnings;
use Fcntl qw(LOCK_EX);
use File::Copy;
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

# More than a hundred trees of two hundred files.
in_memory('build/protect');

my $root = 'build/protect/tree';
my $file = "$root/var/lib/vfio-boot/protect";

sub in_tree { spew("$root/$_[0]", $_[1]) }

# A link at a path to another path of the tree, relative as sysfs has it.
sub to {
	my ($path, $target) = @_;
	make_path("$root/" . $path =~ s{/[^/]*\z}{}r);
	symlink '../' x ($path =~ tr{/}{}) . $target, "$root/$path" or die "$path: $!\n";
}

# A function: its folder below sys/devices, VVVV:DDDD, class. Returns the folder.
sub pci {
	my ($dir, $id, $class) = @_;
	my ($vendor, $device) = map { uc } split /:/, $id;
	my @class = $class =~ /../g;
	my ($address) = $dir =~ m{([^/]+)\z};
	in_tree("sys/devices/$dir/modalias",
		sprintf("pci:v0000%sd0000%ssv00000000sd00000000bc%ssc%si%s\n", $vendor, $device, map { uc } @class[0 .. 1], $class[2] // '00'));
	to("sys/bus/pci/devices/$address", "sys/devices/$dir");
	return $dir;
}

# A block device in that folder below sys/devices, perhaps with a number and slaves.
sub block {
	my ($dir, $number, @slaves) = @_;
	my ($name) = $dir =~ m{([^/]+)\z};
	make_path("$root/sys/devices/$dir");
	to("sys/class/block/$name", "sys/devices/$dir");
	to("sys/dev/block/$number", "sys/devices/$dir") if $number;
	in_tree("sys/devices/$dir/slaves/$_", '') for @slaves;
}

sub dm {
	my ($n, $title, @slaves) = @_;
	block("virtual/block/dm-$n", "253:$n", @slaves);
	in_tree("sys/devices/virtual/block/dm-$n/dm/name", "$title\n");
}

# What is mounted: [SOURCE, TARGET, TYPE, NUMBER, OPTIONS], as in mountinfo.
sub mounts {
	my $n = 20;
	in_tree('proc/self/mountinfo', join '', map {
		my ($source, $target, $type, $number, $options) = @$_;
		sprintf "%d 1 %s / %s rw,relatime shared:1 - %s %s %s\n", $n++, $number // '0:50', $target, $type, $source, $options // 'rw';
	} @_);
}

my ($port, $nvme, $port2, $sata, $hba, $usb, $vga, $nic);

# A machine with more than it lives on: two NVMe disks of one model, SATA, SAS, USB, a display, a card with two ports.
sub make_machine {
	remove_tree($root);
	in_tree('proc/cmdline', "quiet\n");
	in_tree('proc/sys/kernel/osrelease', "6.1.0-1-amd64\n");
	in_tree('etc/vfio-boot.conf', "ids = 144d:a808\n");
	pci('pci0000:00/0000:00:00.0', '8086:3e30', '060000');
	$vga = pci('pci0000:00/0000:00:02.0', '8086:3e98', '030000');
	$usb = pci('pci0000:00/0000:00:14.0', '8086:a36d', '0c0330');
	$sata = pci('pci0000:00/0000:00:17.0', '8086:a352', '010601');
	$port = pci('pci0000:00/0000:00:1d.0', '8086:a330', '060400');
	$nvme = pci("$port/0000:01:00.0", '144d:a808', '010802');
	$port2 = pci('pci0000:00/0000:00:1c.0', '8086:a338', '060400');
	pci("$port2/0000:02:00.0", '144d:a808', '010802');
	my $port3 = pci('pci0000:00/0000:00:1b.0', '8086:a340', '060400');
	$hba = pci("$port3/0000:03:00.0", '1000:0097', '010700');
	my $port4 = pci('pci0000:00/0000:00:1e.0', '8086:a328', '060400');
	$nic = pci("$port4/0000:04:00.0", '8086:1521', '020000');
	my $nic1 = pci("$port4/0000:04:00.1", '8086:1521', '020000');
	my $n = 0;
	for (map { "0000:$_" } qw(00:00.0 00:02.0 00:14.0 00:17.0 00:1b.0 00:1c.0 00:1d.0 00:1e.0 01:00.0 02:00.0 03:00.0 04:00.0 04:00.1)) {
		symlink "../../../kernel/iommu_groups/$n", "$root/sys/bus/pci/devices/$_/iommu_group";
		to("sys/kernel/iommu_groups/$n/devices/$_", 'sys/devices/' . (readlink("$root/sys/bus/pci/devices/$_") =~ s{.*?sys/devices/}{}r));
		$n++;
	}
	block("$nvme/nvme/nvme0/nvme0n1", '259:0');
	block("$nvme/nvme/nvme0/nvme0n1/nvme0n1p$_", "259:$_") for 1 .. 3;
	block("$port2/0000:02:00.0/nvme/nvme1/nvme1n1", '259:4');
	block("$port2/0000:02:00.0/nvme/nvme1/nvme1n1/nvme1n1p1", '259:5');
	block("$sata/ata1/host0/target0:0:0/0:0:0:0/block/sda", '8:0');
	block("$sata/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda$_", "8:$_") for 1 .. 3;
	block("$hba/host1/port-1:0/end_device-1:0/target1:0:0/1:0:0:0/block/sdb", '8:16');
	block("$hba/host1/port-1:0/end_device-1:0/target1:0:0/1:0:0:0/block/sdb/sdb1", '8:17');
	block("$usb/usb2/2-1/2-1:1.0/host2/target2:0:0/2:0:0:0/block/sdc", '8:32');
	block("$usb/usb2/2-1/2-1:1.0/host2/target2:0:0/2:0:0:0/block/sdc/sdc1", '8:33');
	make_path("$root/sys/devices/$nic/net/eth0", "$root/sys/devices/$nic1/net/eth1");
	to('sys/class/net/eth0', "sys/devices/$nic/net/eth0");
	to('sys/class/net/eth1', "sys/devices/$nic1/net/eth1");
}

my $copy = 'build/protect/machine';

# The same once more; to copy it is ten times as fast.
sub machine {
	if (-d $copy) {
		system('rm', '-rf', $root) == 0 or die "no way to start anew\n";
	} else {
		make_machine();
		rename $root, $copy or die "no machine: $!\n";
	}
	system('cp', '-a', $copy, $root) == 0 or die "no machine\n";
}
# An interface on nothing, with others below it.
sub interface {
	my ($name, @lower) = @_;
	make_path("$root/sys/devices/virtual/net/$name");
	to("sys/class/net/$name", "sys/devices/virtual/net/$name");
	to("sys/devices/virtual/net/$name/lower_$_", "sys/class/net/$_") for @lower;
}

# [INTERFACE, DESTINATION, MASK, METRIC], the addresses in dots.
sub routes {
	in_tree('proc/net/route', join '', "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n", map {
		sprintf "%s\t%08X\t00000000\t%04X\t0\t0\t%d\t%08X\t0\t0\t0\n", $_->[0], unpack('L', pack 'C4', split /\./, $_->[1]), $_->[4] // 3,
			$_->[3] // 0, unpack('L', pack 'C4', split /\./, $_->[2])
	} @_);
}

sub run {
	my (@words) = @_;
	my $text = qx(@as_root build/vfio-boot @words --sysroot $root 2>&1);
	return $text . '-- exit ' . ($? & 127 ? "signal $?" : $? >> 8) . "\n";
}

# Runs it, and what is in the file: the lines without the header and names, `A = B  # why`.
sub protect {
	my $said = run('protect');
	my $text = slurp($file);
	$text =~ s/\A(?:#[^\n]*\n){2}//;
	$text =~ s/^((?:protect|reserve) = (?!unknown).*):.*$/$1/gm;
	return $text;
}

my $p1 = 'protect = 0000:00:1d.0@8086:a330';
my $p2 = 'protect = 0000:00:1c.0@8086:a338';
my $d1 = 'protect = 0000:00:1d.0/00.0@144d:a808';
my $d2 = 'protect = 0000:00:1c.0/00.0@144d:a808';
my $s = 'protect = 0000:00:17.0@8086:a352';
my $h0 = 'protect = 0000:00:1b.0@8086:a340';
my $h = 'protect = 0000:00:1b.0/00.0@1000:0097';
my $u = 'protect = 0000:00:14.0@8086:a36d';
my $n0 = '0000:00:1e.0@8086:a328';
my $n = '0000:00:1e.0/00.0@8086:1521';
my $n1 = '0000:00:1e.0/00.1@8086:1521';

# Each: what it is, what makes the tree, what is in the file; of each line all but the names.
sub lives_on {
	my ($name, $make, @lines) = @_;
	machine();
	$make->();
	my $found = protect();
	is($found, join('', map { "$_\n" } @lines), $name);
}

my $sda = sub { mounts(['/dev/sda2', '/', 'ext4', '8:2']) };

# --- disks ------------------------------------------------------------------------------

machine();
mounts(['/dev/nvme0n1p2', '/', 'ext4', '259:2'], ['/dev/nvme0n1p1', '/boot/efi', 'vfat', '259:1'], ['tmpfs', '/tmp', 'tmpfs', '0:30']);
in_tree('proc/swaps', "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/nvme0n1p3                          partition\t1000\t0\t-2\n");
is(run('protect'), "/var/lib/vfio-boot/protect: 2 functions protected, 0 reserved\n-- exit 0\n", 'NVMe: what it says');
like(slurp($file), qr/\A# What this host lives on.*\n# Written by `vfio-boot protect`, anew at each build.*\n\Q$p1\E  # .*\n\Q$d1\E  # .*\n\z/, 'a header, and the two functions in order');
like(slurp($file), qr{^\Q$d1\E  # / on nvme0n1p2; /boot/efi on nvme0n1p1; swap on nvme0n1p3: .*\S$}m, 'each with all its reasons and its name');
my $written = slurp($file);
is(run('protect', '--print'), "$written-- exit 0\n", '--print: the same on standard output');

lives_on('a partition on SATA', $sda, "$s  # / on sda2");
lives_on('/dev/root: by its number', sub { mounts(['/dev/root', '/', 'ext4', '8:2']) }, "$s  # / on sda2");
lives_on('without numbers: by its name', sub {
	remove_tree("$root/sys/dev");
	mounts(['/dev/sda2', '/', 'ext4', '8:2']);
}, "$s  # / on sda2");
lives_on('proc/mounts alone', sub { in_tree('proc/mounts', "/dev/sda2 / ext4 rw 0 0\n") }, "$s  # / on sda2");
lives_on('what is on top of a mount is meant', sub {
	mounts(['/dev/sda2', '/', 'ext4', '8:2'], ['/dev/sdb1', '/boot', 'ext4', '8:17'], ['/dev/nvme0n1p1', '/boot', 'ext4', '259:1'], ['systemd-1', '/efi', 'autofs', '0:40']);
}, "$s  # / on sda2", "$p1  # /boot on nvme0n1p1", "$d1  # /boot on nvme0n1p1");
lives_on('LVM on LUKS', sub {
	dm(0, 'sda3_crypt', 'sda3');
	dm(1, 'vg--0-root', 'dm-0');
	dm(2, 'vg--0-swap', 'dm-0');
	mounts(['/dev/mapper/vg--0-root', '/', 'ext4', '253:1']);
	in_tree('etc/fstab', "/dev/vg-0/swap none swap sw 0 0\n");
}, "$s  # / on vg--0-root; swap on vg--0-swap");
lives_on('md over two controllers', sub {
	block('virtual/block/md0', '9:0', 'sda1', 'sdb1');
	block('virtual/block/md0/md0p1', '259:9');
	mounts(['/dev/md0p1', '/', 'ext4', '259:9']);
}, "$s  # / on md0p1", "$h0  # / on md0p1", "$h  # / on md0p1");
lives_on('multipath', sub {
	dm(0, 'mpatha', 'sda', 'sdb');
	dm(1, 'mpatha-part1', 'dm-0');
	mounts(['/dev/mapper/mpatha-part1', '/', 'ext4', '253:1']);
}, "$s  # / on mpatha-part1", "$h0  # / on mpatha-part1", "$h  # / on mpatha-part1");
lives_on('btrfs over two disks, with a number of no device', sub {
	mounts(['/dev/sda2', '/', 'btrfs', '0:22']);
	in_tree("sys/fs/btrfs/aaaa/devices/$_", '') for qw(nvme0n1p1);
	in_tree("sys/fs/btrfs/bbbb/devices/$_", '') for qw(sda2 sdb1);
}, "$s  # / on sda2", "$h0  # / on sda2", "$h  # / on sda2");
lives_on('two btrfs', sub {
	mounts(['/dev/sda2', '/', 'btrfs', '0:22'], ['/dev/nvme0n1p1', '/var', 'btrfs', '0:23']);
	in_tree("sys/fs/btrfs/$_", '') for qw(aaaa/devices/nvme0n1p1 bbbb/devices/sda2);
}, "$s  # / on sda2", "$p1  # /var on nvme0n1p1", "$d1  # /var on nvme0n1p1");
lives_on('bcache with its cache on another controller', sub {
	my $backing = "$sata/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda3/bcache";
	my $cache = "$nvme/nvme/nvme0/nvme0n1/nvme0n1p3/bcache";
	block('virtual/block/bcache0', '252:0');
	make_path("$root/sys/devices/$backing", "$root/sys/devices/$cache", "$root/sys/fs/bcache/cccc");
	to('sys/devices/virtual/block/bcache0/bcache', "sys/devices/$backing");
	to("sys/devices/$backing/cache", 'sys/fs/bcache/cccc');
	to('sys/fs/bcache/cccc/cache0', "sys/devices/$cache");
	to('sys/fs/bcache/cccc/bdev0', "sys/devices/$backing");
	mounts(['/dev/bcache0', '/', 'ext4', '252:0']);
}, "$s  # / on bcache0", "$p1  # / on bcache0", "$d1  # / on bcache0");
lives_on('a bcache volume without a backing device', sub {
	my $cache = "$nvme/nvme/nvme0/nvme0n1/nvme0n1p3/bcache";
	block('virtual/block/bcache0', '252:0');
	make_path("$root/sys/devices/$cache", "$root/sys/fs/bcache/cccc/volume0");
	to('sys/devices/virtual/block/bcache0/bcache', 'sys/fs/bcache/cccc/volume0');
	to('sys/fs/bcache/cccc/cache0', "sys/devices/$cache");
	mounts(['/dev/bcache0', '/', 'ext4', '252:0']);
}, "$p1  # / on bcache0", "$d1  # / on bcache0");
for my $links (0, 1) {
	lives_on('native NVMe multipath: ' . ($links ? 'the links of the subsystem' : 'the hidden paths'), sub {
		unlink glob "$root/sys/class/block/nvme*";
		block('virtual/nvme-subsystem/nvme-subsys0/nvme0n1', '259:20');
		block('virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1', '259:21');
		mounts(['/dev/nvme0n1p1', '/', 'ext4', '259:21']);
		if ($links) {
			to('sys/class/nvme-subsystem/nvme-subsys0', 'sys/devices/virtual/nvme-subsystem/nvme-subsys0');
			to('sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0', "sys/devices/$nvme/nvme/nvme0");
			to('sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme1', "sys/devices/$port2/0000:02:00.0/nvme/nvme1");
		} else {
			block("$nvme/nvme/nvme0/nvme0c0n1");
			block("$port2/0000:02:00.0/nvme/nvme1/nvme0c1n1");
			block("$hba/nvme/nvme3/nvme3c0n1");
		}
	}, "$p2  # / on nvme0n1p1", "$p1  # / on nvme0n1p1", "$d1  # / on nvme0n1p1", "$d2  # / on nvme0n1p1");
}
lives_on('VMD: its function and those of its domain', sub {
	my $vmd = pci('pci0000:00/0000:00:0e.0', '8086:467f', '010400');
	my $below = pci("$vmd/pci10000:e0/10000:e0:06.0", '8086:464d', '060400');
	pci("$below/10000:e1:00.0", '15b7:5011', '010802');
	block("$below/10000:e1:00.0/nvme/nvme4/nvme4n1", '259:30');
	mounts(['/dev/nvme4n1', '/', 'ext4', '259:30']);
}, 'protect = 0000:00:0e.0@8086:467f  # / on nvme4n1', 'protect = 10000:e0:06.0@8086:464d  # / on nvme4n1',
	'protect = 10000:e0:06.0/00.0@15b7:5011  # / on nvme4n1');
lives_on('a disk on USB', sub { mounts(['/dev/sdc1', '/', 'ext4', '8:33']) }, "$u  # / on sdc1");
lives_on('a name with a slash', sub {
	block("$hba/block/cciss!c0d0", '104:0');
	block("$hba/block/cciss!c0d0/cciss!c0d0p1");
	mounts(['/dev/cciss/c0d0p1', '/', 'ext4', '104:1']);
}, map { "$_  # / on cciss!c0d0p1" } $h0, $h);
lives_on('virtio-blk', sub {
	my $virtio = pci('pci0000:00/0000:00:05.0', '1af4:1001', '010000');
	block("$virtio/virtio2/block/vda", '254:0');
	block("$virtio/virtio2/block/vda/vda1", '254:1');
	mounts(['/dev/vda1', '/', 'ext4', '254:1']);
}, 'protect = 0000:00:05.0@1af4:1001  # / on vda1');
my $virtual = sub {
	my $vf = pci("$port/0000:01:00.4", '144d:a824', '010802');
	to("sys/devices/$vf/physfn", "sys/devices/$nvme");
	block("$vf/nvme/nvme5/nvme5n1", '259:40');
	mounts(['/dev/nvme5n1', '/', 'ext4', '259:40']);
};
lives_on('a virtual function, and what it is part of', $virtual,
	"$p1  # / on nvme5n1", "$d1  # / on nvme5n1", 'protect = 0000:00:1d.0/00.4@144d:a824?  # / on nvme5n1');
lacks(run('plan'), qr/guard|matches no/, 'at boot it is not there, which is no fault');
lives_on('a loop device', sub {
	block('virtual/block/loop0', '7:0');
	in_tree('sys/devices/virtual/block/loop0/loop/backing_file', "/var/images/root.img\n");
	mounts(['/dev/loop0', '/', 'squashfs', '7:0'], ['/dev/sdb1', '/var', 'ext4', '8:17']);
}, "$h0  # / on loop0; /var on sdb1", "$h  # / on loop0; /var on sdb1");
lives_on('bcachefs over two disks', sub { mounts(['/dev/sda2:/dev/sdb1', '/', 'bcachefs', '0:33']) },
	map { "$_  # / on /dev/sda2:/dev/sdb1" } $s, $h0, $h);
lives_on('XFS with its log on another disk', sub { mounts(['/dev/sda2', '/', 'xfs', '8:2', 'rw,attr2,logdev=/dev/sdb1,noquota']) }, map { "$_  # / on sda2" } $s, $h0, $h);
lives_on('the partition of an IMSM volume', sub {
	block('virtual/block/md127', '9:127');
	block('virtual/block/md126', '9:126', 'sda', 'sdb');
	block('virtual/block/md126/md126p2', '259:9');
	mounts(['/dev/md126p2', '/', 'ext4', '259:9']);
}, map { "$_  # / on md126p2" } $s, $h0, $h);
lives_on('btrfs in a subvolume, and the same once more in fstab', sub {
	mounts(['/dev/sda2', '/', 'btrfs', '0:22', 'rw,autodefrag,subvol=/@']);
	in_tree('sys/fs/btrfs/bbbb/devices/sda2', '');
	in_tree('etc/fstab', "/dev/sda2 / btrfs subvol=@,autodefrag 0 0\n/dev/sda2 /home btrfs subvol=\@home,autodefrag 0 0\n");
}, "$s  # / on sda2; /home on sda2");
lives_on('a root of which one disk cannot be told is unknown', sub {
	dm(0, 'root', 'sda2', 'ram0');
	block('virtual/block/ram0', '1:0');
	dm(1, 'more', 'dm-0', 'strange');
	block('virtual/block/strange', '250:0');
	mounts(['/dev/mapper/more', '/', 'ext4', '253:1']);
}, 'protect = unknown  # /: strange: no PCI function is on its path', "$s  # / on more");
my $layers = sub {
	my ($options, @more) = @_;
	return sub {
		mounts(['/dev/sda2', '/media/root-ro', 'ext4', '8:2'], ['tmpfs', '/media/root-rw', 'tmpfs', '0:30'], ['overlay', '/', 'overlay', '0:31', "rw,$options"], @more);
	};
};
lives_on('an overlay over a disk, with its changes in memory', $layers->('lowerdir=/media/root-ro,upperdir=/media/root-rw/overlay,workdir=/media/root-rw/work'),
	"$s  # / on overlay");
lives_on('an overlay over two, with its changes on a third', $layers->('lowerdir=/mnt/a:/media/root-ro/x,upperdir=/mnt/c/up', ['/dev/sdb1', '/mnt/a', 'ext4', '8:17'], ['/dev/sdc1', '/mnt/c', 'ext4', '8:33']),
	map { "$_  # / on overlay" } $u, $s, $h0, $h);
lives_on("an overlay of which a layer is $_", $layers->("lowerdir=/media/root-ro,upperdir=$_/up"),
	"protect = unknown  # /: overlay: the filesystem of its layer $_/up is unknown", "$s  # / on overlay") for '/gone', 'l';
lives_on('slaves in a circle', sub {
	dm(0, 'one', 'dm-1');
	dm(1, 'two', 'dm-0', 'sda1');
	mounts(['/dev/mapper/one', '/', 'ext4', '253:0']);
}, "$s  # / on one");
lives_on('a path that leads to another function, and one that is too long: bus indices', sub {
	pci("$port/0000:05:00.0", '144d:a80a', '010802');
	block("$port/0000:05:00.0/nvme/nvme6/nvme6n1", '259:50');
	my $deep = pci('pci0000:00/0000:00:1f.0', '8086:a350', '060400');
	$deep = pci(sprintf('%s/0000:%02x:00.0', $deep, 0x20 + $_), '8086:a351', '060400') for 1 .. 16;
	pci("$deep/0000:40:00.0", '144d:a80b', '010802');
	block("$deep/0000:40:00.0/nvme/nvme7/nvme7n1", '259:51');
	mounts(['/dev/nvme6n1', '/', 'ext4', '259:50'], ['/dev/nvme7n1', '/usr', 'ext4', '259:51']);
}, "$p1  # / on nvme6n1", 'protect = 0000:00:1f.0@8086:a350  # /usr on nvme7n1',
	'protect = 0000:05:00.0@144d:a80a  # / on nvme6n1',
	(map { 'protect = 0000:00:1f.0' . '/00.0' x $_ . '@8086:a351  # /usr on nvme7n1' } 1 .. 16),
	'protect = 0000:40:00.0@144d:a80b  # /usr on nvme7n1');

# --- ZFS --------------------------------------------------------------------------------

my $zfs = sub {
	mounts(['rpool/ROOT/debian', '/', 'zfs', '0:25']);
	make_path("$root/sbin");
	copy('build/klibc/zpool', "$root/sbin/zpool") or die "no zpool: $!\n";
	chmod 0755, "$root/sbin/zpool";
	in_tree('zpool.list', "rpool\t10G\t1G\t9G\t-\t-\t0%\t10%\t1.00x\tONLINE\t-\n\tmirror-0\t10G\n\t/dev/sda2\t10G\n\t/dev/sdb1\t10G\nlogs\n\t/dev/nvme0n1p3\t1G\n");
};
lives_on('ZFS: a mirror with a log', $zfs, map { "$_  # / on rpool/ROOT/debian" } $s, $h0, $p1, $d1, $h);
lives_on('a swap volume on it', sub {
	$zfs->();
	$sda->();
	in_tree('zpool.list', "\t/dev/sdb1\t10G\n");
	block('virtual/block/zd0', '230:0');
	in_tree('proc/swaps', "Filename Type Size Used Priority\n/dev/zd0 partition 1 0 -2\n");
}, "$s  # / on sda2", "$h0  # swap on zd0", "$h  # swap on zd0");
for (['there is no zpool', sub { unlink "$root/sbin/zpool" }], ["zpool list failed: cannot open 'rpool': no such pool", sub { unlink "$root/zpool.list" }]) {
	my ($why, $break) = @$_;
	lives_on("ZFS: $why", sub { $zfs->(); $break->() }, "protect = unknown  # /: rpool: the disks of this ZFS pool are unknown: $why");
}
lives_on('ZFS: special, spares, caches, a member that is a file, one that is not there', sub {
	$zfs->();
	mounts(['rpool/ROOT/debian', '/', 'zfs', '0:25'], ['/dev/sdc1', '/a\\040b', 'ext4', '8:33']);
	in_tree('zpool.list', "rpool\t10G\t1G\n\tmirror-0\t10G\n\t/dev/sda2\t10G\tONLINE\n\t9273458934\t-\tUNAVAIL\n\t/dev/disk/by-id/gone-part3\t-\tUNAVAIL\n"
		. "special\t-\t-\n\tmirror-1\n\t/dev/nvme0n1p1\t1G\ncache\t-\n\t/a b/cache file\t1G\nspare\t-\n\t/dev/sdb1\t-\n");
}, '# /: /dev/disk/by-id/gone-part3: this member of a ZFS pool is missing', map { "$_  # / on rpool/ROOT/debian" } $u, $s, $h0, $p1, $d1, $h);
lives_on('a pool with a member in itself', sub { $zfs->(); in_tree('zpool.list', "rpool\n\t/dev/sda2\t1\n\t/file\t1\n") }, "$s  # / on rpool/ROOT/debian");
lives_on('a pool whose name is an option', sub { $zfs->(); mounts(['-x/y', '/', 'zfs', '0:25']) },
	'protect = unknown  # /: -x: the disks of this ZFS pool are unknown: no name of a pool');

# --- fstab, crypttab, swap, resume ------------------------------------------------------

lives_on('fstab: noauto and nofail are left out, and what is on no device', sub {
	$sda->();
	in_tree('etc/fstab', <<'END');
# comment
/dev/sda2       /           ext4   errors=remount-ro 0 1
/dev/nvme0n1p1  /srv        ext4   defaults,nofail   0 2
/dev/nvme1n1p1  /mnt        ext4   noauto,user       0 0
/dev/sdc1       /backup     ext4   defaults          0 2
tmpfs           /tmp        tmpfs  defaults          0 0
/srv/data       /data       none   bind              0 0
/srv/b          /b          auto   bind              0 0
/srv/c          /c          auto   rbind             0 0
server:/home    /home       nfs    defaults          0 0
sshfs#me@there: /there      fuse   defaults          0 0
END
}, "$u  # /backup on sdc1", "$s  # / on sda2");
lives_on('an ESP and /boot are needed though fstab leaves them out', sub {
	$sda->();
	in_tree('etc/fstab', "/dev/sdb1 /boot/efi vfat noauto,x-systemd.automount 0 0\n/dev/sdc1 /boot ext4 nofail 0 0\n");
}, "$u  # /boot on sdc1", "$s  # / on sda2", "$h0  # /boot/efi on sdb1", "$h  # /boot/efi on sdb1");
lives_on('names by UUID, by label with blanks and control characters, by partition', sub {
	$sda->();
	to('dev/disk/by-uuid/1234-ABCD', 'dev/sdb1');
	to('dev/disk/by-label/my\x20disk\x091', 'dev/sdc1');
	to('dev/disk/by-partuuid/pppp', 'dev/nvme0n1p1');
	to('dev/disk/by-partlabel/part', 'dev/nvme1n1p1');
	in_tree('etc/fstab', "UUID=1234-ABCD /a ext4 defaults 0 0\nLABEL=my\\040disk\\0111 /b\\040\\033[1m ext4 defaults 0 0\nPARTUUID=\"pppp\" /c ext4 defaults 0 0\nPARTLABEL=part /d ext4 defaults 0 0\n");
}, "$u  # /b ?[1m on sdc1", "$s  # / on sda2", "$h0  # /a on sdb1", "$p2  # /d on nvme1n1p1", "$p1  # /c on nvme0n1p1",
	"$d1  # /c on nvme0n1p1", "$d2  # /d on nvme1n1p1", "$h  # /a on sdb1");
lives_on('names by links over links, and mapped ones', sub {
	$sda->();
	dm(3, 'vg-a', 'sdb1');
	to('dev/vg/a', 'dev/mapper/vg-a');
	to('dev/mapper/vg-a', 'dev/dm-3');
	in_tree('etc/fstab', "/dev/vg/a /a ext4 defaults 0 0\n/dev/disk/by-id/wwn-1-part1 /b ext4 defaults 0 0\n");
	make_path("$root/dev/disk/by-id");
	symlink '../../more', "$root/dev/disk/by-id/wwn-1-part1";
	to('dev/more', 'dev/over');
	symlink '/dev/sdc1', "$root/dev/over";
}, "$u  # /b on sdc1", "$s  # / on sda2", "$h0  # /a on vg-a", "$h  # /a on vg-a");
lives_on('mapped names without nodes', sub {
	$sda->();
	dm(4, 'vg-a', 'sdb1');
	dm(5, 'vg-b--c', 'sdc1');
	in_tree('etc/fstab', "/dev/mapper/vg-a /a ext4 defaults 0 0\n/dev/vg/b-c /b ext4 defaults 0 0\n");
}, "$u  # /b on vg-b--c", "$s  # / on sda2", "$h0  # /a on vg-a", "$h  # /a on vg-a");
lives_on('crypttab: without noauto and nofail', sub {
	$sda->();
	in_tree('etc/crypttab', "# comment\nhome /dev/sdb1 /root/key luks\nother /dev/sdc1 none noauto\nmore /dev/nvme0n1p1 none luks,nofail\n");
}, "$s  # / on sda2", "$h0  # crypttab home on sdb1", "$h  # crypttab home on sdb1");
lives_on('crypttab: keys and headers on other devices', sub {
	$sda->();
	to('dev/disk/by-label/stick', 'dev/sdc1');
	in_tree('etc/crypttab', "a /dev/sda3 /key:LABEL=stick luks\nb /dev/sda1 none luks,header=/dev/sdb1\nc /dev/sda1 /dev/urandom swap\nd /dev/sda1 /dev/nvme0n1p1:/key:5 keyscript=passdev\n");
}, "$u  # crypttab a: /key:LABEL=stick", "$s  # / on sda2; crypttab a on sda3; crypttab b on sda1; crypttab c on sda1; crypttab d on sda1",
	"$h0  # crypttab b: /dev/sdb1", "$p1  # crypttab d: /dev/nvme0n1p1:/key:5", "$d1  # crypttab d: /dev/nvme0n1p1:/key:5", "$h  # crypttab b: /dev/sdb1");
for (['UUID=rrrr', "$s  # / on sda2"], ['UUID=ssss', "$u  # root= on sdc1", "$s  # / on sda2"], (map { [$_, "$s  # / on sda2"] } '/dev/nfs', 'ZFS=rpool/ROOT', 'UUID=tttt', '/dev/sda2')) {
	my ($word, @lines) = @$_;
	lives_on("root=$word", sub {
		$sda->();
		in_tree('proc/cmdline', "ro root=$word\n");
		to('dev/disk/by-uuid/rrrr', 'dev/sda2');
		to('dev/disk/by-uuid/ssss', 'dev/sdc1');
	}, @lines);
}
lives_on('swap files', sub {
	mounts(['/dev/sda2', '/', 'ext4', '8:2'], ['/dev/sdb1', '/data', 'ext4', '8:17']);
	in_tree('proc/swaps', "Filename Type Size Used Priority\n/data/a\\040swap file 1 0 -2\n");
	in_tree('etc/fstab', "/swapfile none swap sw 0 0\n");
}, "$s  # / on sda2; swap on /swapfile", "$h0  # swap on /data/a swap", "$h  # swap on /data/a swap");
lives_on('resume: of the command line, and of initramfs-tools', sub {
	$sda->();
	in_tree('proc/cmdline', "root=/dev/sda2 resume=8:33 vfio.ids=off\n");
	in_tree('etc/initramfs-tools/conf.d/resume', "RESUME=UUID=rrrr\n");
	in_tree('etc/initramfs-tools/initramfs.conf', "MODULES=most\nRESUME=none\nRESUME=/dev/sda1\n");
	in_tree('etc/initramfs-tools/conf.d/more', "# RESUME=/dev/nvme0n1p1\nRESUME=auto\nRESUME=\"/dev/nvme1n1p1\"\n");
	to('dev/disk/by-uuid/rrrr', 'dev/sdb1');
}, "$u  # resume on sdc1", "$s  # / on sda2; resume on sda1", "$h0  # resume on sdb1", "$p2  # resume on nvme1n1p1", "$d2  # resume on nvme1n1p1", "$h  # resume on sdb1");
lives_on('swap on zram: nothing, and no note', sub {
	$sda->();
	block('virtual/block/zram0', '252:0');
	in_tree('sys/devices/virtual/block/zram0/backing_dev', "none\n");
	in_tree('proc/swaps', "Filename Type Size Used Priority\n/dev/zram0 partition 1 0 100\n");
}, "$s  # / on sda2");
lives_on('zram with a device behind it', sub {
	$sda->();
	block('virtual/block/zram0', '252:0');
	in_tree('sys/devices/virtual/block/zram0/backing_dev', "/dev/sdc1\n");
	in_tree('proc/swaps', "Filename Type Size Used Priority\n/dev/zram0 partition 1 0 100\n");
}, "$u  # swap on zram0", "$s  # / on sda2");
lives_on('a value longer than any', sub {
	$sda->();
	in_tree('etc/crypttab', "long UUID=${\(chr(0xff) x 1000)} none luks\n");
}, "# crypttab long: UUID=${\(chr(0xff) x 580)}", "$s  # / on sda2");
lives_on('what cannot be found is a note', sub {
	$sda->();
	in_tree('etc/fstab', "UUID=gone /srv ext4 defaults 0 2\nno\n/dev/sda3 /b btrfs defaults 0 0\n");
}, '# /etc/fstab: line 2 cannot be read', '# /srv: UUID=gone: no such block device', '# /b: sda3: the other members of its btrfs, if any, are unknown', "$s  # / on sda2; /b on sda3");
like(run('protect'), qr{^vfio-boot: /srv: UUID=gone: no such block device$}m, 'and a warning');

# --- unknown ----------------------------------------------------------------------------

my $mmc = sub {
	block('platform/soc/mmc0/mmc0:0001/block/mmcblk0', '179:0');
	block('platform/soc/mmc0/mmc0:0001/block/mmcblk0/mmcblk0p2', '179:2');
	mounts(['/dev/mmcblk0p2', '/', 'ext4', '179:2'], ['/dev/sda1', '/boot', 'ext4', '8:1']);
};
lives_on('a root on no PCI device: unknown, with what was found', $mmc,
	'protect = unknown  # /: mmcblk0: no PCI function is on its path', "$s  # /boot on sda1");
like(run('protect'), qr{\Avfio-boot: what this host lives on is unknown: /: mmcblk0: .*\n/var/lib/vfio-boot/protect: unknown: /: mmcblk0: [^\n]*\n-- exit 1\n\z}, 'which it says, with exit status 1');
lives_on('a root in an overlay', sub { mounts(['overlay', '/', 'overlay', '0:20']) }, 'protect = unknown  # /: no PCI function is below it');
lives_on('a root that is not there', sub { mounts(['/dev/sdz1', '/', 'ext4', '65:1']) }, 'protect = unknown  # /: /dev/sdz1: no such block device');
lives_on('no root', sub { mounts(['/dev/sda1', '/boot', 'ext4', '8:1']) }, 'protect = unknown  # /: nothing is mounted there', "$s  # /boot on sda1");
lives_on('a root in memory', sub { block('virtual/block/ram0', '1:0'); mounts(['/dev/ram0', '/', 'ext4', '1:0']) }, 'protect = unknown  # /: no PCI function is below it');
lives_on('no /proc', sub { remove_tree("$root/proc") }, 'protect = unknown  # this is a chroot');
lives_on('no /sys', sub { $sda->(); remove_tree("$root/sys") }, 'protect = unknown  # the PCI functions of this machine cannot be read');
like(run('protect'), qr{^vfio-boot: /sys/bus/pci/devices: .*-- exit 3\n\z}ms, 'and exit status 3');
in_tree('var/lib/vfio-boot/protect', "# old\nprotect = unknown  # why\nprotect = 0000:00:1f.2\@8086:2922  # / on sda2\nreserve = 0000:03:00.0\n");
run('protect');
like(slurp("$root/var/lib/vfio-boot/protect"), qr/\A# What .*\nprotect = unknown  # the PCI .*\nprotect = 0000:00:1f\.2\@8086:2922  # \/ on sda2\nreserve = 0000:03:00\.0\n\z/s,
	'where nothing is to be seen, what was found before goes on protecting');
my $kept = slurp("$root/var/lib/vfio-boot/protect");
run('protect');
is(slurp("$root/var/lib/vfio-boot/protect"), $kept, 'and stays as it is');

# A real chroot: process 1, which only proc of a namespace of our own shows, has another root; then it is process 1 itself.
machine();
$sda->();
for (qx(ldd build/vfio-boot) =~ m{(/\S+)}g) {
	make_path("$root$1") if m{(.*)/};
	copy($_, "$root$_") or die "$_: $!\n";
	chmod 0755, "$root$_";
}
copy('build/vfio-boot', "$root/vfio-boot") or die "no program: $!\n";
chmod 0755, "$root/vfio-boot";
my $namespace = join ' ', @as_root ? @as_root : 'unshare', qw(--mount --pid --fork sh -c);
for (['', 'this is a chroot'], ['exec ', '/: nothing is mounted there']) {
	my ($how, $why) = @$_;
	like(scalar qx($namespace 'mount -t proc proc $root/proc && ${how}chroot $root /vfio-boot protect --print; exit \$?' 2>&1),
		qr/^protect = unknown  # \Q$why\E$/m, $how ? 'but not one whose root is that of process 1' : 'a chroot with /proc and /sys');
}

# --- network ----------------------------------------------------------------------------

my @default = (['eth1', '0.0.0.0', '0.0.0.0', 100]);
lives_on('a root over NFS: the card of the route to its server', sub {
	mounts(['10.0.0.1:/root', '/', 'nfs', '0:22', 'rw,vers=3,addr=10.0.0.1']);
	routes(@default, ['eth1', '10.0.0.0', '255.0.0.0'], ['eth0', '10.0.0.0', '255.255.255.0', 5], ['eth1', '10.0.0.0', '255.255.255.0', 10]);
}, "protect = $n0  # / on 10.0.0.1; default route through eth1" =~ s/10\.0\.0\.1;/10.0.0.1:\/root;/r, "protect = $n  # / on 10.0.0.1:/root",
	"reserve = $n1  # default route through eth1");
lives_on('over a route whose mask ends within a byte', sub {
	mounts(['/dev/sda2', '/', 'ext4', '8:2'], ['10.0.17.1:/usr', '/usr', 'nfs', '0:22', 'rw,addr=10.0.17.1']);
	routes(['eth1', '10.0.0.0', '255.255.240.0'], ['eth0', '10.0.16.0', '255.255.240.0'], ['eth1', '10.0.0.0', '255.255.0.0']);
}, "$s  # / on sda2", map { "protect = $_  # /usr on 10.0.17.1:/usr" } $n0, $n);
lives_on('over IPv6', sub {
	mounts(['[fd00::1]:/root', '/usr', 'nfs4', '0:22'], ['/dev/sda2', '/', 'ext4', '8:2']);
	my @row = ('0' x 32, '00', '0' x 32, '00000400', '00000001', '00000000');
	in_tree('proc/net/ipv6_route', "fd00000000000000${\('0' x 16)} 40 ${\('0' x 32)} 00 ${\('0' x 32)} 00000100 00000001 00000000 00000001     eth0\n"
		. "${\('0' x 32)} 00 ${\('0' x 32)} 00 ${\('0' x 32)} 00000400 00000001 00000000 00000003     eth1\n"
		. "${\('0' x 32)} 00 ${\('0' x 32)} 00 ${\('0' x 32)} ffffffff 00000001 00000000 00200200       lo\n");
}, "$s  # / on sda2", "protect = $n0  # /usr on [fd00::1]:/root; default route through eth1", "protect = $n  # /usr on [fd00::1]:/root", "reserve = $n1  # default route through eth1");
lives_on('a root on nbd: the card of the default route', sub {
	block('virtual/block/nbd0', '43:0');
	mounts(['/dev/nbd0', '/', 'ext4', '43:0']);
	routes(@default);
}, "protect = $n0  # / on nbd0; default route through eth1", "protect = $n1  # / on nbd0; default route through eth1");
lives_on('iSCSI', sub {
	block('platform/host5/session2/target5:0:0/5:0:0:0/block/sdd', '8:48');
	in_tree('sys/class/iscsi_connection/connection2:0/persistent_address', "192.168.7.1\n");
	mounts(['/dev/sdd', '/', 'ext4', '8:48']);
	routes(@default, ['eth0', '192.168.7.0', '255.255.255.0']);
}, "protect = $n0  # / on sdd; default route through eth1", "protect = $n  # / on sdd", "reserve = $n1  # default route through eth1");
lives_on('iSCSI by a card that does it itself: no other card', sub {
	block("$hba/host5/session2/target5:0:0/5:0:0:0/block/sdd", '8:48');
	in_tree('sys/class/iscsi_connection/connection2:0/persistent_address', "192.168.7.1\n");
	mounts(['/dev/sdd', '/', 'ext4', '8:48']);
	routes(@default, ['eth0', '192.168.7.0', '255.255.255.0']);
}, "$h0  # / on sdd", "reserve = $n0  # default route through eth1", "$h  # / on sdd", "reserve = $n1  # default route through eth1");
lives_on('a root on a server that nobody knows: all cards with a route', sub {
	block('virtual/block/nbd0', '43:0');
	interface('virbr0');
	mounts(['/dev/nbd0', '/', 'ext4', '43:0']);
	routes(['virbr0', '10.1.0.0', '255.255.0.0'], ['eth0', '10.0.0.0', '255.255.255.0'], ['eth1', '10.2.0.0', '255.255.0.0']);
}, map { "protect = $_  # / on nbd0" } $n0, $n, $n1);
lives_on('what is mounted over NFS is not asked for once more, by a name, for fstab', sub {
	mounts(['/dev/sda2', '/', 'ext4', '8:2'], ['10.0.0.1:/usr', '/usr', 'nfs', '0:22', 'rw,addr=10.0.0.1']);
	routes(['eth0', '10.0.0.0', '255.255.255.0'], ['eth1', '10.2.0.0', '255.255.0.0']);
	in_tree('etc/fstab', "server:/usr /usr nfs defaults 0 0\nserver:/var /var/lib nfs defaults 0 0\n");
}, "$s  # / on sda2", map { "protect = $_  # /usr on 10.0.0.1:/usr" } $n0, $n);
lives_on('NVMe over TCP', sub {
	block('virtual/nvme-fabrics/ctl/nvme8/nvme8n1', '259:60');
	in_tree('sys/class/nvme/nvme8/transport', "tcp\n");
	in_tree('sys/class/nvme/nvme8/address', "traddr=192.168.7.1,trsvcid=4420\n");
	mounts(['/dev/nvme8n1', '/', 'ext4', '259:60']);
	routes(@default, ['eth0', '192.168.7.0', '255.255.255.0']);
}, "protect = $n0  # / on nvme8n1; default route through eth1", "protect = $n  # / on nvme8n1", "reserve = $n1  # default route through eth1");
lives_on('a root over NFS without a route', sub { mounts(['10.0.0.1:/root', '/', 'nfs', '0:22']) }, 'protect = unknown  # /: no route leads to 10.0.0.1');
lives_on('the default route through bridge, bond and VLAN', sub {
	$sda->();
	interface('vlan7', 'eth0');
	interface('bond0', 'vlan7');
	interface('br0', 'bond0', 'vnet0');
	interface('vnet0', 'br0');
	routes(['br0', '0.0.0.0', '0.0.0.0'], ['eth1', '10.0.0.0', '255.0.0.0'], ['eth1', '0.0.0.0', '0.0.0.0', 1, 0x201]);
}, "$s  # / on sda2", "reserve = $n0  # default route through br0", "reserve = $n  # default route through br0");
lives_on('a default route on nothing is a note', sub { $sda->(); interface('wg0'); routes(['wg0', '0.0.0.0', '0.0.0.0']) },
	'# default route: wg0: no PCI function is below this interface', "$s  # / on sda2");

for (['a route with a gateway', ['wg0', '0.0.0.0', '0.0.0.0'], ['eth0', '10.0.0.0', '255.255.0.0', 0, 1], ['eth1', '10.9.9.9', '255.255.255.255', 0, 7]],
	['any route', ['wg0', '0.0.0.0', '0.0.0.0'], ['eth1', '10.0.0.0', '255.255.0.0', 0, 1]]) {
	my ($how, @routes) = @$_;
	lives_on("the default route in a tunnel: the card of $how", sub { $sda->(); interface('wg0'); routes(@routes) },
		"$s  # / on sda2", map { "reserve = $_  # default route through wg0" } $n0, $n1);
}
lives_on('the default route through a port of Open vSwitch', sub {
	$sda->();
	interface('ovs-system', 'eth0');
	interface('vmbr0');
	routes(['vmbr0', '0.0.0.0', '0.0.0.0'], ['eth1', '10.0.0.0', '255.255.0.0', 0, 7]);
}, "$s  # / on sda2", map { "reserve = $_  # default route through vmbr0" } $n0, $n);
lives_on('two default routes, one by IPv6 and by a macvlan', sub {
	$sda->();
	interface('mac0', 'eth0');
	routes(@default);
	in_tree('proc/net/ipv6_route', "${\('0' x 32)} 00 ${\('0' x 32)} 00 fe80${\('0' x 27)}1 00000400 00000001 00000000 00000003     mac0\n");
}, "$s  # / on sda2", "reserve = $n0  # default route through eth1; default route through mac0", "reserve = $n  # default route through mac0", "reserve = $n1  # default route through eth1");
# --- passphrase -------------------------------------------------------------------------

sub keyboard {
	my ($n, $dir, $keys) = @_;
	in_tree("sys/devices/$dir/input/input$n/capabilities/key", "$keys\n");
	to("sys/class/input/input$n", "sys/devices/$dir/input/input$n");
}
my $board = '1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe';
sub crypt_tree {
	my ($crypttab) = @_;
	dm(0, 'root_crypt', 'sda3');
	mounts(['/dev/mapper/root_crypt', '/', 'ext4', '253:0']);
	keyboard(3, "$usb/usb1/1-3/1-3:1.0", $board);
	keyboard(4, 'platform/i8042/serio0', $board);
	keyboard(5, pci("$port2/0000:02:01.0", '1b73:1100', '0c0330') . '/usb3', '10000000000000 0');
	in_tree('etc/crypttab', "$crypttab\n");
}
my @root = ("$s  # / on root_crypt; crypttab root_crypt on sda3");
my @typed = ("reserve = 0000:00:02.0\@8086:3e98  # passphrase of root_crypt: the only display", "reserve = 0000:00:14.0\@8086:a36d  # passphrase of root_crypt: keyboard");
for (['none', 'root_crypt /dev/sda3 none luks'], ['a dash', 'root_crypt /dev/sda3 -'], ['no key', 'root_crypt /dev/sda3'],
	['a remembered one', 'root_crypt /dev/sda3 x luks,keyscript=decrypt_keyctl']) {
	my ($what, $line) = @$_;
	lives_on("a passphrase ($what): keyboard and display", sub { crypt_tree($line) }, sort { $a =~ s/^\w+ = //r cmp $b =~ s/^\w+ = //r } @root, @typed);
}
for ('/etc/key luks', 'none luks,keyscript=/x', 'none tpm2-device=auto', 'none fido2-device=auto', 'none pkcs11-uri=auto') {
	lives_on("$_: nothing to type", sub { crypt_tree("root_crypt /dev/sda3 $_") }, @root);
}
lives_on('another one than the root is not asked for in the initramfs', sub { crypt_tree('data /dev/sdb1 none luks') },
	"$s  # / on root_crypt", "$h0  # crypttab data on sdb1", "$h  # crypttab data on sdb1");
lives_on('nor is one that is mounted later', sub { crypt_tree('data /dev/sdb1 none luks'); dm(1, 'data', 'sdb1'); in_tree('etc/fstab', "/dev/mapper/data /data ext4 defaults 0 0\n") },
	"$s  # / on root_crypt", map { "$_  # /data on data; crypttab data on sdb1" } $h0, $h);
lives_on('but with the option initramfs it is', sub { crypt_tree('data /dev/sda1 none luks,initramfs') },
	map { s/root_crypt: /data: /r } $typed[0], $typed[1], "$s  # / on root_crypt; crypttab data on sda1");
lives_on('of two displays none is the only one', sub {
	crypt_tree('root_crypt /dev/sda3 none luks');
	pci('pci0000:00/0000:00:03.0', '10de:2204', '030000');
}, $typed[1], @root);

lives_on('a keyboard at a USB card behind a bridge: the card', sub {
	crypt_tree('root_crypt /dev/sda3 none luks');
	unlink "$root/sys/class/input/input3";
	keyboard(6, "$port2/0000:02:01.0/usb3/3-1/3-1.4/3-1.4:1.0", $board);
}, $typed[0], @root, 'reserve = 0000:00:1c.0/01.0@1b73:1100  # passphrase of root_crypt: keyboard');

# --- the file ---------------------------------------------------------------------------

machine();
mounts(['/dev/nvme0n1p2', '/', 'ext4', '259:2']);
umask 077;
run('protect');
umask 022;
is(sprintf('%04o %04o', (stat "$root/var/lib/vfio-boot")[2] & 07777, (stat $file)[2] & 07777), '0755 0644', 'the modes of folder and file, whatever the umask');
is(join(' ', map { s{.*/}{}r } glob("$root/var/lib/vfio-boot/{.p,}*")), 'protect', 'nothing is left beside it');
my $before = join ' ', (stat $file)[1, 9, 10];
$written = slurp($file);
is(run('protect'), "/var/lib/vfio-boot/protect: 2 functions protected, 0 reserved (as before)\n-- exit 0\n", 'a second run says so');
is(join(' ', (stat $file)[1, 9, 10]), $before, 'and writes nothing');
for ("protect = unknown\n", "protect = class:01\nreserve = class:02\n", "garbage\n", '', "ids = 8086:1521\n", "protect = 1:1\n" x 5000) {
	in_tree('var/lib/vfio-boot/protect', $_);
	my $inode = (stat $file)[1];
	run('protect');
	is(slurp($file), $written, 'what was there before does not matter: ' . (substr(tr/\n/ /r, 0, 30) || 'nothing'));
	isnt((stat $file)[1], $inode, 'another file takes its place');
}
chmod 0600, $file;
run('protect');
is(sprintf('%04o', (stat $file)[2] & 07777), '0644', 'a mode that shuts others out is mended');
in_tree('var/lib/vfio-boot/protect.new', 'left by one that was killed');
unlink $file;
run('protect');
is(slurp($file) . (-e "$root/var/lib/vfio-boot/protect.new" ? 'left' : ''), $written, 'a killed run is no hindrance');
unlink $file;
make_path($file);
like(run('protect'), qr{^vfio-boot: /var/lib/vfio-boot/protect: cannot be written: .*-- exit 3\n\z}ms, 'where it cannot be written: exit status 3');
is(-e "$root/var/lib/vfio-boot/protect.new" ? 'left' : '', '', 'and nothing is left');
rmdir $file;

# What plan makes of it: 144d:a808 matches the root disk and one like it.
like(run('plan'), qr{^0000:01:00\.0 .*: kept, reserved: .*unknown}m, 'plan without the file');
run('protect');
like(run('plan'), qr/^0000:01:00\.0 .*: kept, protected: the host lives on it: protect = 0000:00:1d\.0\/00\.0\@144d:a808 \(.*\): \/ on nvme0n1p2: /m, 'plan leaves the root disk, and says why');
lacks(run('plan'), qr{^vfio-boot: (?!planned|.* matches devices and claims nothing$)}m, 'and has nothing to say against the file');
like(run('plan'), qr/^0000:02:00\.0 .*: kept, reserved/m, 'and one like it, which is not named');
in_tree('etc/vfio-boot.conf', "ids = 02:00.0 144d:a808\n");
like(run('plan'), qr/^0000:01:00\.0 .*: (?:kept|refused), protected.*^0000:02:00\.0 .*: claim for vfio-pci/ms, 'the other one can be named');
in_tree('proc/cmdline', "vfio.ids=off\n");
is(run('protect') =~ s/ \(as before\)//r, "/var/lib/vfio-boot/protect: 2 functions protected, 0 reserved\n-- exit 0\n", 'vfio.ids=off does not matter');

# Two runs at once: one waits for the other.
open my $folder, '<', "$root/var/lib/vfio-boot" or die "no folder: $!\n";
flock $folder, LOCK_EX or die "no lock: $!\n";
in_tree('var/lib/vfio-boot/protect', "old\n");
system("timeout 1 @as_root build/vfio-boot protect --sysroot $root >$root/out 2>&1");
is(($? >> 8) . slurp($file), "124old\n", 'while another one writes it waits');
close $folder;
unlink $file;
symlink '../../../etc/vfio-boot.conf', $file or die "no link: $!\n";
run('protect');
is(-l $file ? 'a link' : slurp($file) . sprintf('%04o', (stat $file)[2] & 07777), "${written}0644", 'a link is replaced, not what it leads to');

# More than the file has room for: the comments are cut, then there are no entries for bridges, then one an ID, then one a class.
sub many {
	my ($count, $bridges, $ids, @mounts) = @_;
	machine();
	my @fstab;
	for (1 .. $count) {
		my $at = sprintf '%02x.%d', $_ >> 3, $_ & 7;
		# Each bridge has a bus of its own.
		my $bus = sprintf '%02x', 0x20 + $_;
		my $dir = $bridges ? pci("pci0000:20/0000:20:$at", '8086:a330', '060400') . "/0000:$bus" : 'pci0000:90/0000:90';
		$dir = pci("$dir:$at", sprintf('1af4:%04x', 0x1001 + ($_ - 1) % $ids), '010000');
		block("$dir/virtio$_/block/vd$_", "254:$_");
		my $target = '/' . 'x' x ($_ > 190 ? 1 : 1000) . $_;
		push @fstab, "/dev/vd$_ $target ext4 defaults 0 0\nUUID=gone$target ${target}x ext4 defaults 0 0\n";
	}
	mounts(['/dev/vd1', '/', 'ext4', '254:1'], @mounts);
	routes(['eth0', '0.0.0.0', '0.0.0.0'], ['eth1', '10.0.0.0', '255.255.255.0']) if @mounts;
	in_tree('etc/fstab', join '', @fstab);
	my $said = run('protect');
	cmp_ok(-s $file, '<', 65536, "$count with $bridges bridges and $ids IDs: a file that can be read");
	lacks(run('plan'), qr/64 KiB|256|nothing is claimed|vfio-boot: \/var/, 'plan takes it');
	return ($said =~ /too many functions for an entry each: (.*)/)[0] // '', [slurp($file) =~ /^protect = (\S+)  # /mg];
}
my ($said, $entries) = many(190, 0, 1);
is($said . @$entries, '190', 'an entry each');
is(scalar(grep { /^0000:90:\S+\@1af4:1001\z/ } @$entries), 190, 'of a path');
($said, $entries) = many(150, 1, 1);
is("$said " . @$entries, 'bridges are left out, because they are never claimed 150', 'bridges are left out first');
is(scalar(grep { m{/} } @$entries), 150, 'and nothing else');
($said, $entries) = many(200, 1, 3);
is("$said @{[sort @$entries]}", 'every function with the same ID is protected or reserved 1af4:1001 1af4:1002 1af4:1003', 'then an ID each');
like(slurp($file), qr/^# There are too many for an entry each: every function with the same ID/m, 'which is in the file');
($said, $entries) = many(200, 0, 1, ['10.0.0.1:/usr', '/usr', 'nfs', '0:22', 'rw,addr=10.0.0.1']);
is(join(' ', sort(@$entries), slurp($file) =~ /^reserve = (\S+)/mg), '1af4:1001 8086:1521 8086:1521', 'an ID that is reserved first and protected then is both');
($said, $entries) = many(200, 0, 200);
is("$said @$entries", 'every function of the same class is protected or reserved class:01', 'then a class each');

done_testing();
