#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A boot that does not come up, in a tree that answers (Answer.pm): what counts it, when a boot claims nothing since those
# before it did not come up, who says so, and what the boot loader is told where there is no EFI. tests/system/fallback.t has
# a firmware and boots that panic.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Path qw(make_path remove_tree);
use JSON::PP ();
use Test::More;
use Answer;
use Tree;

in_memory('build/fallback');
my $root = 'build/fallback/tree';
my ($a, $b) = ('0000:03:00.0', '0000:03:00.1');
my $store = "$root/sys/firmware/efi/efivars";
my $variable = "$store/VfioBootFailed-ec15a822-bc62-4a71-bce4-7b9a12d7bf7c";
my $run = "$root/run/vfio-boot";
my $reason = 'the last two boots with claims did not come up (fallback=no turns this off)';
my $status;

sub attributes { return "\7\0\0\0$_[0]" }
sub counted { return -e $variable ? slurp($variable) =~ s/\A\x07\0{3}//r : 'none' }
sub logged { return slurp("$root/dev/kmsg") }
sub marks { return join ' ', grep { -e "$run/$_" } qw(fallback late uncounted) }
sub claimed { return state_of($a, $b) eq 'vfio-pci/vfio-pci vfio-pci/vfio-pci' ? 'claimed' : state_of($a, $b) eq '/ /' ? 'nothing' : state_of($a, $b) }

my @shell = ('sh', '-c', "exec \"\$0\" \"\$@\" >$root.out 2>$root.err");
sub run_claim { $status = run_answered('', { $a => 'e1000e', $b => 'e1000e' }, @shell, 'build/vfio-boot-claim', @_) >> 8 }

# A machine with EFI whose count is this, or undef for none.
sub tree {
	my ($count, $settings) = @_;
	q35($root, $settings // "ids = 03:00\n");
	set_driver($_, '') for $a, $b;
	spew("$root/var/lib/vfio-boot/count-boots", '');
	make_path($store);
	spew($variable, $count) if defined $count;
}

answers_in($root);

# The count, and what it means.
for ([ undef, '1', 'claimed' ], [ attributes(0), '1', 'claimed' ], [ attributes(1), '2', 'claimed' ], [ attributes(2), '2', 'nothing' ],
	[ attributes(9), '9', 'nothing' ], [ '', '1', 'claimed' ], [ "\7\0\0", '1', 'claimed' ], [ attributes('x'), '1', 'claimed' ],
	[ attributes('/'), '1', 'claimed' ], [ attributes(':'), '1', 'claimed' ]) {
	my ($before, $after, $what) = @$_;
	tree($before);
	run_claim();
	my $name = $before // 'none';
	is(counted() . ', ' . claimed(), "$after, $what", 'the count ' . $name =~ s/[^!-~]/./gr . ": it is $after then, and $what is claimed" =~ s/claimed is claimed/the card is claimed/r);
	is(marks(), $what eq 'nothing' ? 'fallback' : 'late', 'and the marks in /run say it');
}
tree(undef);
run_claim();
is(logged() =~ s/.*group 7: claimed for vfio-pci\n//gr, '', 'a boot that is counted says nothing about it');

# A boot that claims nothing.
tree(attributes(2));
run_claim();
is($status, 0, 'a claim that claims nothing ends with 0');
is(logged(), "<4>vfio-boot: nothing is claimed: $reason\n", 'and says why, as a warning');
is(slurp("$root/sys/bus/pci/answered"), '', 'no device is touched');
spew("$root/dev/kmsg", '');
for my $look ('--second-look', '--settle', '--root-missing', '') {
	run_claim($look ? $look : ());
	is(claimed() . counted(), 'nothing2', "nor by a later run of that boot ($look)");
}
make_path("$run/late");
run_claim('--late', $a);
is(claimed(), 'nothing', 'nor when something comes');
remove_tree("$run/late");

sub planned { return (told($root, "plan", @_))[0] }
like(planned(), qr/^\Q$a\E .*: claim for vfio-pci$/m, 'the plan for the next boot is as ever');
lacks(join('', told($root, 'plan')), qr/did not come up/, 'without a word of it');
like(join('', told($root, 'plan', '--now')), qr/nothing is claimed: \Q$reason\E/, 'that of this boot has it');

# status and doctor.
my ($out, $err) = told($root, 'status');
is($out, "-- exit 1\n", 'status ends with 1');
is(join('', grep { /^vfio-boot: / && !/lives on|protect/ } $err =~ /^.*\n/mg), <<"END", 'and says what to do');
vfio-boot: this boot claimed nothing: $reason
vfio-boot: the next boot tries again; what it will do: vfio-boot plan
vfio-boot: why the boots before ended, as far as they could write it down: journalctl -b -1
END
my $json = (told($root, 'status', '--json'))[0] =~ s/-- exit 1\n\z//r;
like(join("\n", @{ JSON::PP->new->decode($json)->{warnings} }), qr/^this boot claimed nothing: \Q$reason\E$/m, 'so does its JSON');
is(beside_schema('status', $json), '', 'which is as the schema has it');
like((told($root, 'doctor'))[0], qr/^!!  report     this boot: 0 claimed.*\n +\Q$reason\E\n +the next boot tries again; what it will do: vfio-boot plan\n/m, 'doctor has it as a fault');

# A user may claim by hand.
run_answered('', { $a => 'e1000e', $b => 'e1000e' }, @shell, 'build/vfio-boot', 'claim', '03:00');
is(claimed(), 'claimed', 'a claim by hand is one');
($out, $err) = told($root, 'status');
like($out, qr/^\Q$a\E .*claimed for vfio-pci\n(.*\n)*-- exit 1$/m, 'which status has');
like($err, qr/^vfio-boot: this boot claimed nothing: /m, 'beside what the boot did');

# The fallback of the boot loader is a boot with vfio.ids=off.
tree(undef);
spew("$run/fallback", '');
spew("$root/proc/cmdline", "quiet vfio.ids=off\n");
like((told($root, 'status'))[1], qr/this boot claimed nothing: \Q$reason\E/, 'the words are those of the fallback, and not vfio.ids=off');

# What is not counted.
for ([ 'fallback = no', attributes(2), "ids = 03:00\nfallback = no\n", 'claimed', 'late' ],
	[ 'nothing selected', attributes(2), '', 'nothing', '' ],
	[ 'ids = off', attributes(2), "ids = 03:00\nids = off\n", 'nothing', '' ],
	[ 'nothing to claim', attributes(2), "ids = 10de:2204\n", 'nothing', 'late' ],
	[ 'all refused', attributes(2), "ids = 02:01.0\n", 'nothing', 'late' ],
	[ 'nothing to claim, without a count', undef, "ids = 10de:2204\n", 'nothing', 'late' ]) {
	my ($name, $count, $settings, $what, $marks) = @$_;
	tree($count, $settings);
	run_claim();
	is(join(', ', claimed(), counted(), marks()), join(', ', $what, $count ? 2 : 'none', $marks), "$name: nothing is counted");
}
tree(attributes(1));
spew("$root/proc/cmdline", "quiet vfio-boot.fallback=no\n");
run_claim();
is(counted() . claimed() . marks(), '1claimedlate', 'nor with vfio-boot.fallback=no on the kernel command line');
tree(attributes(2));
spew("$root/proc/cmdline", "quiet single\n");
run_claim();
is(counted() . claimed(), '2nothing', 'nor in a rescue boot');
for my $look ('--second-look', '--settle', '--dry-run') {
	tree(attributes(1));
	run_claim($look);
	is(counted(), 1, "nor by $look");
}
# A group may come later.
tree(undef);
unlink map { glob "$root/sys/bus/pci/devices/*/iommu_group" } 1;
remove_tree("$root/sys/kernel/iommu_groups");
run_claim();
is(counted() . claimed(), '1nothing', 'what is pending counts: the second look claims it');
# Twice in one boot.
tree(undef);
run_claim();
set_driver($_, '') for $a, $b;
run_claim();
is(counted() . claimed(), '1claimed', 'a boot is counted once');

# Where it cannot be counted, the boot goes on, and somebody else may count.
tree(undef);
remove_tree("$root/sys/firmware");
run_claim();
is(claimed() . ' ' . marks(), 'claimed late uncounted', 'without EFI the boot loader counts');
lacks(logged(), qr/EFI|fallback/, 'without a word');
tree(undef);
unlink "$root/var/lib/vfio-boot/count-boots";
run_claim();
is(counted() . claimed() . ' ' . marks(), 'noneclaimed late uncounted', 'nor is a boot counted of a host that would not clear the count');
tree(undef);
remove_tree($store);
spew($store, '');
run_claim();
is(claimed() . ' ' . marks(), 'claimed late uncounted', 'the variable cannot be written: it is claimed all the same');
is(() = logged() =~ /^<4>vfio-boot: this boot is not counted \(fallback\): EFI variable: \w.*$/mg, 1, 'after one line');
tree(undef);
symlink 'nowhere', $variable;
run_claim();
like(claimed() . logged(), qr/^claimed.*EFI variable: is a symbolic link$/m, 'a link is not followed');
# Firmware that hangs: the other end of a pipe does not come. Who answers would wait for the process that is left behind.
tree(undef, "ids = 03:00\ntimeout = 4\n");
system('mkfifo', $variable) == 0 or die "no pipe\n";
system(@as_root, @shell, 'build/vfio-boot-claim', '--sysroot', $root);
like(logged(), qr/EFI variable: timed out\n.*group 7: /s, 'firmware that hangs is left behind, and the boot goes on');
is(marks(), 'late uncounted', 'uncounted');
# It ends when the firmware answers.
open my $pipe, '+<', $variable or die "$!\n";
syswrite $pipe, 'x';
select undef, undef, undef, 0.3;
close $pipe;

# It has come up.
for ([ undef, 'nothing there' ], [ attributes(1), 'one' ], [ attributes(2), 'two' ], [ 'x', 'rubbish' ]) {
	tree($_->[0]);
	run_claim('--came-up');
	is("$status " . counted() . slurp("$root.err") . claimed(), '0 nonenothing', "--came-up clears the count: $_->[1]");
}
tree(undef);
remove_tree("$root/sys/firmware");
run_claim('--came-up');
is($status . slurp("$root.err"), '0', 'and is content without EFI');
tree(undef);
make_path("$variable/x");
run_claim('--came-up');
is($status . slurp("$root.err"), "3vfio-boot: the count of boots that did not come up cannot be cleared: EFI variable: is a directory\n", 'what it cannot clear it says');
done_testing();
