#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What comes after the claim of the boot, in a tree that answers (Answer.pm): which function is of no concern, what is
# decided together, and what the report has of it. tests/qemu/hotplug.t has a kernel and udev.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Fcntl ':flock';
use File::Path qw(make_path remove_tree);
use Test::More;
use Time::HiRes qw(sleep time);
use Answer;
use Tree;

in_memory('build/late');
my $root = 'build/late/tree';
my $pci = "$root/sys/bus/pci";
my ($a, $b, $disk) = ('0000:03:00.0', '0000:03:00.1', '0000:04:00.0');
my $late = "$root/run/vfio-boot/late";
my $status;

sub report { spew("$root/run/vfio-boot/report", join '', map { "$_\n" } 'vfio-boot-report 1', map { tr/|/\t/r } @_) }
sub rows { return slurp("$root/run/vfio-boot/report") }
sub row { return join ' ', grep { /^\Q$_[0]\E\t/ } split /\n/, rows() }
sub logged { return slurp("$root/dev/kmsg") }
my @boot = ('0000:02:01.0|8086:100e|6|refused|group-incomplete|-|0000:02:01.0|x', '-|-|-|absent|-|-|10de:2204|no such device');
my $said_before = join '', map { tr/|/\t/r . "\n" } 'vfio-boot-report 1', @boot;
sub tree {
	my ($settings, $driver) = @_;
	q35($root, $settings);
	set_driver($_, $driver // '') for $a, $b;
	report(@boot);
	make_path($late);
}
my @shell = ('sh', '-c', "exec \"\$0\" \"\$@\" >$root.out 2>$root.err");
sub run_late { $status = system(@as_root, @shell, 'build/vfio-boot-claim', '--late', @_, '--sysroot', $root) >> 8 }
sub answered { $status = run_answered('', { $a => 'e1000e', $b => 'e1000e' }, @shell, 'build/vfio-boot-claim', @_) >> 8 }
sub calls {
	system(@as_root, 'strace', '-f', '-qq', '-o', "$root.trace", 'build/vfio-boot-claim', @_, '--sysroot', $root);
	return scalar(() = slurp("$root.trace") =~ /^\d+ /mg);
}

answers_in($root);

# What nobody selects costs one short program, and nothing in the machine.
for (['of another ID', 'ids = 10de:2204'], ['with nothing selected', ''], ['ids = off', "ids = off\nids = 03:00"],
	['only excluded', 'ids = !03:00'], ['another path', 'ids = 0000:00:03.0/01.0']) {
	tree("$_->[1]\n");
	run_late($a);
	is("$status " . rows(), "0 $said_before", "$_->[0]: the report is as it was");
	is(join(' ', glob "$late/*") . logged(), '', 'nothing is noted or logged');
	ok(!-e "$root/run/vfio-boot/lock", 'nobody waits for the lock');
}
tree("ids = 10de:2204\n");
my $few = calls('--late', $a);
cmp_ok($few, '<=', 60, "one that is not selected costs $few system calls");
remove_tree($late);
spew("$root/etc/vfio-boot.conf", "ids = 8086:10d3\n");
run_late($a);
is("$status " . rows(), "0 $said_before", 'without the folder nothing comes late');
tree("ids = 8086:10d3\n");
for my $word ('nonsense', '../../../etc/x', '0000:77:00.0') {
	run_late($word);
	is("$status " . rows() . logged() . join(' ', glob "$late/*"), "0 $said_before", "$word: nothing");
}

# A card of two functions.
for my $settings ('ids = 8086:10d3', 'ids = 03:00', 'ids = 0000:00:03.0/00.0 0000:00:03.0/00.1', "group = whole\nids = 03:00.0") {
	tree("$settings\n");
	answered('--late', $b);
	is($status, 0, "$settings: the function that has come");
	is(state_of($a, $b), 'vfio-pci/vfio-pci vfio-pci/vfio-pci', 'is claimed with its group');
	like(row($_), qr/^\Q$_\E\t8086:10d3\t7\tclaimed\t-\tvfio-pci\t\S+\t-\t-\tlate$/, "the report says of $_ that it came late") for $a, $b;
	is(join("\n", grep { !/^0000:03/ } split /\n/, rows()) . "\n", $said_before, 'and of all others what it said');
	like(logged(), qr/vfio-boot: \Q$b\E \[8086:10d3\] group 7: claimed for vfio-pci/, 'so does the log');
	is(join(' ', glob "$late/*"), '', 'no note is left');
}
my $told = (told($root, 'status'))[0];
like($told, qr/^\Q$a\E \[8086:10d3\] group 7: claimed for vfio-pci \(after the boot\)$/m, 'and status');

# The disk is selected as well, and did not come: it is none of this run's business.
tree("ids = 8086:10d3 04:00.0\n");
set_driver($disk, '');
answered('--late', $a);
is(state_of($disk), '/', 'what has not come is left alone');

# What is noted meanwhile is decided with it.
tree("ids = 8086:10d3 04:00.0\n");
set_driver($disk, '');
spew("$late/$disk", '');
answered('--late', $a);
is(state_of($a, $disk), 'vfio-pci/vfio-pci vfio-pci/vfio-pci', 'a batch is decided together');
is(join(' ', glob "$late/*"), '', 'no note is left');

# Only a part is selected.
tree("ids = 03:00.0\n");
answered('--late', $a);
is(state_of($a, $b), '/ /', 'half a group is not taken');
like(row($a), qr/\trefused\tgroup-incomplete\t.*\tlate$/, 'which the report says');
is(slurp("$pci/answered"), '', 'and nothing is bound or unbound');

# The driver was first.
tree("ids = 03:00\n", 'e1000e');
answered('--late', $a);
is(state_of($a, $b), 'vfio-pci/vfio-pci vfio-pci/vfio-pci', 'a network card that is named is taken off its driver');
tree("ids = 8086:10d3\n", 'e1000e');
answered('--late', $a);
is(state_of($a, $b), 'e1000e/ e1000e/', 'one that is not named stays there');
like(row($a), qr/\trefused\tunbind-not-allowed\t/, 'which the report says');
like(logged(), qr/\(name it by bus index to unbind it\)/, 'and the log, with what to do');

# It was there at boot, was taken out, and is back.
tree("ids = 8086:10d3\n");
report("$a|8086:10d3|7|claimed|-|vfio-pci|8086:10d3|-", "$b|8086:10d3|7|failed|bind|-|8086:10d3|-");
set_driver($disk, '');
answered('--late', $a);
is(state_of($a, $b), 'vfio-pci/vfio-pci vfio-pci/vfio-pci', 'what comes back is claimed again, whatever it did before');
like(row($_), qr/\tclaimed\t.*\tlate$/, "and $_ is late") for $a, $b;
spew("$root/dev/kmsg", '');
set_driver($_, '') for $a, $b;
spew("$pci/devices/$_/driver_override", "(null)\n") for $a, $b;
answered('--late', $a);
like(logged(), qr/claimed for vfio-pci/, 'once more is news again');

# Who says that a selector is absent has to see that it is not.
tree("ids = 8086:10d3\n");
report('-|-|-|absent|-|-|8086:10d3|no such device', '-|-|-|absent|-|-|10de:2204|no such device');
answered('--late', $a);
is(join(' ', rows() =~ /absent.*/g), "absent\t-\t-\t10de:2204\tno such device", 'what has come is absent no more');

# No report: the claim of this boot has not run, and nobody may say it has.
tree("ids = 8086:10d3\n");
unlink "$root/run/vfio-boot/report";
answered('--late', $a);
is(rows(), '', 'without a report none is begun');

# One run at a time; the second one finds its function done.
tree("ids = 8086:10d3\ntimeout = 20\n");
open my $lock, '>', "$root/run/vfio-boot/lock" or die "$!\n";
flock $lock, LOCK_EX or die "$!\n";
my $pid = fork // die "$!\n";
exec @as_root, 'build/vfio-boot-claim', '--late', $a, '--sysroot', $root or die "$!\n" if !$pid;
ok(wait_until(sub { -e "$late/$a" }), 'a run notes its function first');
sleep 0.3;
is(rows(), $said_before, 'and waits for the lock');
unlink "$late/$a";
flock $lock, LOCK_UN;
waitpid $pid, 0;
is("$? " . rows(), "0 $said_before", 'if somebody has taken the note, it does nothing');

# A lock that is never free.
tree("ids = 8086:10d3\ntimeout = 1\n");
flock $lock, LOCK_UN;
open $lock, '>', "$root/run/vfio-boot/lock" or die "$!\n";
flock $lock, LOCK_EX or die "$!\n";
my $begin = time;
run_late($a);
cmp_ok(time - $begin, '<', 5, 'it waits no longer than timeout');
like(logged(), qr/another run is active/, 'and says why it does nothing');
close $lock;

# The folder follows the settings.
for (['ids = 03:00', '', 1], ['# nothing', '', 0], ['ids = 03:00', 'vfio.ids=off', 0], ['ids = 03:00', 'single', 0]) {
	for my $run ([], ['--second-look'], ['--settle']) {
		tree("$_->[0]\n");
		spew("$root/proc/cmdline", "$_->[1]\n");
		rmdir $late if $_->[2];
		answered(@$run);
		is(-d $late ? 1 : 0, $_->[2], "$_->[0] $_->[1] @$run: " . ($_->[2] ? 'there is a folder for late ones' : 'there is none'));
	}
}
tree("ids = 03:00\n");
rmdir $late;
unlink "$root/run/vfio-boot/report";
answered('--settle');
ok(!-d $late, 'where the claim of the boot did not run, none');

# A host driver has taken back what was claimed.
for (['yes', 'claimed', 'ids = 03:00', 1], ['no', 'claimed', 'ids = 03:00', 0], ['yes', 'given-back', 'ids = 03:00', 0], ['yes', 'refused', 'ids = 03:00', 0],
	['yes', 'already', 'ids = 03:00', 1], ['yes', 'claimed', 'ids = 8086:10d3', 0], ['yes', 'claimed', 'ids = 10de:2204', 0]) {
	my ($keep, $verdict, $settings, $taken) = @$_;
	tree("$settings\nkeep = $keep\n", 'e1000e');
	report(map { "$_|8086:10d3|7|$verdict|-|vfio-pci|03:00|-" } $a, $b);
	my $before = rows();
	answered('--rebound', $a);
	is(state_of($a, $b), $taken ? 'vfio-pci/vfio-pci vfio-pci/vfio-pci' : 'e1000e/ e1000e/', "keep = $keep, $verdict before, $settings: " . ($taken ? 'claimed again' : 'left there'));
	is(rows() =~ s/\t-\tlate$//gmr, $before =~ s/already/claimed/gr, 'and the report says what it said') if $taken || $verdict ne 'claimed' || $keep eq 'no';
	is(join(' ', glob "$late/*"), '', 'no note is left');
}
# A release that runs meanwhile gives back what is claimed until then.
tree("ids = 03:00\nkeep = yes\n", 'e1000e');
report(map { "$_|8086:10d3|7|claimed|-|vfio-pci|03:00|-" } $a, $b);
open $lock, '>', "$root/run/vfio-boot/lock" or die "$!\n";
flock $lock, LOCK_EX or die "$!\n";
$pid = fork // die "$!\n";
exec @as_root, 'build/vfio-boot-claim', '--rebound', $a, '--sysroot', $root or die "$!\n" if !$pid;
ok(wait_until(sub { -e "$late/$a+" }), 'a run notes what was bound');
report(map { "$_|8086:10d3|7|given-back|-|-|03:00|given back at run time (vfio-boot release)" } $a, $b);
flock $lock, LOCK_UN;
waitpid $pid, 0;
is(state_of($a), 'e1000e/', 'what was released meanwhile is not claimed again');
for (['vfs = 03:00.0=2', '--settle', 1], ['ids = 03:00', '--settle', 0], ['vfs = 03:00.0=2', '--second-look', 0]) {
	tree("$_->[0]\ntimeout = 1\n");
	answered($_->[1]);
	is(-e "$root/run/vfio-boot/vfs" ? 1 : 0, $_->[2], "$_->[0], $_->[1]: whether udev asks for VFs from then on");
}
for (['yes', 1], ['no', 0]) {
	tree("ids = 03:00\nkeep = $_->[0]\n");
	answered('--second-look');
	is(-e "$root/run/vfio-boot/keep" ? 1 : 0, $_->[1], "keep = $_->[0]: udev is told");
}

# A run that waited in vain for the lock leaves its note, and vfio-boot.service takes it up.
tree("ids = 8086:10d3\n");
spew("$late/$a", '');
answered('--settle');
is(state_of($a, $b), 'vfio-pci/vfio-pci vfio-pci/vfio-pci', 'a note that was left is taken up');
like(row($a), qr/\tlate$/, 'as a late one');
is(join(' ', glob "$late/*"), '', 'and is gone');

# What an earlier run has left open of others stays so.
tree("ids = 03:00 04:00.0\n");
report("$disk|1b36:0010|8|failed|bind|-|04:00.0|x|-|driver-lost,override-left");
spew("$pci/devices/$disk/driver_override", "vfio-pci\n");
set_driver($disk, '');
my $left = row($disk);
answered('--late', $a);
is(state_of($a, $disk), 'vfio-pci/vfio-pci /vfio-pci', 'what was left open of others is not given back');
is(row($disk), $left, 'and its row is as it was');

# Another card at the address of one that the report has.
tree("ids = 03:00\n");
report("$a|144d:a808|8|given-back|root-missing|-|03:00.0|x", "$b|144d:a808|8|failed|bind|-|03:00.1|x|-|override-left");
answered('--late', $a);
is(state_of($a, $b), 'vfio-pci/vfio-pci vfio-pci/vfio-pci', 'what was at its address before is no matter');

# A driver that holds it today may let go tomorrow.
tree("ids = 03:00\nkeep = yes\nunbind = no\n", 'e1000e');
report(map { "$_|8086:10d3|7|claimed|-|vfio-pci|03:00|-" } $a, $b);
answered('--rebound', $a);
is(state_of($a), 'e1000e/', 'one that cannot be claimed again stays there');
like(logged(), qr/refused, unbind-not-allowed/, 'which the log says');
like(row($a), qr/\tclaimed\t/, 'and is a claimed one still');
spew("$root/etc/vfio-boot.conf", "ids = 03:00\nkeep = yes\n");
answered('--rebound', $a);
is(state_of($a), 'vfio-pci/vfio-pci', 'so that the next time it is');

# Steady names of what was claimed.
tree("ids = 03:00\n");
answered('--late', $a);
my $run = "$root/run/vfio-boot";
my %link = map { (m{/(by-.*)}s)[0] => readlink } glob "$run/by-*/*";
is_deeply(\%link, { map { my ($f, $path) = ($_, "0000:00:03.0-00.$_");
	map { ("$_$path" => "/sys/bus/pci/devices/0000:03:00.$f", "$_$path.group" => '/dev/vfio/7') } 'by-path/', 'by-id/8086:10d3@' } 0, 1 },
	'links by path and by ID lead to each function and to its group');
is(join(' ', grep { !m{/by-(?:path|id)\z} } glob "$run/by*"), '', 'and nothing else is left');
set_driver($b, 'e1000e');
answered('--settle');
is(join(' ', map { s{.*/}{}r } glob "$run/by-path/*"), '0000:00:03.0-00.0 0000:00:03.0-00.0.group', 'what a vfio driver does not hold any more has none');

done_testing();
