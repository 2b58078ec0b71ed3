#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The boot menu of systemd-boot and of proxmox-boot-tool, from the installation of the package to its purge, as kernel-install
# and the hooks of the guest make it: see boot-entries.sh. Unified kernel images are made where the Debian has ukify.
# tests/system/efi.t boots such menus.
# That of bullseye has neither the hooks, nor does it tell its plugins where the menu is.
# builders: initramfs-tools
# suites: bookworm trixie forky

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my $work = "$Guest::top/build/qemu/boot-entries";
chdir $Guest::top or die "$Guest::top: $!\n";
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};

system('mkdir', '-p', $work) == 0 or die "$work\n";
my $deb;
if ($Guest::native) { ($deb) = qx(make deb 2>$work.errors) =~ m{^(build/deb/vfio-boot_\S+\.deb)$}m }
else { $deb = (split /\n/, qx($Guest::here/package 2>$work.errors))[-1] }
ok($deb, 'the package is built') or BAIL_OUT("see $work.errors\n");

my %said;
for (split /\n/, qx($Guest::here/deb boot-entries efi $deb 2>$work.errors)) {
	push @{ $said{$1} }, $2 if /^([\w-]+): (.*)/;
}
is_deeply($said{purge} && $said{purge}[-1], 'end', 'it comes to its end') or BAIL_OUT("see $work/log and $work.errors\n");

sub lines { my ($moment, $word) = @_; return map { /^\Q$word\E ?(.*)/ ? $1 : () } @{ $said{$moment} || [] } }
sub entries { my ($moment) = @_; return map { m{^loader/entries/(.*)} ? $1 : () } lines($moment, 'file') }
sub ours { my ($moment) = @_; return join ' ', grep { /vfio/ } entries($moment) }

for my $moment (sort keys %said) {
	is(join(' ', grep { $_ ne '0' } lines($moment, 'exit')), '', "$moment: every program ends with 0");
}
my ($kernel, $other) = sort { ($a =~ /other/) - ($b =~ /other/) } map { /^debian-(.*)\.conf$/ ? $1 : () } entries('before');
is($other, '6.0.1-other', 'before: there are two kernels');
is(ours('before'), '', 'and no entry of ours');
my ($mine, $others) = map { "0-vfio-boot-off-debian-$_.conf" } $kernel, $other;

is(ours('install'), "$others $mine", 'install: each kernel has an entry without passthrough');
my @text = lines('install', $mine);
is($text[0], "# vfio-boot has made this of debian-$kernel.conf", 'which says where it is from');
like($text[1], qr/^title      Debian GNU\/Linux .*, without passthrough$/, 'its title is that of the other, and what it is');
is((grep { /^sort-key/ } @text)[0], 'sort-key   zz-vfio-boot', 'it is behind all others');
is((grep { /^options/ } @text)[0], 'options    vfio.ids=off root=LABEL=root ro quiet -- splash', "vfio.ids=off is the kernel's");
for my $what ('linux', 'initrd') {
	like((grep { /^$what / } @text)[0], qr{/debian/\Q$kernel\E/}, "it boots the same $what");
}

is(ours('counted'), "$others $mine", 'counted: a boot counter is no part of our name');
ok((grep { $_ eq "debian-$kernel+3.conf" } entries('counted')), 'and stays that of the other entry');
is(ours('blessed'), $mine, 'a kernel that is removed takes its entry along');
like(join(' ', lines('strange', 'warning')), qr/cannot write .*\Q$mine\E: the boot menu has no entry without passthrough/, 'strange: an entry that cannot be written is a warning');
is(ours('again'), "$others $mine", 'again: the next time it is there');
is(scalar(grep { /^other-1\.conf$/ } map { entries($_) } qw(before install counted blessed strange again remove)), 7, 'entries of other systems are left alone');

if (exists $said{uki}) {
	my $rescue = "    ID=main\n.profile:\n    ID=vfio-boot-off\n    TITLE=without passthrough\n.cmdline:\n    vfio.ids=off root=LABEL=root ro quiet -- splash\n";
	for my $moment ('uki', 'signed') {
		my $told = join '', map { "$_\n" } grep { !/^(?:file|exit)/ } @{ $said{$moment} };
		like($told, qr/^\.cmdline:\n    root=LABEL=root ro quiet -- splash\n/m, "$moment: its own command line is as it was");
		like($told, qr/\Q$rescue\E\z/, "$moment: and it has a second profile");
	}
	is(join(' ', lines('no-profiles', 'file')), join(' ', lines('uki', 'file')), 'an older ukify: the kernel is installed');
	like(join(' ', lines('no-profiles', 'warning')), qr/this ukify knows no profiles/, 'and told why it has no entry');
	like(join(' ', lines('made-elsewhere', 'warning')), qr/made elsewhere: the boot menu has no entry without passthrough for 7\.0-elsewhere/, 'one that was made elsewhere has none either');
	my $told = join '', map { "$_\n" } grep { !/^(?:file|exit)/ } @{ $said{'no-cmdline'} };
	is($told, ".profile:\n    ID=main\n" . $rescue =~ s/.*(?=\.profile)//sr =~ s/off root.*/off/r, 'without a command line: the profile has our word, and nothing of an ukify.conf');
	is(join(' ', lines('uki-removed', 'file')), '', 'a kernel that is removed leaves nothing');
} else {
	is($Guest::suite, 'bookworm', 'only systemd before 255 makes no unified kernel images');
}

my ($old, $new) = ('6.8.12-4-pve', '6.8.12-9-pve');
sub menus { my (@kernels) = @_; return join ' ', map { my $esp = $_; map { "$esp/loader/entries/$_" } (map { "0-vfio-boot-off-proxmox-$_.conf" } @kernels), map { "proxmox-$_.conf" } @kernels } 'AAAA-0001', 'BBBB-0002' }
is(join(' ', lines('proxmox', 'esp')), menus($old, $new), 'proxmox: each kernel has an entry in each ESP that is not for GRUB');
is(join(', ', lines('proxmox', 'done')), 'AAAA-0001 systemd-boot, BBBB-0002 systemd-boot, CCCC-0003 grub', 'which is written down');
like(join("\n", lines('proxmox', 'text')), qr{^title    Proxmox Virtual Environment, without passthrough\nversion  \Q$new\E\noptions  vfio\.ids=off root=ZFS}m, 'it is like that of proxmox-boot-tool');
unlike(join("\n", lines('proxmox', 'text')), qr/^sort-key/m, 'and has no sort key, with which it would come first');
is(join(' ', lines('proxmox', 'warning')), 'cannot mount the ESP DDDD-0004 of proxmox-boot-tool: its boot menu is as it was (proxmox-boot-tool clean, if it is gone)', 'an ESP that is not there is told');
is(join(' ', lines('proxmox-refresh', 'esp')), menus($old, $new), 'proxmox-boot-tool refresh leaves them');
is(join(' ', lines('proxmox-removed', 'esp')), menus($new), 'a kernel that is removed takes its entries along');
is(join(' ', lines('remove', 'esp')), menus($new) =~ s/\S*vfio\S* //gr, 'remove: no ESP has one any more');
is(ours('remove'), '', 'remove: nor has the menu of systemd-boot');
is(join(' ', lines('purge', 'diff')), '', 'purge: the ESP is as it was before, byte for byte');
is(join(' ', lines('purge', 'left')), '', 'and no file is left');
done_testing();
