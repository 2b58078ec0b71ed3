#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Images of dracut, also without a shell and without systemd: the claim is first, although the command line has the very
# driver loaded as early as it can be; and what there is for rescue.
# builders: initramfs-tools
# suites: bookworm trixie forky

use strict;
use warnings;
BEGIN { $ENV{VFIO_BOOT_SUITE} ||= 'trixie' }
use FindBin;
use lib "$FindBin::Bin/../qemu";
use Guest;
use Test::More;

# Seconds of the kernel's clock.
sub at {
	my ($boot, $pattern) = @_;
	return $boot->{console} =~ /^\[ *(\d+\.\d+)\] $pattern/m ? $1 : undef;
}
sub first {
	my ($name, $boot, $earlier, $later) = @_;
	my ($before, $after) = (at($boot, $earlier), at($boot, $later));
	ok(defined $before && defined $after && $before < $after, "$name: $earlier comes before $later")
		or diag(join ' ', map { $_ // 'never' } $before, $after);
}
my $early = 'rd.driver.pre=e1000e rd.modules_load=e1000e modules_load=e1000e';
my $claimed = 'vfio-boot: 0000:03:00\.1 .*: claimed for vfio-pci';
for my $image (qw(dracut dracut-bare dracut-hooks)) {
	my $boot = Guest->boot("$image-early", image => $image, conf => "ids = 0000:03:00.*\n",
		words => "$early systemd.log_target=kmsg systemd.log_level=info");
	is($boot->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', "$image: the card is claimed, whatever loads its driver early");
	$boot->untouched($_, 'e1000e') for '0000:03:00.0', '0000:03:00.1';
	is($boot->driver('0000:09:00.0'), 'e1000e', "$image: its twin is with that driver");
	first($image, $boot, $claimed, 'e1000e: ');
	next if $image eq 'dracut-hooks';
	# As the journal has them.
	first($image, $boot, 'systemd\[1\]: Finished vfio-boot-claim\.service', $_)
		for 'systemd\[1\]: Starting systemd-modules-load\.service', 'systemd\[1\]: Starting systemd-udevd\.service',
		'systemd\[1\]: Starting systemd-udev-trigger\.service';
	first($image, $boot, 'systemd\[1\]: Finished vfio-boot-second-look\.service', 'systemd\[1\]: Mounting sysroot\.mount');
	unlike($boot->{console}, qr/Start(?:ed|ing) vfio-boot-root-missing/, "$image: nothing waits for a root where no storage was claimed");
}

# While udev is at work nobody waits for the root, however long that takes.
my $busy = Guest->boot('dracut-busy', image => 'dracut', conf => "ids = 0000:04:00.0\nroot-wait = 4\n", overlay => {
	'var/lib/vfio-boot/protect' => "# nothing\n",
	'etc/udev/rules.d/00-slow.rules' => qq(ACTION=="add", SUBSYSTEM=="block", KERNEL=="sda", PROGRAM="/usr/bin/sleep 20"\n),
});
my ($timer, $root) = (at($busy, 'sd .*Attached SCSI disk'), at($busy, 'EXT4-fs \(sda\): mounted'));
cmp_ok(($root // 0) - ($timer // 0), '>', 15, 'udev takes long before the root is there');
is($busy->driver('0000:04:00.0'), 'vfio-pci', 'and the disk that was claimed stays claimed');
is($busy->report('0000:04:00.0')->{verdict}, 'claimed', 'which the report says');

# Rescue: a boot that is stopped early has claimed already, unless it was told not to; and the units can be masked.
sub stopped {
	my ($name, $words) = @_;
	my $dir = "$Guest::top/build/qemu/$name";
	Guest::write_file("$dir/overlay/etc/vfio-boot.conf", "ids = 0000:03:00.*\n");
	system("$Guest::here/boot", '-i', 'dracut', '-c', "rd.break=pre-trigger $words", $dir);
	my $boot = bless { console => Guest::read_file("$dir/console") }, 'Guest';
	like($boot->{console}, qr/Break before pre-trigger/, "$name: the boot is stopped");
	return $boot;
}
ok(defined at(stopped('dracut-break', ''), $claimed), 'rd.break: the card is claimed by then');
my $off = stopped('dracut-break-off', 'vfio.ids=off');
ok(!defined at($off, $claimed) && defined at($off, 'vfio-boot: nothing is claimed: vfio\.ids=off'), 'with vfio.ids=off it is not');
my $masked = Guest->boot('dracut-masked', image => 'dracut', conf => "ids = 0000:03:00.*\n",
	words => 'rd.systemd.mask=vfio-boot-claim.service rd.systemd.mask=vfio-boot-second-look.service');
is($masked->held_by('vfio-pci'), '', 'the units can be masked on the command line');
is($masked->driver('0000:03:00.0'), 'e1000e', 'and the card is with its driver');
done_testing();
