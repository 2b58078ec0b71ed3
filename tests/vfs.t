#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Virtual functions that `vfs` asks for, in a tree that answers (Answer.pm): made and claimed when the boot is over, added
# to the settings and removed, claimed and taken away by hand. tests/qemu/vfs.t has a kernel and QEMU's igb.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Path qw(make_path remove_tree);
use JSON::PP ();
use Test::More;
use Answer;
use Tree;

in_memory('build/vfs');
my $root = 'build/vfs/tree';
my $pci = "$root/sys/bus/pci";
my ($pf, $mate) = ('0000:03:00.0', '0000:03:00.1');
my @vfs = map { "0000:03:10.$_" } 0 .. 7;
my ($out, $err, $status);
my $path = '0000:00:03.0/00.0@8086:10d3';

sub report { spew("$root/run/vfio-boot/report", join '', map { "$_\n" } 'vfio-boot-report 1', map { tr/|/\t/r } @_) }
sub rows { return slurp("$root/run/vfio-boot/report") }
sub row { return join ' ', grep { /^\Q$_[0]\E\t/ } split /\n/, rows() }
sub attribute { return slurp("$pci/devices/$pf/sriov_$_[0]") =~ s/\n//r }
sub tree {
	my ($settings, %o) = @_;
	q35($root, $settings);
	set_driver($_, 'e1000e') for $pf, $mate;
	set_driver($pf, '') if $o{driverless};
	my %sriov = (totalvfs => 8, numvfs => 0, offset => 128, stride => 1, vf_device => '10ca', drivers_autoprobe => 1);
	spew("$pci/devices/$pf/sriov_$_", "$sriov{$_}\n") for keys %sriov;
	report('0000:02:01.0|8086:100e|6|excluded|-|-|-|x');
}
my @shell = ('sh', '-c', "exec \"\$0\" \"\$@\" >$root.out 2>$root.err");
sub heard {
	$status = $_[0] & 127 ? "signal $_[0]" : $_[0] >> 8;
	$out = slurp("$root.out");
	$err = slurp("$root.err");
}
sub answered { heard(run_answered('', { $pf => 'e1000e', $mate => 'e1000e', map { $_ => 'igbvf' } @vfs }, @shell, @_)) }
sub settle { answered('build/vfio-boot-claim', '--settle') }
sub plain { heard(system(@as_root, @shell, @_, '--sysroot', $root)) }

answers_in($root);

# A plan knows them before they are there.
tree("vfs = 03:00.0=3\n");
plain('build/vfio-boot', 'plan', '--no-image');
is("$out-- $status", join('', map { "0000:03:10.$_ [8086:10ca] no group: pending, vfs: virtual function $_ of $pf, made when that one has its driver\n" } 0 .. 2)
	. '-- 0', 'a plan for the next boot has the virtual functions');
my $text = $out;
plain('build/vfio-boot-claim', '--dry-run', '--next-boot');
is("$out-- $status", "$text-- 0", 'both programs print the same');

# They are made and claimed.
tree("vfs = 03:00.0=8\n");
settle();
is(state_of(@vfs), join(' ', ('vfio-pci/vfio-pci') x 8), 'the virtual functions are made and claimed');
like(slurp("$pci/answered"), qr/^vfs 8 autoprobe 0\n/, 'no driver of the host is probed for them meanwhile');
is(attribute('drivers_autoprobe'), '1', 'and is again from then on');
is(state_of($pf), 'e1000e/', 'the physical function stays with the host');
like(row($_), qr/^\Q$_\E\t8086:10ca\t\d+\tclaimed\t-\tvfio-pci\t03:00\.0=8\t-/, "the report has $_") for @vfs;
is(row($pf), '', 'and nothing of the physical function');
like(rows(), qr/\n0000:02:01\.0\t/, 'what it said of others is there');
is($status, 0, 'exit status 0');
my ($said, $complaints) = told($root, 'status');
like($said, qr/^\Q$vfs[7]\E \[8086:10ca\] group 107: claimed for vfio-pci$/m, 'so does status');
lacks($said . $complaints, qr/absent|in part|drifted|missing|foreign/, 'which misses nothing');
my $before = rows();
unlink "$pci/answered";
settle();
is(slurp("$pci/answered"), '', 'once more: nothing is made, bound or unbound');
is(rows(), $before, 'and the report is as it was');

# A bridge of the kinds that follow: excluded, guarded, named by number.
tree("vfs = 03:00.0=4\nids = !03:00.0/vf1 !$vfs[2]\n");
settle();
is(state_of(@vfs[0 .. 3]), 'vfio-pci/vfio-pci igbvf/ igbvf/ vfio-pci/vfio-pci', 'an excluded one is left to the driver of the host');
like(row($vfs[1]), qr/\texcluded\t/, 'and reported so');
is($status, 0, 'which is no fault');
tree("vfs = $path=2\nids = 03:00.0/vf0\@8086:10ca, 03:00.0/vf7?\n");
settle();
is(state_of(@vfs[0, 1]), 'vfio-pci/vfio-pci vfio-pci/vfio-pci', 'a guarded path names the physical function');
like(row($vfs[0]), qr{\t03:00\.0/vf0\@8086:10ca\t}, 'a virtual function that ids names has that selector');
is($status, 0, 'one that is optional and not there is no fault');

# What is refused, and what fails.
for (['too many', "vfs = 03:00.0=9\n", 'refused', qr/it can have 8 virtual functions, not 9 \(correct vfs = 03:00\.0=9 /],
	['no SR-IOV', "vfs = 04:00.0=2\n", 'refused', qr/it can have no virtual functions/, '0000:04:00.0'],
	['another card', "vfs = 03:00.0\@8086:1521=2\n", 'refused', qr/found 8086:10d3 there/]) {
	my ($name, $settings, $verdict, $why, $of) = @$_;
	tree($settings);
	settle();
	like(row($of // $pf), qr/\t$verdict\t(?:vfs|guard-mismatch)\t/, "$name: $verdict");
	like(row($of // $pf), $why, 'with the reason');
	is(attribute('numvfs'), '0', 'nothing is made');
	is($status, 1, 'exit status 1');
}
tree("vfs = 03:00.0=2\n");
spew("$pci/devices/$pf/sriov_numvfs", "3\n");
settle();
like(row($pf), qr/\trefused\tvfs\t.*it has 3 virtual functions already, not 2 \(vfio-boot release --remove-vfs \Q$pf\E\)/, 'others are there already: refused');
is(attribute('numvfs'), 3, 'and left alone');
for ('', 'e1000e') {
	tree("vfs = 03:00.0=2\nids = 03:00.0\n", driverless => !$_);
	settle();
	is(attribute('numvfs'), '0', 'of one that is selected itself none are made');
	is(state_of($pf, $mate), "$_/ e1000e/", 'and nobody claims half of its group for that');
}
tree("vfs = 03:00.0=2\ntimeout = 2\n", driverless => 1);
settle();
like(row($pf), qr/\tfailed\tvfs\t.*its 2 virtual functions could not be made: no driver has it \(is its module installed\?\)/, 'no driver comes: failed');
is(attribute('numvfs'), '0', 'and nothing is written');
tree("vfs = 03:00.0=2\n");
heard(system(@as_root, 'strace', '-f', '-qq', '-o', '/dev/null', '-P', "$pci/devices/$pf/sriov_numvfs", '-e', 'inject=write:error=ERANGE', @shell, 'build/vfio-boot-claim', '--settle', '--sysroot', $root));
like(row($pf), qr/\tfailed\tvfs\t.*could not be made: out of range \(see the kernel log\)/, 'what the kernel says is said');
is(attribute('drivers_autoprobe'), "1", 'and its autoprobe is put back') or diag(attribute('drivers_autoprobe'));
($said) = told($root, 'status');
like($said, qr/^\Q$pf\E .*: failed, vfs: .*-- exit 1$/ms, 'so does status, with 1');
settle();
is(row($pf), '', 'a later run that succeeds takes the failure away') or diag(rows());
is(state_of(@vfs[0, 1]), 'vfio-pci/vfio-pci vfio-pci/vfio-pci', 'with all of them claimed');
tree("vfs = 03:00.0=2\n");
heard(system(@as_root, 'strace', '-f', '-qq', '-o', '/dev/null', '-P', "$pci/devices/$pf/sriov_numvfs", '-e', 'inject=write:signal=KILL', @shell, 'build/vfio-boot-claim', '--settle', '--sysroot', $root));
is(attribute('drivers_autoprobe'), '1', 'a child that dies leaves no autoprobe switched off');
like(row($pf), qr/\tfailed\tvfs\t/, 'and is a failure');
tree("vfs = 03:00.0=2\ntimeout = 3\n");
heard(system(@as_root, 'strace', '-f', '-qq', '-o', '/dev/null', '-P', "$pci/devices/$pf/sriov_numvfs", '-e', 'inject=write:delay_enter=6000000', @shell, 'build/vfio-boot-claim', '--settle', '--sysroot', $root));
like(row($pf), qr/\tfailed\tvfs\t.*timed out/i, 'a driver that takes too long is not waited for');

# By hand.
tree("ids = !$vfs[1]\n");
answered('build/vfio-boot', 'claim', '--vfs', 3, '03:00.0');
is($out, "$vfs[0] [8086:10ca] group 100: claimed for vfio-pci\n$vfs[1] [8086:10ca] group 101: excluded: by !$vfs[1] (/etc/vfio-boot.conf:1:7)\n"
	. "$vfs[2] [8086:10ca] group 102: claimed for vfio-pci\n", 'claim --vfs makes and claims them') or diag($err);
is(state_of(@vfs[0 .. 2]), 'vfio-pci/vfio-pci igbvf/ vfio-pci/vfio-pci', 'but not what is excluded');
($said) = told($root, 'status');
like($said, qr/^\Q$vfs[0]\E .*claimed for vfio-pci$/m, 'status knows of them');
answered('build/vfio-boot', 'release', '--remove-vfs', '03:00.0');
is("$out$err-- $status", "$pf [8086:10d3]: its 3 virtual functions were taken away\n-- 0", 'release --remove-vfs takes them away');
is(attribute('numvfs'), '0', 'all of them');
is(row($_), '', "the report does not have $_ any more") for @vfs[0, 2];
settle();
is(attribute('numvfs'), '0', 'without an entry of `vfs` none are made again');
is((told($root, 'status'))[0] =~ /exit (\d)/ ? $1 : '', 0, 'and status is content');
answered('build/vfio-boot', 'release', '--remove-vfs', '03:00.0', '09:00.0');
is("$out-- $status", "$pf [8086:10d3]: it has no virtual functions\n09:00.0=1: absent: no such device\n-- 1", 'there are none to take away');
for (['claim', '--vfs', '0', '03:00.0'], ['claim', '--vfs', 'x', '03:00.0'], ['claim', '--vfs', '3', 'rubbish'], ['add', '--vfs', '3'], ['claim', '03:00.0=3'], ['release', '03:00.0=3'],
	['claim', '--vfs', '3', '03:00.0=3']) {
	plain('build/vfio-boot', @$_);
	is($status, 2, "@$_: wrong use");
}
tree("# nothing\n");
plain('build/vfio-boot', 'claim', '--vfs', 9, '03:00.0');
like($out, qr/^\Q$pf\E .*refused, vfs: it can have 8 virtual functions, not 9/m, 'claim --vfs: more than there can be');

tree("vfs = 03:00.0=2\n");
settle();
answered('build/vfio-boot', 'release', '--remove-vfs', '03:00.0');
settle();
is(state_of(@vfs[0, 1]), 'vfio-pci/vfio-pci vfio-pci/vfio-pci', 'with one the service makes and claims new ones');
answered('build/vfio-boot', 'release', $vfs[0]);
settle();
is(state_of(@vfs[0, 1]), 'igbvf/ vfio-pci/vfio-pci', 'one that was released stays released');
heard(system(@as_root, 'strace', '-f', '-qq', '-o', '/dev/null', '-P', "$pci/devices/$pf/sriov_numvfs", '-e', 'inject=write:error=EIO:signal=KILL', @shell, 'build/vfio-boot', 'release', '--remove-vfs', $pf, '--sysroot', $root));
like($out, qr/^\Q$pf\E .*: failed, vfs: its 2 virtual functions could not be taken away: I\/O error$/m, 'a child that died has taken nothing away');

# Somebody else has made others.
tree("# nothing\n");
answered('build/vfio-boot', 'claim', '--vfs', 3, '03:00.0');
answered('build/vfio-boot', 'release', @vfs[0 .. 2]);
spew("$root/etc/vfio-boot.conf", "vfs = 03:00.0=2\n");
settle();
is(state_of(@vfs[0 .. 2]), 'igbvf/ igbvf/ igbvf/', 'VFs in another number are left to whom they belong');
answered('build/vfio-boot-claim', '--late', $vfs[0]);
is(state_of($vfs[0]), 'igbvf/', 'by a late run, too');

# What ids says of the PF.
tree("vfs = 03:00.0=2\nids = 03:00\n");
set_driver($_, 'vfio-pci') for $pf, $mate;
settle();
is(attribute('numvfs'), '0', 'a PF that vfio-pci has gets none');
plain('build/vfio-boot', 'plan', '--no-image');
like($err, qr/^vfio-boot: 03:00\.0=2 .*: no virtual function is made \(ids selects that function itself, or it can have none\)$/m, 'and a plan says so');
is($status, 1, 'with exit status 1');
for (["ids = 8086:10d3, !03:00\n", 'excluded'], ["ids = 8086:10d3\nreserve = 03:00.0\n", 'kept']) {
	tree("vfs = 03:00.0=9\n$_->[0]");
	settle();
	like(row($pf), qr/\trefused\tvfs\t/, "what is wrong with the VFs of a PF that is $_->[1] is said");
	tree("vfs = 03:00.0=2\n$_->[0]");
	settle();
	is(state_of(@vfs[0, 1]), 'vfio-pci/vfio-pci vfio-pci/vfio-pci', 'if nothing is, they are made');
}
tree("vfs = class:02=2\n");
settle();
is("$status " . attribute('numvfs'), '0 2', 'an ID or a class means PFs alone');
tree("vfs = class:0c=2\n");
plain('build/vfio-boot', 'plan', '--no-image');
like($err, qr/no virtual function is made/, 'one that means none is said');
tree("vfs = 03:00.0=2, 0000:00:03.0/00.0=3\n");
plain('build/vfio-boot', 'plan', '--no-image');
like($err, qr/^vfio-boot: 03:00\.0=2 .*: not used for \Q$pf\E .*0000:00:03\.0\/00\.0=3 .* counts$/m, 'two numbers for one PF are said');

# At boot they are pending, and what names them is not absent.
tree("vfs = 03:00.0=3\nids = 03:00.0/vf0 !03:00.0/vf1 8086:10ca\n");
unlink "$root/run/vfio-boot/report";
answered('build/vfio-boot-claim');
is($status, 0, 'a boot with them is none with a fault');
like(row($vfs[0]), qr/\tpending\tvfs\t/, 'they are pending in its report');
lacks(slurp("$root/dev/kmsg"), qr/absent|matches no device/, 'and nothing that means them is absent');
answered('build/vfio-boot-claim', '--second-look');
is($status, 0, 'nor at the second look');
($said) = told($root, 'status');
like($said, qr/pending, vfs.*-- exit 1$/ms, 'until the service has made them that is a fault');
settle();
($said) = told($root, 'status');
is($said =~ s/group \d+/group N/gr, "$vfs[0] [8086:10ca] group N: claimed for vfio-pci\n$vfs[1] [8086:10ca] group N: excluded: by !03:00.0/vf1 (/etc/vfio-boot.conf:2:19); now bound to igbvf\n"
	. "$vfs[2] [8086:10ca] group N: claimed for vfio-pci\n-- exit 0\n", 'then all is well');
is(join(' ', map { s{.*/}{}r } glob "$root/run/vfio-boot/by-path/*"), join(' ', map { ("0000:00:03.0-00.0-vf$_", "0000:00:03.0-00.0-vf$_.group") } 0, 2), 'their steady names have PF and number');

# An entry that was absent at boot.
tree("vfs = 03:00.0=2\n");
report('-|-|-|absent|-|-|03:00.0=2|no such device');
settle();
lacks(rows(), qr/absent/, 'an entry whose card has come is absent no more');
($said) = told($root, 'status');
like($said, qr/-- exit 0$/m, 'and all is well');

# Without a report nobody would know of them.
tree("vfs = 03:00.0=2\n");
unlink "$root/run/vfio-boot/report";
settle();
is(attribute('numvfs') . rows(), '0', 'where the claim of the boot has not run, none are made');

# In use.
tree("# nothing\n");
answered('build/vfio-boot', 'claim', '--vfs', 2, '03:00.0');
spew("$root/proc/4711/comm", "qemu\n");
make_path("$root/proc/4711/fd");
symlink '/dev/vfio/101', "$root/proc/4711/fd/7";
answered('build/vfio-boot', 'release', '--remove-vfs', '03:00.0');
is("$out-- $status", "$pf [8086:10d3]: refused, in-use: its VF $vfs[1] is open, by qemu (process 4711) (end it first)\n-- 1", 'one that a guest has is not taken away');
is(attribute('numvfs'), '2', 'nor are the others');

# In the settings.
tree("# nothing\n");
plain('build/vfio-boot', 'add', '--no-rebuild', '--vfs', 4, '03:00.0');
is($status, 0, 'add --vfs') or diag("$out$err");
like(slurp("$root/etc/vfio-boot.conf.d/50-local.conf"), qr/^vfs = \Q$path\E=4  # \Q$pf\E /m, 'writes a guarded path');
like($out, qr/^\Q$vfs[3]\E .*: pending, vfs: /m, 'and says what becomes of it');
lacks($err, qr/in the meantime|absent/, 'and nothing else');
plain('build/vfio-boot', 'add', '--no-rebuild', '--vfs', 4, '03:00.0');
like($err, qr/is in the settings already/, 'once more: nothing');
plain('build/vfio-boot', 'add', '--no-rebuild', '--vfs', 3, '03:00.0');
like($err, qr/\(remove it first\)/, 'another number: remove it first');
plain('build/vfio-boot', 'add', '--no-rebuild', '--vfs', 9, '04:00.0');
like("$out$err", qr/refused, vfs: it can have no virtual functions.*nothing was changed/s, 'what would be refused is not written');
plain('build/vfio-boot', 'add', '--no-rebuild', '--vfs', 2, '--force', '0b:00.0');
like(slurp("$root/etc/vfio-boot.conf.d/50-local.conf"), qr/^vfs = 0b:00\.0=2$/m, '--force adds one that is not there yet, as it is written');
plain('build/vfio-boot', 'remove', '--no-rebuild', '0b:00.0=2');
is($status, 0, 'and its text removes it') or diag("$out$err");
plain('build/vfio-boot', 'add', '--no-rebuild', '!03:00.0/vf2');
plain('build/vfio-boot', 'plan', '--no-image');
like($out, qr/^\Q$vfs[2]\E .*: excluded: by !03:00\.0\/vf2 /m, 'a virtual function may be excluded by its number');
plain('build/vfio-boot', 'explain', $vfs[1]);
like($out, qr/^\Q$vfs[1]\E .*pending, vfs/, 'explain knows one that is not there yet');
plain('build/vfio-boot', 'explain', '03:00.0');
like($out, qr/makes VFs +\Q$path\E=4 /, 'and what is made of the physical one');
($said) = told($root, 'status');
like($said . slurp("$root.err"), qr/its 4 virtual functions are not there/, 'status says that they are not there yet');
plain('build/vfio-boot', 'remove', '--no-rebuild', '03:00.0/vf2', 'not:03:00.0/vf2');
plain('build/vfio-boot', 'remove', '--no-rebuild', '03:00.0');
is($status, 0, 'remove by the physical function') or diag("$out$err");
lacks(slurp("$root/etc/vfio-boot.conf.d/50-local.conf"), qr/^vfs/m, 'takes the line away');

tree("vfs = 03:00.0=4\n");
plain('build/vfio-boot', 'doctor');
like($out, qr/^ok +settings +1 selector$/m, 'doctor counts the entry');
like($out, qr/^ok +plan +the next boot: 0 claimed, 0 refused, 0 pending, 0 absent.*\n.*and 4 virtual functions, made when the boot is over$/m, 'and what is made of it');
tree("vfs = class:0c=2\n");
plain('build/vfio-boot', 'doctor');
like($out, qr/^!! +plan .*\n.*class:0c=2 .*: no virtual function is made [^!]*\n +correct or remove that entry\n/m, 'and that nothing is made of it') or diag($out);

# As JSON.
for (["vfs = 03:00.0=4\nids = !03:00.0/vf1\n", 0], ["vfs = 03:00.0=9\n", 1], ["vfs = 03:00.0=2\nids = 03:00.*\n", 0]) {
	tree($_->[0]);
	settle();
	for my $verb (['plan', '--no-image'], ['plan', '--now'], ['explain', '--no-image', '03:00.0'], ['list'], ['status']) {
		plain('build/vfio-boot', @$verb, '--json');
		is(beside_schema($verb->[0], $out), '', "@$verb --json is as its schema says");
		is($status, $_->[1], "exit status $_->[1]") if $verb->[0] eq 'status';
	}
}

# On the kernel command line.
tree("vfs = 03:00.0=4\n");
for (['vfio-boot.vfs=03:00.0=2', 2], ['vfio-boot.vfs=', 0], ['vfio-boot.vfs=off', 0], ['vfio-boot.vfs=+03:00.1=2', 4], ['vfio.ids=off', 0]) {
	plain('build/vfio-boot', 'plan', '--no-image', '--cmdline', $_->[0]);
	is(scalar(() = $out =~ /pending, vfs/g), $_->[1], "$_->[0]: $_->[1] are made");
}

done_testing();
