#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# With selectors that name functions, a claim reads no others. What it says must be what it says when it reads all, as it
# does for an exclusion by ID, here one that matches nothing and is not worth a word.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $dir = 'build/named';
make_path($dir);
my $all = '!dead:beef?';

# What is planned for this moment, with this line of ids, and everything that is said of it.
sub said {
	my ($root, $ids, $more) = @_;
	spew("$root/etc/vfio-boot.conf", "ids = $ids\n$more");
	my $said = qx(@as_root build/vfio-boot-claim --dry-run --sysroot $root 2>&1);
	return $said . '-- exit ' . ($? >> 8);
}

for my $machine (map { m{([^/]+)/machine$} } glob 'tests/fixtures/*/machine') {
	my $root = "$dir/$machine";
	unpack_fixture($root, $machine);
	my %id;
	for (glob "$root/sys/bus/pci/devices/*") {
		my ($vendor, $device) = slurp("$_/modalias") =~ /^pci:v0000(....)d0000(....)/ or next;
		$id{ s{.*/}{}r } = lc "$vendor:$device";
	}
	my @functions = sort keys %id;
	my (@wrong, $runs);
	my $before = $functions[0];
	for my $at (@functions) {
		my ($slot) = $at =~ /(.*)\./;
		my ($last) = $at =~ /([^:]*)$/;
		for (
			[ $at, '' ], [ "$slot.*", '' ], [ $at, "group = whole\n" ], [ "$at\@$id{$at}", '' ], [ "$at\@dead:beef", '' ],
			[ "0000:ee:00.0\@$id{$at}", '' ], [ "$functions[0]/$last?", '' ], [ "$slot.7", '' ],
			[ "$at !0000:ee:00.0\@$id{$at}", '' ], [ $at, "protect = 0000:ee:00.0\@$id{$at}\n" ],
			[ $at, "protect = $at\@$id{$at}\n" ], [ "$functions[-1]", "group = whole\nprotect = $at\n" ],
			[ $before, "group = whole\nprotect = 0000:ee:00.0\@$id{$at}\n" ],
		) {
			my ($ids, $more) = @$_;
			my ($named, $read) = (said($root, $ids, $more), said($root, "$ids $all", $more));
			push @wrong, "ids = $ids\n$more$named\nand with all read:\n$read\n" if $named ne $read;
			$runs++;
		}
		my $of_slot = grep { /^\Q$slot\E\./ } @functions;
		my $said = () = said($root, "$slot.*", '') =~ /^\Q$slot\E\.\d \[.*group/mg;
		push @wrong, "$slot.*: $said of $of_slot functions\n" if $said != $of_slot;
		$before = $at;
	}
	ok(!@wrong, "$machine: $runs settings") or diag(@wrong[ 0 .. ($#wrong > 2 ? 2 : $#wrong) ]);
	remove_tree($root);
}
done_testing;
