#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# A Debian on an ESP with systemd-boot, booted by UEFI through its menu: the entry without passthrough, that of a unified kernel
# image, and one on an ESP of proxmox-boot-tool, chosen by `bootctl set-oneshot` and by keys. efi makes the disks, efi-steps is
# what runs. proxmox-boot-tool itself is not in Debian: an entry as it makes them stands for it.
# builders: initramfs-tools
# suites: bookworm trixie forky

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../qemu";
use Guest;
use IO::Socket::UNIX;
use Test::More;

my $suite = $Guest::suite;
my $dir = "$Guest::top/build/system/efi-$suite";
chdir $Guest::top or die "$Guest::top: $!\n";
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
my $deb = $Guest::native ? (qx(make deb) =~ m{^(build/deb/vfio-boot_\S+\.deb)$}m)[0] : (split /\n/, qx($Guest::here/package))[-1];
ok($deb, "the package is built ($suite)") or BAIL_OUT("no package\n");
system('rm', '-rf', $dir);
system('mkdir', '-p', $dir) == 0 or die "$dir\n";

# Somebody at the keyboard: at the third menu the last entry, and Enter. A key may come before the menu listens.
sub press_keys {
	while (1) {
		sleep 1;
		my $console = -e "$dir/console" ? Guest::read_file("$dir/console") : '';
		next if (() = $console =~ /starting Boot/g) != 3 || $console !~ /.*starting Boot.*?Boot in/s;
		chdir $dir;
		my $qmp = IO::Socket::UNIX->new(Peer => 'qmp') or next;
		print $qmp qq({"execute":"qmp_capabilities"}\n);
		for my $key ('end', 'ret') {
			print $qmp qq({"execute":"send-key","arguments":{"keys":[{"type":"qcode","data":"$key"}]}}\n);
			$qmp->flush;
			sleep 1;
		}
		<$qmp>;
		exit 0;
	}
}

my $keyboard = fork // die "fork: $!\n";
press_keys() if !$keyboard;
my $status = system("$FindBin::Bin/efi", $deb, $dir);
kill 'KILL', $keyboard;
waitpid $keyboard, 0;

my %said;
for (split /\r?\n/, -e "$dir/told" ? Guest::read_file("$dir/told") : '') {
	push @{ $said{$1} }, $2 if /^(\d): (.*)/;
}
my $unified = $suite ne 'bookworm';
my $last = $unified ? 6 : 4;
ok($status == 0 && $said{$last} && $said{$last}[-1] eq 'end', "$last boots, and switched off") or die 'exit status ' . ($status >> 8) . ", see $dir\n";

sub lines { my ($boot, $word) = @_; return map { /^\Q$word\E ?(.*)/ ? $1 : () } @{ $said{$boot} } }
sub claimed { my ($boot) = @_; return join ' ', map { /^(\S+)\tclaimed\t/ ? $1 : () } lines($boot, 'report') }
my $card = '0000:03:00.0 0000:03:00.1';
my ($kernel) = map { m{^\./debian/([^/]+)/linux$} ? $1 : () } lines(1, 'esp');

sub passes_through {
	my ($boot, $entry, $name) = @_;
	is((lines($boot, 'entry'))[0], $entry, "$name: the menu has booted $entry");
	is(claimed($boot), $card, 'the card is claimed');
	unlike((lines($boot, 'line'))[0], qr/vfio\.ids/, 'and nothing on the command line is ours');
}
sub rescues {
	my ($boot, $entry, $name) = @_;
	is((lines($boot, 'entry'))[0], $entry, "$name: the menu has booted $entry");
	like((lines($boot, 'line'))[0], qr/\bvfio\.ids=off root=LABEL=root /, 'with vfio.ids=off');
	is(claimed($boot), '', 'nothing is claimed');
	is((lines($boot, 'log'))[0], 'nothing is claimed: vfio.ids=off', 'and the log says why');
}

my $rescue = "0-vfio-boot-off-debian-$kernel.conf";
passes_through(1, "debian-$kernel.conf", 'the default');
like(join("\n", @{ $said{1} }), qr/title: Debian GNU\/Linux [^\n]*, without passthrough\n +id: \Q$rescue\E\n/, 'bootctl lists the entry without passthrough');
rescues(2, $rescue, 'by set-oneshot');
rescues(3, $rescue, 'by keys, at the end of the menu');
rescues(4, "0-vfio-boot-off-proxmox-$kernel.conf", 'on an ESP of proxmox-boot-tool');
if ($unified) {
	passes_through(5, "debian-$kernel.efi", 'a unified kernel image');
	rescues(6, "debian-$kernel.efi\@vfio-boot-off", 'its profile');
}
is(join(' ', grep { !/^exit 0$/ } map { lines($_, 'exit') ? (grep { /^exit/ } @{ $said{$_} }) : () } 2, 4, 5), '', 'bootctl has nothing to complain about');
system('rm', '-f', "$dir/disk", "$dir/esp");
done_testing();
