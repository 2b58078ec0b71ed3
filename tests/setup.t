#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vfio-boot setup as a person types it, in a terminal of tmux: screen by screen, up to the reboot. vfio-boot runs in a root
# of its own, with a database of names of its own; the program that builds the images there makes real ones.
# GOLDEN=renew writes the screens, tests/screens/*.

use strict;
use warnings;
use File::Path qw(remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Image;
use Test::More;
use Tree;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output);

my $root = 'build/setup';
my $own = "$root/etc/vfio-boot.conf.d/50-local.conf";
my @release = ('6.12.95+deb13-amd64', '6.1.0-9-amd64');
delete @ENV{qw(COLUMNS TMUX)};

my $names = <<'END';
1022  AMD
	149c  Matisse USB 3.0 Host Controller
	148a  Matisse PCIe Dummy Function
	790b  FCH SMBus Controller
	790e  FCH LPC Bridge
10de  NVIDIA Corporation
	2204  GA102 [GeForce RTX 3090]
	1aef  GA102 High Definition Audio Controller
144d  Samsung Electronics
	a808  NVMe SSD Controller SM981/PM981/PM983
8086  Intel Corporation
	1539  I211 Gigabit Network Connection
C 01  Mass storage controller
	08  Non-Volatile memory controller
C 02  Network controller
	00  Ethernet controller
C 03  Display controller
	00  VGA compatible controller
C 04  Multimedia controller
	03  Audio device
C 06  Bridge
	01  ISA bridge
C 0c  Serial bus controller
	03  USB controller
	05  SMBus
END

# As initramfs-tools does: the image is made beside the old one, and renamed.
my $update = <<'END';
#!/bin/sh
echo "update-initramfs: Generating /boot/initrd.img-$3"
[ ! -e /slow ] || sleep 3
rm -rf /stage/etc /stage/var
mkdir -p /stage/etc /stage/var/lib
cp -r /etc/vfio-boot.conf /etc/vfio-boot.conf.d /stage/etc/
[ ! -e /var/lib/vfio-boot ] || cp -r /var/lib/vfio-boot /stage/var/lib/
cd /stage && find . | cpio --quiet -o -H newc >"/boot/initrd.img-$3.new" && mv "/boot/initrd.img-$3.new" "/boot/initrd.img-$3"
END

