#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# arm64: only
# suites: bookworm trixie
# builders: initramfs-tools
# The package on arm64: apt installs what was built on amd64 in a Debian of that architecture, whose own update-initramfs
# makes the image, with few modules: emulated, each one costs seconds. It boots with UEFI, ACPI and an SMMUv3: the settings are carried out
# before any driver is loaded, the service has nothing to complain about, and doctor knows the IOMMU.
# Then the small image again with a device tree in place of ACPI, where groups are larger.

use strict;
use warnings;
use FindBin;
BEGIN { $ENV{VFIO_BOOT_ARCH} = 'arm64' }
use lib "$FindBin::Bin/../qemu";
use Guest;
use Test::More tests => 24;

my $dir = "$Guest::top/build/system/$Guest::suite-arm64";
Guest::write_file("$dir/type", <<'END');
apt-get install /root/vfio-boot.deb
echo 'ids = 8086:10d3' >/etc/vfio-boot.conf
echo MODULES=list >/etc/initramfs-tools/conf.d/modules
printf '%s\n' ahci sd_mod ext4 >>/etc/initramfs-tools/modules
update-initramfs -c -k all
lsinitramfs /boot/initrd.img-* | grep -E 'vfio-boot-claim|vfio-pci|pci-stub'
systemctl mask serial-getty@ttyAMA0.service
END
Guest::write_file("$dir/look", "#!/bin/sh\nvfio-boot doctor\necho \"exit \$?\"\n");
is(system("$Guest::here/install", "$dir/type", "$dir/made", "$dir/look"), 0, 'apt installs the package, and an image is made')
	or BAIL_OUT('not installed');
my $log = Guest::read_file("$dir/made/log");
like($log, qr{^usr/lib/modules/\S*/pci-stub\.ko}m, 'which has pci-stub');

my @cards = ('0000:03:00.0', '0000:03:00.1', '0000:09:00.0');
my $boot = Guest->boot('arm64', disk => "$dir/made", machine => [ '-t', 900 ]);
is($boot->held_by('vfio-pci'), "@cards", 'vfio-pci holds all functions with the ID and nothing else');
$boot->untouched($_, 'e1000e') for $cards[0];
$boot->usable($boot->group($cards[0]), @cards[ 0, 1 ]);
$boot->usable($boot->group($cards[2]), $cards[2]);
my ($claimed) = $boot->{console} =~ /\[ *([\d.]+)\] vfio-boot: 0000:03:00\.0.*claimed/;
my ($stub) = $boot->{console} =~ /\[ *([\d.]+)\] pci-stub 0000:03:00\.0: claimed by stub/;
cmp_ok($stub, '<', $claimed, 'its group was there before the claim');
like($boot->text('status'), qr/^exit 0$/m, 'status has nothing to complain about');
like($boot->text('test'), qr/^\S*\s*iommu\b.*on: \d+ groups \(IORT\)/mi, 'doctor names the table of the IOMMU');
like($boot->text('host-plan'), qr/^0000:09:00\.0 .*: claim for vfio-pci$/m, 'the plan for the next boot is the same');

my $tree = Guest->boot('arm64-tree', conf => "ids = 0000:03:00.* 0000:09:00.0\n", machine => ['-D']);
is($tree->held_by('vfio-pci'), "@cards[0, 1]", 'with a device tree the card is claimed');
$tree->usable($tree->group($cards[0]), @cards[ 0, 1 ]);
is($tree->report($cards[2])->{reason}, 'group-incomplete', 'and its twin refused, since its group is the whole switch');
