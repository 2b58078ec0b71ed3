#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# suites: bookworm trixie
# builders: initramfs-tools
# The package for arm64 is built on amd64, and its unit tests pass there: QEMU runs them.
# The programs are of that architecture, and say what those of this machine say.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/..";
use Guest;
use Test::More tests => 24;
use Tree;

$ENV{VFIO_BOOT_ARCH} = 'arm64';
my $here = $FindBin::Bin;
my $dir = "$Guest::top/build/qemu/cross";
chomp(my $package = `$here/package`);
is($?, 0, 'dpkg-buildpackage -aarm64') or BAIL_OUT("no package for arm64");
is(`dpkg-deb -f '$package' Architecture`, "arm64\n", 'makes a package for arm64');

my $log = Guest::read_file(($package =~ s{/[^/]*$}{}r) . '.log');
my @units = map { m{([^/]*)\.c$} } grep { !/model|oracle|random_pair|json|schedules/ } glob "$here/../unit/*.c";
is(join(' ', sort $log =~ m{^build/klibc/unit-(\S+)\.t \.+ ok$}mg), join(' ', sort @units), 'whose unit tests all pass');
my ($bytes, $most) = $log =~ /vfio-boot-claim: (\d+) bytes of (\d+)/;
cmp_ok($bytes, '<=', $most, 'the claim program is as small as it has to be');
unlike($log, qr/nm: .*(?:format|recogni)/, 'and nm could read what it is made of');

system('rm', '-rf', $dir);
system('mkdir', '-p', $dir);
system('dpkg-deb', '-x', $package, $dir) == 0 or die "$package cannot be unpacked\n";
my ($claim, $host) = ("$dir/usr/lib/vfio-boot/vfio-boot-claim", "$dir/usr/sbin/vfio-boot");
for ($claim, $host) {
	like(`readelf -h $_`, qr/Machine: +AArch64$/m, "$_ is for arm64");
}
is(-s $claim, $bytes, 'the claim program is what was linked, and dh_strip has left it alone');

# Both look at a machine that was unpacked where the libraries of the host program are.
chomp(my $root = `$here/guest build`);
$root .= '/root';
system("rm -rf $root/tmp/tree && $here/../fixture unpack $here/../fixtures/qemu-q35/machine $root/tmp/tree && cp $claim $host $root/tmp/") == 0
	or die "no machine in the guest\n";
Guest::write_file("$root/tmp/tree/etc/vfio-boot.conf", "ids = 8086:10d3 0000:02:01.0 0000:04:00.0\n");
my ($emulator) = grep { -e "$root/usr/bin/$_" } qw(qemu-aarch64-static qemu-aarch64);
for ([ 'vfio-boot-claim', qw(--sysroot /tmp/tree --dry-run --next-boot) ], [qw(vfio-boot plan --json --sysroot /tmp/tree)]) {
	my ($program, @arguments) = @$_;
	my $said = `$here/enter $root $emulator /tmp/$program @arguments 2>&1`;
	s{/tmp/tree}{$root/tmp/tree} for @arguments;
	my $wanted = `$Guest::top/build/$program @arguments 2>&1`;
	$wanted =~ s/\Q$root//g;
	like($said, qr/0000:03:00\.1/, "$program for arm64 runs");
	is($said, $wanted, 'and says what that of this machine says');
}

# The groups of an arm64 that has none before the drivers: pci-stub comes and goes, and every device is offered to its own
# driver again. It stays away where there is no IOMMU, and where it is somebody else's.
sub modprobes {
	my ($name, %o) = @_;
	q35("$root/tmp/tree", "ids = 0000:03:00.*\n");
	system("rm -rf $root/tmp/tree/sys/kernel/iommu_groups/* && find $root/tmp/tree/sys/devices -name iommu_group -delete");
	spew("$root/tmp/tree/$_", '') for 'sys/firmware/acpi/tables/IORT', $o{iommu} ? 'sys/class/iommu/smmu3' : ();
	mkdir "$root/tmp/tree/sys/bus/pci/drivers/pci-stub" if $o{stub};
	system("$here/enter $root $emulator /tmp/vfio-boot-claim --sysroot /tmp/tree @{ $o{as} || [] } 2>/dev/null");
	my $verdict = $o{as} ? 'refused' : 'pending';
	like(slurp("$root/tmp/tree/run/vfio-boot/report"), qr/^0000:03:00\.0\t.*\t$verdict\tno-iommu\t/m, "$name: without a group it is $verdict");
	my $log = "$root/tmp/tree/modprobe.log";
	is(-e $log ? slurp($log) : '', $o{log}, "$name: what is loaded");
	my $offered = slurp("$root/tmp/tree/sys/bus/pci/drivers_probe");
	like($offered, $o{log} ? qr/^0000:/ : qr/^$/, "$name: " . ($o{log} ? 'all is offered again' : 'nothing is touched'));
}
modprobes('an SMMU', iommu => 1, log => "pci-stub ids=ffffffff:ffffffff ()\n-r pci-stub ()\n");
modprobes('the second look', iommu => 1, as => ['--second-look'], log => "pci-stub ids=ffffffff:ffffffff ()\n-r pci-stub ()\n");
modprobes('no SMMU', log => '');
modprobes('a pci-stub that is there', iommu => 1, stub => 1, log => '');
