#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How `make bench` makes a table of what it measured: a row that is lost says so and why, and what was not measured is no
# figure. The table in README.md is one that it makes.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/bench", $FindBin::Bin;
use Bench;
use Test::More;
use Tree;

# What a guest tells: each contestant before each of its runs, with its instructions in millions.
sub said_by_guest {
	my ($runs, @more) = @_;
	return join "\n", 'kernel 6.1.0', 'functions 21', 'clocksource tsc', 'loop 100080000',
		(map { my $run = $_; map { sprintf 'run %s %s %d 0', (split)[ 0, 1 ], 1e6 * (split)[2] } split /, /, $run } @$runs), @more, 'end', '';
}
my @runs = (
	'modprobe cold 100, claim cold 102, careful cold 101, driverctl cold 120, claim warm 3, careful warm 8, claim already 1, empty cold 0.4',
	'modprobe cold 100, claim cold 109, careful cold 101, driverctl cold 120, claim warm 3, careful warm 8, claim already 1, empty cold 0.4',
	'modprobe cold 100, claim cold 100, careful cold 101, driverctl cold 120, claim warm 3, careful warm 8, claim already 1, empty cold 0.4',
);
my $boots = join '', map { my $n = $_; "without ${n}000000 ${n}000000\nunselected 9000000000 ${n}500000\nselected 1 ${n}900000\n" } 10, 20, 15;
my %bench = (
	suite => 'bookworm',
	guest => Bench::guest(said_by_guest(\@runs)),
	boots => Bench::boots($boots),
	image => { initrd => 2048, program => 4096, scripts => 1024, modules => 8192 },
);
is(Bench::row($bench{guest}, 'cold', 'claim')->{median}, 102_000_000, 'a figure is the median of its runs');
is($bench{boots}{unselected}{more}, 500_000, 'of boots the difference counts, and not how long they waited');

my $table = Bench::table(\%bench);
is($table, <<'END', 'the table');
Debian bookworm, Linux 6.1.0, 21 PCI functions, one emulated processor (QEMU, q35). Medians of one boot.

| M instructions | no module loaded | of the claim | modules loaded | of the claim | |
| --- | ---: | ---: | ---: | ---: | --- |
| `modprobe vfio-pci` alone | 100.0 | 0.98 |  |  | won |
| careful shell script | 101.0 | 0.99 | 8.00 | 2.67 | lost cold: knows one card |
| `vfio-boot-claim` | 102.0 | 1.00 | 3.00 | 1.00 |  |
| `driverctl`, once a function | 120.0 | 1.18 |  |  | won |
| `vfio-boot-claim`, when all is claimed |  |  | 1.00 |  |  |
| static program that does nothing | 0.40 |  |  |  |  |

- An image is 2 KiB larger (program 4 KiB, scripts and settings 1 KiB, modules 8 KiB, before compression).
- A boot to the root's init is 0.50 M instructions longer with nothing selected, and 0.90 M with the card (of 15.0 M).
END
is(Bench::table(Bench::figures($table)), $table, 'its own figures make it again');
like(Bench::text(\%bench), qr/^  careful shell script +101\.0 -+ +0\.99 lost: knows one card$/m, 'the text has bars');
like(Bench::gnuplot(\%bench, 'x.png'), qr/^"careful shell script" 101\.000 \S+ " 101\.0  knows one card"$/m, 'and so has the picture');

for (
	[ 'a clock that counts something else', said_by_guest(\@runs, 'loop 102000000'), qr/this clock counts something else/ ],
	[ 'a contestant that did not do its job', said_by_guest(\@runs, 'fault careful (cold): no vfio-pci'), qr/the guest says:.*^fault careful/ms ],
	[ 'a guest that did not come to its end', said_by_guest(\@runs) =~ s/^end\n//mr, qr/did not come to its end/ ],
	[ 'a contestant that nobody described', said_by_guest(\@runs, 'run other cold 1 1'), qr/who is other/ ],
) {
	my ($what, $facts, $error) = @$_;
	ok(!eval { Bench::guest($facts); 1 }, "$what: no figures");
	like($@, $error, 'and it is said');
}

my $readme = Bench::table_of(slurp('README.md'));
is(eval { Bench::table(Bench::figures($readme)) } // $@, $readme, "README.md: the table is one of make bench");
for my $title (map { $_->[0] } values %Bench::contestants) {
	like($readme, qr/^\| \Q$title\E \|/m, "and has the row: $title");
}

done_testing();
