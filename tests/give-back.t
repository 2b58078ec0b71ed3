#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A claim in a plain tree: nothing reacts there to what is written, so no device
# is ever bound, and the group has to be given back. What was written, what was
# loaded and what is reported can be read in the tree afterwards.

use strict;
use warnings;
use File::Copy;
use File::Path qw(make_path remove_tree);
use Test::More tests => 12;

my $root = 'build/give-back';

sub slurp {
	my ($path) = @_;
	open my $in, '<', "$root/$path" or return "no $path";
	local $/;
	return scalar <$in>;
}

sub spew {
	my ($path, $text, $mode) = @_;
	make_path("$root/$path" =~ s{/[^/]*\z}{}r);
	open my $out, '>', "$root/$path" or die "$path: $!\n";
	print $out $text;
	close $out or die "$path: $!\n";
	chmod $mode, "$root/$path" if $mode;
}

remove_tree($root);
system('tests/fixture', 'unpack', 'tests/fixtures/qemu-q35/machine', $root) == 0 or die "no machine\n";
my $disk = 'sys/bus/pci/devices/0000:04:00.0';
spew('etc/vfio-boot.conf', "ids = 0000:04:00.0\n");
spew('dev/kmsg', '');
spew("$disk/driver_override", "(null)\n");
spew('sys/bus/pci/drivers_probe', '');
make_path("$root/sys/bus/pci/drivers/vfio-pci");
unlink "$root/$disk/driver";
make_path("$root/sbin");
copy('build/klibc/modprobe', "$root/sbin/modprobe") or die "no modprobe: $!\n";
chmod 0755, "$root/sbin/modprobe";

$ENV{MODPROBE_OPTIONS} = '-qb';
is(system('build/vfio-boot-claim', '--sysroot', $root) >> 8, 1, 'what failed is exit status 1');
is(slurp('modprobe.log'), "vfio_iommu_type1 ()\nvfio-pci ids= ()\n",
	'type1 by name, vfio-pci with an empty list, and without the MODPROBE_OPTIONS of initramfs-tools');
is(slurp("$disk/driver_override"), "\nfio-pci", 'the override was written in one piece, then cleared with a line feed');
is(slurp('sys/bus/pci/drivers_probe'), '0000:04:00.0', 'the device was probed');
my @rows = split /\n/, slurp('run/vfio-boot/report');
is($rows[0], 'vfio-boot-report 1', 'the report begins with its format');
is(scalar @rows, 2, 'and has one record');
is_deeply([(split /\t/, $rows[1])[0, 2 .. 6]], ['0000:04:00.0', 8, 'failed', 'bind', '-', '0000:04:00.0'],
	'which says that it failed');
ok(!-e "$root/run/vfio-boot/report.new", 'nothing is left beside it');
like(slurp('dev/kmsg'), qr/^<3>vfio-boot: 0000:04:00\.0 \[[0-9a-f:]{9}\] group 8: failed, bind: /, 'so does the kernel log');

# Nothing is written without the driver.
rename "$root/sys/bus/pci/drivers/vfio-pci", "$root/gone" or die "$!\n";
spew("$disk/driver_override", "(null)\n");
is(system('build/vfio-boot-claim', '--sysroot', $root) >> 8, 1, 'without the driver it fails as well');
is(slurp("$disk/driver_override"), "(null)\n", 'and nothing is written');
like(slurp('run/vfio-boot/report'), qr/^0000:04:00\.0\t.*\tfailed\tno-driver\t/m, 'which the report says');
