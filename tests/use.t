#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Which of several uses a message names. A directory of sysfs is listed in the order of a hash, so the answer must not
# depend on that order: each tree is made twice, with the entries of its directories made in opposite orders, in memory,
# where a directory is listed by the age of its entries.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $dir = 'build/use';
in_memory($dir);
my $root = "$dir/root";
my $function = 'sys/devices/pci0000:00/0000:01:00.0';

# A function with these block devices and interfaces below it, each "NAME USE"; and these members in its group.
sub new_tree {
	my ($uses, @strangers) = @_;
	remove_tree($root);
	make_path("$root/$_") for 'sys/bus/pci/devices', 'sys/class/block', 'sys/class/net', 'sys/kernel/iommu_groups/1/devices',
		$function, 'dev';
	spew("$root/$function/modalias", "pci:v00008086d000010D3sv00000000sd00000000bc01sc06i01\n");
	spew("$root/$function/driver_override", "(null)\n");
	symlink '../../../kernel/iommu_groups/1', "$root/$function/iommu_group";
	# Nothing hangs on a function without one.
	symlink '../../../bus/pci/drivers/ahci', "$root/$function/driver";
	symlink "../../../devices/pci0000:00/0000:01:00.0", "$root/sys/bus/pci/devices/0000:01:00.0";
	symlink "../../../../devices/pci0000:00/$_", "$root/sys/kernel/iommu_groups/1/devices/$_" for '0000:01:00.0', @strangers;
	spew("$root/proc/$_->[0]", $_->[1]) for [ 'sys/kernel/osrelease', "6.1.0-test\n" ], [ 'cmdline', "quiet\n" ];
	spew("$root/var/lib/vfio-boot/protect", "# nothing\n");
	spew("$root/etc/vfio-boot.conf", "ids = 01:00.0\n");
	my %table = (mounts => '', swaps => "Filename\n");
	for (@$uses) {
		my ($name, $use) = split ' ';
		my $class = $use =~ /^(?:up|down)$/ ? 'net' : 'block';
		symlink "../../devices/pci0000:00/0000:01:00.0/$class/$name", "$root/sys/class/$class/$name";
		make_path("$root/$function/$class/$name");
		spew("$root/$function/net/$name/flags", $use eq 'up' ? "0x1003\n" : "0x1002\n") if $class eq 'net';
		spew("$root/$function/block/$name/holders/dm-0", '') if $use eq 'held';
		$table{mounts} .= "/dev/$name / ext4 rw 0 0\n" if $use eq 'mounted';
		$table{swaps} .= "/dev/$name partition 1 0 -2\n" if $use eq 'swap';
	}
	spew("$root/proc/$_", $table{$_}) for keys %table;
}

# What both programs say of the function, without its name.
sub said {
	my ($name) = @_;
	my @said = map { my ($line) = qx(@as_root $_ --sysroot $root 2>&1) =~ /^0000:01:00\.0 \[8086:10d3\] group 1: (.*)/; $line // '' }
		'build/vfio-boot plan --now', 'build/vfio-boot-claim --dry-run';
	is($said[1], $said[0], "$name: both programs say the same");
	return $said[0];
}

# The order in which a directory is listed.
sub listed {
	opendir my $list, "$root/$_[0]" or die "$_[0]: $!\n";
	return join ' ', grep { !/^\./ } readdir $list;
}

sub same_in_both_orders {
	my ($name, $want, $uses, @strangers) = @_;
	new_tree($uses, @strangers);
	my @order = (listed('sys/class/block'), listed('sys/class/net'), listed('sys/kernel/iommu_groups/1/devices'));
	is(said($name), $want, $name);
	new_tree([ reverse @$uses ], reverse @strangers);
	is(said("$name, other way round"), $want, "$name, other way round");
	my @other = (listed('sys/class/block'), listed('sys/class/net'), listed('sys/kernel/iommu_groups/1/devices'));
	isnt("@other", "@order", "$name: in two orders");
}

my $free = '(free it first)';
same_in_both_orders('the shorter name first', "refused, in-use: sda2 on it is mounted $free",
	[ 'sda10 mounted', 'sda2 mounted', 'sda3 mounted', 'sda unused' ]);
same_in_both_orders('the disk before its partitions', "refused, in-use: sda on it is held (LVM, LUKS, RAID) $free",
	[ 'sda1 held', 'sda held', 'sda2 held' ]);
same_in_both_orders('swap is stronger than a holder', "refused, in-use: sda9 on it is swap $free",
	[ 'sda1 held', 'sda9 swap', 'sda2 held' ]);
same_in_both_orders('mounted is stronger than swap', "refused, in-use: sdb10 on it is mounted $free",
	[ 'sda1 swap', 'sda2 held', 'sdb10 mounted', 'sda3 unused' ]);
same_in_both_orders('a network interface, if no disk is in use', "refused, in-use: eth1 on it is up $free",
	[ 'eth2 up', 'eth0 down', 'eth1 up', 'sda unused' ]);
same_in_both_orders('a disk is stronger than an interface', "refused, in-use: sda1 on it is held (LVM, LUKS, RAID) $free",
	[ 'eth2 up', 'eth1 up', 'sda1 held', 'sda2 held' ]);
# Nothing is in use: what is said of the group.
same_in_both_orders('members that are no PCI device',
	'refused, group-member-refused: usb1 is in its group, but is not a known PCI device', [ 'sda unused', 'sdb unused' ],
	'usb20', 'usb1', 'usb3', 'platform');
# Without a driver of the host nothing hangs on a function, unless another function is below it.
new_tree([ 'sda1 mounted' ]);
unlink "$root/$function/driver" or die "$!\n";
is(said('no driver'), 'claim for vfio-pci', 'no driver, no disk');
new_tree([ 'sda1 mounted' ]);
unlink "$root/$function/driver" or die "$!\n";
spew("$root/$function/modalias", "pci:v00008086d000010D3sv00000000sd00000000bc0Bsc20i00\n");
make_path("$root/$function/0000:02:00.0");
spew("$root/etc/vfio-boot.conf", "ids = 01:00.0\n");
is(said('a root port of another class'), "refused, in-use: sda1 on it is mounted $free", 'what is below a function without a driver counts');
new_tree([ 'sda1 mounted', 'eth0 up' ]);
spew("$root/$function/sriov_numvfs", "2\n");
is(said('virtual functions'), "refused, in-use: it has VFs enabled $free", 'virtual functions are stronger than all else');

done_testing();
