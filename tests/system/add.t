#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The way of somebody who has never done it, typed in a Debian with systemd: which card is
# it (list), give it and another one to a guest (setup), reboot, status, a virtual machine with
# both (export qemu), and back again with remove and one more reboot. update-initramfs runs in the guest,
# and what it made is what boots next.
# builders: initramfs-tools

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../qemu";
use Guest;
use JSON::PP ();
use Test::More;

my $top = $Guest::top;
my ($lines) = Guest::read_file("$top/README.md") =~ /<!-- install -->\s*```\w*\n(.*?)^```/ms;
# Without the line that selects a device: that is what is typed here.
$lines =~ s/^.*vfio-boot\.conf$//m;
$lines .= "sudo apt install --no-install-recommends qemu-system-x86 lvm2 cryptsetup-bin e2fsprogs\n";
my $made = "$top/build/qemu/add-made";
Guest::write_file("$top/build/qemu/add.sh", $lines);
is(system("$Guest::here/install", "$top/build/qemu/add.sh", $made), 0, 'vfio-boot is installed') or die "see $made/log\n";
my ($kernel) = qx(debugfs -R 'ls -p /boot' $made/disk 2>/dev/null) =~ m{/initrd\.img-([^/]+)/};

# What is said and how it ends; through a pipe, as a log has it.
my $say = 'say() { echo "# $*"; { "$@" 2>&1; echo "exit $?"; } | cat; }' . "\n";

# The guest of the virtual machine: tells what it sees, and is quick in an emulated machine.
my $guest = "$top/build/qemu/guest-lspci";
my @gcc = split / /, 'gcc -m32 -O2 -Wall -Werror -ffreestanding -fno-asynchronous-unwind-tables -fno-stack-protector -mno-sse'
	. ' -no-pie -fno-pie -nostdlib -static -Wl,-Ttext=0x100000 -Wl,--build-id=none';
is(system(@gcc, '-o', $guest, "$Guest::here/guest-lspci.c"), 0, 'its guest is built');

# What is typed in the next boot, at its end. The file system is left clean, or its journal would undo what is written
# into it from outside.
sub type {
	my ($disk, $script) = @_;
	Guest::write_file("$disk.test", "#!/bin/sh\nmount -o remount,rw /\nexport LC_ALL=C\n$say$script\nmount -o remount,ro /\n");
	Guest::write_file("$disk.commands", join "\n", 'rm /etc/test', "write $disk.test /etc/test",
		'set_inode_field /etc/test mode 0100755', 'rm /root/guest', "write $guest /root/guest", '');
	system("debugfs -w -f $disk.commands $disk >/dev/null 2>&1") == 0 or die "cannot write into $disk\n";
}

sub boot {
	my ($name, $script, @machine) = @_;
	type("$made/disk", $script);
	my $boot = Guest->boot($name, words => 'systemd.mask=serial-getty@ttyS0.service', disk => $made,
		machine => [ '-t', 500, @machine ], keep => 1);
	# Back to where the next boot looks for them, with the image that this one has made.
	my $dir = "$top/build/qemu/$name";
	rename "$dir/$_", "$made/$_" or die "$dir/$_: $!\n" for qw(disk kernel);
	unlink "$dir/initrd";
	system("debugfs -R 'dump /boot/initrd.img-$kernel $made/initrd' $made/disk >/dev/null 2>&1");
	die "no image in the guest\n" unless -s "$made/initrd";
	return $boot;
}

my $first = boot('add', <<'END');
echo MODULES=dep >/etc/initramfs-tools/conf.d/dep
say vfio-boot list -o address,group,driver,class,name,id class:02
say sh -c "printf 'y\nn\n' | vfio-boot setup 09:00.0 03:00"
say cat /etc/vfio-boot.conf.d/50-local.conf
say cat /var/lib/vfio-boot/protect
say vfio-boot add 00:1f.2
END
my $test = $first->text('test');
like($test, qr/^09:00\.0 +12 e1000e +Ethernet controller +Intel Corporation 82574L .* 8086:10d3$/m, 'list shows the card');
like($test, qr/^\/etc\/vfio-boot\.conf\.d\/50-local\.conf: written; the next boot:\n(0000:03:00\.[01] \[8086:10d3\] group 7: claim for vfio-pci\n){2}0000:09:00\.0 \[8086:10d3\] group 12: claim for vfio-pci$/m,
	'setup says what comes of it');