# A machine with two kernels that have images, and nothing chosen.
sub machine {
	my ($fixture, $settings) = @_;
	remove_tree($root);
	unpack_fixture($root, $fixture);
	bring($root, 'build/vfio-boot', '/usr/sbin/vfio-boot');
	bring($root, "/bin/$_", "/bin/$_") for qw(sh sleep cp mkdir rm mv find cpio);
	spew("$root/usr/share/misc/pci.ids", $names);
	spew("$root/etc/vfio-boot.conf", $settings // '');
	spew("$root/dev/null", '');
	spew("$root/proc/sys/kernel/osrelease", "$release[0]\n");
	needs_no_module($root, $_) for @release;
	image_of($root);
	spew("$root/stage/init", "#!/bin/sh\n");
	spew("$root/stage/usr/lib/vfio-boot/vfio-boot-claim", 'program');
	chmod 0755, map { "$root/$_" } qw(stage/init stage/usr/lib/vfio-boot/vfio-boot-claim usr/lib/vfio-boot/vfio-boot-claim);
	spew("$root/stage/scripts/init-top/ORDER", "/scripts/init-top/00-vfio-boot\n/scripts/init-top/udev\n");
	spew("$root/boot/initrd.img-$_", image_of($root)) for @release;
	spew("$root/usr/sbin/update-initramfs", $update);
	spew("$root/usr/bin/systemctl", "#!/bin/sh\necho \"\$@\" >/rebooted\n");
	chmod 0755, "$root/usr/sbin/update-initramfs", "$root/usr/bin/systemctl";
}

# --- a terminal

# A server of its own for each: one that ends may still take the next session.
my ($tmux, $servers) = ('true', 0);

# The screen, without what varies: how long something took.
sub screen {
	my $text = qx($tmux capture-pane -p -t test 2>&1);
	utf8::decode($text);
	return $text =~ s/: \d+ s$/: N s/mgr =~ s/\s*\z/\n/r;
}

# Starts a command in a terminal of this size. Its exit status is in the file `ended`.
sub begin {
	my ($size, $words) = @_;
	my ($columns, $lines) = split /x/, $size;
	$tmux = "tmux -u -L vfio-boot-$$-" . ++$servers . ' -f /dev/null';
	unlink "$root/ended", "$root/rebooted";
	my $command = "trap : INT QUIT; env LC_ALL=C.UTF-8 @as_root chroot $root /usr/sbin/vfio-boot $words; echo \\\$? >$root/ended; sleep 100";
	system("$tmux new-session -d -s test -x $columns -y $lines \"$command\"") == 0 or die "no tmux\n";
}

sub finish { my $status = $?; system("$tmux kill-server 2>/dev/null"); $? = $status }
END { finish() }

sub shows {
	my ($pattern, $why) = @_;
	my $there = wait_until(sub { screen() =~ $pattern });
	ok($there, $why) or diag screen();
}

sub type_line { system("$tmux send-keys -t test -l '$_[0]'"); system("$tmux send-keys -t test Enter") }
sub key { system("$tmux send-keys -t test '$_[0]'") }

sub ended {
	my ($status, $why) = @_;
	wait_until(sub { -s "$root/ended" });
	is(slurp("$root/ended"), "$status\n", $why) or diag screen();
	finish();
}

my $screens = 'tests/screens';
sub looks {
	my ($name) = @_;
	my $text = screen();
	my $file = "$screens/$name";
	my $bytes = $text;
	utf8::encode($bytes);
	spew($file, $bytes) if ($ENV{GOLDEN} // '') eq 'renew';
	my $expected = slurp($file);
	utf8::decode($expected);
	is($text, $expected, "the screen is that of $file");
}

# The same without a terminal: standard input, what is said, and the exit status.
sub typed {
	my ($input, @words) = @_;
	unlink "$root/rebooted";
	spew("$root/input", $input);
	my $said = qx(env LC_ALL=C @as_root chroot $root /usr/sbin/vfio-boot @words <$root/input 2>&1);
	return ($said, $? >> 8);
}
sub images { return join ' ', map { slurp("$root/boot/initrd.img-$_") =~ /50-local/ ? 'new' : 'old' } @release }
sub nothing_changed {
	my ($why) = @_;
	ok(!-e $own, "$why: no settings are written");
	is(images(), 'old old', "$why: the images are as they were");
}
sub all_changed {
	my ($pattern, $why) = @_;
	like(slurp($own), $pattern, "$why: the settings are written");
	is(images(), 'new new', "$why: both images have them");
}

# --- from nothing to "reboot now"

my $which = qr/^Which one should a virtual machine have\? [^\n]*\s*\z/m;
my $spare = qr/\A#.*\nids = 0000:00:03\.2\/00\.0\@10de:2204 .*\nids = 0000:00:03\.2\/00\.1\@10de:1aef .*\n\z/;
for my $size ('80x24', '132x43') {
	machine('twin-gpus');
	begin($size, 'setup');
	shows($which, "$size: it asks which one");
	looks("$size-which");
	type_line('geforce');
	shows(qr/geforce\n(?:.*\n)*Which one/, "$size: a word is searched for");
	looks("$size-search");
	type_line('3');
	shows(qr/^Go on\? .*\[y\/N\]/m, "$size: it asks whether to go on");
	looks("$size-loss");
	nothing_changed("$size: before the answer");
	type_line('y');
	shows(qr/^Reboot now\? \[y\/N\]/m, "$size: it asks whether to reboot");
	looks("$size-done");
	all_changed($spare, $size);
	ok(!-e "$root/rebooted", "$size: nothing reboots before the answer");
	type_line('yes');
	ended(0, "$size: exit status 0");
	is(slurp("$root/rebooted"), "reboot\n", "$size: and then it reboots");
}

# --- Ctrl-C at any place

machine('twin-gpus');
for my $place ('which', 'loss') {
	begin('80x24', 'setup');
	shows($which, "Ctrl-C ($place): it asks");
	if ($place eq 'loss') {
		type_line('3');
		shows(qr/^Go on\?/m, 'Ctrl-C (loss): and goes on');
	}
	key('C-c');
	ended(130, "Ctrl-C ($place): it ends");
	nothing_changed("Ctrl-C ($place)");
}
begin('80x24', 'setup');
shows($which, 'lines that are pasted: it asks');
system("$tmux send-keys -t test -l '3\ny\ny\n'");
shows(qr/^Go on\?/m, 'the first one is an answer');
key('q');
key('Enter');
ended(1, 'the others are none, and q is no');
nothing_changed('lines that are pasted');
open my $lock, '<', "$root/etc" or die;
flock $lock, 2 or die; # LOCK_EX
begin('80x24', 'setup 0b:00.0');
shows(qr/^Go on\?/m, 'while another one is at work');
type_line('y');
shows(qr/another vfio-boot add or remove is running: waiting for it/, 'it waits');
key('C-c');
ended(130, 'Ctrl-C ends the wait');
nothing_changed('Ctrl-C while another one is at work');
close $lock;
spew("$root/slow", '');
begin('40x30', 'setup 0b:00.0');
shows(qr/^Go on\?/m, 'a word on the command line is not asked for');
type_line('y');
shows(qr/Generating/, 'Ctrl-C: the images are being built');
key('C-c');
key('C-\\');
shows(qr/^Reboot now\?/m, 'Ctrl-C while images are built stops nothing');
is(scalar(() = screen() =~ /^\/usr\/sbin\/update-initramfs/mg), 2, 'in 40 columns only the last of what shows the progress stays') or diag screen();
all_changed($spare, 'Ctrl-C while images are built');
key('C-c');
ended(130, 'Ctrl-C at the last question ends it');
machine('twin-gpus');
begin('80x24', 'setup 0b:00.0');
shows(qr/^Go on\?/m, 'once more');
type_line('y');
shows(qr/^Reboot now\?/m, 'up to the last question');
type_line('n');
ended(0, 'and no is no');
ok(!-e "$root/rebooted", 'nothing reboots');

# --- a small terminal that can do nothing

machine('twin-gpus');
my $small = qx(script -qec 'stty cols 40 -echo; env TERM=dumb LC_ALL=C @as_root chroot $root /usr/sbin/vfio-boot setup nvidia' /dev/null <$root/dev/null);
$small =~ s/\r//g;
lacks($small, qr/\e|[^\n\x20-\x7e]/, 'a dumb terminal: no colours, and nothing but ASCII');
is(join("\n", grep { length > 40 && !/^(?:Which one|Go on)/ } split /\n/, $small), '', 'in 40 columns each line fits');
like($small, qr/GeForce\s+RTX.*GeForce\s+RTX/s, 'and all is there');

# --- answers from a pipe

machine('twin-gpus');
my ($said, $status) = typed('', 'setup');
is($status, 1, 'the input ends at once: exit status 1');
like($said, qr/\(the input ended\)\n.*nothing was changed/s, 'which is said');
nothing_changed('the input ends at once');
($said, $status) = typed("3\n", 'setup');
like($said, qr/Go on\? .*\(the input ended\)\n.*nothing was changed/s, 'the input ends later');
nothing_changed('the input ends later');
($said, $status) = typed("3\nmaybe\nN\n", 'setup');
like($said, qr/Please type y or n\./, 'an answer that is none');
nothing_changed('no');
($said, $status) = typed("q\n", 'setup');
is($status, 1, 'q ends it');
($said, $status) = typed("99\n3,99\n", 'setup');
is(scalar(() = $said =~ /^vfio-boot: (?:99|3,99): no device is called so/mg), 2, 'numbers that there are not');
($said, $status) = typed("3090\nq\n", 'setup');
is(scalar(() = $said =~ /GeForce RTX 3090/g), 4, 'a number that is part of a name is searched for');
($said, $status) = typed('x' x 100_000 . "\n3\nn\n", 'setup');
like($said, qr/^Go on\?/m, 'a line without end is one line');
$said = qx(env LC_ALL=C @as_root chroot $root /usr/sbin/vfio-boot setup <&- 2>&1);
like($said, qr/\(the input ended\)/, 'without standard input nobody answers');
($said, $status) = typed("matrox\n\nq\n", 'setup');
like($said, qr/matrox: no device is called so.*\nType a number of the list, or another word/, 'a word that nothing is called');
is(scalar(() = $said =~ /GeForce/g), 4, 'Enter alone shows all of them again');
($said, $status) = typed("2\ny\nn\n", 'setup', '04:00', '04:00', 'nvidia');
is($status, 0, 'a word for two cards is asked for');
like(slurp($own), qr/\A#.*\nids = .*\@8086:1539 .*\nids = 0000:00:03\.1\/00\.0\@10de:2204 .*\nids = 0000:00:03\.1\/00\.1\@10de:1aef .*\n\z/,
	'the answer counts, and so do the other words');
machine('twin-gpus');
spew("$root/boot/grub/grub.cfg", "menuentry 'Debian, without passthrough' --id 'vfio-boot-off' {\n");
($said, $status) = typed("3, 1\ny\nn\n", 'setup');
is($status, 0, 'two numbers');
like($said, qr/^From the next boot on these 3 devices are for a guest, and the host does\nwithout:$/m, 'are three devices');
all_changed(qr/1539.*2204.*1aef/s, 'two numbers');
like($said, qr/if that boot does not come up, choose GRUB's last entry \("\.\.\., without passthrough"\), or append vfio\.ids=off/,
	'the entry for a boot without passthrough is named');
like($said, qr/^    sudo qemu-system-x86_64 .* \\\n        \$\(sudo vfio-boot export qemu 0000:04:00\.0 0000:0b:00\.0 0000:0b:00\.1\)$/m, 'and what to type after the reboot is said');

# --- without questions

machine('twin-gpus');
($said, $status) = typed('', 'setup', '--yes');
is($status, 2, '--yes without a word is wrong use');
($said, $status) = typed('', 'setup', '--yes', 'nvidia');
is($status, 1, '--yes with a word for two cards');
like($said, qr/0000:0a:00\.0 .*0000:0b:00\.0 .*nvidia: that means 2 cards \(name each by its bus index\)/s, 'is refused, with those it means');
nothing_changed('--yes with a word for two cards');
($said, $status) = typed('', 'setup', '--yes', '0b:00');
is($status, 0, '--yes with one card') or diag $said;
all_changed($spare, '--yes');
ok(!-e "$root/rebooted", '--yes does not reboot');
($said, $status) = typed('', 'setup', '--yes', '0b:00');
is($status, 1, 'once more');
like($said, qr/0000:0b:00\.0 needs nothing more: the next boot claims it\./, 'there is nothing to do');
($said, $status) = typed('', 'setup', '--yes', '0b:00', '04:00.0', '01:00.0');
is($status, 1, 'one that is selected, one that is free, and one that cannot be had');
unlike(slurp($own), qr/1539/, 'change nothing');
($said, $status) = typed('', 'setup', '--yes', '0b:00', '04:00.0');
is($status, 0, 'what is selected already') or diag $said;
like($said, qr/^0000:0b:00\.0 needs nothing more: .*^From the next boot on this device /ms, 'is said to be so');
like(slurp($own), qr/\A#.*\nids = .*2204 .*\nids = .*1aef .*\nids = .*\@8086:1539 .*\n\z/, 'and keeps no other card from being added');
machine('twin-gpus');
($said, $status) = typed('', 'setup', '-y', '--reboot', '--newest', '0b:00');
is(slurp("$root/rebooted"), "reboot\n", '--reboot reboots');
is(images(), 'new old', '--newest builds one image');
machine('twin-gpus');
spew("$root/usr/sbin/update-initramfs", $update =~ s/\n/\n[ "\$3" != $release[1] ] || exit 1\n/r);
($said, $status) = typed("y\ny\n", 'setup', '0b:00');
is($status, 3, 'an image that cannot be built: exit status 3');
is(images(), 'new old', 'the others are built');
like($said, qr/-k \Q$release[1]\E failed with exit status 1: the settings are written, but not in the image/, 'which is said');
unlike($said, qr/Reboot now/, 'and nobody is asked to reboot');
machine('twin-gpus');
($said, $status) = typed('', 'setup', '-y', '--reboot', '--no-rebuild', '0b:00');
like(slurp($own), $spare, '--no-rebuild writes the settings');
unlike($said, qr/\bimages\b/, 'and speaks of no images that it builds');
ok(!-e "$root/rebooted", 'and does not reboot into an old image');

# --- what cannot be had

machine('twin-gpus');
($said, $status) = typed('', 'setup', '01:00.0');
is($status, 1, 'what the host lives on');
like($said, qr/^You cannot have 0000:01:00\.0: the host lives on it: \/ on nvme0n1p2\nNothing of its class can be had\..*$/m, 'is said to be so');
nothing_changed('what the host lives on');
machine('twin-gpus', "ids = !0b:00.1\n");
($said, $status) = typed('', 'setup', '0b:00.0');
like($said, qr/^You cannot have 0000:0b:00\.0: .*excluded.*\nYou can have 0000:0a:00\.0  NVIDIA Corporation GA102 \[GeForce RTX 3090\]$/ms, 'what is excluded, and what can be had instead');
for ([ "ids = off\n", '', qr/ids=off in the settings files/ ], [ '', 'vfio.ids=1234:5678', qr/the kernel command line has its own list of ids/ ],
	[ '', 'boot=live', qr/live/ ]) {
	my ($settings, $words, $why) = @$_;
	machine('twin-gpus', $settings);
	spew("$root/proc/cmdline", "$words\n");
	($said, $status) = typed('', 'setup', '-y', '--reboot', '0b:00');
	is($status, 1, "a boot that claims nothing ($settings$words): exit status 1");
	like($said, qr/^vfio-boot: setup: the next boot claims nothing of what is written: .*$why/m, 'which is said');
	nothing_changed('a boot that claims nothing');
	ok(!-e "$root/rebooted", 'and nothing reboots');
}
machine('twin-gpus');
typed('', 'setup', '-y', '--newest', '0b:00');
($said, $status) = typed('', 'setup', '-y', '04:00.0');
is($status, 0, 'an image of another kernel that is older does not lock anybody out') or diag $said;
machine('twin-gpus');
typed('', 'setup', '-y', '--no-rebuild', '0b:00');
($said, $status) = typed('', 'setup', '-y', '0b:00');
like($said, qr/has older settings.*\(update-initramfs -u .*0000:0b:00\.0 is selected, but the image has to be built\./s, 'what is selected and not in the image is no good news');
machine('vmd');
($said, $status) = typed("q\n", 'setup');
like($said, qr/^ 4  .*\n    0000:00:1f\.3  Audio device: free\n    shares its group: 0000:00:1f\.0 /m, 'nothing is called by what is part of the platform');
machine('chipset-group');
($said, $status) = typed('', 'setup', '03:00.1');
like($said, qr/^You cannot have 0000:03:00\.1: the host lives on it: \/ on sda1$/m, 'what the host lives on is not said to be another function of its group');
machine('sriov');
($said, $status) = typed('n', 'setup', '01:00.0');
is(scalar(() = $said =~ /^    0000:01:02\.\d  Ethernet/mg), 4, 'virtual functions go with their card');
($said, $status) = typed('', 'setup', '01:02.0');
like($said, qr/01:02\.0: nothing of that .* \(a virtual function: see vfio-boot claim, and add --vfs\)/, 'one of them is none by itself');
machine('sriov', "vfs = 01:00.0=2\n");
($said, $status) = typed('n', 'setup', '01:00.0');
like($said, qr/It gets no virtual functions any more/, 'nor are there any more of those that the settings ask for');
machine('twin-gpus', "group = ignore\nids = !0b:00.1\n");
($said, $status) = typed('', 'setup', '-y', '0b:00.0');
like(slurp($own), qr/\A#.*\nids = 0000:00:03\.2\/00\.0\@10de:2204 .*\n\z/, 'group=ignore: each for itself');
machine('twin-gpus', "ids = xyz\n");
($said, $status) = typed("3\n", 'setup');
is($status, 2, 'settings with an error: exit status 2');
like($said, qr/the settings have errors \(correct them first\)/, 'which is said');
machine('twin-gpus');
chmod 0555, "$root/etc";
my @anybody = as_anybody(); # none where somebody else than root runs this
my $refused = qx(@anybody build/vfio-boot setup --sysroot $root 2>&1 </dev/null);
is($? >> 8, 3, 'without the right to write: exit status 3');
like($refused, qr/setup: \/etc: Permission denied \(sudo vfio-boot setup\)/, 'which is said before anything is asked');
chmod 0755, "$root/etc";
spew("$root/lib/modules/$release[0]/modules.builtin", '');
($said, $status) = typed("3\n", 'setup');
is($status, 1, 'a kernel without vfio-pci: exit status 1');
like($said, qr/^!!  kernel .* has no vfio-pci\n.*^No guest can have a device before that is done\./ms, 'which is said before anything is asked');
machine('no-iommu');
spew("$root/sys/firmware/acpi/tables/DMAR", '');
($said, $status) = typed("1\n", 'setup');
is($status, 1, 'no IOMMU: exit status 1');
like($said, qr/^!!  iommu .*\n(?:.*\n)* +add intel_iommu=on to the kernel command line$/m, 'with the word to add');

# --- when it is done

for my $settings ("ids = 0b:00\n", '') {
	machine('twin-gpus', $settings);
	bind_to($root, 'vfio-pci', '0000:0b:00.0', '0000:0b:00.1');
	($said, $status) = typed("q\n", 'setup');
	my $until = $settings eq '' ? ', until the next\s+boot' : '';
	like($said, qr/\AA guest can have now:\n -  NVIDIA.*\n    0000:0b:00\.0  VGA compatible controller: ready for a guest$until\n(?:    .*\n)+?    sudo qemu.*\n        \$\(sudo vfio-boot export qemu 0000:0b:00\.0 0000:0b:00\.1\)\n/,
		'after the reboot it says how to hand it over');
}
($said, $status) = typed("3\ny\nn\n", 'setup');
all_changed($spare, 'what was claimed by hand alone can be selected');

# --- add

begin('80x24', 'add');
shows($which, 'add alone, on a terminal, asks');
type_line('q');
ended(1, 'and can be left');
($said, $status) = typed("3\n", 'add');
is($status, 2, 'in a pipe it is wrong use');
like($said, qr/add: SELECTOR\.\.\.: is missing/, 'as ever');
begin('80x24', 'add --force');
ended(2, 'and with an option that setup has not');

remove_tree($root) if Test::More->builder->is_passing;
done_testing();
