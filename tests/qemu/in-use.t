#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# arm64: yes
# A root on LUKS on an NVMe disk that the settings name. It comes after the claim and
# is open by the time of the second look, as where cryptroot opens it: it is refused,
# the root is mounted, and what is free is claimed. A driver that holds a network
# card at that time gives it up when it is named, and not otherwise.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 20;

# The root is copied from the disk that it has in other tests, in pieces that the SATA controller
# of QEMU 7.2 can take: those of Linux 7.2 are of 4 MiB. The claim sees no card yet.
my $no_claim = '/usr/lib/vfio-boot/vfio-boot-claim --cmdline vfio.ids=0000:7f:00.0?';
my $make_root = <<'END';
mkdir -p /run/cryptsetup
echo -n secret >/run/key
modprobe -a dm_crypt aesni_intel xts algif_skcipher 2>/dev/null
cryptsetup luksFormat --batch-mode --type luks1 --pbkdf-force-iterations 1000 --key-size 256 --key-file /run/key /dev/nvme0n1
cryptsetup open --key-file /run/key /dev/nvme0n1 root
echo 256 >/sys/block/sda/queue/max_sectors_kb
dd if=/dev/sda of=/dev/mapper/root bs=1M
umask 022
END
my $dracut = $Guest::dracut;
my %overlay = (
	# What the host lives on is known, and this disk is not in it: being in use is all there is against it.
	'var/lib/vfio-boot/protect' => "# nothing\n",
	'etc/test' => "#!/bin/sh\nmount | sed -n 's/^/mount: /p'\nls /sys/block/nvme0n1/holders | sed 's/^/holder: /'\n",
	$dracut ? (
		'etc/systemd/system/vfio-boot-claim.service.d/none.conf' => "[Service]\nExecStart=\nExecStart=-$no_claim\n",
		'etc/systemd/system/vfio-boot-second-look.service.d/root.conf' => "[Unit]\nWants=root.service\nAfter=root.service\n",
		'etc/systemd/system/root.service' => "[Unit]\nDefaultDependencies=no\nWants=dev-nvme0n1.device dev-sda.device\n"
			. "After=dev-nvme0n1.device dev-sda.device\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=sh /make-root\n",
		'make-root' => $make_root,
	) : (
		'scripts/init-top/ORDER' => "$no_claim\n/scripts/init-top/udev\n",
		'scripts/local-top/ORDER' => "$make_root/scripts/local-top/vfio-boot\n",
	),
);
my $disk = "$Guest::top/build/qemu/in-use.img";
my @crypt = (image => $dracut ? 'dracut-crypt' : 'crypt', words => 'root=/dev/mapper/root', overlay => \%overlay,
	machine => [ '-t', 240, '-N', "file=$disk,format=raw" ]);

sub boot {
	my ($name, $conf) = @_;
	unlink $disk;
	system('truncate', '-s', '80M', $disk) == 0 or die "no disk\n";
	my $boot = Guest->boot($name, conf => $conf, @crypt);
	like($boot->text('test'), qr{^mount: /dev/mapper/root on / }m, "$name: the root is the one on LUKS");
	like($boot->text('test'), qr/^holder: dm-0$/m, 'which holds the disk');
	is($boot->driver('0000:04:00.0'), 'nvme', 'it is with its driver');
	is($boot->pci('0000:04:00.0')->{override}, '(null)', 'and has no override');
	my $record = $boot->report('0000:04:00.0');
	is("$record->{verdict} $record->{reason}", 'refused in-use', 'it is refused');
	like($record->{message}, qr/nvme0n1 on it is held \(LVM, LUKS, RAID\)/, 'for being held');
	return $boot;
}
my $named = boot('in-use-named', "ids = 0000:04:00.0 0000:03:00.*\n");
is($named->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', 'a named card is taken from e1000e by the second look');
$named->usable($named->group('0000:03:00.0'), '0000:03:00.0', '0000:03:00.1');
my $broad = boot('in-use-broad', "ids = 1b36:0010 8086:10d3\n");
is($broad->held_by('vfio-pci'), '', 'by its ID it is not');
unlink $disk;
