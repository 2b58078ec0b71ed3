#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every system call of a claim fails once, each in its turn and with each error that it can have. A plain tree never
# shows a device bound that was not before, so one group is given back every time, and one is left alone. Whatever fails
# on the way, the run ends, no override is left behind without a word, and a report that is there is a whole one. In a
# booted kernel tests/qemu/inject.t does the same.

use strict;
use warnings;
use Cwd 'abs_path';
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $dir = 'build/inject';
my $root = "$dir/root";
my $pci = "$root/sys/bus/pci";
my @devices = map { "0000:03:00.$_" } 0, 1;
my $disk = '0000:04:00.0'; # vfio-pci holds it already
my %errors = (
	openat => ['EIO', 'EBUSY', 'ENODEV'], read => ['EIO'], pread64 => ['EIO', 'EINTR'], readlinkat => ['EIO', 'ENOENT'],
	write => ['EBUSY', 'ENODEV', 'EIO', 'ENOMEM', 'EINTR'], close => ['EIO'], getdents64 => ['EIO'],
	fork => ['ENOMEM'], clone => ['ENOMEM'], vfork => ['ENOMEM'], pipe2 => ['EMFILE'], poll => ['EINTR'], wait4 => ['EINTR'],
	execve => ['ENOENT'], faccessat => ['EIO', 'ENOENT'], mkdirat => ['EROFS'], unlinkat => ['EROFS'], renameat => ['ENOSPC'], flock => ['ENOLCK', 'EINTR'],
	fchdir => ['EIO'], mmap => ['ENOMEM'], times => ['EIO'], rt_sigaction => ['EINVAL'],
);

# The same tree again, without unpacking it.
sub reset_tree {
	spew("$root/dev/kmsg", '');
	spew("$pci/drivers_probe", '');
	spew("$pci/devices/$_/driver_override", "(null)\n") for @devices, $disk;
	spew("$pci/drivers/vfio-pci/unbind", '');
	remove_tree("$root/run");
	unlink "$root/modprobe.log";
}

sub claim {
	my (@strace) = @_;
	reset_tree();
	system(join ' ', @as_root, 'timeout -s KILL 20 strace -f -qq -o', "$dir/trace", @strace,
		"build/vfio-boot-claim --sysroot $root 2>$dir/stderr");
	return $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
}

