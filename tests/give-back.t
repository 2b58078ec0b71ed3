#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A claim in a plain tree: nothing reacts there to what is written, so no device
# is ever bound, and the group has to be given back. What was written, what was
# loaded and what is reported can be read in the tree afterwards.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Path 'make_path';
use Test::More tests => 15;
use Tree;

my $root = 'build/give-back';
my $disk = "$root/sys/bus/pci/devices/0000:04:00.0";
my @claim = (@as_root, 'build/vfio-boot-claim', '--sysroot', $root);

q35($root, "ids = 0000:04:00.0\n");
unlink "$disk/driver";
my $driver = "$root/sys/bus/pci/drivers/vfio-pci";
rename $driver, "$root/gone" or die "$!\n";
spew("$root/modprobe.moves", "gone sys/bus/pci/drivers/vfio-pci\n");

$ENV{MODPROBE_OPTIONS} = '-qb';
is(system(@claim) >> 8, 1, 'what failed is exit status 1');
is(slurp("$root/modprobe.log"), "vfio-pci ids= ()\nvfio_iommu_type1 ()\n",
	'vfio-pci with an empty list, then type1 by name, and without the MODPROBE_OPTIONS of initramfs-tools');
is(slurp("$disk/driver_override"), "\nfio-pci", 'the override was written in one piece, then cleared with a line feed');
is(slurp("$root/sys/bus/pci/drivers_probe"), '0000:04:00.0', 'the device was probed');
my @rows = split /\n/, slurp("$root/run/vfio-boot/report");
is($rows[0], 'vfio-boot-report 1', 'the report begins with its format');
is(scalar @rows, 2, 'and has one record');
is_deeply([(split /\t/, $rows[1])[0, 2 .. 6]], ['0000:04:00.0', 8, 'failed', 'bind', '-', '0000:04:00.0'],
	'which says that it failed');
ok(!-e "$root/run/vfio-boot/report.new", 'nothing is left beside it');
like(slurp("$root/dev/kmsg"), qr/^<3>vfio-boot: 0000:04:00\.0 \[[0-9a-f:]{9}\] group 8: failed, bind: /, 'so does the kernel log');

# What is there is not loaded again.
sub modules {
	unlink "$root/modprobe.log";
	spew("$disk/driver_override", "(null)\n");
	system(@claim);
	return slurp("$root/modprobe.log");
}
is(modules(), "vfio_iommu_type1 ()\n", 'the driver is there: type1 alone is loaded');
make_path("$root/sys/module/vfio_iommu_type1");
is(modules(), '', 'where both are there, modprobe is not run');
like(slurp("$disk/driver_override"), qr/fio-pci/, 'and the claim was made');

# Nothing is written without the driver.
rename $driver, "$root/gone" or die "$!\n";
spew("$disk/driver_override", "(null)\n");
is(system(@claim) >> 8, 1, 'without the driver it fails as well');
is(slurp("$disk/driver_override"), "(null)\n", 'and nothing is written');
like(slurp("$root/run/vfio-boot/report"), qr/^0000:04:00\.0\t.*\tfailed\tno-driver\t/m, 'which the report says');
