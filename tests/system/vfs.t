#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# A person writes one line, `vfs = PF=7`, and reboots a Debian with systemd: every guest can have its virtual function, and
# a card that is plugged in is claimed. Installed as README.md says.
# builders: initramfs-tools

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../qemu";
use Guest;
use Test::More tests => 16;

my $readme = Guest::read_file("$Guest::top/README.md");
my ($lines) = $readme =~ /<!-- install -->\s*```\w*\n(.*?)^```/ms;
my $dir = "$Guest::top/build/qemu/vfs-system";
Guest::write_file("$dir.sh", "mkdir -p /etc/vfio-boot.conf.d\n"
	. "printf '%s\\n' 'vfs = 0000:0a:00.0=7' 'ids = 0000:0b:00.0?' >/etc/vfio-boot.conf.d/50-local.conf\n$lines");
Guest::write_file("$dir-test", <<'END');
#!/bin/sh
pci=/sys/bus/pci/devices pf=0000:0a:00.0
link() { if [ -e "$1" ]; then basename "$(readlink -f "$1")"; else echo -; fi; }
users=
for vf in $pci/$pf/virtfn*; do
	vf=$(link $vf)
	vfio-check -w /run/enough $(link $pci/$vf/iommu_group) $vf >/run/user-$vf &
	users="$users $!"
done
n=0
until [ $(grep -l regions /run/user-* | wc -l) -eq 7 ] || [ $n -eq 100 ]; do sleep 0.1; n=$((n + 1)); done
cat /run/user-*
touch /run/enough
for user in $users; do wait $user; echo "guest: exit $?"; done
for vf in $pci/$pf/virtfn*; do echo "VF $(link $vf) with $(link $(readlink -f $vf)/driver)"; done
dmesg | grep igbvf
systemctl show -p Before vfio-boot.service
echo "qmp: plug" >/dev/kmsg
n=0
until [ "$(link $pci/0000:0b:00.0/driver)" = vfio-pci ] || [ $n -eq 300 ]; do sleep 0.1; n=$((n + 1)); done
echo "plugged: $(link $pci/0000:0b:00.0/driver)"
ls /run/vfio-boot/by-path | sed 's/^/name /'
udevadm settle --timeout=60
vfio-boot status
echo "status: $?"
vfio-boot list 0a:00.0 | sed 's/^/list: /'
journalctl -b -u systemd-udevd --no-pager | grep -i vfio-boot | sed 's/^/udev: /'
END
is(system("$Guest::here/install", "$dir.sh", "$dir-made", "$dir-test"), 0, 'it is installed') or die "see $dir-made/log\n";
my $boot = Guest->boot('vfs-system', words => 'systemd.mask=serial-getty@ttyS0.service', disk => "$dir-made",
	machine => [ '-S', 'igb', '-H', '-t', 400 ], qmp => { plug => [ Guest::plug('one', 'hp1') ] });
my $said = $boot->text('test');
diag($said) if $ENV{VFIO_BOOT_VERBOSE};
is(scalar(() = $said =~ /^VF 0000:0a:1\S+ with vfio-pci$/mg), 7, 'seven virtual functions are with vfio-pci');
is(scalar(() = $said =~ /^device 0000:0a:1\S+ descriptor: ok$/mg), 7, 'seven guests have one each, at once');
is(scalar(() = $said =~ /^guest: exit 0$/mg), 7, 'to their end');
unlike($said, qr/igbvf 0000/, 'the driver of the host has never had one');
like($said, qr/^Before=.*libvirtd\.service/m, 'they are there before what starts virtual machines');
like($boot->text('service'), qr/^ +Active: active \(exited\)/m, 'the service is content');
is(scalar(() = $boot->text('report') =~ /^0000:0a:1\S+\t8086:10ca\t\d+\tclaimed\t/mg), 7, 'the report has them');
like($said, qr/^plugged: vfio-pci$/m, 'a card that is plugged in is claimed');
like($said, qr/^name 0000:00:08\.0-00\.0$/m, 'and has a steady name');
like($said, qr/^0000:0b:00\.0 .*: claimed for vfio-pci \(after the boot\)$/m, 'status knows it');
unlike($said, qr/^0000:0[ab]:\S+ .*(?:drifted|refused|failed)/m, 'and all is well');
like($said, qr/^list: .*PF, 7 of 7 VFs; next boot: 7 VFs for vfio-pci/m, 'list shows the PF with its VFs');
unlike($said, qr/^udev:/m, 'udev has nothing to complain about');
unlike($boot->{console}, qr/BUG:|Oops|Call Trace/, 'nor has the kernel');
