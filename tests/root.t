#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The host comes first: what may be the root is given back where the root stays away, in a tree that answers (Answer.pm).
# tests/qemu/twins.t has the boots.

use strict;
use warnings;
use File::Path 'remove_tree';
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Answer;
use Tree;

in_memory('build/root-missing');
my $root = 'build/root-missing/tree';
my $pci = "$root/sys/bus/pci";
my ($disk, $a, $b) = ('0000:04:00.0', '0000:03:00.0', '0000:03:00.1');
my %own = ($disk => 'nvme', $a => 'e1000e', $b => 'e1000e');
my $state = "$root/run/vfio-boot/root-wait";

# A disk and a card of two functions that this boot has claimed. With `storage` the card is storage too.
sub tree {
	my ($settings, %o) = @_;
	q35($root, "ids = $disk 03:00\nroot-wait = 1\n$settings");
	spew("$root/var/lib/vfio-boot/protect", $o{protect} // "# nothing\n");
	spew("$root/proc/cmdline", $o{cmdline} // "quiet\n");
	spew("$root/run/vfio-boot/report", join '', "vfio-boot-report 1\n", map { "$_->[0]\t$_->[1]\t$_->[2]\tclaimed\t-\tvfio-pci\t$_->[3]\t-\n" }
		[$a, '8086:10d3', 7, '03:00'], [$b, '8086:10d3', 7, '03:00'], [$disk, '1b36:0010', 8, $disk]);
	for ($disk, $a, $b) {
		spew("$pci/devices/$_/driver_override", "vfio-pci\n");
		set_driver($_, 'vfio-pci');
	}
	return unless $o{storage};
	spew("$pci/devices/$_/modalias", "pci:v00008086d000010D3sv00008086sd0000A01Fbc01sc07i00\n") for $a, $b;
}
sub run { return run_answered('', \%own, 'build/vfio-boot-claim', @_) >> 8 }
sub row { my ($which) = @_; return slurp("$root/run/vfio-boot/report") =~ /^(\Q$which\E\t.*)/m ? $1 : 'no row' }
sub log_lines { return slurp("$root/dev/kmsg") }
my $claimed = 'vfio-pci/vfio-pci';

answers_in($root);
tree('');
is(run('--root-missing'), 0, 'the first call only begins to wait');
is(state_of($disk, $a, $b), "$claimed $claimed $claimed", 'and changes nothing');
is(run('--root-missing'), 0, 'so does one before the time');
is(state_of($disk), $claimed, 'nothing is given back');
sleep 1;
is(run('--root-missing'), 1, 'then the disk is given back: exit status 1');
is(state_of($disk, $a, $b), "nvme/ $claimed $claimed", 'to its own driver, without an override; the network card stays claimed');
my $why = 'the root did not appear in 1 s, so the host has it again, bound to nvme (if the root is on it, correct 0000:04:00.0 (/etc/vfio-boot.conf:1:7))';
is(row($disk), "$disk\t1b36:0010\t8\tgiven-back\troot-missing\t-\t$disk\t$why", 'the report says so, and which line to change');
like(row($a), qr/\tclaimed\t/, 'and nothing else of the others');
like(log_lines(), qr/^<4>vfio-boot: the root did not appear in 1 s: what may be it is given back\n<4>vfio-boot: \Q$disk\E \[1b36:0010\] group 8: given-back, root-missing: \Q$why\E\n\z/m,
	'the log says it, with a line each');
my ($report, $log) = (slurp("$root/run/vfio-boot/report"), log_lines());
spew($state, '0 9 1');
is(run('--root-missing'), 0, 'a later step finds nothing more');
is(state_of($disk, $a, $b), "nvme/ $claimed $claimed", 'which is left as it is');
like(log_lines(), qr/the root did not appear in 1 s, and nothing that was claimed can be it/, 'and says so');
is(run('--root-missing'), 0, 'and after that there is nothing to do');
# The scripts before this one can take long, as where somebody types a passphrase: the boot has to have looked itself.
tree('');
spew($state, '0 0 0');
is(run('--root-missing'), 0, 'the first call, long after the claim');
is(run('--root-missing'), 0, 'and the second');
is(state_of($disk), $claimed, 'give nothing back');
is(run('--root-missing'), 1, 'the third one does');
is(state_of($disk), 'nvme/', 'as the time is up');

tree('');
spew($state, '0 0 0 0');
run('--root-missing') for 1 .. 3;
is(state_of($disk), $claimed, 'the time begins when the boot begins to look, however long udev has taken before');

# In the middle, too: what the boot has done meanwhile brings the root.
tree('');
spew($state, '0 9 0 0');
is(run('--root-missing'), 0, 'the boot has not looked for more than 5 s, since somebody typed a passphrase');
is(state_of($disk), $claimed, 'nothing is given back');
run('--root-missing');
is(state_of($disk), $claimed, 'the waiting begins anew');
sleep 1;
is(run('--root-missing'), 1, 'and ends after its time');
is(state_of($disk), 'nvme/', 'as if nobody had typed');
tree('');
spew($state, '0 9 0 0');
run('--root-missing');
sleep 1;
run('--root-missing');
is(state_of($disk), $claimed, 'the boot has to look three times then, too');
is(run('--root-missing'), 1, 'which it has');

# Nobody waits for a root where nothing was claimed that can be it.
for ([ '03:00', 0 ], [ $disk, 1 ]) {
	my ($ids, $waits) = @$_;
	tree('');
	q35($root, "ids = $ids\n");
	unlink $state;
	run();
	is(-e $state ? 1 : 0, $waits, "after a claim of $ids " . ($waits ? 'the boot waits' : 'it does not wait'));
}

tree('');
spew($state, '0 9 0');
run('--root-missing');

# No later look takes it again.
for my $look ('--second-look', '--settle') {
	run($look);
	is(state_of($disk, $a, $b), "nvme/ $claimed $claimed", "$look does not claim it again");
	is(row($disk), "$disk\t1b36:0010\t8\tgiven-back\troot-missing\t-\t$disk\t$why", 'and remembers');
}
my ($out) = told($root, 'status');
like($out, qr/^\Q$disk\E \[1b36:0010\] group 8: given-back, root-missing: \Q$why\E; now bound to nvme$/m, 'vfio-boot status says it');
like($out, qr/-- exit 1\n\z/, 'with exit status 1');
spew("$pci/devices/$disk/driver_override", "(null)\n");
is(run(), 0, 'a claim by hand may take it');

# The twin of a disk that the host lives on comes first, and the others only where that does not help.
my $twin = "protect = 0000:08:00.0\n";
sub with_twin {
	tree('', protect => $twin, storage => 1);
	spew("$pci/devices/0000:08:00.0/modalias", slurp("$pci/devices/$disk/modalias"));
	spew($state, '0 9 0');
}
with_twin();
is(run('--root-missing'), 1, 'of two claimed disks one has the ID of a protected one');
is(state_of($disk, $a, $b), "nvme/ $claimed $claimed", 'that one is given back');
like(slurp($state), qr/\A\d+ 0 1 [1-9]\d*\z/, 'the other has its time');
spew($state, slurp($state) =~ s/ \d+ / 9 /r);
is(run('--root-missing'), 0, 'which is not up yet');
is(state_of($a, $b), "$claimed $claimed", 'so it stays claimed');
spew($state, '0 9 1');
is(run('--root-missing'), 1, 'where the root still does not appear');
is(state_of($disk, $a, $b), 'nvme/ e1000e/ e1000e/', 'it is given back too, with its group');
like(slurp($state), qr/\A\d+ 0 2 \d+\z/, 'and that is all that is tried');

# A device that could not be given back in time: no later look claims it again, or forgets it.
tree('');
my $late = 'process 4194303 is still running after the time limit, waiting for: x';
spew("$root/run/vfio-boot/report", "vfio-boot-report 1\n$disk\t1b36:0010\t8\tfailed\ttimeout\t-\t$disk\t$late\t4194303\@77\troot-missing\n");
process($root, 4194303, 77);
run('--second-look');
is(row($disk), "$disk\t1b36:0010\t8\tfailed\ttimeout\t-\t$disk\t$late\t4194303\@77\troot-missing", 'while its process is at work, its row stays');
remove_tree("$root/proc/4194303");
run('--second-look');
is(state_of($disk), 'nvme/', 'when that has ended, the next look gives it back');
like(row($disk), qr/\tgiven-back\troot-missing\t/, 'and says so');
run('--settle');
is(state_of($disk), 'nvme/', 'nor does the running system take it');

# A process that died after the override, before the probe.
tree('');
set_driver($disk, '');
spew("$root/run/vfio-boot/report", "vfio-boot-report 1\n$disk\t1b36:0010\t8\tfailed\ttimeout\t-\t$disk\t$late\t4194303\@77\t-\n");
spew($state, '0 9 0');
is(run('--root-missing'), 1, 'a disk that our override alone keeps from its driver');
is(state_of($disk), 'nvme/', 'is given back too');

# A machine that cannot be read now can be at the next call.
tree('');
rename "$pci/devices", "$pci/gone" or die "$!\n";
spew("$pci/devices", '');
spew($state, '0 9 0');
is(run('--root-missing'), 3, 'a machine that cannot be read: exit status 3');
unlink "$pci/devices";
rename "$pci/gone", "$pci/devices" or die "$!\n";
is(run('--root-missing'), 1, 'the next call tries again');
is(state_of($disk), 'nvme/', 'and gives the disk back');

# group=ignore: each device for itself.
tree("group = ignore\n", storage => 1);
spew("$root/etc/vfio-boot.conf", "ids = $a\ngroup = ignore\nroot-wait = 1\n");
spew($state, '0 9 0');
run('--root-missing');
is(state_of($a, $b), "e1000e/ $claimed", 'group=ignore: what is not selected is left as it is');

# The rest of a group of which the host has got back a member.
tree('', storage => 1);
spew("$root/run/vfio-boot/report", "vfio-boot-report 1\n$a\t8086:10d3\t7\tgiven-back\troot-missing\t-\t03:00\tx\n");
set_driver($_, '') for $a, $b;
spew("$pci/devices/$_/driver_override", "(null)\n") for $a, $b;
run('--second-look');
like(row($b), qr/\trefused\tgroup-member-refused\t.*\Q$a\E \S+ shares its group: the host has it back, since the root did not appear$/,
	'is not claimed by a later look');
is(state_of($a, $b), '/ /', 'and not touched');

# What may not be the root.
tree("root-wait = 0\n");
spew($state, '0 9 0');
is(run('--root-missing'), 0, 'root-wait = 0');
is(state_of($disk), $claimed, 'is never');
tree('', cmdline => "vfio.ids=off\n");
spew($state, '0 9 0');
is(run('--root-missing'), 0, 'a boot that claims nothing');
is(state_of($disk), $claimed, 'gives nothing back');
tree('');
set_driver($disk, 'nvme');
spew($state, '0 9 0');
is(run('--root-missing'), 0, 'a disk that is not claimed');
is(slurp("$pci/drivers/nvme/unbind") . state_of($disk), 'nvme/vfio-pci', 'is not touched');
done_testing();
