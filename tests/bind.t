#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Groups that no emulated machine has, claimed in a tree that answers: a process beside
# it binds what is probed to the driver that the override names, and takes it off when
# told to. It is no kernel, and shows no more than what is done in which order, and
# undone; tests/qemu has the real one.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Path qw(make_path remove_tree);
use Test::More;
use Time::HiRes 'sleep';
use Tree;

my $root = 'build/bind';
my $pci = "$root/sys/bus/pci";
my ($a, $b, $host, $second) = ('0000:03:00.0', '0000:03:00.1', '0000:00:00.0', '0000:04:00.0');
my $nobody = 4194303;

sub override {
	my ($text) = slurp("$pci/devices/$_[0]/driver_override") =~ /\A(\n|none|vfio-pci|pci-stub|\(null\))/;
	return !defined $text || $text eq "\n" || $text eq '(null)' ? '' : $text;
}
sub driver { return (readlink "$pci/devices/$_[0]/driver" // '') =~ s{.*/}{}r }
sub state_of { return join ' ', map { driver($_) . '/' . override($_) } @_ }

sub set_driver {
	my ($dev, $driver) = @_;
	unlink "$pci/devices/$dev/driver";
	symlink "../../../../bus/pci/drivers/$driver", "$pci/devices/$dev/driver" if $driver ne '';
}

# The tree's answer, until it is killed. %own are the drivers that the devices have without an override.
sub answer {
	my ($refuses, %own) = @_;
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	for (;;) {
		my $dev = slurp("$pci/drivers_probe");
		if ($dev =~ /^0000:\S+/) {
			spew("$pci/drivers_probe", '');
			my $driver = override($dev) || $own{$dev} || '';
			set_driver($dev, $driver) if driver($dev) eq '' && $driver ne 'none' && !($driver eq 'vfio-pci' && $dev eq $refuses);
		}
		for my $file (glob "$pci/drivers/*/unbind") {
			my $gone = slurp($file);
			next if $gone !~ /^0000:/;
			spew($file, '');
			set_driver($gone, '');
		}
		sleep 0.001;
	}
}

# A card and two host bridges in group 7, one of them before and one behind it.
sub new_tree {
	q35($root, "ids = 0000:03:00.*\ntimeout = 20\n");
	for ($host, $second) {
		my $dir = readlink("$pci/devices/$_") =~ s{^\.\./\.\./\.\./}{$root/sys/}r;
		spew("$dir/modalias", "pci:v00008086d000029C0sv00001AF4sd00001100bc06sc00i00\n");
		spew("$dir/driver_override", "(null)\n");
		unlink "$dir/driver", "$dir/iommu_group";
		symlink '/sys/kernel/iommu_groups/7', "$dir/iommu_group";
		unlink glob "$root/sys/kernel/iommu_groups/*/devices/$_";
		symlink "/sys/bus/pci/devices/$_", "$root/sys/kernel/iommu_groups/7/devices/$_";
	}
	spew("$pci/drivers/$_/unbind", '') for qw(vfio-pci e1000e intel_host shpchp);
}

# A run; the writes that the tree answers to take as long as its answer.
sub run {
	my ($refuses, $own, @options) = @_;
	my $pid = answer($refuses, %$own);
	my @slow = map { ('-P', "$ENV{PWD}/$pci/$_") } 'drivers_probe', map { "drivers/$_/unbind" } qw(vfio-pci e1000e intel_host shpchp);
	system(@as_root, 'strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=write', @slow, '-e', 'inject=write:delay_exit=60000',
		'build/vfio-boot-claim', @options, '--sysroot', $root);
	my $status = $? >> 8;
	kill 'KILL', $pid;
	waitpid $pid, 0;
	return $status;
}
sub verdicts {
	my %verdict = map { my @c = split /\t/; @c > 4 ? ($c[0] => "$c[3] $c[4]") : () } split /\n/, slurp("$root/run/vfio-boot/report");
	return join ', ', map { $verdict{$_} // 'nothing' } @_;
}

$ENV{PWD} = qx(pwd) =~ s/\n//r;
new_tree();
is(run('', {}), 0, 'a group with two host bridges is claimed');
is(state_of($a, $b, $host, $second), 'vfio-pci/vfio-pci vfio-pci/vfio-pci /none /none', 'and they are kept without a driver');
is(verdicts($a, $b, $host, $second), 'claimed -, claimed -, nothing, nothing', 'which is how it is reported');
my $before = slurp("$root/run/vfio-boot/report");
for my $again ('--second-look', '--settle', '--second-look') {
	is(run('', {}, $again), 0, "$again again");
	is(state_of($a, $b, $host, $second), 'vfio-pci/vfio-pci vfio-pci/vfio-pci /none /none', 'changes nothing');
	is(slurp("$root/run/vfio-boot/report"), $before, 'nor the report');
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
my $open = "8086:10d3\t7\tfailed\ttimeout\t-\t-\tprocess $nobody is still at work, past the time limit, waiting for: x";
sub leftovers {
	new_tree();
	spew("$root/run/vfio-boot/report", join '', "vfio-boot-report 1\n", map { "$_\t$open\n" } $a, $b, $host, $second);
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
make_path("$root/proc/$nobody");
$before = state_of($a, $b, $host, $second);
run('', {}, '--second-look');
is(state_of($a, $b, $host, $second), $before, 'while the child lives nothing is touched');
is(verdicts($a, $b, $host, $second), join(', ', ('failed timeout') x 4), 'and all of it is remembered');

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
is(run('', {}), 0, 'a group that is with vfio-pci already, but for a bridge with shpchp');
is(state_of($a, $b, $second), 'vfio-pci/vfio-pci vfio-pci/vfio-pci /', 'shpchp is taken off');
is(verdicts($a, $b), 'already -, already -', 'and nothing else has changed');
with_bridge();
set_driver($second, '');
spew("$pci/devices/$b/driver_override", "(null)\n");
set_driver($b, '');
is(run($b, { $b => 'e1000e', $second => 'shpchp' }), 1, 'a newcomer that does not bind beside one that is claimed');
is(state_of($a, $second), 'vfio-pci/vfio-pci /', 'brings no driver back that would block the group');
is(state_of($b), 'e1000e/', 'and is given back');
remove_tree($root) if Test::More->builder->is_passing;
done_testing();
