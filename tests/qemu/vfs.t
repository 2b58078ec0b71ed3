#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Virtual functions of QEMU's igb and nvme, with their real drivers, and a guest that has one of them open meanwhile.
# builders: initramfs-tools

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my $tools = <<'END';
#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
pci=/sys/bus/pci/devices pf=0000:0a:00.0 many=0000:0b:00.0
mount -o remount,rw /
link() { if [ -e "$1" ]; then basename "$(readlink -f "$1")"; else echo -; fi; }
settings() { printf '%s\n' "$@" >/etc/vfio-boot.conf; }
now() { cut -d' ' -f1 /proc/uptime; }
vfs() { for vf in $pci/$1/virtfn*; do [ ! -e $vf ] || link $vf; done; }
drivers() { # STEP PF: how many of its VFs have which driver
	for vf in $(vfs $2); do link $pci/$vf/driver; done | sort | uniq -c | while read -r n driver; do echo "$1: $n with $driver"; done
}
run() { # STEP COMMAND...
	step=$1
	shift
	"$@" >/run/said 2>&1
	echo "$step: exit $?"
	sed "s/^/$step: /" /run/said
}
settle() { run $1 /usr/lib/vfio-boot/vfio-boot-claim --settle; }
status() {
	run $1 vfio-boot status
	vfio-boot status --json >/run/json 2>/dev/null
	echo "$1: json $?"
}
END
# 64 of an NVMe controller.
my @many = ('-S', 'igb', '-m', 'pcie-root-port,id=sr2,chassis=32,addr=07.0', '-m', 'nvme-subsys,id=subsystem',
	'-m', 'nvme,id=nvme,serial=sriov,bus=sr2,subsys=subsystem,sriov_max_vfs=64,sriov_vq_flexible=128,sriov_vi_flexible=64,max_ioqpairs=130,msix_qsize=66');
my $boot = Guest->boot('vfs', conf => "vfs = 0000:0a:00.0=7\nids = !0000:0a:00.0/vf6\n", machine => [ '-U', '-t', 300, @many ],
	overlay => { 'etc/test' => "$tools\n" . <<'END' });
echo "boot: $(cat $pci/$pf/sriov_numvfs) VFs"
run plan vfio-boot plan --no-image
start=$(now)
settle seven
echo "seven: $(awk "BEGIN { print $(now) - $start }") s"
udevadm settle --timeout=60
drivers seven $pf
echo "seven: autoprobe $(cat $pci/$pf/sriov_drivers_autoprobe), PF with $(link $pci/$pf/driver)"
for vf in $(vfs $pf); do
	[ "$(link $pci/$vf/driver)" = vfio-pci ] || continue
	group=$(link $pci/$vf/iommu_group)
	vfio-check $group $vf | grep -e viable -e iommu -e descriptor | sed "s/^/seven: $vf: /"
done
dmesg | grep 'igbvf 0000:0a:1' | sed 's/^/seven: touched: /'
status seven
sort /run/vfio-boot/report >/run/before
settle again
sort /run/vfio-boot/report | cmp - /run/before && echo "again: the report is as it was"
run plan-again vfio-boot plan --no-image

# A guest has one; all others come and go.
vf=$(vfs $pf | head -n 1)
vfio-check -w /run/enough $(link $pci/$vf/iommu_group) $vf >/run/user &
user=$!
n=0
until grep -q regions /run/user || [ $n -eq 100 ]; do sleep 0.1; n=$((n + 1)); done
run open vfio-boot release --remove-vfs $pf
echo "open: $(cat $pci/$pf/sriov_numvfs) VFs"
settings "vfs = $pf=7 $many=64"
start=$(now)
settle many
echo "many: $(awk "BEGIN { print $(now) - $start }") s"
udevadm settle --timeout=120
drivers many $many
status many
run take vfio-boot release --remove-vfs $many
echo "take: $(cat $pci/$many/sriov_numvfs) VFs, PF with $(link $pci/$many/driver)"
echo "guest: still with $(link $pci/$vf/driver)"
touch /run/enough
wait $user
echo "guest: exit $?"

# Another number, and what the kernel refuses.
settings "vfs = $pf=3"
settle other
grep "^$pf" /run/vfio-boot/report | sed 's/^/other: row /'
run away vfio-boot release --remove-vfs $pf
status away
settings "vfs = $pf=8"
settle eight
grep "^$pf" /run/vfio-boot/report | sed 's/^/eight: row /'
status eight
run claim vfio-boot claim --vfs 2 $pf
drivers claim $pf
run away-again vfio-boot release --remove-vfs $pf

