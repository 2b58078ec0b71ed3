#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a claim writes into the report, and asks modprobe for, of devices that it does not claim.

use strict;
use warnings;
use File::Path qw(remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $root = 'build/report';
my @claim = (@as_root, 'build/vfio-boot-claim', '--sysroot', $root);

# The first columns of each row that a claim writes: address, group, verdict and reason.
sub rows {
	system("@claim @_ 2>$root/stderr");
	return join '; ', map { join ' ', (split /\t/)[ 0, 2, 3, 4 ] } grep { /\t/ } split /\n/, slurp("$root/run/vfio-boot/report");
}

# A device without a group beside one that has a group, and a selector without a device.
q35($root, "ids = 0000:03:00.* 00:1f.3 10de:2204\n");
unlink "$root/sys/bus/pci/devices/0000:00:1f.3/iommu_group", glob "$root/sys/kernel/iommu_groups/*/devices/0000:00:1f.*";
my $rows = rows('--second-look');
like($rows, qr/(?:^|; )0000:00:1f\.3 - refused no-iommu(?:;|$)/, 'the group of a device without one is -');
like($rows, qr/(?:^|; )0000:03:00\.0 7 /, 'that of another one is its number');
like($rows, qr/(?:^|; )- - absent -(?:;|$)/, 'that of a selector is -');

# A group that does not isolate is none.
q35($root, "ids = 0000:03:00.*\n");
spew("$root/sys/kernel/iommu_groups/7/name", "vfio-noiommu\n");
like(rows('--second-look'), qr/(?:^|; )\Q$_\E - refused no-iommu(?:;|$)/, "vfio-noiommu: the group of $_ is -") for '0000:03:00.0', '0000:03:00.1';

# driver=auto: the module of a variant driver is loaded for what is claimed, and for nothing else.
my $alias = sub { "alias vfio_pci:v0000$_[0]d0000$_[1]sv*sd*bc*sc*i* $_[2]\n" };
q35($root, "ids = 0000:03:00.* 0000:04:00.0\nprotect = 0000:04:00.0\ndriver = auto\n");
spew("$root/lib/modules/6.12.95+deb13-amd64/modules.alias",
	$alias->('8086', '10D3', 'e1000e_vfio_pci') . $alias->('1B36', '0010', 'nvme_vfio_pci') . $alias->('1234', '1111', 'bochs_vfio_pci'));
like(rows(), qr/0000:04:00\.0 \d+ refused protected/, 'a device that has a variant driver and is not claimed');
my $asked = slurp("$root/modprobe.log");
like($asked, qr/^e1000e_vfio_pci \(\)$/m, 'the module of what is claimed is asked for');
lacks($asked, qr/nvme_vfio_pci|bochs_vfio_pci/, 'and that of nothing else');

remove_tree($root) if Test::More->builder->is_passing;
done_testing();
