#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The package beside dracut, the change from dracut to initramfs-tools and back, and what a removal leaves: see builders.sh.
# Nothing of it needs a virtual machine. And the package beside initramfs-tools, which it does not replace either.
# builders: initramfs-tools
# suites: bookworm trixie forky

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../qemu";
use Guest;
use Test::More;

my $top = $Guest::top;
chdir $top or die "$top: $!\n";
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
my ($deb) = $Guest::native ? qx(make deb) =~ m{^(build/deb/vfio-boot_\S+\.deb)$}m : (split /\n/, qx($Guest::here/package))[-1];
ok($deb, "the package is built ($Guest::suite)") or BAIL_OUT("no package\n");

my %said;
sub ask {
	my ($guest) = @_;
	%said = ();
	for (split /\n/, qx($Guest::here/deb builders $guest $deb)) {
		if (/^([\w-]+): (\S+) ?(.*)/) { push @{ $said{$1}{$2} }, $3 } else { diag($_) }
	}
	is($?, 0, "all of it was run beside $guest");
}
ask('boot-dracut');
# What was said at a moment, in one line.
sub with { my ($moment, $what) = @_; return join ' ', @{ $said{$moment}{$what} || [] } }

my @units = map { "./usr/lib/systemd/system/$_" } 'initrd-root-fs.target.wants/vfio-boot-second-look.service', 'sysinit.target.wants/vfio-boot-claim.service',
	'sysinit.target.wants/vfio-boot-root-missing.timer', 'systemd-udevd.service.wants/vfio-boot-claim.service', 'vfio-boot-claim.service',
	'vfio-boot-root-missing.service', 'vfio-boot-root-missing.timer', 'vfio-boot-second-look.service';
my @files = ('./usr/lib/vfio-boot', './usr/lib/vfio-boot/vfio-boot-claim', './var/lib/vfio-boot');
my $by_dracut = join ' ', './etc/vfio-boot.conf', @units, @files;
my $by_tools = join ' ', './etc/vfio-boot.conf', (map { "./scripts/$_" } qw(init-top/00-vfio-boot local-block/vfio-boot local-premount/vfio-boot
	local-top/vfio-boot nfs-top/vfio-boot)), @files;

is(with('simulated', 'installs') . with('simulated', 'removes'), 'vfio-boot', 'beside dracut nothing is removed, and no other builder installed');
is(with('install', 'exit'), '0 0 0', 'install: apt is content, and so is the doctor with the image');
is(with('install', 'package'), 'dracut installed initramfs-tools not-installed vfio-boot installed', 'install: dracut stays');
is(with('install', 'made') . ': ' . with('install', 'has'), "by dracut: $by_dracut", 'install: the trigger has rebuilt the image');
is(with('install', 'warned') . with('install', 'said'), '', 'install: without a word');

is(with('autopkgtest', 'exit') . ' ' . with('autopkgtest', 'ended'), '0 the image', 'autopkgtest: is content');

is(with('settings', 'exit'), '1', 'settings that are newer than the image: the doctor says so');
like(with('settings', 'said'), qr{^/boot/initrd\.img-\S+ has older settings: /etc/vfio-boot\.conf differs \((?:update-initramfs -u -k|dracut --force) .*\)$},
	'settings: in one line, with what to type');
is(with('rebuilt', 'exit'), '0 0', 'rebuilt: then it is content');
is(with('rebuilt', 'settings'), 'ids = 8086:10d3', 'rebuilt: the image has the settings');
my $nobody = 'no device of the host is visible here: the boot claims storage only if it is named, until the image is built on the host';
is(with('rebuilt', 'warned'), $nobody, 'rebuilt: without /sys there is one warning');
is(with('omitted', 'exit'), '0 1', 'omitted: an image without our module is found out');
like(with('omitted', 'said'), qr/vfio-boot-claim is not in it/, 'omitted: which is said');
is(with('looked', 'exit'), '0', 'looked: an installation whose image has no module of ours is none that fails');
like(with('looked', 'said'), qr/vfio-boot-claim is not in it/, 'looked: but it says so');

my %bad = (
	kernel_cmdline => qr/^\Q$nobody\E settings in dracut's kernel_cmdline have no effect \(write them to \S+\)$/,
	hostonly_cmdline => qr/^\Q$nobody\E$/,
	read_only_var => qr/^\Q$nobody\E$/,
	no_vfio => qr/^\Q$nobody\E kernel 4\.1-none has no vfio-pci: it cannot claim anything$/,
	sysroot => qr/^\Q$nobody\E$/,
);
for (sort keys %bad) {
	like(with($_, 'warned'), $bad{$_}, "$_: one warning");
	my ($with, $without) = reverse split / /, $_ eq 'sysroot' ? with($_, 'exit') : '0 ' . with($_, 'exit');
	is($with, $without, "$_: the build ends as it does without us");
}
is(with('read_only_var', 'written'), '', 'read_only_var: it is');
is(with('sysroot', 'files'), '4', 'sysroot: the image has the program, its unit and the two links to that');

is(with('to-initramfs-tools', 'removes'), 'dracut', 'to initramfs-tools: dracut goes, and nothing else');
is(with('to-initramfs-tools', 'exit'), '0 0', 'to initramfs-tools: apt and the doctor are content');
is(with('to-initramfs-tools', 'made') . ': ' . with('to-initramfs-tools', 'has'), "by initramfs-tools: $by_tools", 'to initramfs-tools: the image has us');
is(with('to-dracut', 'exit'), '0 0', 'to dracut: apt and the doctor are content');
is(with('to-dracut', 'made') . ': ' . with('to-dracut', 'has'), "by dracut: $by_dracut", 'to dracut: the image has us');

is(with('purge', 'has'), $by_dracut, 'purge: a second kernel has an image with us');
is(with('purged', 'exit'), '0', 'purge: apt is content');
is(with('purged', 'made'), 'by dracut by dracut', 'purge: both images are there');
is(with('purged', 'has'), '', 'purge: and are clean');
is(with('purged', 'left') . with('purged', 'said'), '', 'purge: nothing is left');

ask('boot');
is(with('simulated', 'installs') . ', ' . with('simulated', 'removes'), 'vfio-boot, ',
	'beside initramfs-tools nothing is removed either, and no other builder installed');
done_testing();
