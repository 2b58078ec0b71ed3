#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the host has not got back is in the report, from look to look, until it is true no more; each look tries again.
# A group that somebody has open is not touched at all.

use strict;
use warnings;
use Cwd 'abs_path';
use File::Path qw(make_path);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Answer;
use Tree;

in_memory('build/owed');
my $root = 'build/owed/tree';
my $pci = "$root/sys/bus/pci";
my ($a, $b) = ('0000:03:00.0', '0000:03:00.1');
my %own = ($a => 'e1000e', $b => 'e1000e');
my @claim = 'build/vfio-boot-claim';

sub new_tree {
	q35($root, "ids = 0000:03:00.*\ntimeout = 20\n");
	set_driver($_, 'e1000e') for $a, $b;
}
# The row of a device: its verdict, its reason and its notes.
sub row_of {
	my ($dev) = @_;
	my @rows = grep { /^\Q$dev\E\t/ } split /\n/, slurp("$root/run/vfio-boot/report");
	return join ', ', map { my @c = split /\t/; "$c[3] $c[4] " . ($c[9] // '-') } @rows;
}
# In a tree that does not answer, with calls that fail.
sub injected {
	my ($inject, @words) = @_;
	return system(@as_root, 'strace', '-f', '-qq', '-o', '/dev/null', @$inject, @words, '--sysroot', $root) >> 8;
}
answers_in($root);

# The driver of the host does not come back.
new_tree();
is(run_answered($b, { $a => 'e1000e' }, @claim) >> 8, 1, 'one function does not bind, and its own driver does not come back');
is(state_of($a, $b), 'e1000e/ /', 'the other one has its driver, and no override is left');
is(row_of($b), 'failed bind driver-lost', 'which is in the report');
is(row_of($a), 'refused group-member-refused -', 'of this device alone');
for my $look ('--second-look', '--settle') {
	spew("$pci/answered", '');
	run_answered($b, { $a => 'e1000e' }, @claim, $look);
	like(slurp("$pci/answered"), qr/^probe \Q$b\E$/m, "$look tries again");
	is(state_of($a, $b), 'e1000e/ /', 'in vain');
	is(row_of($b), 'failed bind driver-lost', 'and the note stays');
}
run_answered($b, \%own, @claim, '--second-look');
is(state_of($a, $b), 'e1000e/ e1000e/', 'when it can be bound again it is');
is(row_of($b), 'failed bind -', 'and the note is gone');

# Likewise where somebody else has bound it.
new_tree();
run_answered($b, { $a => 'e1000e' }, @claim);
is(row_of($b), 'failed bind driver-lost', 'a driver that does not come back');
set_driver($b, 'e1000e');
run_answered($b, { $a => 'e1000e' }, @claim, '--second-look');
is(row_of($b), 'failed bind -', 'and comes later by itself is owed no more');

# The vfio driver does not let go.
new_tree();
{
	local @Answer::holding = ('vfio-pci');
	run_answered($b, \%own, @claim);
	is(state_of($a, $b), 'vfio-pci/ e1000e/', 'vfio-pci does not let go of one function, and the other one is given back');
	is(row_of($a), 'refused group-member-refused driver-lost,driver-left', 'which is in the report');
	is(row_of($b), 'failed bind -', 'of this device alone');
	for my $look ('--second-look', '--settle') {
		spew("$pci/answered", '');
		run_answered($b, \%own, @claim, $look);
		like(slurp("$pci/answered"), qr/^unbind \Q$a\E$/m, "$look tries again");
		is(state_of($a, $b), 'vfio-pci/ e1000e/', 'in vain');
		is(row_of($a), 'refused group-member-refused driver-lost,driver-left', 'and the note stays');
	}
}
run_answered($b, \%own, @claim, '--second-look');
is(state_of($a, $b), 'e1000e/ e1000e/', 'when it lets go the own driver is back');
is(row_of($a), 'refused group-member-refused -', 'and the note is gone');

# The override cannot be cleared.
new_tree();
set_driver($_, '') for $a, $b;
my @refusing = ('-e', 'trace=write', '-P', abs_path("$pci/devices/$b/driver_override"), '-e');
is(injected([ @refusing, 'inject=write:error=EIO:when=2..3' ], @claim), 1, 'an override that cannot be cleared');
show_overrides();
is(state_of($a, $b), '/ /vfio-pci', 'stays, and that of the other function does not');
is(row_of($b), 'refused group-member-refused override-left', 'which is in the report');
is(row_of($a), 'failed bind -', 'of this device alone');
for my $look ('--second-look', '--settle') {
	injected([ @refusing, 'inject=write:error=EIO' ], @claim, $look);
	show_overrides();
	is(override($b), 'vfio-pci', "$look tries again, in vain");
	like(row_of($b), qr/ override-left$/, 'and the note stays');
}
injected([], @claim, '--second-look');
show_overrides();
is(state_of($a, $b), '/ /', 'when it can be cleared it is');
lacks(row_of($b), qr/override-left/, 'and the note is gone');

# Somebody else's override was there before, on a device that its own driver holds.
new_tree();
spew("$pci/devices/$a/driver_override", "vfio-pci\n");
run_answered($b, \%own, @claim);
is(state_of($a, $b), 'e1000e/vfio-pci e1000e/', 'its own driver is back, and then its override');
is(row_of($a), 'refused group-member-refused -', 'so nothing is owed');
{
	new_tree();
	spew("$pci/devices/$a/driver_override", "vfio-pci\n");
	local @Answer::holding = ('vfio-pci');
	run_answered($b, \%own, @claim);
	is(row_of($a), 'refused group-member-refused driver-lost,driver-left,override-before', 'what is to be there in the end is in the report');
	run_answered($b, \%own, @claim, '--second-look');
	is(row_of($a), 'refused group-member-refused driver-lost,driver-left,override-before', 'from look to look');
}
run_answered($b, \%own, @claim, '--second-look');
is(state_of($a, $b), 'e1000e/vfio-pci e1000e/', 'until its own driver is back, and then its override');
is(row_of($a), 'refused group-member-refused -', 'and nothing is owed any more');

# The same where its own driver does not come back: the override is there all the same.
new_tree();
spew("$pci/devices/$a/driver_override", "vfio-pci\n");
for my $look ('', '--second-look', '--settle') {
	run_answered($b, { $b => 'e1000e' }, @claim, $look ? $look : ());
	is(state_of($a, $b), '/vfio-pci e1000e/', "its own driver does not come back ($look)");
	is(row_of($a), 'refused group-member-refused driver-lost,override-before', 'and both are owed');
}
run_answered($b, \%own, @claim, '--second-look');
is(state_of($a, $b), 'e1000e/vfio-pci e1000e/', 'until it comes back');
is(row_of($a), 'refused group-member-refused -', 'and nothing is owed any more');

# A group that is open is left as it is: before Linux 5.19 a driver of the host that joins it is a kernel BUG.
my @open = ('-e', 'trace=openat', '-P', 'dev/vfio/7', '-e', 'inject=openat:error=EBUSY');
new_tree();
set_driver($_, '') for $a, $b;
injected(\@open, @claim);
is(state_of($a, $b), '/vfio-pci /vfio-pci', 'nothing of a claim that failed is taken back while its group is open');
like(row_of($_), qr/ group-open$/, "and the report says so of $_") for $a, $b;

# A kernel without VFIO groups has no file of the group: who has a device of it open is in /proc.
for my $node ('vfio3', 'vfio4') {
	new_tree();
	set_driver($_, '') for $a, $b;
	make_path("$root/proc/1234/fd", "$root/sys/class/vfio-dev/vfio3");
	symlink "../../../bus/pci/devices/$b", "$root/sys/class/vfio-dev/vfio3/device";
	symlink "/dev/vfio/devices/$node", "$root/proc/1234/fd/5";
	run_answered($b, {}, @claim);
	my $open = $node eq 'vfio3';
	is(state_of($a, $b), $open ? 'vfio-pci/vfio-pci /vfio-pci' : '/ /', "$node is open by its device file: " . ($open ? 'left as it is' : 'of another group'));
	is(row_of($_) =~ / group-open$/, $open, "which the report says of $_") for $a, $b;
}
done_testing();
