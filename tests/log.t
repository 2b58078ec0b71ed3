#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel log: a process of its own writes to it, from the first line on, and opens it again before the kernel would
# drop a line. Who says nothing starts nobody.

use strict;
use warnings;
use File::Path 'remove_tree';
use FindBin;
use lib $FindBin::Bin;
use Test::More tests => 10;
use Tree;

my $root = 'build/log';
my @addresses = map { sprintf '%02x:00.0', 0x40 + $_ } 1 .. 21;

# Returns how many processes a run made, how often it opened the log, and what is in it.
sub claim {
	my ($settings, @look) = @_;
	q35($root, $settings);
	return run(@look);
}
sub run {
	system(@as_root, 'strace', '-f', '-qq', '-o', "$root.trace", '-e', 'trace=fork,openat', 'build/vfio-boot-claim', @_, '--sysroot', $root);
	my $trace = slurp("$root.trace");
	return (scalar(() = $trace =~ /\bfork\(/g), scalar(() = $trace =~ m{"dev/kmsg"}g), slurp("$root/dev/kmsg"));
}

# Of what is not there, the second look says a line for each selector.
my ($forks, $opens, $log) = claim("ids = @addresses\n", '--second-look');
is($forks, 2, 'a process reads, and one writes');
is($opens, 3, 'the log is opened for ten lines each');
is($log, join('', map { "<4>vfio-boot: $_: absent: no such device\n" } @addresses), 'and all lines are in it, in order');
($forks, $opens, $log) = claim("ids = @addresses[0 .. 9]\n", '--second-look');
is("$opens " . $log =~ tr/\n//, '1 10', 'ten lines need it once');

($forks, $opens, $log) = claim("ids = 44:00.0?\nlog = quiet\n", '--second-look');
is("$forks $opens $log", '1 0 ', 'who says nothing does not open the log, nor starts anybody for it');
($forks, $opens, $log) = claim("ids = 44:00.0?\nlog = debug\n", '--second-look');
is("$forks $opens", '2 1', 'with log=debug processes speak that work on devices, and one writes for all of them');

# The process that reads the machine has something to say. Nobody whom it starts for that may keep the program waiting.
q35($root, "ids = 03:00.0\n");
remove_tree("$root/sys/bus/pci/devices");
($forks, $opens, $log) = run();
like($log, qr/\A<3>vfio-boot: /, 'the devices cannot be read: that is in the log');
like($log, qr{^<3>vfio-boot: /sys/bus/pci/devices: no such file$}m, 'with the reason');
like($log, qr/^<3>vfio-boot: nothing is claimed: reading the devices failed or timed out$/m, 'and what follows from it');
is($forks, 2, 'the one that reads starts nobody');
