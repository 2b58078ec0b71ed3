#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the claim may cost: bytes, and system calls on a machine with 4,096
# functions. The figures are printed; `prove -v tests/figures.t` shows them.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use Test::More tests => 6;

my $claim = 'build/vfio-boot-claim';
my $dir   = 'build/figures';

# How many system calls a dry run makes with these settings, and how many devices it claims.
sub calls {
	my ($selectors) = @_;
	open my $conf, '>', "$dir/root/etc/vfio-boot.conf" or die "$!\n";
	print $conf "ids = $selectors\n";
	close $conf or die "$!\n";
	my @lines = qx(strace -f -c -o $dir/count $claim --dry-run --sysroot $dir/root);
	open my $count, '<', "$dir/count" or die "no strace\n";
	my ($total) = map { /^100\.00\s+\S+\s+(?:\d+\s+)?(\d+)\s+\d*\s*total$/ ? $1 : () } <$count>;
	return ($total, scalar grep { /: claim for / } @lines);
}

remove_tree($dir);
make_path("$dir/root");
system("tests/big-machine 4096 >$dir/machine && tests/fixture unpack $dir/machine $dir/root") == 0 or die "no machine\n";
make_path("$dir/root/etc");

my $size = -s $claim;
cmp_ok($size, '<=', 64 * 1024, "the program has at most 64 KiB ($size bytes)");

my ($none) = calls('dead:beef');
my $each = sprintf '%.2f', $none / 4096;
cmp_ok($each, '<=', 3.1, "at most 3.1 system calls a function that nobody selected ($each)");

my ($some, $selected) = calls('10de:2204 10de:1aef');
cmp_ok($selected, '>', 100, "many devices are claimed ($selected)");
my $more = sprintf '%.2f', ($some - $none) / ($selected || 1);
cmp_ok($more, '<=', 12.5, "at most 12.5 more for each of them ($more)");

# A real run on all 4,096 functions; the children count too.
open my $conf, '>', "$dir/root/etc/vfio-boot.conf" or die "$!\n";
print $conf "ids = 8086:10d3 10de:2204 10de:1aef\n";
close $conf or die "$!\n";
my @as_root = $> ? qw(unshare --map-root-user) : ();
my $said = qx(@as_root build/klibc/peak $claim --sysroot $dir/root 2>/dev/null);
my ($peak, $status) = $said =~ /(\d+) KiB, status (\d+)/;
is($status, 1, 'a claim of all functions in a plain tree ends');
cmp_ok($peak || 1 << 30, '<=', 1024, "at most 1 MiB resident ($peak KiB)");
