#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# doc/examples/fleet, and what it is made of: two hundred trees of the fixtures are planned, claimed on paper, and asked
# for their status on two days. In between some of them lose a card. It notes how long that took.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(time);
use Tree;

my $root = 'build/fleet';
my @kind = ([ 'twin-gpus', "ids = 0b:00\n" ], [ 'qemu-q35', "ids = 03:00 04:00.0 10de:ffff?\n" ], [ 'dual-socket', "ids = 10de:20b0\n" ]);
my @hosts = map { sprintf 'host%03u', $_ } 1 .. 200;
in_memory($root);
my $start = time;
remove_tree($root, { keep_root => 1 });
make_path("$root/$_") for 'monday', 'tuesday';

sub json_of { return JSON::PP->new->utf8->decode(scalar qx(@as_root build/vfio-boot @_ --json 2>/dev/null)) }

# A boot does what the plan says. Nothing in a tree can be bound, so this is its report.
sub boot {
	my ($host, $number) = @_;
	my $tree = "$root/$host";
	my $plan = json_of("plan --sysroot $tree");
	my @rows;
	for (@{ $plan->{devices} }) {
		my $claimed = $_->{verdict} eq 'claim';
		push @rows, [ @$_{qw(address id group)}, $claimed ? 'claimed' : $_->{verdict}, $_->{reason}, $_->{driver}, $_->{selector}, $claimed ? '-' : $_->{message} ];
		bind_to($tree, 'vfio-pci', $_->{address}) if $claimed;
	}
	push @rows, [ ('-') x 3, 'absent', '-', '-', @$_{qw(selector message)}, $_->{optional} ? ('-', 'optional') : () ] for @{ $plan->{absent} };
	spew("$tree/run/vfio-boot/report", "vfio-boot-report 1\n" . join '', map { join("\t", map { $_ // '-' } @$_) . "\n" } @rows);
	spew("$tree/proc/sys/kernel/random/boot_id", "$host-$number\n");
}

sub collect {
	my ($day, @from) = @_;
	system("@as_root build/vfio-boot status --json --sysroot $root/$_ >$root/$day/$_.json 2>/dev/null") for @from;
}

for my $i (0 .. $#hosts) {
	my ($fixture, $settings) = @{ $kind[ $i % @kind ] };
	unpack_fixture("$root/$hosts[$i]", $fixture);
	spew("$root/$hosts[$i]/etc/vfio-boot.conf", $settings);
	boot($hosts[$i], 1);
}
collect('monday', @hosts);
my $collected = time - $start;

my $summing = 0;
sub fleet {
	my (@days) = @_;
	my $begun = time;
	my $said = qx(doc/examples/fleet @{[ map { "$root/$_" } @days ]} 2>&1);
	$summing = time - $begun;
	return $said . '-- exit ' . ($? >> 8) . "\n";
}

# 67 hosts with two devices each, 67 and 66 with three; and each kind in groups of its own.
my $monday = fleet('monday');
my $summed = $summing;
is(scalar(() = $monday =~ /^host\d{3} /mg), 200, 'a line for each host');
like($monday, qr/^HOST +READY  GROUPS  KEPT  REFUSED  FAILED  PENDING  GIVEN-BACK  DRIFTED  ABSENT  STATUS  KERNEL$/m, 'with its columns');
like($monday, qr/^host001 +2 +1 +0 +0 +0 +0 +0 +0 +0 +0  \S+$/m, 'a host');
like($monday, qr/^200 hosts +533 +399 +0 +0 +0 +0 +0 +0 +0 +0  hosts with a fault\n-- exit 0\n\z/m, 'and the totals');

# Tuesday. One host has another driver on a function; one, after a reboot, two cards of three; one finds a function in use;
# one was rebooted and is as it was; one does not answer.
bind_to("$root/host001", 'nvidia', '0000:0b:00.0');
system("rm -r $root/host003/sys/bus/pci/devices/0000:3e:00.0 $root/host003/sys/kernel/iommu_groups/*/devices/0000:3e:00.0") == 0 or die;
boot('host003', 2);
spew("$root/host005/run/vfio-boot/report", slurp("$root/host005/run/vfio-boot/report") =~ s/^(0000:04:00\.0\t\S+\t\S+\t)claimed\t-\tvfio-pci(\t\S+\t).*/$1refused\tin-use\t-$2nvme1n1 is mounted/mr);
bind_to("$root/host005", 'nvme', '0000:04:00.0');
spew("$root/host005/proc/sys/kernel/random/boot_id", "host005-2\n");
boot('host008', 2);
# The others would say what they said.
system("cp $root/monday/* $root/tuesday && rm $root/tuesday/host010.json") == 0 or die;
collect('tuesday', map { "host00$_" } 1, 3, 5, 8);
my $tuesday = fleet('tuesday', 'monday');
like($tuesday, qr/^199 hosts +527 .* 2  hosts with a fault$/m, 'the totals of the next day');
like($tuesday, qr/^host00$_ .*\(rebooted\)$/m, "host00$_ was rebooted") for 3, 5, 8;
is(scalar(() = $tuesday =~ /\(rebooted\)/g), 3, 'and no other');
like($tuesday, qr/^host001:\n    0000:0b:00\.0 \[10de:2204\]: it is bound to nvidia now .*\n/m, 'the faults of a host');
my ($lost) = $tuesday =~ /^(lost since .*)\z/ms;
like($lost, qr{\Alost since $root/monday:
    host001: 0000:0b:00\.0 \[10de:2204\]: it is bound to nvidia now \(.*\)
    host001: 0000:0b:00\.1 \[10de:1aef\]: 0000:0b:00\.0 of its group is bound to nvidia, so the group is not usable
    host003: 0000:3e:00\.0 \[10de:20b0\]: gone: this boot has not found it
    host005: 0000:04:00\.0 \[1b36:0010\]: refused, in-use, nvme1n1 is mounted
    host010: it told nothing this time
-- exit 1
\z}, 'which hosts have lost what, and nobody else');
like(fleet('tuesday'), qr/-- exit 0\n\z/, 'without a day before nothing is lost');

# A card that has moved is none that is lost, two of which one is gone are; and what is no status.
sub tells {
	my ($host, $day, @devices) = @_;
	my $status = json_of("status --sysroot $root/host001");
	$status->{devices} = [ map { { address => "0000:0$_:00.0", id => '8086:10d3', verdict => 'claimed', drift => undef, fault => JSON::PP::false } } @devices ];
	spew("$root/$day/$host.json", JSON::PP->new->encode($status));
}
remove_tree(map { "$root/$_" } 'monday', 'tuesday');
tells('moved', 'monday', 3, 4);
tells('moved', 'tuesday', 3, 5);
tells('new', 'tuesday', 3);
like(fleet('tuesday', 'monday'), qr/^2 hosts .*\n-- exit 0\n\z/m, 'a card that has moved, and a host that is new');
tells('moved', 'tuesday', 5);
like(fleet('tuesday', 'monday'), qr/^    moved: 0000:03:00\.0 .*\n    moved: 0000:04:00\.0 /m, 'one of two is gone, and who knows which');
spew("$root/tuesday/none.json", "{}\n");
spew("$root/tuesday/cut.json", '{"format":1,');
my $none = fleet('tuesday', 'monday');
like($none, qr/^$_ +its file is no status$/m, "$_.json is no status") for 'none', 'cut';
like($none, qr/-- exit 2\n\z/, 'exit status 2');
like(fleet('wednesday'), qr/\Afleet: .*wednesday: No such file or directory\n-- exit 2\n\z/, 'no such folder');
is(fleet(), "fleet: usage: fleet FOLDER [BEFORE]\n-- exit 2\n", 'wrong use');

note(sprintf 'two hundred hosts: %.1f s to make, plan and ask them, %.2f s to sum them up', $collected, $summed);
remove_tree($root, { keep_root => 1 }) if Test::More->builder->is_passing;
done_testing();