# What must hold after every run; returns what does not.
sub broken {
	my ($status, $error) = (@_, '');
	# A line that does not get into the kernel log goes to standard error.
	my ($report, $log) = (slurp("$root/run/vfio-boot/report"), slurp("$root/dev/kmsg") . slurp("$dir/stderr"));
	return "exit status $status" if $status !~ /^[1-3]$/;
	if ($report ne '') {
		my @rows = split /\n/, $report, -1;
		return 'a report without its first line' if $rows[0] ne 'vfio-boot-report 1';
		return 'a report that ends in a line' if pop @rows ne '';
		return 'a record that is no record' if grep { !/^(?:[^\t]+\t){7}[^\t]+(?:\t[^\t]+\t[^\t]+)?\z/ } @rows[ 1 .. $#rows ];
		return 'who is not bound is claimed' if grep { $report =~ /^\Q$_\E\t.*\t(?:claimed|already)\t/m } @devices;
		return 'what was bound already is touched' if $report =~ /^\Q$disk\E\t.*\talready\t/m &&
			slurp("$pci/devices/$disk/driver_override") . slurp("$pci/drivers/vfio-pci/unbind") ne "(null)\n";
		# Of settings that cannot be read nothing is used, and that is said; ENODEV is a device that went away.
		return 'somebody is missing in the report' if "$report$log" !~ /^-\t-\t-\tfailed\t|^(?:<3>)?vfio-boot: .* cannot be read/m
			&& $log !~ /nothing is claimed: / && $error ne 'ENODEV' && grep { $report !~ /^\Q$_\E\t/m } @devices, $disk;
	} elsif ($log !~ m{^(?:<3>)?vfio-boot: (?:/run/vfio-boot/report|another run|out of memory)}m) {
		return 'neither a report nor a word about it';
	}
	for (@devices, $disk) {
		my $override = slurp("$pci/devices/$_/driver_override");
		next if $override =~ /^(?:\(null\)$|\n)/;
		# Where its driver could not be read it is claimed once more, and has that driver.
		next if $_ eq $disk && $report =~ /^\Q$disk\E\t.*\tclaimed\t/m;
		# Of a group that somebody has open nothing is changed.
		next if $report =~ /^\Q$_\E\t.*; not changed: a VFIO user has the group open\t/m;
		return "the override of $_ is left without a word" if "$report$log" !~ /override-left: \Q$_\E/;
	}
	return;
}

make_path($dir);
q35($root, "ids = 0000:03:00.* $disk\ntimeout = 3\n");
unlink "$pci/devices/$disk/driver";
symlink '../../../../bus/pci/drivers/vfio-pci', "$pci/devices/$disk/driver";
is(claim(), 1, 'a run without a fault: what did not bind is exit status 1');
is(broken(1), undef, 'and everything is as it should be');
like(slurp("$root/run/vfio-boot/report"), qr/^\Q$disk\E\t.*\talready\t/m, 'what was bound already is said to be');
my (%calls, %pids);
for (split /\n/, slurp("$dir/trace")) {
	my ($pid, $call) = /^(\d+)\s+(\w+)\(/ or next;
	$calls{$call}{$pid}++;
	$pids{$pid} = 1;
}
cmp_ok(scalar keys %pids, '>=', 4, 'it makes a child to read, one to load, one to claim');

my @unknown = grep { !$errors{$_} && !/^(?:access|exit|open|ioctl|exit_group|chroot|getpid|brk|arch_prctl|dup|munmap|newfstatat|umask)$/ } sort keys %calls;
is("@unknown", '', 'each of its system calls is one that is made to fail here');
my $runs = 0;
for my $call (grep { $calls{$_} } sort keys %errors) {
	# Each process counts for itself.
	my ($most) = sort { $b <=> $a } values %{ $calls{$call} };
	my @wrong;
	for my $error (@{ $errors{$call} }) {
		for my $n (1 .. $most) {
			next if $call eq 'execve' && $n == 1; # that of strace itself
			my $status = claim('-e', "trace=$call", '-e', "inject=$call:error=$error:when=$n");
			my $broken = broken($status, $error);
			push @wrong, "$call number $n fails with $error: $broken\n" if defined $broken;
			$runs++;
		}
	}
	ok(!@wrong, "$call, $most times at the most") or diag(@wrong[ 0 .. ($#wrong > 4 ? 4 : $#wrong) ]);
}
cmp_ok($runs, '>', 200, "$runs runs");

# The clearing of an override: one failure is made good, two are said.
my @writes = ('-e', 'trace=write', '-P', abs_path("$pci/devices/$devices[0]/driver_override"));
isnt(claim(@writes, '-e', 'inject=write:error=EIO:when=2'), 0, 'a clearing that fails once');
like(slurp("$pci/devices/$devices[0]/driver_override"), qr/^\n/, 'is tried again');
lacks(slurp("$root/run/vfio-boot/report"), qr/override-left/, 'and not worth a word');
isnt(claim(@writes, '-e', 'inject=write:error=EIO:when=2..3'), 0, 'one that fails twice');
for (@devices) {
	like(slurp("$root/run/vfio-boot/report"), qr/^\Q$_\E\t.*; override-left: \Q$devices[0]\E/m, "is in the row of $_");
}

# A child that is killed at any of its writes, and once more as it gives back.
my @paths = map { ('-P', abs_path("$pci/$_")) } 'drivers_probe', map { "devices/$_/driver_override" } @devices;
for my $n (1 .. 6) {
	is(broken(claim('-e', 'trace=write', @paths, '-e', "inject=write:signal=KILL:when=$n")), undef,
		"a child that is killed at its write number $n");
}
# The program itself is killed at any call that makes the report: the old one is there, and whole.
sub settle_tree {
	spew("$pci/devices/$_/driver_override", "(null)\n") for @devices;
}
my @report = ('-f', '-qq', '-o', "$dir/trace", '-e', 'trace=openat,write,renameat', '-P', abs_path($root) . '/run/vfio-boot/report.new',
	'-P', 'run/vfio-boot/report.new');
claim('-e', 'trace=none');
my $before = slurp("$root/run/vfio-boot/report");
for my $call (qw(openat write renameat)) {
	settle_tree();
	system(@as_root, 'strace', @report, '-e', "inject=$call:signal=KILL:when=1", 'build/vfio-boot-claim', '--second-look',
		'--sysroot', $root);
	is($? & 127 || $? >> 8, 9, "killed at $call of the report");
	is(slurp("$root/run/vfio-boot/report"), $before, 'the old report is there, whole');
}
settle_tree();
system(@as_root, 'build/vfio-boot-claim', '--second-look', '--sysroot', $root);
is(slurp("$root/run/vfio-boot/report"), $before, 'and the next run writes it anew');
remove_tree($dir) if Test::More->builder->is_passing;
done_testing();
