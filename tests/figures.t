#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a claim may cost: bytes, memory, system calls and instructions, on a machine with 4,096 functions and on the one of
# the QEMU tests. No time: that is another one everywhere. The figures are printed; `prove -v tests/figures.t` shows them.
# `make bench` has more of them, and tests/qemu/bench.t compares a claim with what others do.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $claim = 'build/vfio-boot-claim';
my $dir = 'build/figures';
my $everything = '8086:10d3 10de:2204 10de:1aef';

# The system calls that all processes of a run have made: strace's lines but those of signals and ends.
sub traced {
	my ($file) = @_;
	return grep { !/^\d+ +(?:---|\+\+\+)/ && !/ resumed>/ } split /\n/, slurp($file);
}

# How many system calls a dry run makes with these settings, and how many devices it would claim.
sub calls {
	my ($root, $selectors) = @_;
	spew("$root/etc/vfio-boot.conf", "ids = $selectors\n");
	my @lines = qx(strace -f -o $dir/trace $claim --dry-run --sysroot $root);
	my $calls = () = traced("$dir/trace") or die "no strace\n";
	return ($calls, scalar grep { /: claim for / } @lines);
}

# The instructions of a dry run with these settings.
sub cost {
	my ($root, $selectors) = @_;
	spew("$root/etc/vfio-boot.conf", "ids = $selectors\n");
	return instructions($dir, $root, $claim, '--dry-run');
}

sub at_most {
	my ($figure, $limit, $what) = @_;
	cmp_ok($figure, '<=', $limit, "$what ($figure)");
}

remove_tree($dir);
make_path($dir);
my $root = big_machine("$dir/4096", 4096);

at_most(-s $claim, 64 * 1024, 'the program has at most 64 KiB');

# --- system calls on 4,096 functions

my ($none) = calls($root, 'dead:beef');
at_most(sprintf('%.2f', $none / 4096), 3.05, 'at most 3.05 calls a function that nobody selected, if an ID asks for all');
my ($some, $selected) = calls($root, '10de:2204 10de:1aef');
cmp_ok($selected, '>', 100, "many devices are claimed ($selected)");
at_most(sprintf('%.2f', ($some - $none) / ($selected || 1)), 12, 'at most 12 more for each of them');
my ($card, $functions) = calls($root, '0000:01:00.*');
is($functions, 2, 'a card of two functions');
at_most($card, 70, 'by address it takes at most 70 calls, since nobody reads the others');
# Behind its bridge there is one function, which is alone in its group.
my $alone = big_machine("$dir/alone", 4096);
unlink "$alone/sys/bus/pci/devices/0000:01:00.1", "$alone/sys/kernel/iommu_groups/1/devices/0000:01:00.1" or die "$!\n";
my ($one, $is_claimed) = calls($alone, '0000:01:00.0');
is($is_claimed, 1, 'a function alone in its group');
at_most($one, 60, 'at most 60 calls by its address');

# --- instructions

my %cost = map { $_ => cost(big_machine("$dir/n$_", $_), $everything) } 512, 4096;
at_most(int $cost{4096} / 4096, 12_000, 'at most 12,000 instructions a function with all selected');
at_most(sprintf('%.3f', log($cost{4096} / $cost{512}) / log 8), 1.05, 'they grow with the number of functions');
my $one_group = cost(big_machine("$dir/group", '--one-group', 4096), $everything);
at_most(sprintf('%.2f', $one_group / $cost{4096}), 2, 'one group of all costs at most twice as much as groups of two');
at_most(int cost($root, '0000:01:00.*') / 4096, 1_600, 'at most 1,600 a function for a card by address');

# --- a claim on 19 functions, in a tree where modprobe brings the driver and binds both functions of a card

sub cold {
	my ($words) = @_;
	my $tree = "$dir/cold";
	q35($tree, "ids = 0000:03:00.*\n");
	make_path("$tree/bound", "$tree/type1", "$tree/sys/module");
	rename "$tree/sys/bus/pci/drivers/vfio-pci", "$tree/vfio-pci" or die "$!\n";
	symlink '../../../bus/pci/drivers/vfio-pci', "$tree/bound/$_" for 0, 1;
	spew("$tree/modprobe.moves", join '', map { "$_\n" } 'vfio-pci sys/bus/pci/drivers/vfio-pci', 'type1 sys/module/vfio_iommu_type1',
		map { "bound/$_ sys/bus/pci/devices/0000:03:00.$_/driver" } 0, 1);
	return $tree;
}

# The calls of a run but those of modprobe itself.
sub own_calls {
	my (@options) = @_;
	system(@as_root, 'strace', '-f', '-o', "$dir/trace", $claim, @options);
	my (%modprobe, $own);
	for (traced("$dir/trace")) {
		my ($pid) = /^(\d+)/;
		$own++ if !$modprobe{$pid};
		$modprobe{$pid} = 1 if /execve\("sbin\/modprobe"/;
	}
	return $own;
}

my $tree = cold();
at_most(own_calls('--sysroot', $tree), 200, 'a claim of a card makes at most 200 calls besides those of modprobe');
is(() = slurp("$tree/run/vfio-boot/report") =~ /\tclaimed\t/g, 2, 'and claims it');
is(slurp("$tree/modprobe.log"), "vfio-pci ids= ()\n", 'with one modprobe');
at_most(own_calls('--second-look', '--sysroot', $tree), 100, 'the second look, which finds nothing to do, at most 100');
at_most(own_calls('--sysroot', $tree), 125, 'a claim of what is claimed already, at most 125');
spew("$tree/etc/vfio-boot.conf", "ids =\n");
at_most(own_calls('--sysroot', $tree), 60, 'and where nothing is selected, at most 60');

# --- memory: a real run on all 4,096 functions; the children count too

spew("$root/etc/vfio-boot.conf", "ids = $everything\n");
my ($peak, $status) = qx(@as_root build/klibc/peak $claim --sysroot $root 2>/dev/null) =~ /(\d+) KiB, status (\d+)/;
is($status, 1, 'a claim of all functions in a plain tree ends');
at_most($peak || 1 << 30, 1024, 'at most 1 MiB resident');

remove_tree($dir);
done_testing;
