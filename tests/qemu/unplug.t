#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The hardware goes away during the claim: QEMU unplugs the disk after the plan and
# before its turn, as a hand in a server does.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 9;

my $boot = Guest->boot('unplug', conf => "ids = 0000:09:00.0\n", qmp => { unplug => [[device_del => id => 'disk']] },
	overlay => { 'etc/test' => <<'END' });
#!/bin/sh
disk=/sys/bus/pci/devices/0000:04:00.0
strace -f -qq -o /run/trace -e trace=write -P $disk/driver_override -e inject=write:delay_enter=15000000:when=1 \
	/usr/lib/vfio-boot/vfio-boot-claim --cmdline "vfio.ids=0000:04:00.0,0000:03:00.*" &
sleep 2
echo "qmp: unplug" >/dev/kmsg
n=0
while [ -e $disk ] && [ $n -lt 120 ]; do sleep 0.1; n=$((n + 1)); done
[ -e $disk ] || echo "unplugged"
wait $!
echo "claim: $?"
sed 's/^/report: /' /run/vfio-boot/report
for dev in 0000:03:00.0 0000:03:00.1; do
	echo "$dev: $(basename $(readlink /sys/bus/pci/devices/$dev/driver))"
done
/usr/lib/vfio-boot/vfio-boot-claim --second-look --cmdline "vfio.ids=0000:04:00.0,0000:03:00.*"
sed 's/^/second: /' /run/vfio-boot/report
END
my $said = $boot->text('test');
like($said, qr/^unplugged$/m, 'the disk is gone while it is claimed');
unlike($said, qr/override-left/, 'and no override with it');
like($said, qr/^claim: 1$/m, 'the claim ends, and says that not all is well');
like($said, qr/^report: 0000:04:00\.0\t\S+\t8\tfailed\tvanished\t/m, 'the report says that it vanished');
like($said, qr/^0000:03:00\.$_: vfio-pci$/m, "03:00.$_ is claimed all the same") for 0, 1;
like($said, qr/^second: -\t-\t-\tabsent\t-\t-\t0000:04:00\.0\t/m, 'to the second look it is absent');
like($said, qr/^second: 0000:03:00\.0\t\S+\t7\tclaimed\t/m, 'and what was claimed is so still');
