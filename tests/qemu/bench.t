#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# What a claim costs beside what others do, in instructions, which do not depend on the machine that this runs on: the
# guest of `make bench`, with fewer rounds.
# builders: initramfs-tools

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../bench";
use Bench;
use Guest;
use Test::More;

# Of `modprobe vfio-pci` alone, which every claim has to do.
my $cold = $Bench::of_modprobe;
# Of the scripts that are cheaper.
my $of_shortest = 1.015;
# With the modules loaded: nanoseconds of this guest, which are instructions; and of the careful script.
my $warm = 8_500_000;
my $of_careful = 0.4;
my $already = 1_400_000;
# Runs of the same differ by so much at most.
my $steady = 0.03;

my $dir = "$Guest::top/build/qemu/bench";
is(system("$Guest::top/tests/bench/guest", 2, $dir), 0, 'the guest of the bench ends');
my $guest = -e "$dir/facts" && eval { Bench::guest(Guest::read_file("$dir/facts")) };
ok($guest, 'all contestants did their job, and the clock counts instructions') or diag($@);
die "see $dir\n" if !$guest;
unlink map { "$dir/$_" } qw(kernel initrd disk);

sub cost { return Bench::row($guest, @_)->{median} }
sub at_most {
	my ($kind, $limit, $what) = @_;
	my $cost = cost($kind, 'claim');
	cmp_ok($cost, '<=', $limit, sprintf('%s (%.2f M of %.2f M)', $what, $cost / 1e6, $limit / 1e6));
}

at_most('cold', $cold * cost('cold', 'modprobe'), "a claim costs at most $cold of modprobe vfio-pci alone");
# These write what they were told, whatever is there. Ours reads first, and loads and writes in processes that may hang.
at_most('cold', $of_shortest * cost('cold', $_), "and $of_shortest of $_") for qw(wiki-address wiki-checked);
for my $script (qw(wiki-group careful cat-loop), -e "$dir/overlay/bench/driverctl" ? 'driverctl' : ()) {
	at_most('cold', cost('cold', $script), "and no more than $script");
}
at_most('warm', $warm, 'with the modules loaded it costs little');
at_most('warm', $of_careful * cost('warm', 'careful'), "and at most $of_careful of the careful script");
at_most('already', $already, 'where all is claimed, next to nothing');

for my $kind ('cold', 'warm') {
	my $spread = Bench::spread(Bench::row($guest, $kind, 'claim'));
	cmp_ok($spread, '<=', $steady, sprintf('its figure is steady (%s, %.1f %%)', $kind, 100 * $spread));
}

done_testing();
