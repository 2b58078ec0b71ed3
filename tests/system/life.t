#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The life of the package in an installed Debian (VFIO_BOOT_SUITE) with systemd and GRUB, of
# which each suite has another one: see disks. With VFIO_BOOT_IMAGE=dracut the images are those
# of dracut. Six boots, each of which begins where the one before has ended: steps.sh is what is
# typed. What must be so everywhere is tested alike.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../qemu";
use Guest;
use IO::Socket::UNIX;
use Test::More;

my $suite = $ENV{VFIO_BOOT_SUITE} || 'bookworm';
my $dir = "$Guest::top/build/system/$suite" . ($Guest::dracut ? '-dracut' : '');
# What a warning of the hook begins with.
my $w = $Guest::dracut ? 'dracut\[W\]: vfio-boot' : 'W: vfio-boot';
system('rm', '-rf', $dir);
system('mkdir', '-p', $dir) == 0 or die "$dir\n";

# Somebody is at the keyboard, for the passphrase of the disk.
sub type_passphrase {
	my $typed = 0;
	while (1) {
		sleep 1;
		my $asked = () = (-e "$dir/console" ? Guest::read_file("$dir/console") : '') =~ /Please unlock disk crypt/g;
		next if $asked <= $typed;
		chdir $dir;
		my $keyboard = IO::Socket::UNIX->new(Peer => 'keyboard') or next;
		print $keyboard "passphrase\n";
		$keyboard->flush;
		sleep 1;
		$typed = $asked;
	}
}

my $keyboard = fork // die "fork: $!\n";
if (!$keyboard) {
	type_passphrase();
}
my $status = system("$FindBin::Bin/boot", $dir);
kill 'KILL', $keyboard;
waitpid $keyboard, 0;
my %said;
for (split /\r?\n/, -e "$dir/told" ? Guest::read_file("$dir/told") : '') {
	push @{ $said{$1} }, $2 if /^(\w+): (.*)/;
}
ok($status == 0 && $said{after} && $said{after}[-1] eq 'end', 'six boots, and switched off') or die 'exit status ' . ($status >> 8) . ", see $dir\n";

