#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The install lines of README.md, run as they stand there in a Debian with systemd,
# and that Debian booted from its disk: the device is with vfio-pci. In the second
# boot a person claims another one by hand, and releases it.
# builders: initramfs-tools

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use JSON::PP ();
use Test::More tests => 52;

my $readme = Guest::read_file("$Guest::top/README.md");
my ($lines) = $readme =~ /<!-- install -->\s*```\w*\n(.*?)^```/ms;
ok($lines, 'README.md has install lines');
like($lines, qr/$_/, "there is a line with $_") for 'apt', 'make install', 'vfio-boot\.conf', 'update-initramfs';

my $dir = "$Guest::top/build/qemu/install";
Guest::write_file("$dir.sh", $lines);
Guest::write_file("$dir-test", <<'END');
#!/bin/sh
# The units that count boots.
for unit in vfio-boot-begun vfio-boot-came-up; do
	echo $unit $(systemctl show -p ActiveState -p ConditionResult -p ExecMainCode -p Result $unit | sort)
done
ls -d /run/vfio-boot/uncounted
# The twin of the card, which is with its driver, in the boot that has it in its words.
grep -q by-hand /proc/cmdline || {
	lsinitramfs "/boot/initrd.img-$(uname -r)" | grep count-boots
	systemctl stop vfio-boot-begun
	systemctl show -p ActiveState -p Result vfio-boot-begun | sort
	exit 0
}
twin=0000:09:00.0
link() { if [ -e "$1" ]; then basename "$(readlink "$1")"; else echo -; fi; }
try() { # NAME COMMAND...: what it says, how it ends, and who has the twin then
	name=$1
	shift
	"$@" >/run/vfio-said 2>&1
	echo "$name: exit $?, driver $(link /sys/bus/pci/devices/$twin/driver)"
	sed "s/^/$name: /" /run/vfio-said
}
state() {
	vfio-boot status 2>/dev/null | sed -n "s/^$twin/$1: status: &/p"
	grep -v "^$twin" /run/vfio-boot/report | cmp -s - /run/vfio-others && echo "$1: the others are as they were"
}
cp /run/vfio-boot/report /run/vfio-others
try nobody setpriv --reuid=65534 --clear-groups vfio-boot claim $twin
try claim vfio-boot claim $twin
state claim
group=$(link /sys/bus/pci/devices/$twin/iommu_group)
vfio-check -w /run/vfio-enough $group $twin >/run/vfio-user &
user=$!
n=0
until grep -q regions /run/vfio-user || [ $n -eq 100 ]; do sleep 0.1; n=$((n + 1)); done
sed 's/^/user: /' /run/vfio-user
echo "user: process $user"
try busy vfio-boot release $twin
state busy
touch /run/vfio-enough
wait $user
rmmod e1000e
try release vfio-boot release $twin
state release
try settle /usr/lib/vfio-boot/vfio-boot-claim --settle
try json vfio-boot claim --json $twin
try json-release vfio-boot release --json $twin
END
is(system("$Guest::here/install", "$dir.sh", "$dir-made", "$dir-test"), 0, 'every line succeeds') or die "see $dir-made/log\n";
my $log = Guest::read_file("$dir-made/log");
is(join("\n", $log =~ /^W: vfio-boot: (.*)/mg), 'no device of the host is visible here: the boot claims storage only if it is named, until '
	. 'the image is built on the host', 'the hook has nothing to complain about, but that this is a chroot');