# The PF is selected itself.
settings "vfs = $pf=2" "ids = $pf"
run itself vfio-boot plan --no-image
settings "vfs = $pf=2"
echo $pf >$pci/$pf/driver/unbind
settings "vfs = $pf=2" 'timeout = 4'
settle driverless
grep "^$pf" /run/vfio-boot/report | sed 's/^/driverless: row /'
# Its driver comes while it is waited for.
settings "vfs = $pf=2" 'timeout = 30'
(sleep 2; echo $pf >/sys/bus/pci/drivers_probe) &
settle waited
wait
drivers waited $pf
# Its module is loaded anew.
rmmod igb
modprobe igb
n=0
until [ "$(drivers anew $pf)" = "anew: 2 with vfio-pci" ] || [ $n -eq 300 ]; do sleep 0.1; n=$((n + 1)); done
drivers anew $pf
dmesg | grep -E 'BUG:|Oops|Call Trace' | sed 's/^/kernel: /'
END
my $said = $boot->text('test');
sub says { my ($pattern, $why) = @_; like($said, qr/^$pattern/m, $why) }
says('boot: 0 VFs', 'at boot there are none');
is(scalar(() = $said =~ /^plan: 0000:0a:1.* \[8086:10ca\] no group: pending, vfs: virtual function \d of 0000:0a:00\.0, made when that one has its driver$/mg), 6, 'a plan has them');
says('plan: 0000:0a:11\.4 .*: excluded: by !0000:0a:00\.0/vf6 ', 'but for the excluded one');
says('plan: exit 0', 'which is no fault');
says('seven: exit 0', 'they are made and claimed');
says('seven: 6 with vfio-pci', 'six of them');
says('seven: 1 with igbvf', 'the excluded one is left to the driver of the host');
is(scalar(() = $said =~ /^seven: .*: group \d+ viable: yes$/mg), 6, 'each is in a group that a guest can have');
is(scalar(() = $said =~ /^seven: (\S+): device \1 descriptor: ok$/mg), 6, 'each can be opened');
my @touched = $said =~ /^seven: touched: .*igbvf (0000:\S+): /mg;
is(join(' ', grep { $_ ne '0000:0a:11.4' } @touched), '', 'the driver of the host has never had these');
says('seven: autoprobe 1, PF with igb', 'its autoprobe is on again, and the PF is with its driver');
says('seven: json 0', 'status is content');
unlike($said, qr/^seven: .*(?:absent|in part|drifted|foreign)/m, 'and misses nothing');
says('again: the report is as it was', 'once more changes nothing');
my ($plan) = join '', $said =~ /^plan: (.*\n)/mg;
is(join('', $said =~ /^plan-again: (.*\n)/mg), $plan, 'a plan for the next boot is the same when they are there');
says('open: 0000:0a:00\.0 .*: refused, in-use: its VF 0000:0a:10\.0 is open, by vfio-check \(process \d+\) \(end it first\)', 'VFs of which a guest has one are not taken away');
says('open: 7 VFs', 'none of them');
says('many: 64 with vfio-pci', '64 VFs of an NVMe controller are claimed');
my ($seven, $many) = map { $said =~ /^$_: ([\d.]+) s$/m } 'seven', 'many';
ok($many, "7 VFs are made and claimed in $seven s of guest time, 64 in $many s");
says('many: json 0', 'status is content');
says('take: 0000:0b:00\.0 .*: its 64 virtual functions were taken away', 'and are taken away again');
says('take: 0 VFs, PF with nvme', 'all of them');
says('guest: still with vfio-pci', 'the guest notices nothing of it');
says('guest: exit 0', 'to its end');
says('other: row 0000:0a:00\.0\t\S+\t\d+\trefused\tvfs\t.*it has 7 virtual functions already, not 3 ', 'another number is refused');
says('away: 0000:0a:00\.0 .*: its 7 virtual functions were taken away', 'they are taken away by hand');
says('away: json [01]', 'and status reads it');
says('eight: row 0000:0a:00\.0\t\S+\t\d+\t(?:refused|failed)\tvfs\t', 'more than igb makes');
says('eight: json 1', 'is a fault');
says('claim: 2 with vfio-pci', 'claim --vfs');
says('itself: 0000:0a:10\.\d .*: refused, vfs: its physical function 0000:0a:00\.0 is selected itself', 'a PF that is selected itself has none');
says('driverless: row 0000:0a:00\.0\t\S+\t\d+\tfailed\tvfs\t.*no driver has it', 'nor has one without a driver');
says('waited: 2 with vfio-pci', 'a driver that comes later is waited for');
says('anew: 2 with vfio-pci', 'when its module is loaded anew it has them again');
unlike($said, qr/^kernel:/m, 'the kernel has nothing to complain about');

done_testing();