# What was told at a moment: all of it, the lines with a word in front, the answer to a command, and who has a device.
sub told { my ($moment) = @_; return join '', map { "$_\n" } @{ $said{$moment} || [] } }
sub lines { my ($moment, $word) = @_; return map { /^\Q$word\E ?(.*)/ ? $1 : () } @{ $said{$moment} || [] } }
sub answer {
	my ($moment, $command) = @_;
	my ($text) = told($moment) =~ /^# [^\n]*\Q$command\E[^\n]*\n(.*?^exit \d+)$/ms;
	return $text // '';
}
sub driver { my ($moment, $address) = @_; return (map { /^\Q$address\E (\S+)/ ? $1 : () } lines($moment, 'pci'))[0] // 'gone' }
sub held { my ($moment) = @_; return join ' ', map { /^(\S+) vfio-pci / ? $1 : () } lines($moment, 'pci') }
my @card = map { "0000:03:00.$_" } 0, 1;
my ($group) = map { /^0000:03:00\.0\t\S+\t(\d+)\t/ ? $1 : () } lines('claim', 'report');
$group //= 'unknown';
my $claimed = join '', map { "$_ [8086:10d3] group $group: claimed for vfio-pci\n" } @card;

# The disks of this layout: what / is on, what other disk of the same kind there is, and its driver.
my %layout = (
	bullseye => { root => ['0000:04:00.0 1af4:1042 virtio-pci'], type => 'ext4' },
	bookworm => { root => ['0000:04:00.0 1b36:0010 nvme'], type => 'ext4' },
	trixie => { root => [ '0000:04:00.0 1b36:0010 nvme', '0000:0a:00.0 1af4:1042 virtio-pci' ], type => 'btrfs' },
	forky => { root => ['0000:04:00.0 1b36:0010 nvme'], twin => '0000:0a:00.0', type => 'ext4' },
);
my $layout = $layout{$suite} or die "no layout for $suite\n";
my @root = map { [split] } @{ $layout->{root} };
my $twin = $layout->{twin};

# A machine that is as it should be, but for what a moment has on purpose.
sub healthy {
	my ($moment, @failed) = @_;
	is(join(' ', lines($moment, 'failed')), "@failed", "$moment: " . (@failed ? "only @failed has failed" : 'no unit has failed'));
	like((lines($moment, 'mount'))[0], qr{^/ \S+ $layout->{type}$}, "$moment: / is $layout->{type}");
	is(driver($moment, $_->[0]), $_->[2], "$moment: $_->[0], on which it is, is with $_->[2]") for @root;
}
sub usable {
	my ($moment) = @_;
	my $vfio = join "\n", lines($moment, 'vfio');
	like($vfio, qr/^$_$/m, "$moment: vfio: $_") for "group $group viable: yes", "group $group iommu: ok", map { "device $_ descriptor: ok" } @card;
}

# As a new user would do it.
healthy('boot1');
is(driver('boot1', $_), 'e1000e', "before: $_ is with its driver") for @card;
like(answer('install', 'install /mnt/old/'), qr/^exit 0$/m, 'install: apt succeeds');
unlike(told('install'), qr/^$w/m, 'and nothing is complained about');
like(answer('line', 'update-initramfs -u'), qr/^exit 0$/m, 'one line in the settings, and an image');
unlike(told('line'), qr/^$w/m, 'with nothing to complain about');
is(answer('line', 'vfio-boot plan') =~ s/^vfio-boot: planned for .*\n//r, ($claimed =~ s/claimed for/claim for/gr) . 'exit 0', 'and the plan says so');

healthy('claim');
is(held('claim'), "@card", 'claim: after the reboot vfio-pci holds the card');
usable('claim');
is(answer('claim', 'vfio-boot status'), $claimed . 'exit 0', 'claim: status says so');
like(answer('claim', 'systemctl'), qr/^ +Active: active \(exited\)/m, 'claim: the unit is content');
for my $address (@card) {
	like(join("\n", lines('claim', 'journal')), qr/^\Q$address\E \S+ group $group: claimed for vfio-pci$/m, "claim: the journal of the unit has it ($address)");
	like(join("\n", lines('claim', 'kernel log:')), qr/^\Q$address\E \S+ group $group: claimed for vfio-pci$/m, "claim: and so has that of the kernel ($address)");
}
# A root port is on the way to a disk, and is protected with it.
is(join(' ', sort map { /^protect = \S+@(\S+)  # \/ on / && $1 ne '1b36:000c' ? $1 : () } lines('claim', 'protect file:')),
	join(' ', sort map { $_->[1] } @root), 'claim: what / is on is in the protect file');
like(join("\n", lines('claim', 'protect file:')), qr/^protect = .*[ ;] swap on /m, 'and so is swap');
unlike(join("\n", lines('claim', 'protect file:')), qr/unknown/, 'and nothing is unknown');

# A part of a group and the disk of / are named.
is(join(' ', lines('mistakes', 'root')), join(' ', map { $_->[0] } @root), 'mistakes: a person finds the disk of / at the same place');
like(answer('mistakes', 'vfio-boot status'), qr/update-initramfs/, 'mistakes: status says that the settings are not in the image yet');
my $upgrade = answer('upgrade', 'apt-get');
like($upgrade, qr/^exit 0$/m, 'upgrade: apt succeeds');
like(told('upgrade'), qr/^$w: 0000:02:01\.0 .*: refused, group-incomplete: /m, 'and warns of the part of a group');
like(told('upgrade'), qr/^$w: \Q$_->[0]\E .*: refused, protected: /m, "and of $_->[0]") for @root;
is((lines('upgrade', 'settings:'))[0], 'ids = 03:00', 'the settings of the administrator are kept');
like(told('upgrade'), qr/^\S+\.1 installed\n/m, 'the newer version is installed');
like(answer('upgrade', 'is-enabled'), qr/^enabled$/m, 'and the unit is enabled');

healthy('refusal', 'vfio-boot.service');
is(held('refusal'), "@card", 'refusal: what can be claimed is claimed');
like(answer('refusal', 'vfio-boot status'), qr/^exit 1$/m, 'refusal: status knows');
for my $refused ([ '0000:02:01.0', 'group-incomplete' ], map { [ $_->[0], 'protected' ] } @root) {
	my ($address, $reason) = @$refused;
	like(join("\n", lines('refusal', 'report')), qr/^\Q$address\E\t[^\t]*\t[^\t]*\trefused\t$reason\t/m, "refusal: $address is refused as $reason");
	like(join("\n", lines('refusal', 'journal')), qr/^\Q$address\E .*: refused, $reason: /m, 'the journal of the unit has it');
	like(answer('refusal', 'systemctl'), qr/\Q$address\E .*: refused, $reason: /, 'and its status');
}
like(answer('refusal', 'systemctl'), qr/^ +Active: failed/m, 'refusal: the unit has failed');
if ($twin) {
	like(join("\n", lines('refusal', 'report')), qr/^\Q$twin\E\t[^\t]*\t[^\t]*\tkept\treserved\t/m, 'refusal: what has the ID of a disk of / is kept');
	is((lines('twin', 'twin'))[0], $twin, 'twin: there is a disk with the same IDs');
	like(answer('twin', 'vfio-boot add'), qr/^\Q$twin\E .*: claim for vfio-pci$/m, 'which can be named');
}

# Another kernel, and the way back.
like(answer('kernel', 'apt-get'), qr/^exit 0$/m, 'kernel: another one is installed');
my %in_image = map { $_ => 1 } lines('kernel', 'image now');
is(join(' ', grep { !$in_image{$_} } lines('line', 'image now')), '', 'with all of this program in its image');
like(answer('kernel', 'vfio-boot status'), qr/update-initramfs/, 'the image of this one has not got the settings yet');
healthy('second');
like((lines('second', 'kernel'))[0], qr/cloud/, 'second: it is booted');
is(held('second'), join(' ', @card, $twin // ()), 'second: and claims the same');
usable('second');
like(answer('second', 'systemctl'), qr/^ +Active: active \(exited\)/m, 'second: the unit is content');

like(told('off'), qr/^BOOT_IMAGE=.*vfio\.ids=off/m, 'off: the entry of the menu is booted');
healthy('off');
is(held('off'), '', 'off: nothing is claimed');
like(join("\n", lines('off', 'kernel log:')), qr/^nothing is claimed: vfio\.ids=off/m, 'off: and the log says why');

# Without it.
like(answer('remove', 'apt-get'), qr/^exit 0$/m, 'remove: apt succeeds');
is(join(' ', grep { /vfio/ } map { lines('remove', $_) } 'image now', 'image other'), '', 'and no image has anything of it');
is(join(' ', map { (lines('remove', $_))[0] // '' } 'image now', 'image other'), 'init init', 'but each is an image');
is(join(' ', lines('remove', 'file')), '/etc/vfio-boot.conf', 'only the settings stay');
like(answer('purge', 'apt-get -q -y -o Dir::Etc::sourcelist=/mnt/sources.list'), qr/^exit 0$/m, 'purge: apt succeeds');
is(join("\n", lines('purge', 'diff')), '', 'all files of the system are those from before');
is((lines('purge', 'lines of the menu:'))[0], 0, 'and the menu has nothing of it');
healthy('after');
is(join(' ', lines('after', 'kernel')), join(' ', lines('boot1', 'kernel')), 'after: the first kernel is booted');
is(join(' ', lines('after', 'image now')), 'init', 'after: from an image that has nothing of it');
is(join("\n", lines('after', 'file')), '', 'after: there is no report any more');
is(join("\n", lines('after', 'pci')), join("\n", lines('boot1', 'pci')), 'after: all devices are with their drivers as before');
done_testing();
