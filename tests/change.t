#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vfio-boot add and remove: what they write, what they refuse to write, and that what was
# there stays. tests/system/add.t types them in a booted Debian, with the image rebuilt.

use strict;
use warnings;
use Cwd 'abs_path';
use Fcntl ':flock';
use File::Path qw(make_path remove_tree);
use FindBin;
use JSON::PP ();
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $root = 'build/change';
my $own = "$root/etc/vfio-boot.conf.d/50-local.conf";
my $header = "# Written by vfio-boot add and remove; yours to edit. See vfio-boot.conf(5).\n";

# A machine of the fixtures with these settings, and 50-local.conf where it is given.
sub machine {
	my ($name, $settings, $local) = @_;
	remove_tree($root);
	unpack_fixture($root, $name);
	spew("$root/etc/vfio-boot.conf", $settings);
	spew($own, $local) if defined $local;
}

# Exit status and all that is said.
sub vfio_boot {
	my (@words) = @_;
	my $pid = open my $out, '-|' // die "fork: $!\n";
	if (!$pid) {
		open STDERR, '>&', \*STDOUT;
		exec @as_root, 'build/asan/vfio-boot', @words, '--sysroot', $root or exit 127;
	}
	local $/;
	my $text = <$out> // '';
	close $out;
	return ($? & 127 ? "signal $?" : $? >> 8, $text);
}

