#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# What the hook puts into an image, what it says and when it keeps silent; the
# order in which the boot scripts are run; the boot scripts without a program.
# builders: initramfs-tools

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 63;

my $here = $Guest::here;
my %tree;

sub order {
	my ($kind, $phase) = @_;
	my $text = Guest::read_file("$tree{$kind}/scripts/$phase/ORDER");
	return join ' ', $text =~ m{^/scripts/$phase/(\S+)}mg;
}

for my $kind ('small', 'most') {
	chomp(my $dir = `$here/image $kind`);
	$tree{$kind} = "$dir/tree";
	is(Guest::read_file("$dir/warnings"), '', "$kind: mkinitramfs has nothing to say");
	like(order($kind, 'init-top'), qr/\b00-vfio-boot\b.*\budev\b/, 'the claim comes before udev');
	like(order($kind, $_), qr/\bvfio-boot\b/, "the second look is in $_")
		for 'local-top', 'local-premount', 'nfs-top';
	like(order($kind, 'local-block'), qr/\bvfio-boot\b/, 'and the host comes first, in local-block');
	ok(-x "$tree{$kind}/usr/lib/vfio-boot/vfio-boot-claim", 'the program is there');
	ok(-f "$tree{$kind}/etc/vfio-boot.conf", 'and the settings');
	ok(-f "$tree{$kind}/usr/lib/udev/rules.d/60-vfio-boot.rules", 'and the rule of udev');
	like(readlink("$tree{$kind}/sbin/modprobe"), qr/\bkmod$/, 'modprobe is that of kmod');
	chomp(my $version = `ls $tree{$kind}/lib/modules`);
	for my $module (qw(vfio vfio_iommu_type1 vfio-pci vfio_virqfd vfio-pci-core irqbypass iommufd)) {
		my @found = map { my $root = $_; !!grep { !/ / } `find $root/lib/modules/$version/ -name '$module.ko*'` }
			"$Guest::top/build/guest/$Guest::suite/boot/root", $tree{$kind};
		is($found[1], $found[0], $found[0] ? "the module $module is there" : "this kernel has no $module");
	}
}

# The scripts have to be read by every shell that an initramfs may have.
my $guest = "$Guest::top/build/guest/$Guest::suite/boot/root";
for my $script ('init-top/00-vfio-boot', 'local-top/vfio-boot') {
	my $path = "/usr/share/initramfs-tools/scripts/$script";
	for my $shell ('dash', 'busybox ash', '/usr/lib/klibc/bin/sh') {
		is(system("$here/enter $guest $shell -n $path"), 0, "$script is read by $shell");
	}
	is(`sh $tree{small}/scripts/$script prereqs` =~ /\budev\b/, '', 'and does not ask for udev');
}

# In the image, with a program that only tells how it was run, and with none.
my $copy = "$Guest::top/build/qemu/scripts";
system 'rm', '-rf', $copy;
system 'mkdir', '-p', "$Guest::top/build/qemu";
system 'cp', '-a', $tree{small}, $copy;
my $claim = "$copy/usr/lib/vfio-boot/vfio-boot-claim";

sub run_script {
	my ($script) = @_;
	unlink "$copy/run/told";
	Guest::write_file("$copy/dev/kmsg", '');
	my $status = system "$here/enter", $copy, 'sh', "/scripts/$script";
	my $told = -e "$copy/run/told" ? Guest::read_file("$copy/run/told") : '';
	return "status $status $told" . Guest::read_file("$copy/dev/kmsg");
}

Guest::write_file($claim, "#!/bin/sh\necho told \$* >>/run/told\nexit 3\n", 0755);
my $look = "status 0 told --second-look\n";
is(run_script('init-top/00-vfio-boot'), "status 0 told\n", 'init-top claims, and a failure does not matter');
is(run_script('local-top/vfio-boot'), $look, 'local-top looks again');
is(run_script('local-premount/vfio-boot'), 'status 0 ', 'local-premount has nothing to do');
is(run_script('nfs-top/vfio-boot'), $look, 'nfs-top looks again');
Guest::write_file("$copy/scripts/local-top/cryptroot", '');
is(run_script('local-top/vfio-boot'), 'status 0 ', 'with cryptroot local-top leaves it');
is(run_script('local-premount/vfio-boot'), $look, 'to local-premount');
is(run_script('nfs-top/vfio-boot'), $look, 'nfs-top is as before');
unlink $claim;
for my $script ('init-top/00-vfio-boot', 'local-premount/vfio-boot') {
	like(run_script($script), qr/\Astatus 0 <3>vfio-boot: \S+ is not in this image[^\n]*\n\z/,
		"$script without the program: one line to the kernel log");
}

# The hook alone: what it says in each case, and that no image build fails by it.
my %said;
for (split /\n/, qx{$here/enter $guest sh -c "\$(cat $here/hook.sh)" 2>&1}) {
	if (/^([\w-]+): (.*)/) { push @{ $said{$1} }, $2 } else { diag($_) }
}
my $w = 'W: vfio-boot:';
my @cases = (
	plain => ['status 0', 'copied'],
	variants => ['status 0', 'e1000e', 'vfio-pci'],
	verdicts => [
		"$w 0000:02:01.0 [8086:100e] group 6: refused, group-incomplete: a, b: c",
		"$w 0000:08:00.0 [10de:1b80] no group: pending, no-iommu: d",
		"$w /etc/vfio-boot.conf:4:7: not a selector",
		"$w 10de:2204: absent: no such device",
		"$w asked: plan --no-image -k " . (glob "$guest/lib/modules/*")[0] =~ s{.*/}{}r,
		'status 0',
	],
	(map { ("exit-$_" => ['status 0']) } 0 .. 2),
	'exit-3' => ["$w vfio-boot plan failed: what the next boot refuses is not known", 'status 0'],
	crash => ["$w vfio-boot plan ended with status 139: what the next boot refuses is not known", 'status 0'],
	'no-module' => ["$w kernel 0.0.0-none has no vfio-pci: it cannot claim anything", 'status 0'],
	order => ["$w udev runs before 00-vfio-boot in this image: other drivers will bind first", 'status 0'],
	'no-program' => ["$w cannot copy /usr/lib/vfio-boot/vfio-boot-claim: nothing will be claimed at boot", 'status 0'],
);
while (my ($case, $lines) = splice @cases, 0, 2) {
	is_deeply([ sort @{ $said{$case} || [] } ], [ sort @$lines ], "hook: $case");
}
is_deeply($said{cryptroot}, [ 'order vfio-boot', 'order cryptroot' ], 'with cryptroot no warning, and no loop');