like($test, qr{^update-initramfs: Generating /boot/initrd\.img}m, 'and rebuilds the image');
like($test, qr{^/usr/sbin/update-initramfs -u -k \S+: \d+ s\n(?:vfio-boot: .*\n)*\nAfter the reboot:\n}m, 'and says how long it took');
# A guest with a console on a serial port and no disk is what an emulated machine has room for.
my ($start) = $test =~ m{^    sudo (qemu-system-x86_64 .* \\\n +\$\(sudo vfio-boot export qemu 0000:03:00\.0 0000:03:00\.1 0000:09:00\.0\))\n(?:.*\n)+?\nReboot now\? \[y/N\] n\nexit 0$}m;
ok($start, 'and what to type after the reboot') or die $test;
my $options = '-m 64 -kernel /root/guest -device isa-debug-exit,iobase=0xf4,iosize=4';
$start =~ s/ -accel kvm -cpu host -m 4G / $options / or die $start;
$start =~ s/\(sudo /(/;
like($test, qr{^ids = 0000:00:05\.0/00\.0/02\.0/00\.0\@8086:10d3  # 0000:09:00\.0 }m, 'a guarded path is written');
is($first->driver('0000:09:00.0'), 'e1000e', 'in this boot the card is with its driver');
like($test, qr{^protect = 0000:00:1f\.2\@8086:2922  # / on sda\b}m, 'the hook has found what the root is on');
like($test, qr/^vfio-boot: 0000:00:1f\.2 .* refused, protected: .*\n.*\nvfio-boot: nothing was changed\nexit 1$/m, 'which cannot be added');
unlike($test, qr/^W: vfio-boot/m, 'and has nothing to complain about');

my $second = boot('add-claimed', <<'END' . "say timeout 300 $start </dev/null\n" . <<'END');
# The facts are at their end with somebody who has taken a function away.
say vfio-boot claim 03:00
say vfio-boot doctor
say lspci -Dnnk
say vfio-boot list --json
say vfio-boot export qemu
END
say vfio-boot remove 09:00.0 03:00
say cat /etc/vfio-boot.conf.d/50-local.conf
END
$test = $second->text('test');
is($second->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1 0000:09:00.0', 'after the reboot vfio-pci holds the cards');
$second->usable(12, '0000:09:00.0');
is($second->text('status'), <<'END' . 'exit 0', 'status says so');
0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci
0000:03:00.1 [8086:10d3] group 7: claimed for vfio-pci
0000:09:00.0 [8086:10d3] group 12: claimed for vfio-pci
END
like($test, qr/^01:00\.0 8086:10d3\n01:00\.1 8086:10d3\n02:00\.0 8086:10d3$/m, 'the guest of a virtual machine sees them, the card of two functions as one');
like($test, qr/^0000:03:00\.1 \[8086:10d3\] group 7: claimed for vfio-pci$/m, 'a function that was taken away is claimed by hand');
my ($doctor) = $test =~ /^# vfio-boot doctor\n(.*?)^# /ms;
like($doctor, qr/^exit 0$/m, 'the doctor has looked into the image, and is content') or diag $doctor;
like($doctor, qr/^ *ok +image\b/m, 'with the image, too');
my ($json) = $test =~ /^(\{"format":1,"devices":.*)$/m;
my %list = map { $_->{address} => $_ } @{ JSON::PP->new->utf8->decode($json)->{devices} };
my ($lspci) = $test =~ /^# lspci -Dnnk\n(.*?)^exit/ms;
my (%modules, $at);
for (split /\n/, $lspci) {
	$at = $1 if /^(\S+) /;
	$modules{$at} = $1 if /Kernel modules: (.*)/;
}
is_deeply({ map { @{ $_->{modules} } ? ($_->{address} => join ', ', @{ $_->{modules} }) : () } values %list }, \%modules,
	'list has the kernel modules that lspci -k has');
like($second->text('service'), qr/^ +Active: active \(exited\)/m, 'the service is content');
like($test, qr/^0000:09:00\.0 \[8086:10d3\]: left to the host$/m, 'remove says what comes of it');
like($test, qr{^/usr/sbin/update-initramfs -u -k \S+: \d+ s\n(?:vfio-boot: .*\n)*exit 0$}m, 'and rebuilds the image');
unlike($test =~ s/.*cat //sr, qr/^ids/m, 'and the line is gone');

# And what the host lives on through LVM on LUKS, which is on the NVMe disk.
my $nvme = "$top/build/qemu/add.img";
system('truncate', '-s', '80M', $nvme) == 0 or die "no disk\n";
my $third = boot('add-removed', <<'END', '-N', "file=$nvme,format=raw");
say vfio-boot status
exec 3>&1 >/root/log 2>&1
echo -n key | cryptsetup luksFormat --batch-mode --type luks1 --pbkdf-force-iterations 1000 --key-size 256 /dev/nvme0n1 -
echo -n key | cryptsetup open /dev/nvme0n1 c -
pvcreate /dev/mapper/c
vgcreate v /dev/mapper/c
lvcreate -y -n boot -l 100%FREE v
mke2fs -q /dev/v/boot
mount /dev/v/boot /boot
exec >&3 2>&1
tail -n 3 /root/log
say vfio-boot protect --print
say vfio-boot list -o address,notes 04:00.0
say vfio-boot add 04:00.0
umount /boot
END
is($third->held_by('vfio-pci'), '', 'after one more reboot vfio-pci holds nothing');
is($third->driver('0000:09:00.0'), 'e1000e', 'and the card is with its driver');
like($third->text('test'), qr/no device is selected\nexit 0/, 'status says so');
like($third->text('test'), qr{^protect = 0000:00:04\.0/00\.0\@1b36:0010  # /boot on v-boot: }m, '/boot on LVM on LUKS is found on its disk');
like($third->text('test'), qr{^04:00\.0 .*not protected, and the host lives on it: /boot on }m, 'list shows it, and that the image does not know yet');
like($third->text('test'), qr{04:00\.0 .*/boot on .*\n(?:.*\n)*?vfio-boot: nothing was changed\nexit 1$}m, 'and it cannot be added');
unlink $nvme;
system('rm', '-rf', $made);
done_testing();
