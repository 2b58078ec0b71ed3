#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A framebuffer of the firmware on a display that is claimed: whose driver is taken
# off, what is said where it stays, and which one is never touched. The display is
# claimed already in most of this, so that the tree need not answer; tests/qemu/uefi.t
# has the kernels.

use strict;
use warnings;
use Cwd 'abs_path';
use FindBin;
use lib $FindBin::Bin;
use File::Path qw(make_path remove_tree);
use JSON::PP ();
use POSIX 'mkfifo';
use Test::More;
use Time::HiRes qw(sleep time);
use Answer;
use Tree;

in_memory('build/framebuffer');
my $root = 'build/framebuffer/tree';
my $pci = "$root/sys/bus/pci";
my $platform = "$root/sys/bus/platform";
my ($card, $other) = ('0000:07:00.0', '0000:09:00.0');
my %bar = ($card => 'd0', $other => 'e0');
my $param = ' (boot with initcall_blacklist=sysfb_init)';

sub iomem { spew("$root/proc/iomem", join '', "00000000-00000fff : Reserved\n", map { "$_\n" } @_) }
# A line of /proc/iomem for a framebuffer on a display.
sub sits { my ($owner, $dev) = @_; return "    $bar{ $dev // $card }000000-$bar{ $dev // $card }3e7fff : $owner" }
sub platform_device {
	my ($name) = @_;
	my $driver = $name =~ s/\.0\z//r;
	make_path("$root/sys/devices/platform/$name", "$platform/devices");
	spew("$platform/drivers/$driver/unbind", '');
	symlink "../../../devices/platform/$name", "$platform/devices/$name";
	symlink "../../../bus/platform/drivers/$driver", "$root/sys/devices/platform/$name/driver";
}

