#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# A rule of udev makes virtual functions in the initramfs, as soon as the driver of the card is there: each is claimed when
# it comes, before the root is mounted and before its own driver is loaded.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 10;

my $boot = Guest->boot('vfs-rule', conf => "ids = 8086:10ca\n", machine => [ '-S', 'igb', '-t', 200 ],
	overlay => { 'etc/udev/rules.d/70-vfs.rules' => <<'RULE' });
SUBSYSTEM=="pci", ACTION=="bind", DRIVER=="igb", ATTR{sriov_numvfs}=="0", ATTR{sriov_numvfs}="3"
RULE
my @vfs = map { "0000:0a:10.$_" } 0, 2, 4;
is($boot->driver('0000:0a:00.0'), 'igb', 'the physical function has its driver');
is($boot->held_by('vfio-pci'), "@vfs", 'vfio-pci has its virtual functions');
like($boot->text('report'), qr/^\Q$_\E\t8086:10ca\t\d+\tclaimed\t-\tvfio-pci\t8086:10ca\t-\t-\tlate$/m, "the report has $_ as a late one") for @vfs;
unlike($boot->text('report'), qr/absent/, 'and nothing as absent');
is(scalar($boot->log(qr/vfio-boot: 0000:0a:10\.\d .*claimed for vfio-pci/)), 3, 'the kernel log has each once');
unlike($boot->{console}, qr/igbvf 0000:/, 'their own driver has never had one');
my ($claimed) = $boot->{console} =~ /^\[ *([\d.]+)\].*vfio-boot: 0000:0a:10\.4 .*claimed/m;
my ($root) = $boot->{console} =~ /^\[ *([\d.]+)\].*EXT4-fs \(sda\): mounted/m;
ok($claimed && $root && $claimed < $root, 'all before the root is mounted') or diag(($claimed // 'never') . ' ' . ($root // 'never'));