# Without what libpci calls the devices.
sub local_file { return slurp($own) =~ s/(# [0-9a-f:.]+) .*/$1/gr }

sub writes {
	my ($name, $words, $expected, @said) = @_;
	my ($status, $text) = vfio_boot(@$words);
	is($status, 0, "$name: exit status 0") or diag $text;
	is(local_file(), $expected, "$name: and it is written");
	like($text, $_, "$name: and said") for @said;
	my ($plan, $planned) = vfio_boot('plan');
	like($plan, qr/^[01]\z/, "$name: settings that can be read") or diag $planned;
	like($text, qr/^vfio-boot: no device changes before the next boot \(reboot\)$/m, "$name: and that it takes a reboot");
	($words->[0] eq 'add' ? \&like : \&lacks)->($text, qr/^vfio-boot: if that boot does not come up, append vfio\.ids=off to /m,
		"$name: and, of what is added, the way back");
	is_deeply([ glob "$root/etc/vfio-boot.conf.d/{.,}*new*" ], [], "$name: nothing is left beside it");
}

sub refuses {
	my ($name, $words, $exit, @said) = @_;
	my $before = slurp($own);
	my @old = stat $own;
	my ($status, $text) = vfio_boot(@$words);
	is($status, $exit, "$name: exit status $exit") or diag $text;
	is(slurp($own), $before, "$name: nothing is changed");
	is((stat $own)[1] // 0, $old[1] // 0, "$name: nor written anew");
	like($text, qr/^vfio-boot: nothing was changed$/m, "$name: which is said");
	like($text, $_, "$name: and why") for @said;
}

my $zero = 'ids = 0000:00:03.0/00.0@8086:10d3  # 0000:03:00.0';
my $one = 'ids = 0000:00:03.0/00.1@8086:10d3  # 0000:03:00.1';

# --- add ---------------------------------------------------------------------

machine('qemu-q35', "# mine\n");
refuses('one function of two', [ 'add', '03:00.0' ], 1, qr/refused, group-incomplete: 0000:03:00\.1 .* is not selected/,
	qr/--whole adds the rest of the group/);
ok(!-e $own, 'and no file is made');
writes('the group', [ 'add', '--whole', '03:00.0' ], "$header$zero\n$one\n",
	qr/^0000:03:00\.0 \[8086:10d3\] group 7: claim for vfio-pci$/m, qr/^0000:03:00\.1 .*: claim for vfio-pci$/m,
	qr/no image is rebuilt/);
is(slurp("$root/etc/vfio-boot.conf"), "# mine\n", 'the other file is as it was');
refuses('once more', [ 'add', '03:00' ], 0, qr/0000:03:00\.0 .* is selected already: .*50-local\.conf:2:7/);
refuses('once more, as written', [ 'add', '0000:00:03.0/00.0@8086:10d3' ], 0, qr/is in the settings already/);
machine('qemu-q35', '', "ids = 04:00.0");
writes('a slot, behind a file without a last line feed', [ 'add', '03:00' ], "ids = 04:00.0\n$zero\n$one\n");
machine('qemu-q35', '');
writes('each device once', [ 'add', '8086:10d3', '04:00.0', '0000:04:00', '04:00.0', '8086:10d3' ],
	"${header}ids = 8086:10d3\nids = 0000:00:04.0/00.0\@1b36:0010  # 0000:04:00.0\n");
machine('qemu-q35', "ids = 03:00.0\n");
refuses('what is there already, and refused', [ 'add', '03:00.0' ], 1, qr/is in the settings already/, qr/refused, group-incomplete/);
writes('the rest of what is there already', [ 'add', '--whole', '03:00.0' ], "$header$one\n");
machine('qemu-q35', "ids = !04:00.0\n");
refuses('what an exclusion takes away', [ 'add', '04:00.0' ], 1,
	qr{0000:04:00\.0 .* is excluded by 04:00\.0 \(/etc/vfio-boot\.conf:1:7\) \(remove that exclusion first});
machine('twin-gpus', "ids = class:03 10de:1aef\n");
my $screen = 'ids = 0000:00:03.1/00.0@10de:2204  # 0000:0a:00.0';
writes('the boot display, which was only matched', [ 'add', '0a:00.0' ], "$header$screen\n", qr/^0000:0a:00\.0 .*: claim for/m);
refuses('a card that a class claims', [ 'add', '0b:00.0' ], 0, qr/0000:0b:00\.0 .* is selected already: class:03/);
machine('twin-gpus', '');
my $sound = 'ids = 0000:00:03.2/00.1@10de:1aef  # 0000:0b:00.1';
writes('the model of two cards, of which the host keeps the one with the screen', [ 'add', '--whole', '10de:2204' ],
	"${header}ids = 10de:2204\n$sound\n", qr/^0000:0a:00\.0 .*: kept, reserved: it is the boot display/m,
	qr/^0000:0b:00\.0 .*: claim for vfio-pci\n0000:0b:00\.1 .*: claim for vfio-pci$/m);
machine('twin-gpus', '');
writes('the card with the screen, by its name', [ 'add', '--whole', '0a:00.0' ], "$header$screen\n" . $sound =~ s/3\.2/3.1/r =~ s/0b:/0a:/r . "\n",
	qr/^vfio-boot: 0000:0a:00\.0 .* is claimed, and the screen stays dark/m);
machine('qemu-q35', '', "# keep me\n\nids = 04:00.0 # and me\n");
chmod 0640, $own;
writes('as written', [ 'add', '--as-written', '03:00.*' ], "# keep me\n\nids = 04:00.0 # and me\nids = 03:00.*\n");
is(sprintf('%o', (stat $own)[2] & 0777), '640', 'and the mode stays');
machine('qemu-q35', '');
writes('an ID', [ 'add', '8086:10d3' ], "${header}ids = 8086:10d3\n");
writes('an exclusion', [ 'add', '!07:00.0' ], "${header}ids = 8086:10d3\nids = !07:00.0\n");
writes('an optional one that is not there', [ 'add', '10de:2204?' ], "${header}ids = 8086:10d3\nids = !07:00.0\nids = 10de:2204?\n");
machine('qemu-q35', '');
writes('a path gets its guard', [ 'add', '0000:00:04.0/00.0' ], "${header}ids = 0000:00:04.0/00.0\@1b36:0010  # 0000:04:00.0\n");
machine('vmd', '');
refuses('a disk behind VMD', [ 'add', '10000:e1:00.0' ], 1, qr/behind-parent/);
writes('which --force writes', [ 'add', '--force', '10000:e1:00.0' ],
	"${header}ids = 10000:e0:06.0/00.0\@1344:5425  # 10000:e1:00.0\n", qr/refused, behind-parent/);
machine('sriov', '');
my ($vf) = map { m{([^/]+)/physfn$} } glob "$root/sys/bus/pci/devices/*/physfn";
refuses('a virtual function', [ 'add', $vf ], 1, qr/no such device at boot \(virtual functions are made later: set vfs\)/);

machine('qemu-q35', '');
refuses('what is not there', [ 'add', '03:00.2' ], 1, qr/no such device; nearest: 0000:03:00\.0/);
writes('which --force writes', [ 'add', '--force', '03:00.2' ], "${header}ids = 03:00.2\n", qr/no such device; nearest/);
machine('qemu-q35', '');
refuses('no selector', [ 'add', '3' ], 2, qr/^vfio-boot: 3: neither a bus index/m);
refuses('a name', [ 'add', 'intel' ], 2, qr/^vfio-boot: intel: neither a bus index.*; vfio-boot list intel looks for it$/m);
refuses('what the host lives on', [ 'add', '00:1f.2' ], 1, qr/refused, protected: the host lives on it/);
unlink "$root/var/lib/vfio-boot/protect" or die;
refuses('and what it lives on before an image has said so', [ 'add', '--whole', '00:1f.2' ], 1,
	qr/0000:00:1f\.2 .*: the host lives on it: .* sda/, qr/--force/);
refuses('and what its group holds', [ 'add', '--as-written', '--whole', '00:1f.3' ], 1, qr/0000:00:1f\.2 .*: the host lives on it/);
writes('which --force writes', [ 'add', '--force', '--as-written', '00:1f.2' ], "${header}ids = 00:1f.2\n");
machine('qemu-q35', '');
refuses('one good, one bad', [ 'add', '03:00', '00:1f.2' ], 1, qr/protected/);
refuses('a guard that fails', [ 'add', '03:00.0@8086:ffff' ], 1, qr/found 8086:10d3 there/);
machine('qemu-q35', "ids = 04:00.0\nids = xyz\n", "ids = 03:00.0 03:00.1\n");
refuses('settings that a person has broken', [ 'add', '07:00.0' ], 2, qr{/etc/vfio-boot\.conf:2:7: xyz: }, qr/correct them first/);
machine('qemu-q35', '');
make_path("$root/etc/vfio-boot.conf.d");
spew("$root/elsewhere", "# nothing\n");
symlink '../../elsewhere', $own or die;
my ($status, $text) = vfio_boot('add', '04:00.0');
is($status, 3, 'a symbolic link is not replaced');
like($text, qr/50-local\.conf: it is a symbolic link/, 'which is said');
ok(-l $own && slurp("$root/elsewhere") eq "# nothing\n", 'nor what it leads to');

# The IOMMU is off yet: day one.
machine('no-iommu', '');
refuses('an IOMMU that the firmware has not', [ 'add', '01:00.0' ], 1, qr/switch on VT-d/);
spew("$root/sys/firmware/acpi/tables/DMAR", '');
($status, $text) = vfio_boot('add', '--as-written', '01:00.0');
is($status, 0, 'where only the kernel does not use it a device is pending, and that is fine') or diag $text;
like($text, qr/pending, no-iommu: .*intel_iommu=on/, 'and what to put on the command line is said');

# The command line.
machine('qemu-q35', '');
spew("$root/proc/cmdline", "vfio.ids=04:00.0\n");
writes('a list on the command line', [ 'add', '03:00' ], "$header$zero\n$one\n", qr/the kernel command line has its own list of ids/,
	qr/: written; the next boot, once its command line has no such list:$/m);
# All else that stands there holds.
machine('qemu-q35', '');
spew("$root/proc/cmdline", "quiet \"vfio.ids=04:00.0 07:00.0\" vfio-boot.reserve=03:00.0 vfio.ids=+!07:00.0 vfio-boot.group=ignore\n");
writes('what else is on the command line', [ 'add', '03:00.0' ], "$header$zero\n",
	qr/0000:03:00\.0 .* is claimed, and the host cannot use it: reserve = 03:00\.0 \(kernel command line, byte 52\)$/m);
refuses('an exclusion there', [ 'add', '07:00.0' ], 1, qr/is excluded by 07:00\.0 \(kernel command line, byte /);
machine('qemu-q35', '');
spew("$root/proc/cmdline", "vfio.ids=04:00.0 vfio.ids=off\n");
writes('a list and a one-time off', [ 'add', '04:00.0' ], "${header}ids = 0000:00:04.0/00.0\@1b36:0010  # 0000:04:00.0\n", qr/: claim for vfio-pci$/m);
machine('qemu-q35', '');
spew("$root/proc/cmdline", "single\n");
writes('a command line that claims nothing', [ 'add', '04:00.0' ], "${header}ids = 0000:00:04.0/00.0\@1b36:0010  # 0000:04:00.0\n",
	qr/^vfio-boot: nothing is claimed as long as this is so: this is a rescue boot$/m);
spew("$root/proc/cmdline", "vfio.ids=off\n");
writes('a one-time off', [ 'add', '03:00' ], "${header}ids = 0000:00:04.0/00.0\@1b36:0010  # 0000:04:00.0\n$zero\n$one\n",
	qr/^vfio-boot: vfio\.ids=off of this boot is ignored$/m);
machine('qemu-q35', "ids = off\n");
writes('ids=off', [ 'add', '03:00' ], "$header$zero\n$one\n", qr/^vfio-boot: nothing is claimed as long as this is so: ids=off in the settings files$/m);

machine('qemu-q35', '');
umask 077;
writes('with a narrow umask', [ 'add', '04:00.0' ], "${header}ids = 0000:00:04.0/00.0\@1b36:0010  # 0000:04:00.0\n");
is(join(' ', map { sprintf '%o', (stat)[2] & 0777 } "$root/etc/vfio-boot.conf.d", $own), '755 644', 'and all can read it');
umask 022;

# What would be more than is read back, and a reader that has gone away.
machine('qemu-q35', "# " . 'x' x 65_400 . "\n");
refuses('more than 64 KiB', [ 'add', '04:00.0' ], 1, qr/50-local\.conf: .*64 KiB/);
machine('qemu-q35', '');
spew(sprintf("$root/etc/vfio-boot.conf.d/%02u.conf", $_), "# nothing\n") for 0 .. 63;
refuses('a file more than 64', [ 'add', '04:00.0' ], 1, qr/50-local\.conf: .*more than 64/);
machine('qemu-q35', '');
system("@as_root build/vfio-boot add 04:00.0 --sysroot $root >/dev/full 2>$root/said");
is($? >> 8, 3, 'a full standard output: exit status 3');
like(slurp("$root/said"), qr/standard output: No space left/, 'with a word');
like(local_file(), qr/^ids = 0000:00:04/m, 'and written all the same');

# Two at once, and somebody else's editor.
machine('qemu-q35', '', "# mine\n");
my %child = map { my $pid = fork // die; exec "@as_root build/vfio-boot add --force $_ --sysroot $root >/dev/null 2>&1" unless $pid; ($pid => $_) }
	map { ("03:00.$_", "04:00.$_", "06:00.$_") } 0 .. 7;
waitpid $_, 0 for keys %child;
is(scalar(() = local_file() =~ /^ids = /mg), keys %child, 'many at once: every line is there');
machine('qemu-q35', '', "# mine\n");
open my $etc, '<', "$root/etc" or die "$root/etc: $!\n";
flock $etc, LOCK_EX or die "flock: $!\n";
open my $waiting, '-|', "@as_root build/vfio-boot add 04:00.0 --sysroot $root 2>&1" or die;
like(scalar <$waiting>, qr/^vfio-boot: another .* is running: waiting/, 'who has to wait says so');
spew($own, "ids = 03:00.*\n");
close $etc;
like(join('', <$waiting>), qr/: written; the next boot:\n0000:04:00\.0 /, 'and goes on when it is over');
is(local_file(), "ids = 03:00.*\nids = 0000:00:04.0/00.0\@1b36:0010  # 0000:04:00.0\n", 'from what was written');
# The file is opened four times: as a text, for the settings as they are and as they would be, and before it is written.
for ([ 3, 3, qr/devices were added or removed in the meantime: nothing was changed/, sub { remove_tree("$root/sys/bus/pci/devices/0000:02:01.0") } ],
	[ 4, 1, qr/it was changed in the meantime .*nothing was changed/s, sub { spew($own, "# theirs\n") } ]) {
	my ($when, $exit, $said, $meanwhile) = @$_;
	machine('qemu-q35', '', "# mine\n");
	my $pid = fork // die;
	exec "@as_root strace -o $root/trace -P etc/vfio-boot.conf.d/50-local.conf -e inject=openat:delay_enter=1500000:when=$when "
		. "build/vfio-boot add 04:00.0 --sysroot $root >$root/said 2>&1" unless $pid;
	ok(wait_until(sub { (() = slurp("$root/trace") =~ /openat\(/g) == $when }), "opening $when");
	$meanwhile->();
	my $before = slurp($own);
	waitpid $pid, 0;
	is($? & 127 ? "signal $?" : $? >> 8, $exit, "a change before opening $when: refused");
	like(slurp("$root/said"), $said, 'which is said');
	is(slurp($own), $before, 'and nothing is written');
}
machine('qemu-q35', '', "# mine\n");
system("@as_root strace -o $root/trace -P @{[ abs_path($own) ]} -e inject=pread64:error=EIO:when=1 "
	. "build/vfio-boot add 04:00.0 --sysroot $root >$root/said 2>&1");
is($? >> 8, 3, 'a file that cannot be read: exit status 3');
like(slurp("$root/said"), qr/50-local\.conf: Input\/output error\n.*nothing was changed/, 'with file and cause');

# Who may not write.
machine('qemu-q35', '', "# mine\n");
my @nobody = as_anybody();
chmod 0555, "$root/etc/vfio-boot.conf.d";
my $said = qx(@nobody build/vfio-boot add 03:00 --sysroot $root 2>&1);
is($? >> 8, 3, 'a plain user: exit status 3');
like($said, qr{/etc/vfio-boot\.conf\.d/50-local\.conf: Permission denied \(use sudo\)\n}, 'with file and cause');
chmod 0755, "$root/etc/vfio-boot.conf.d";

# What a claim costs the host is said before it is too late.
machine('qemu-q35', '');
spew("$root/proc/iomem", "    fb000000-fb3fffff : BOOTFB\n");
writes('the boot display', [ 'add', '--as-written', '--no-rebuild', 'boot-vga' ], $header . "ids = boot-vga\n",
	qr/^vfio-boot: 0000:07:00\.0 .* is claimed, and the screen stays dark from the initramfs on: it is the boot display$/m);

machine('twin-gpus', '');
writes('the platform', [ 'add', '--as-written', '00:14.*' ], "${header}ids = 00:14.*\n",
	qr/^vfio-boot: 0000:00:14\.0 .* is claimed, and the host cannot use it: it is part of the platform \(class 0c05\)$/m);
writes('the network card that the file reserves', [ 'add', '--as-written', '04:00.0' ], "${header}ids = 00:14.*\nids = 04:00.0\n",
	qr/^vfio-boot: 0000:04:00\.0 .* is claimed, and the host cannot use it: reserve = /m);
# Until an image is built no file says so.
machine('twin-gpus', '');
unlink "$root/var/lib/vfio-boot/protect" or die;
spew("$root/proc/net/route", "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
	. "enp4s0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
writes('the network card before an image has said so', [ 'add', '--as-written', '04:00.0' ], "${header}ids = 04:00.0\n",
	qr/^vfio-boot: 0000:04:00\.0 .* is claimed, and the host cannot use it: default route through enp4s0$/m);

# The twin of a disk of the host.
sub twin_of {
	my ($which) = @_;
	return qr/^vfio-boot: 10000:00:00\.0 .*: the host lives on \Q$which\E, which has the same ID: only their slots tell the two apart/m;
}
machine('multi-domain', '');
writes('the twin of what is protected', [ 'add', '--as-written', '10000:00:00.0' ], "${header}ids = 10000:00:00.0\n", twin_of('0000:01:00.0'));
machine('multi-domain', '');
unlink "$root/var/lib/vfio-boot/protect" or die;
writes('before an image has said so', [ 'add', '--as-written', '10000:00:00.0' ], "${header}ids = 10000:00:00.0\n", twin_of('0000:01:00.0'));
machine('multi-domain', '');
spew("$root/proc/mounts", '');
writes('where the file alone says so', [ 'add', '--as-written', '10000:00:00.0' ], "${header}ids = 10000:00:00.0\n", twin_of('0000:01:00.0'));
my ($other) = (vfio_boot('add', '--as-written', '0001:01:00.*'))[1];
like($other, qr/: written;/, 'a device that has no twin');
lacks($other, qr/tell the two apart/, 'and none is said');

# GRUB's entry, where there is one.
spew("$root/boot/grub/grub.cfg", "menuentry 'Debian, without passthrough' \$menuentry_id_option 'vfio-boot-off' {\n");
like((vfio_boot('add', '000d:01:00.0'))[1], qr/^vfio-boot: if that boot does not come up, choose GRUB's last entry \("\.\.\., without passthrough"\), or append vfio\.ids=off /m,
	'the way back names the entry of GRUB');
# Of several menus the first one that has it: an ESP of proxmox-boot-tool that is gone has none.
spew("$root/etc/kernel/proxmox-boot-uuids", "AAAA-0001\nBBBB-0002\n");
spew("$root/dev/disk/by-uuid/BBBB-0002", '');
spew("$root/var/lib/vfio-boot/proxmox-entries", "BBBB-0002 systemd-boot\n");
vfio_boot('remove', '000d:01:00.0');
like((vfio_boot('add', '000d:01:00.0'))[1], qr/^vfio-boot: if that boot does not come up, choose the entry "\.\.\., without passthrough" of the boot menu, or append vfio\.ids=off /m,
	'or that of the ESP which is there');
unlink "$root/etc/kernel/proxmox-boot-uuids";

# --- remove ------------------------------------------------------------------

my $both = "$header$zero\n$one\n";
machine('qemu-q35', '', $both);
refuses('one function of a group', [ 'remove', '03:00.1' ], 1, qr/0000:03:00\.0 .*group-incomplete/, qr/--whole removes the whole group/);
writes('the whole group', [ 'remove', '--whole', '03:00.1' ], $header, qr/^0000:03:00\.0 .*: left to the host$/m);
machine('qemu-q35', '', $both);
writes('both', [ 'remove', '03:00.0', '03:00.1' ], $header);
machine('qemu-q35', '', $both);
writes('one by force', [ 'remove', '--force', '03:00.1' ], "$header$zero\n", qr/group-incomplete/);
machine('qemu-q35', '', $both);
writes('by the entry itself', [ 'remove', '--force', '0000:00:03.0/00.1@8086:10d3' ], "$header$zero\n");
my $line = "  ids=03:00.0,04:00.0 ,  03:00.1\t# the card and the disk\nids = 07:00.0\n";
machine('qemu-q35', '', "# top\n$line# bottom");
writes('words of a line', [ 'remove', '03:00' ], "# top\n  ids= 04:00.0  # the card and the disk\nids = 07:00.0\n# bottom\n");
machine('qemu-q35', '', "ids = 04:00.0 03:00.0 03:00.1 07:00.0\ngroup = refuse\n");
writes('from the middle', [ 'remove', '03:00' ], "ids = 04:00.0 07:00.0\ngroup = refuse\n");
machine('qemu-q35', '', "ids = 04:00.0, 03:00.0, 03:00.1, 07:00.0\n");
writes('from a list with commas', [ 'remove', '04:00.0', '07:00.0' ], "ids = 03:00.0, 03:00.1\n");
machine('qemu-q35', '', "ids = 8086:10d3\nids = !07:00.0 04:00.0?\n");
refuses('a function that an ID selects', [ 'remove', '03:00.0' ], 1, qr/8086:10d3 .* selects 0000:03:00\.1 .* too/);
writes('the ID', [ 'remove', '8086:10d3' ], "ids = !07:00.0 04:00.0?\n");
writes('an exclusion', [ 'remove', '!07:00.0' ], "ids = 04:00.0?\n");
writes('an optional one', [ 'remove', '04:00.0' ], '');
my $notes = "# see a=b\n#ids=03:00.0, 04:00.0\n# group = whole # x = y, z\n";
machine('qemu-q35', '', "${notes}ids = 04:00.0\n${notes}group = refuse # =,\n");
writes('below comments with = and commas', [ 'remove', '04:00.0' ], "$notes${notes}group = refuse # =,\n");
machine('qemu-q35', '', "ids = 03:00.0\nids = 03:00.1 !04:00.0\nids = 03:00.1\n");
writes('the group of an entry', [ 'remove', '--whole', '03:00.1' ], "ids = !04:00.0\n");
machine('qemu-q35', "\nids = 03:00.0 03:00.1\n", "ids = 04:00.0\n");
refuses("a person's own line", [ 'remove', '03:00' ], 1, qr{03:00\.0 \(/etc/vfio-boot\.conf:2:7\).*remove it there});
refuses('one of ours and one of theirs', [ 'remove', '04:00.0', '03:00' ], 1);
refuses('what nothing selects', [ 'remove', '07:00.0' ], 1, qr/nothing in the settings selects it/);
refuses('what is not there', [ 'remove', '77:00.0' ], 1, qr/no such device/);
refuses('no exclusion', [ 'remove', '!03:00.0' ], 1, qr/no such exclusion/);
refuses('no selector', [ 'remove', 'x' ], 2, qr/neither a bus index/);

# --- for programs ------------------------------------------------------------

my @json;
# Exit status, the object, and what is said beside it.
sub json_of {
	my (@words) = @_;
	my ($out, $said) = told($root, @words, '--json');
	my ($line, $exit) = $out =~ /\A(\{.*\})\n-- exit (\d)\n\z/ or return ('', {}, "$out$said");
	push @json, $line;
	my $json = JSON::PP->new->utf8->decode($line);
	is($json->{exit_status}, $exit, "@words: the exit status is in the object");
	return ($exit, $json, $said);
}

# What it comes to, in a line.
sub comes_to {
	my ($name, $words, $expected, $said) = @_;
	my ($exit, $json, $text) = json_of(@$words);
	my @lines = map { s/  # .*//r } map { ((map { "+$_" } @{ $json->{added} }), (map { "-$_" } @{ $json->{removed} })) } $json;
	is(join(' | ', "exit $exit", $json->{changed} ? 'changed' : 'as it was', @lines,
		map { "$_->{address} $_->{verdict}" } @{ $json->{devices} }), $expected, $name) or diag $text;
	ok(!$json->{rebuilt}, "$name: no image in a tree");
	like($text, $said, "$name: what is for people is said beside it");
}
# Of the last object: what selects each device.
sub selectors { return map { $_->{selector} } @{ JSON::PP->new->utf8->decode($json[-1])->{devices} } }

machine('qemu-q35', '');
my ($plus_zero, $plus_one) = map { '+' . s/  # .*//r } $zero, $one;
comes_to('add', [ 'add', '--whole', '03:00.0' ], join(' | ', 'exit 0', 'changed', '+' . $header =~ s/\n//r, $plus_zero, $plus_one,
	'0000:03:00.0 claim', '0000:03:00.1 claim'), qr/^vfio-boot: no device changes before the next boot/m);
is_deeply([ selectors() ], [ '0000:00:03.0/00.0@8086:10d3', '0000:00:03.0/00.1@8086:10d3' ], 'with the selectors that were added');
my $as_added = slurp($own);
comes_to('add once more', [ 'add', '--whole', '03:00.0' ], 'exit 0 | as it was | 0000:03:00.0 claim', qr/is selected already/);
comes_to('add as written, once more', [ 'add', '0000:00:03.0/00.0@8086:10d3' ], 'exit 0 | as it was | 0000:03:00.0 claim', qr/in the settings already/);
is(slurp($own), $as_added, 'and the file is as it was');
comes_to('add what is refused', [ 'add', '00:1f.2' ], 'exit 1 | as it was | 0000:00:1f.2 refused', qr/protected/);
is_deeply([ selectors() ], [ '0000:00:1f.2@8086:2922' ], 'with the selector that was not added');
comes_to('add no selector', [ 'add', 'x' ], 'exit 2 | as it was', qr/neither a bus index/);
comes_to('remove a part', [ 'remove', '03:00.1' ], 'exit 1 | as it was | 0000:03:00.0 refused', qr/nothing was changed/);
comes_to('remove', [ 'remove', '--whole', '03:00.1' ], "exit 0 | changed | -" . substr($plus_zero, 1) . ' | -' . substr($plus_one, 1), qr/left to the host/);
comes_to('remove once more', [ 'remove', '--whole', '03:00.1' ], 'exit 1 | as it was', qr/nothing in the settings selects it/);
machine('qemu-q35', '', "ids = 04:00.0 07:00.0 # mine\n");
comes_to('remove a word of a line', [ 'remove', '04:00.0' ], 'exit 0 | changed | +ids = 07:00.0 | -ids = 04:00.0 07:00.0 # mine', qr/written/);
machine('qemu-q35', "ids = x\n");
comes_to('add to broken settings', [ 'add', '04:00.0' ], 'exit 2 | as it was', qr/correct them first/);
machine('qemu-q35', '');
system("@as_root build/vfio-boot add --json 04:00.0 --sysroot $root >/dev/full 2>$root/said");
is($? >> 8, 3, 'a full standard output: exit status 3');
like(local_file(), qr/^ids = 0000:00:04/m, 'and written all the same');
is(beside_schema('change', @json), '', @json . ' JSON texts are as the schema has it');
isnt(beside_schema('change', $json[0] =~ s/"changed"/"change"/r), '', 'which refuses another name');

remove_tree($root) if Test::More->builder->is_passing;
done_testing();
