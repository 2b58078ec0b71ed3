#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who only looks never opens a disk exclusively: a mount, or an mkfs, that another program tries at that moment would
# fail with EBUSY. Only a claim may, which has to know.

use strict;
use warnings;
use File::Path 'remove_tree';
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $root = 'build/looks';

# What a command opens exclusively below /dev, each once. O_CREAT|O_EXCL makes a file and opens none.
sub exclusive {
	my (@command) = @_;
	unlink "$root.trace";
	system(@as_root, 'sh', '-c', 'exec "$@" >/dev/null 2>&1', 'sh', 'strace', '-f', '-qq', '-o', "$root.trace", '-e', 'trace=open,openat,openat2',
		@command, '--sysroot', $root);
	my $trace = slurp("$root.trace");
	like($trace, qr{"sys/bus/pci/devices"}, "@command: traced");
	my %opened = map { /"([^"]*)"/ ? ($1 => 1) : () } grep { /O_EXCL/ && !/O_CREAT/ } split /\n/, $trace;
	return join ' ', sort keys %opened;
}

# A disk of each kind: that of the host, which is mounted, and one that nobody uses, which alone is tried.
q35($root, "ids = 04:00.0\n");
my $free = 'dev/nvme0n1';
for my $verb ('list', 'plan', 'plan --now', 'plan --json', 'explain 04:00.0', 'explain --now 04:00.0', 'status', 'doctor', 'export qemu --force 04:00.0',
	'import', 'protect --print', 'protect', 'add --no-rebuild 03:00', 'remove --no-rebuild 03:00') {
	is(exclusive('build/vfio-boot', split / /, $verb), '', "$verb: opens no disk exclusively");
}
is(exclusive('build/vfio-boot-claim', '--dry-run'), '', 'nor does vfio-boot-claim --dry-run');
# And this test sees it where it is done.
is(exclusive('build/vfio-boot', 'claim', '04:00.0'), $free, 'claim does, before it takes a disk');

remove_tree($root) if Test::More->builder->is_passing;
unlink "$root.trace";
done_testing();
