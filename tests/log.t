#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who writes to the kernel log: the program itself what no console shows, a process of its own what one does show. All
# lines come in order, and the log is opened again before the kernel would drop one.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $root = 'build/log';
my @addresses = map { sprintf '%02x:00.0', 0x40 + $_ } 1 .. 23;

# Returns how many processes a run made, how often it opened the log, and what is in it.
sub claim {
	my ($settings, $printk, $words, @look) = @_;
	q35($root, $settings);
	spew("$root/proc/sys/kernel/printk", $printk) if defined $printk;
	spew("$root/proc/cmdline", "intel_iommu=on $words\n");
	system(@as_root, 'strace', '-f', '-qq', '-o', "$root.trace", '-e', 'trace=fork,openat', 'build/vfio-boot-claim', @look, '--sysroot', $root);
	my $trace = slurp("$root.trace");
	return (scalar(() = $trace =~ /\bfork\(/g), scalar(() = $trace =~ m{"dev/kmsg"}g), slurp("$root/dev/kmsg"));
}

# Of what is not there, the second look says a line of level 4 for each selector.
my $absent = "ids = @addresses\n";
my $lines = join '', map { "<4>vfio-boot: $_: absent: no such device\n" } @addresses;
for (
	[ 'a console that shows warnings', "5\t4\t1\t7\n", '', 2 ],
	[ 'a console that shows all', "10\t4\t1\t7\n", '', 2 ],
	[ 'a console that shows what comes, whatever its level', "4\t4\t1\t7\n", 'ignore_loglevel', 2 ],
	[ 'the same, as a parameter of a module', "4\t4\t1\t7\n", 'printk.ignore-loglevel=1', 2 ],
	[ 'a kernel that does not tell its level', undef, 'quiet', 2 ],
	[ 'a console that shows errors alone', "4\t4\t1\t7\n", 'quiet', 1 ],
) {
	my ($what, $printk, $words, $processes) = @$_;
	my ($forks, $opens, $log) = claim($absent, $printk, $words, '--second-look');
	is($forks, $processes, "$what: " . ($processes == 1 ? 'the program writes itself' : 'a process waits for it'));
	is($opens, 3, 'the log is opened for ten lines each');
	is($log, $lines, 'and all lines are in it, in order');
}

# Once a console has shown a line, its process writes all that follow.
my $bridges = "idss = 1\nids = 0000:00:02.0 0000:00:03.0\n";
my ($forks, $opens, $log) = claim($bridges, "4\t4\t1\t7\n", 'quiet');
is("$forks $opens", '2 1', 'an error: a process waits for the console');
my $all = qr/\A<3>vfio-boot: .*idss.*\n<4>vfio-boot: 0000:00:02\.0 .*\n<4>vfio-boot: 0000:00:03\.0 .*\n\z/;
like($log, $all, 'and writes the warnings behind it, too');
($forks, $opens, $log) = claim($bridges, "3\t4\t1\t7\n", 'quiet');
is("$forks $opens", '1 1', 'a console that shows no errors');
like($log, $all, 'all is in the log');
($forks, $opens, $log) = claim("log = debug\n$bridges", "3\t4\t1\t7\n", 'quiet');
is($forks, 2, 'with log=debug processes speak that work on devices, and all is to come in order');

# Nothing to say.
($forks, $opens, $log) = claim("ids = 44:00.0?\nlog = quiet\n", "7\t4\t1\t7\n", 'quiet', '--second-look');
is("$forks $opens $log", '1 0 ', 'who says nothing does not open the log, nor starts anybody for it');
done_testing();