my @words = ('systemd.mask=serial-getty@ttyS0.service');
system("rm -rf $dir-again && cp -a $dir-made $dir-again") == 0 or die "no copy\n";
my $boot = Guest->boot('install', words => "@words", disk => "$dir-made", machine => [ '-t', 300 ]);
is($boot->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', 'vfio-pci holds the card');
$boot->usable(7, '0000:03:00.0', '0000:03:00.1');
$boot->untouched('0000:03:00.0', 'e1000e');
is($boot->driver('0000:09:00.0'), 'e1000e', 'its twin is with its driver');
is($boot->report($_)->{verdict}, 'claimed', "$_ is reported as claimed") for '0000:03:00.0', '0000:03:00.1';
is($boot->text('host-plan'), $boot->text('plan'), 'both programs print the same plan');

# The service, and what it runs.
like($boot->text('service'), qr/^ +Active: active \(exited\)/m, 'the service is content');
is($boot->text('status'), <<'END' . 'exit 0', 'so is vfio-boot status');
0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci
0000:03:00.1 [8086:10d3] group 7: claimed for vfio-pci
END
my ($line) = $boot->lines('status-json');
my $json = JSON::PP->new->utf8->decode($line);
is(join(' ', map { "$_->{address} $_->{verdict} $_->{now}" } @{ $json->{devices} }),
	'0000:03:00.0 claimed vfio-pci 0000:03:00.1 claimed vfio-pci', 'and its JSON');
like($boot->text('drift'), qr/^0000:03:00\.1 .*: already bound to vfio-pci; drifted: it is bound to e1000e now \(vfio-boot claim --whole 0000:03:00\.1\)$/m,
	'a device that somebody takes away has drifted');
like($boot->text('drift'), qr/^0000:03:00\.0 .*; drifted: 0000:03:00\.1 of its group is bound to e1000e, so the group is not usable$/m,
	'and with it the whole group');
like($boot->text('drift'), qr/^exit 1$/m, 'which is exit status 1');
like($boot->text('drift'), qr/^ +Active: failed/m, 'and the service fails');

# Boots are counted, and this one has come up. Without EFI and GRUB there is nowhere to count.
my $units = <<'END';
vfio-boot-begun ActiveState=active ConditionResult=yes ExecMainCode=1 Result=success
vfio-boot-came-up ActiveState=inactive ConditionResult=yes ExecMainCode=1 Result=success
/run/vfio-boot/uncounted
END
is($boot->text('test'), $units . <<'END' . 'exit 0', 'the boot was begun and has come up, and the image says that somebody sees to it');
var/lib/vfio-boot/count-boots
ActiveState=inactive
Result=success
END
unlike($boot->{console}, qr/ordering cycle/, 'no unit waits for itself');

# One device more, of an incomplete group, and one that is not there.
my $again = Guest->boot('install-refused', words => "@words by-hand vfio.ids=+0000:02:01.0,10de:2204", disk => "$dir-again",
	machine => [ '-t', 300 ]);
is($again->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', 'what can be claimed is claimed');
my $service = $again->text('service');
like($service, qr/^ +Active: failed/m, 'the service has failed');
like($service, qr/0000:02:01\.0 \[8086:100e\] group 6: refused, group-incomplete: .*0000:02:02\.0 .*\(add it, or set group=whole\)/,
	'and its status alone says what is wrong, and what to do');
like($service, qr/10de:2204: absent: no such device/, 'with what is absent');
like($again->text('status'), qr/^exit 1$/m, 'as vfio-boot status');

# By hand.
my $said = $again->text('test');
like($said, qr/\A\Q$units\E/, 'a boot in which something is refused has come up as well');
my $twin = '0000:09:00.0';
like($said, qr/^nobody: exit 3, driver e1000e\nnobody: vfio-boot: claim: only root may /m, 'a plain user claims nothing');
like($said, qr/^claim: exit 0, driver vfio-pci\nclaim: \Q$twin\E \[8086:10d3\] group 12: claimed for vfio-pci$/m, 'root claims it from its driver');
like($said, qr/^user: $_$/m, "and a VFIO user has it: $_") for 'group 12 viable: yes', 'group 12 iommu: ok', "device \Q$twin\E descriptor: ok";
like($said, qr/^claim: status: \Q$twin\E .*: claimed for vfio-pci$/m, 'vfio-boot status knows of it');
like($said, qr/^$_: the others are as they were$/m, "after $_ the report says of the others what it said") for 'claim', 'busy', 'release';
my ($user) = $said =~ /^user: process (\d+)$/m;
like($said, qr/^busy: exit 1, driver vfio-pci\nbusy: \Q$twin\E .*: refused, in-use: its group is open, by vfio-check \(process $user\) /m,
	'in use it is not released, and it is said by whom');
like($said, qr/^busy: status: \Q$twin\E .*: claimed for vfio-pci$/m, 'which changes nothing');
like($said, qr/^release: exit 0, driver e1000e\nrelease: \Q$twin\E .*: released, now bound to e1000e$/m, 'then it is, and its driver is loaded');
like($said, qr/^release: status: \Q$twin\E .*: given-back: given back at run time \(vfio-boot release\); now bound to e1000e$/m, 'and status says so');
like($said, qr/^settle: exit \d, driver e1000e$/m, '--settle leaves it there');
like($said, qr/^json: exit 0, driver vfio-pci\njson: \{.*"verdict": *"claimed"/m, 'the same as JSON: claimed');
like($said, qr/^json-release: exit 0, driver e1000e\njson-release: \{.*"now": *"e1000e"/m, 'and released');
unlike($again->{console}, qr/BUG:|Oops|Call Trace/, 'the kernel has nothing to complain about');
