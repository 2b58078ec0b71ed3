#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Groups that no emulated machine has, claimed in a tree that answers (Answer.pm);
# tests/qemu has the real ones.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Path 'make_path';
use Test::More;
use Answer;
use Tree;

in_memory('build/bind');
my $root = 'build/bind/tree';
my $pci = "$root/sys/bus/pci";
my ($a, $b, $host, $second) = ('0000:03:00.0', '0000:03:00.1', '0000:00:00.0', '0000:04:00.0');
my $nobody = 4194303;

# A card and two host bridges in group 7, one of them before and one behind it.
sub new_tree {
	q35($root, "ids = 0000:03:00.*\ntimeout = 20\n");
	join_group(7, $_) for $host, $second;
}

sub run {
	my ($refuses, $own, @options) = @_;
	return run_answered($refuses, $own, 'build/vfio-boot-claim', @options) >> 8;
}
sub verdicts {
	my %verdict = map { my @c = split /\t/; @c > 4 ? ($c[0] => "$c[3] $c[4]") : () } split /\n/, slurp("$root/run/vfio-boot/report");
	return join ', ', map { $verdict{$_} // 'nothing' } @_;
}

answers_in($root);
new_tree();
is(run('', {}), 0, 'a group with two host bridges is claimed');
is(state_of($a, $b, $host, $second), 'vfio-pci/vfio-pci vfio-pci/vfio-pci / /', 'and they are left as they are');
is(verdicts($a, $b, $host, $second), 'claimed -, claimed -, nothing, nothing', 'which is how it is reported');
my $before = slurp("$root/run/vfio-boot/report");
for my $again ('--second-look', '--settle', '--second-look') {
	is(run('', {}, $again), 0, "$again again");
	is(state_of($a, $b, $host, $second), 'vfio-pci/vfio-pci vfio-pci/vfio-pci / /', 'changes nothing');
	is(slurp("$root/run/vfio-boot/report"), $before, 'nor the report');
}

# Before Linux 5.19 a driver that joins a group in use is a kernel BUG. Later a driver that blocks the group is kept off.
for my $case (['5.18.0-test', '/none /none', 'each'], ['5.19.0-test', '/ /none', 'the one with a driver']) {
	my ($kernel, $bridges, $which) = @$case;
	new_tree();
	spew("$root/proc/sys/kernel/osrelease", "$kernel\n");
	set_driver($second, 'intel_host');
	is(run('', {}), 0, "Linux $kernel: a host bridge has a driver");
	is(state_of($a, $b, $host, $second), "vfio-pci/vfio-pci vfio-pci/vfio-pci $bridges", "$which gets the override none");
}

# One of the two does not bind: everybody has what was there before.
new_tree();
set_driver($_, 'e1000e') for $a, $b;
set_driver($second, 'intel_host');
my %own = ($a => 'e1000e', $b => 'e1000e', $second => 'intel_host');
is(run($b, \%own), 1, 'one function does not bind');
is(state_of($a, $b, $host, $second), 'e1000e/ e1000e/ / intel_host/', 'all have the drivers that they had, without an override');
is(verdicts($a, $b), 'refused group-member-refused, failed bind', 'and the report says which one it was');

# A run whose time was up had written to all of them; its child is gone.
my $open = "8086:10d3\t7\tfailed\ttimeout\t-\t-\tprocess $nobody is still running after the time limit, waiting for: x\t$nobody\@77\t-";
sub leftovers {
	new_tree();
	spew("$root/run/vfio-boot/report", join '', "vfio-boot-report 1\n", (map { "$_\t$open\n" } $a, $b),
		map { "$_\t" . $open =~ s/10d3/29c0/r . "\n" } $host, $second);
	spew("$pci/devices/$_/driver_override", "vfio-pci\n") for $a, $b;
	spew("$pci/devices/$_/driver_override", "none\n") for $host, $second;
	set_driver($a, 'vfio-pci');
}
leftovers();
is(run('', {}, '--settle'), 0, 'what was left open is completed');
is(state_of($a, $b, $host, $second), 'vfio-pci/vfio-pci vfio-pci/vfio-pci /none /none', 'as a whole');
is(verdicts($a, $b, $host, $second), 'claimed -, claimed -, nothing, nothing', 'and nothing is open any more');
leftovers();
is(run($b, { $a => 'e1000e', $b => 'e1000e' }, '--settle'), 1, 'what cannot be completed');
is(state_of($a, $b, $host, $second), 'e1000e/ e1000e/ / /', 'is given back as a whole');
leftovers();
spew("$root/etc/vfio-boot.conf", "ids = 0000:08:00.0\n");
run('', { $a => 'e1000e', $b => 'e1000e' }, '--settle');
is(state_of($a, $b, $host, $second), 'e1000e/ e1000e/ / /', 'and what nobody wants any more too');
leftovers();
spew("$pci/devices/$b/driver_override", "pci-stub\n");
run('', { $a => 'e1000e' }, '--second-look');
is(override($b), 'pci-stub', 'an override that somebody else wrote meanwhile stays');
is(state_of($a), 'e1000e/', 'and the rest of the group is given back');
leftovers();
process($root, $nobody, 77);
$before = state_of($a, $b, $host, $second);
run('', {}, '--second-look');
is(state_of($a, $b, $host, $second), $before, 'while the child lives nothing is touched');
is(verdicts($a, $b, $host, $second), join(', ', ('failed timeout') x 4), 'and all of it is remembered');

# A give-back whose time was up between the clearing of the overrides and the probes.
for my $conf ("ids = 0000:03:00.*\n", "ids = 0000:08:00.0\n") {
	leftovers();
	spew("$pci/devices/$_/driver_override", "(null)\n") for $a, $b, $host, $second;
	set_driver($_, '') for $a, $b;
	spew("$root/etc/vfio-boot.conf", $conf);
	run($b, { $a => 'e1000e', $b => 'e1000e', $second => 'shpchp' }, '--settle');
	is(state_of($a, $b, $host, $second), 'e1000e/ e1000e/ / shpchp/', 'a give-back that did not end is ended by the next run');
}

# With group=ignore no claim writes to a bridge.
leftovers();
spew("$root/run/vfio-boot/report", join '', "vfio-boot-report 1\n", map { "$_\t$open\n" } $a, $b);
spew("$root/etc/vfio-boot.conf", "ids = 0000:03:00.*\ngroup = ignore\n");
is(run('', {}, '--settle'), 0, 'group=ignore, what was left open is completed');
is(state_of($a, $b, $host), 'vfio-pci/vfio-pci vfio-pci/vfio-pci /none', 'and the override that somebody gave a bridge stays');

# Before Linux 5.19: a host bridge that somebody else has bound to vfio-pci.
new_tree();
spew("$root/proc/sys/kernel/osrelease", "5.15.0-test\n");
set_driver($_, 'e1000e') for $a, $b;
set_driver($host, 'vfio-pci');
is(run($b, { $a => 'e1000e', $b => 'e1000e' }), 1, 'a claim that fails beside a host bridge on vfio-pci');
is(state_of($a, $b, $host), 'e1000e/ e1000e/ vfio-pci/', 'leaves that where it was');

# A bridge whose driver would keep the group from being used, though all the others are where they should be.
sub with_bridge {
	new_tree();
	spew("$pci/devices/$second/modalias", "pci:v00001B36d00000001sv00000000sd00000000bc06sc04i00\n");
	set_driver($second, 'shpchp');
	for ($a, $b) {
		spew("$pci/devices/$_/driver_override", "vfio-pci\n");
		set_driver($_, 'vfio-pci');
	}
}
with_bridge();
is(run('', {}), 0, 'a group that is bound to vfio-pci already, except a bridge with shpchp');
is(state_of($a, $b, $second), 'vfio-pci/vfio-pci vfio-pci/vfio-pci /none', 'shpchp is taken off, and kept off');
is(verdicts($a, $b), 'already -, already -', 'and nothing else has changed');
with_bridge();
set_driver($second, '');
spew("$pci/devices/$b/driver_override", "(null)\n");
set_driver($b, '');
is(run($b, { $b => 'e1000e', $second => 'shpchp' }), 1, 'a newcomer that does not bind beside one that is claimed');
is(state_of($a, $second), 'vfio-pci/vfio-pci /', 'brings no driver back that would block the group');
is(state_of($b), 'e1000e/', 'and is given back');
done_testing();
