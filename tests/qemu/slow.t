#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# A driver that is slow to let go: a disk with writes under way, one a second. The
# claim ends at its time limit and says what it was waiting for; nobody touches the
# disk while the child that is left behind waits; afterwards --settle, which
# vfio-boot.service runs, completes the claim.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 24;

my $script = <<'END';
#!/bin/sh
disk=0000:04:00.0
claim() { # NAME [OPTION...]
	name=$1
	shift
	before=$(cut -d. -f1 /proc/uptime)
	/usr/lib/vfio-boot/vfio-boot-claim --cmdline "vfio.ids=$disk vfio-boot.timeout=4" "$@"
	status=$?
	echo "$name: status $status after $(($(cut -d. -f1 /proc/uptime) - before)) s"
	sed -n "s/^$disk/$name: &/p" /run/vfio-boot/report
}
dd if=/dev/zero of=/dev/nvme0n1 bs=1M count=4 2>/dev/null &
sleep 3
claim first
dmesg -r | sed -n 's/.*vfio-boot: .*failed, timeout/log: &/p'
child=$(sed -n 's/.*process \([0-9]*\) is still.*/\1/p' /run/vfio-boot/report)
echo "child: $(cat /proc/$child/comm) $(sed -n 's/^State:\t\(.\).*/\1/p' /proc/$child/status)"
claim second --second-look
[ -d /proc/$child ] && echo "second: the child is still there"
claim too-early --settle
n=0
while [ -d /proc/$child ] && [ $n -lt 150 ]; do sleep 1; n=$((n + 1)); done
[ -d /proc/$child ] || echo "the child has ended"
claim settle --settle
echo "driver: $(basename $(readlink /sys/bus/pci/devices/$disk/driver))"
claim again --settle
vfio-check $(basename $(readlink /sys/bus/pci/devices/$disk/iommu_group)) $disk
END

my $disk = "$Guest::top/build/qemu/slow.img";
system('truncate', '-s', '64M', $disk) == 0 or die "no disk\n";
my $boot = Guest->boot('slow', conf => "ids = 0000:09:00.0\n", overlay => { 'etc/test' => $script },
	machine => [ '-t', 300, '-N', "file=$disk,format=raw,throttling.iops-write=1" ]);
unlink $disk;
my $said = $boot->text('test');
my ($seconds) = $said =~ /^first: status 1 after (\d+) s$/m;
cmp_ok($seconds // 999, '>=', 3, 'the claim waits');
cmp_ok($seconds // 999, '<=', 8, 'and ends at its time limit of 4 s');
like($said, qr/^first: 0000:04:00\.0\t\S+\t8\tfailed\ttimeout\t-\t0000:04:00\.0\tprocess \d+ is still running/m,
	'the report says which process is at work');
like($said, qr{^first: .* waiting for: 0000:04:00\.0 to /sys/bus/pci/drivers/nvme/unbind\t\d+\@\d+\tdriver-lost$}m, 'what it waits for, and that the driver has not come back');
my ($priority) = $said =~ /^log: <(\d+)>.*vfio-boot: 0000:04:00\.0 .*: failed, timeout/m;
is(($priority // 0) & 7, 3, 'the kernel log too, as an error');
like($said, qr/^child: vfio-boot-claim [DS]$/m, 'it is the child that was left behind');
like($said, qr/^second: status 1 after [0-3] s$/m, 'a second look does not wait for it again');
like($said, qr/^second: .*\tfailed\ttimeout\t.*\tprocess \d+ is still running after the time limit, waiting for: .*unbind\t\d+\@\d+\tdriver-lost$/m, 'and says that it is still so');
like($said, qr/^second: the child is still there$/m, 'which it is');
like($said, qr/^too-early: .*\tfailed\ttimeout\t/m, 'nor is it settled now');
like($said, qr/^the child has ended$/m, 'the driver lets go at last');
like($said, qr/^settle: status 0 /m, 'then it is settled');
like($said, qr/^settle: 0000:04:00\.0\t\S+\t8\tclaimed\t-\tvfio-pci\t/m, 'the disk is claimed');
like($said, qr/^driver: vfio-pci$/m, 'in truth');
like($said, qr/^again: 0000:04:00\.0\t\S+\t8\tclaimed\t/m, 'and stays so');
like($said, qr/^group 8 viable: yes$/m, 'its group is usable');
like($said, qr/^device 0000:04:00\.0 descriptor: ok$/m, 'to the last call');
is($boot->report('0000:09:00.0')->{verdict}, 'claimed', 'what the boot had claimed is in the report of the boot');
for my $run ('first', 'second', 'settle') {
	like($said, qr/^$run: status \d after \d+ s$/m, "$run ended");
}
unlike($boot->{console}, qr/BUG:|Oops|Call Trace/, 'the kernel has nothing to complain about');
like($said, qr/^exit 0$/m, 'all was done');