# The display is with vfio-pci, and these sit on it.
sub tree {
	my ($settings, $platform_device, @owners) = @_;
	q35($root, "ids = $card\ntimeout = 20\n$settings");
	spew("$pci/drivers/$_/unbind", '') for 'vfio-pci', 'e1000e';
	display($card);
	set_driver($card, 'vfio-pci');
	platform_device($platform_device) if $platform_device;
	iomem(map { sits($_) } @owners);
}
sub display {
	my ($dev) = @_;
	spew("$pci/devices/$dev/modalias", "pci:v00001234d00001111sv00001AF4sd00001100bc03sc80i00\n");
	spew("$pci/devices/$dev/resource", "0x00000000$bar{$dev}000000 0x00000000$bar{$dev}ffffff 0x0000000000042208\n0x0 0x0 0x0\n");
}
sub unbound { return join ' ', map { my $name = slurp($_); $name eq '' ? () : $name . '@' . (split m{/}, $_)[-2] } glob "$platform/drivers/*/unbind" }
sub row { my ($dev) = @_; my ($row) = grep { /^\Q$dev\E\t/ } split /\n/, slurp("$root/run/vfio-boot/report"); return join ' ', (split /\t/, $row // '')[3, 4, 7] }
sub claim { return system(@as_root, 'build/vfio-boot-claim', '--sysroot', $root, @_) >> 8 }
sub injected { my ($error, @options) = @_; return system(@as_root, 'strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=write', '-P', abs_path("$platform/drivers/efi-framebuffer/unbind"), '-e', "inject=write:error=$error", 'build/vfio-boot-claim', '--sysroot', $root, @options) >> 8 }
sub kernel_log { return slurp("$root/dev/kmsg") }

answers_in($root);

# Whose driver it is.
my @owners = (efifb => 'efi', efidrm => 'efi', vesafb => 'vesa', vesadrm => 'vesa', simplefb => 'simple', simpledrm => 'simple');
while (my ($owner, $name) = splice @owners, 0, 2) {
	tree('', "$name-framebuffer.0", $owner);
	is(claim(), 0, "$owner is no fault");
	is(unbound(), "$name-framebuffer.0\@$name-framebuffer", 'the driver of its platform device is taken off');
	is(row($card), "already - $owner holds a BAR that guests need$param", 'and what is there still is said');
	is(kernel_log(), "<4>vfio-boot: $card [1234:1111] is claimed, and the screen stays dark from the initramfs on: it is the boot display\n<4>vfio-boot: $card [1234:1111] group 10: already bound to vfio-pci: $owner holds a BAR that guests need$param\n", 'in the kernel log too, as a warning');
}

# What the kernel refuses, what is gone, and what no driver leaves.
for my $error ('EBUSY', 'EIO', 'ENODEV') {
	tree('log = debug', 'efi-framebuffer.0', 'efifb');
	is(injected($error), 0, "$error is no fault of the claim");
	is(row($card), "already - efifb holds a BAR that guests need$param", 'what stays is said');
	like(kernel_log(), qr{^<7>vfio-boot: efi-framebuffer\.0 to /sys/bus/platform/devices/efi-framebuffer\.0/driver/unbind: (?!ok)}m, 'with log=debug also why');
}
tree('', undef, 'efifb');
is(claim(), 0, 'a platform device that is gone');
is(row($card), "already - efifb holds a BAR that guests need$param", 'is no fault either');
tree('', 'simple-framebuffer.0', 'BOOTFB', 'simpledrm');
claim();
is(unbound(), 'simple-framebuffer.0@simple-framebuffer', 'simpledrm is taken off a BOOTFB');
tree('', 'simple-framebuffer.0', 'BOOTFB');
claim();
is(unbound(), '', 'of a BOOTFB alone nothing is');
is(row($card), "already - BOOTFB holds a BAR that guests need$param", 'and what holds the BAR is said');

# unbind=no
tree('unbind = no', 'efi-framebuffer.0', 'efifb');
is(claim(), 0, 'with unbind=no');
is(unbound(), '', 'nothing is taken off');
is(row($card), 'already - efifb holds a BAR that guests need, and unbind=no (set unbind=yes)', 'what holds the BAR is said');

# A driver that lets go: what is said is what is there afterwards.
for my $left ('', 'BOOTFB') {
	tree('', 'simple-framebuffer.0', 'BOOTFB', 'simpledrm');
	my $unbind = "$platform/drivers/simple-framebuffer/unbind";
	my $kernel = fork // die "fork: $!\n";
	if (!$kernel) {
		sleep 0.005 until slurp($unbind) ne '';
		iomem(map { sits($_) } split ' ', $left);
		POSIX::_exit(0);
	}
	system(@as_root, 'strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=write', '-P', abs_path($unbind), '-e',
		'inject=write:delay_exit=300000', 'build/vfio-boot-claim', '--sysroot', $root);
	kill 'KILL', $kernel;
	waitpid $kernel, 0;
	is(row($card), 'already - ' . ($left ? "BOOTFB holds a BAR that guests need$param" : '-'), $left ? 'simpledrm leaves a BOOTFB, which is said' : 'nothing is left to be said of');
}

# Said once, and still known to a second look; afterwards it is gone.
tree('unbind = no', 'efi-framebuffer.0', 'efifb');
spew("$root/run/vfio-boot/report", "vfio-boot-report 1\n" . join("\t", $card, '1234:1111', 10, 'claimed', '-', 'vfio-pci', $card, 'efifb holds a BAR that guests need, and unbind=no (set unbind=yes)') . "\n");
my $before = slurp("$root/run/vfio-boot/report");
is(claim('--second-look'), 0, 'a second look');
is(slurp("$root/run/vfio-boot/report") . kernel_log(), $before, 'has nothing new to say');
iomem();
claim('--second-look');
is(row($card), 'claimed - -', 'once the framebuffer is gone, the display is what it was, claimed');

# Others are left alone.
for my $what ('another display', 'another card') {
	tree('', 'simple-framebuffer.0', 'simpledrm');
	platform_device('efi-framebuffer.0');
	display($other) if $what eq 'another display';
	iomem(sits('efifb', $other), sits('simpledrm'));
	claim();
	is(unbound(), 'simple-framebuffer.0@simple-framebuffer', "what sits on $what is left alone");
}
tree('', 'efi-framebuffer.0', 'nvidia');
claim();
is(unbound() . ' ' . row($card), ' already - -', 'as is what is no framebuffer of the firmware');
tree('', 'efi-framebuffer.0', 'efifb');
spew("$pci/devices/$card/modalias", "pci:v00001234d00001111sv00001AF4sd00001100bc0Csc03i30\n");
claim();
is(unbound() . ' ' . row($card), ' already - -', 'and whatever is on no display');
tree('', 'efi-framebuffer.0', 'efifb');
claim('--dry-run');
is(unbound(), '', 'a plan writes nothing');

# The group first.
for my $what ('no IOMMU', 'an incomplete group') {
	tree("\nids = 0000:08:00.0", 'efi-framebuffer.0', 'efifb');
	set_driver($card, '');
	my $dir = abs_path("$pci/devices/$card");
	if ($what eq 'no IOMMU') {
		remove_tree("$root/sys/kernel/iommu_groups/10");
		unlink "$dir/iommu_group";
	} else {
		my $mate = "$pci/devices/0000:03:00.0";
		unlink "$dir/iommu_group", "$root/sys/kernel/iommu_groups/10/devices/$card";
		symlink '/sys/kernel/iommu_groups/7', "$dir/iommu_group";
		symlink "/sys/bus/pci/devices/$card", "$root/sys/kernel/iommu_groups/7/devices/$card";
	}
	is(claim('--second-look'), 1, "$what: named all the same");
	like(row($card), qr/^refused (?:no-iommu|group-incomplete) /, 'the display is refused');
	is(unbound() . slurp("$pci/devices/$card/driver_override"), "(null)\n", 'and neither it nor the framebuffer is touched');
}

# A display that does not bind keeps it; one that does is free.
for my $refuses ('', $card) {
	tree('', 'efi-framebuffer.0', 'efifb');
	set_driver($card, '');
	my $status = run_answered($refuses, {}, 'build/vfio-boot-claim') >> 8;
	is($status, $refuses ? 1 : 0, 'a claim that ' . ($refuses ? 'fails' : 'comes to its end'));
	is(unbound(), $refuses ? '' : 'efi-framebuffer.0@efi-framebuffer', $refuses ? 'leaves it' : 'takes it off');
}

# A driver that takes for ever.
tree('', undef, 'efifb');
spew("$root/etc/vfio-boot.conf", "ids = $card\ntimeout = 2\n");
platform_device('efi-framebuffer.0');
unlink "$platform/drivers/efi-framebuffer/unbind";
mkfifo("$platform/drivers/efi-framebuffer/unbind", 0600) or die "$!\n";
my $start = time;
is(claim(), 0, 'a driver that does not let go');
cmp_ok(time - $start, '<', 5, 'holds up nobody beyond the time limit');
is(row($card), "already - efifb holds a BAR that guests need$param", 'and the display is claimed, with the framebuffer on it');
alarm 20;
open my $reader, '<', "$platform/drivers/efi-framebuffer/unbind" or die "$!\n";
is(scalar <$reader>, 'efi-framebuffer.0', 'it was told, and what waited for it ends');
close $reader;
alarm 0;

# By hand.
for my $told ('text', 'json') {
	tree('', 'efi-framebuffer.0', 'BOOTFB');
	my $out = qx(@as_root build/vfio-boot claim @{[ $told eq 'json' ? '--json' : () ]} 07:00.0 --sysroot $root);
	is($? >> 8, 0, "vfio-boot claim, $told");
	my $held = "bound to vfio-pci: BOOTFB holds a BAR that guests need$param";
	is($out, "$card [1234:1111] group 10: already $held\n", 'says it') if $told eq 'text';
	is(JSON::PP->new->utf8->decode($out)->{devices}[0]{message}, "already $held", 'says it') if $told eq 'json';
	is(row($card), "already - BOOTFB holds a BAR that guests need$param", 'and the report of the boot has it');
}
my $record = join "\t", $card, '1234:1111', 10, 'claimed', '-', 'vfio-pci', '1234:1111', '';
for my $owners ('', 'BOOTFB') {
	tree('', 'efi-framebuffer.0', split ' ', $owners);
	my @said = ('-', "BOOTFB holds a BAR that guests need$param");
	@said = reverse @said if !$owners;
	spew("$root/run/vfio-boot/report", "vfio-boot-report 1\n$record$said[0]\n");
	qx(@as_root build/vfio-boot claim 07:00.0 --sysroot $root);
	is(slurp("$root/run/vfio-boot/report"), "vfio-boot-report 1\n$record$said[1]\n", 'a report that says otherwise is put right, and in nothing else');
}
done_testing();
