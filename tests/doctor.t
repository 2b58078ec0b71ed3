#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vfio-boot doctor: a machine with which all is well, and each check when it is not. The
# images are archives of cpio, as mkinitramfs makes them; archives.t has the odd ones.

use strict;
use warnings;
use Cwd qw(getcwd);
use File::Copy qw(copy);
use File::Path qw(make_path remove_tree);
use JSON::PP ();
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $root = 'build/doctor';
my $work = 'build/doctor-image';
my $images = 'build/doctor-images';
my $release = '6.12.95+deb13-amd64';
my $image = "boot/initrd.img-$release";
my $claim = 'usr/lib/vfio-boot/vfio-boot-claim';
remove_tree($images);

sub in_tree { spew("$root/$_[0]", $_[1]) }

sub sh { system('sh', '-euc', @_) == 0 or die "@_\n" }

# What mkinitramfs puts into an image, as far as anybody looks.
my %content = (
	'init' => "#!/bin/sh\n",
	$claim => "program\n",
	"usr/lib/modules/$release/kernel/drivers/vfio/vfio.ko" => '',
	"usr/lib/modules/$release/kernel/drivers/vfio/vfio_iommu_type1.ko.xz" => '',
	"usr/lib/modules/$release/kernel/drivers/vfio/pci/vfio-pci.ko.zst" => '',
	'scripts/init-top/ORDER' => join('', map { qq(/scripts/init-top/$_ "\$@"\n[ -e /conf/param.conf ] && . /conf/param.conf\n) }
		qw(00-vfio-boot all_generic_ide udev)),
);

# Writes the image of a tree: its settings, and what is given instead (undef: not at all). Each one is made once.
my %made;
sub image {
	my ($how, %other) = @_;
	my %file = (%content, (map { -e "$root/$_" ? ($_ => slurp("$root/$_")) : () }
		qw(etc/vfio-boot.conf var/lib/vfio-boot/protect)), %other);
	my $kept = $made{ join "\0", $how, map { $_, $file{$_} // () } sort keys %file } //= "$images/" . keys %made;
	make_path("$root/boot", $images);
	return copy($kept, "$root/$image") if -e $kept;
	remove_tree($work);
	for (grep { defined $file{$_} } keys %file) {
		make_path("$work/main/$_" =~ s{/[^/]*\z}{}r);
		if (ref $file{$_}) { symlink ${ $file{$_} }, "$work/main/$_" or die "$_: $!\n"; next }
		spew("$work/main/$_", $file{$_});
		chmod 0755, "$work/main/$_" if /claim$/;
	}
	spew("$work/early/kernel/x86/microcode/GenuineIntel.bin", "\1" x 5000);
	my $cpio = 'find . -mindepth 1 | sort | cpio --quiet -R 0:0 -o -H newc';
	my $early = $how =~ s/^early // ? "(cd '$work/early' && $cpio);" : '';
	sh("{ $early (cd '$work/main' && $cpio) | $how; } >'$kept'");
	copy($kept, "$root/$image");
}

# All is well.
sub machine {
	my (%o) = @_;
	q35($root, $o{conf} // "ids = 8086:10d3\n");
	unlink "$root/proc/iomem";
	my $list = "kernel/drivers/vfio/pci/vfio-pci.ko.xz: kernel/drivers/vfio/vfio.ko.xz\nkernel/drivers/vfio/vfio_iommu_type1.ko.xz:\n"
		. "kernel/drivers/vfio/vfio.ko.xz:\n";
	in_tree("lib/modules/$release/modules.dep", $list);
	in_tree($claim, "program\n");
	in_tree('usr/share/initramfs-tools/hooks/vfio-boot', '');
	in_tree('sys/firmware/acpi/tables/DMAR', '');
	symlink '../../../../bus/pci/drivers/vfio-pci', "$root/sys/bus/pci/devices/0000:03:00.$_/driver" for 0, 1;
	in_tree('boot/grub/grub.cfg', "menuentry 'Debian, without passthrough' --class debian \$menuentry_id_option 'vfio-boot-off' {\n}\n");
	in_tree("etc/systemd/system/$_.service", '')
		for 'multi-user.target.wants/vfio-boot', 'multi-user.target.wants/vfio-boot-came-up', 'sysinit.target.wants/vfio-boot-begun';
	in_tree('run/vfio-boot/report', "vfio-boot-report 1\n"
		. join('', map { join("\t", "0000:03:00.$_", '8086:10d3', 7, 'claimed', '-', 'vfio-pci', '8086:10d3', '-') . "\n" } 0, 1));
}

my @json; # all that was printed
my @among; # what the doctor is started by
sub doctor {
	my (@options) = @_;
	my $text = qx(@as_root @among build/asan/vfio-boot doctor @options --sysroot $root 2>&1);
	my $exit = $? & 127 ? "signal $?" : $? >> 8;
	lacks($text, qr/^[^{].{105,} .{14,}/m, 'no line is longer than a page is wide') if "@options" !~ /json|image/;
	push @json, $text =~ /^(\{.*\})$/m if grep { $_ eq '--json' } @options;
	return "$text-- exit $exit\n";
}

# The lines of one check, put together again where they were too long for the page.
sub of_check {
	my ($name, $text) = @_;
	return $text =~ /^((?:ok|--|!!)  \Q$name\E .*\n(?: {15}.*\n)*)/m ? $1 =~ s/\n {17}(?! )/ /gr : "no such line in:\n$text";
}

my %json_of;

# NAME of the check, what is there, and what it says. The rest stays as it was, but for `more`.
sub case {
	my ($name, $what, $expected, $exit, @options) = @_;
	my $text = doctor(@options);
	is(of_check($name, $text), $expected, $what) or diag($text);
	like($text, qr/-- exit $exit\n\z/, "$what: exit status $exit");
	return if $json_of{$name}++;
	# Once of each check: the same in JSON, and as long.
	my ($json) = doctor('--json', @options) =~ /^(\{.*\})\n-- exit $exit\n\z/m or return fail("$what: --json");
	my ($check) = grep { $_->{check} eq $name } @{ JSON::PP->new->decode($json)->{checks} };
	is(join(' ', map { "@{[$_ =~ /\S+/g]}" } grep { defined } @$check{qw(text remedy)}) =~ tr/; //dr,
		(of_check($name, $text) =~ s/^..  \S+//r) =~ tr/; \n//dr, "$what: --json says the same");
}

my $place = "/$image";
my $update = "update-initramfs -u -k $release";

machine();
image('gzip');
my $good = doctor();
is($good, <<"END", 'a machine with which all is well');
ok  iommu      on: 12 groups (DMAR)
ok  kernel     $release: vfio-pci a module, vfio_iommu_type1 a module
ok  image      $place has the program, the modules and the settings
ok  conflicts  nothing else gives devices to vfio-pci
--  display    no boot display is known
ok  settings   1 selector
ok  protect    /var/lib/vfio-boot/protect has what the host lives on
ok  plan       the next boot: 2 claimed, 0 refused, 0 pending, 0 absent
ok  boot       GRUB: its last entry boots without passthrough
ok  service    vfio-boot.service is enabled
ok  report     this boot: 2 claimed, 0 refused, 0 failed, 0 pending, 0 absent
-- exit 0
END
for ('early gzip', 'zstd -q', 'early zstd -q', 'xz', 'cat', 'early cat') {
	image($_);
	is(doctor(), $good, "an image made with: $_");
}
my ($json) = doctor('--json') =~ /\A(.*)\n-- exit 0\n\z/ or fail('--json');
$json = JSON::PP->new->utf8->decode($json);
is($json->{format}, 1, '--json: the format');
is(join(' ', map { "$_->{check}:$_->{state}" } @{ $json->{checks} }),
	'iommu:ok kernel:ok image:ok conflicts:ok display:none settings:ok protect:ok plan:ok boot:ok service:ok report:ok', 'and the checks');
is(join(' ', map { join ',', sort keys %$_ } $json->{checks}[0]), 'check,remedy,state,text', 'each with its fields');
is($json->{checks}[0]{remedy}, undef, 'and no remedy where there is no fault');

# --- the IOMMU ---

sub without_groups { remove_tree("$root/sys/kernel/iommu_groups"); unlink map { "$_/iommu_group" } glob "$root/sys/bus/pci/devices/*" }

my @no_iommu = (
	'not in the kernel' => 'quiet', 'DMAR', '', <<'END',
!!  iommu      on in the firmware (DMAR), but off in the kernel: no IOMMU groups
               add intel_iommu=on to the kernel command line (GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub)
END
	'asked for in vain' => 'intel_iommu=off intel_iommu=on', 'DMAR', '', <<'END',
!!  iommu      on in the firmware (DMAR), but off in the kernel: no IOMMU groups
               intel_iommu=on is set; see what went wrong: dmesg | grep -e DMAR -e IOMMU
END
	'turned off' => 'intel_iommu=on intel_iommu=sm_on,off', 'DMAR', '', <<'END',
!!  iommu      intel_iommu=off on the kernel command line turns it off
               remove intel_iommu=off
               add intel_iommu=on to the kernel command line (GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub)
END
	'turned off for all' => 'iommu=off', 'IVRS', '', <<'END',
!!  iommu      iommu=off on the kernel command line turns it off
               remove iommu=off
END
	'turned off on AMD' => 'amd_iommu=off', 'IVRS', '', <<'END',
!!  iommu      amd_iommu=off on the kernel command line turns it off
               remove amd_iommu=off
END
	'on AMD needs no parameter' => 'iommu=pt', 'IVRS', '', <<'END',
!!  iommu      on in the firmware (IVRS), but off in the kernel: no IOMMU groups
               look for its driver: dmesg | grep -i iommu
END
	'not in the firmware, Intel' => 'quiet -- iommu=off', 'DSDT', 'GenuineIntel', <<'END',
!!  iommu      the firmware has no IOMMU table: the IOMMU is off there, or this machine has none
               switch on in the firmware's setup: Intel VT-d (Virtualization Technology for Directed I/O)
END
	'not in the firmware, AMD' => 'quiet', 'DSDT', 'AuthenticAMD', <<'END',
!!  iommu      the firmware has no IOMMU table: the IOMMU is off there, or this machine has none
               switch on in the firmware's setup: IOMMU (AMD-Vi)
END
	'not in the firmware, Arm' => 'quiet', 'DSDT', 'Arm', <<'END',
!!  iommu      the firmware has no IOMMU table: the IOMMU is off there, or this machine has none
               switch on in the firmware's setup: SMMU (the IOMMU of Arm)
END
	'not in the kernel, Arm' => 'quiet', 'IORT', 'Arm', <<'END',
!!  iommu      the firmware has the table IORT, but the kernel no SMMU: no IOMMU groups
               see whether it found one: dmesg | grep -i -e smmu -e iort
               switch on in the firmware's setup: SMMU (the IOMMU of Arm)
END
);
while (my ($name, $cmdline, $table, $cpu, $expected) = splice @no_iommu, 0, 5) {
	machine();
	image('gzip');
	without_groups();
	in_tree('proc/cmdline', "$cmdline\n");
	in_tree('proc/cpuinfo', "processor : 0\n" . ($cpu eq 'Arm' ? "Features\t: fp\nCPU implementer\t: 0x41\n" : "vendor_id\t: $cpu\n")) if $cpu;
	unlink "$root/sys/firmware/acpi/tables/DMAR";
	in_tree("sys/firmware/acpi/tables/$table", '');
	case('iommu', "no IOMMU: $name", $expected, 1);
}
machine();
image('gzip');
without_groups();
remove_tree("$root/sys/firmware/acpi");
in_tree('sys/firmware/devicetree/base/model', "linux,dummy-virt\n");
case('iommu', 'no IOMMU: in a device tree', <<'END', 1);
!!  iommu      there are no IOMMU groups, and no ACPI tables that could describe an IOMMU
               see whether the device tree has one: dmesg | grep -i -e smmu -e iommu
END
remove_tree("$root/sys/firmware/devicetree");
machine(conf => "ids = 03:00\n");
image('gzip');
in_tree('sys/kernel/iommu_groups/7/reserved_regions', "0x000000007b800000 0x000000007fffffff direct\n");
case('plan', 'unusable', <<'END', 1);
!!  plan       the next boot: 0 claimed, 2 refused, 0 pending, 0 absent
               0000:03:00.0 [8086:10d3] group 7: refused, unusable: the firmware works through its group 7 (RMRR, `direct` in reserved_regions), so that VFIO cannot have it (leave it out)
               vfio-boot explain 0000:03:00.0
END
machine();
image('gzip');
without_groups();
in_tree('sys/kernel/iommu_groups/0/name', "vfio-noiommu\n");
case('iommu', 'vfio-noiommu', <<'END', 1);
!!  iommu      the 1 groups are vfio-noiommu ones, which isolate nothing
               on in the firmware (DMAR), but off in the kernel: no IOMMU groups
               intel_iommu=on is set; see what went wrong: dmesg | grep -e DMAR -e IOMMU
END

# --- the kernel ---

machine();
image('gzip');
in_tree("lib/modules/$release/modules.dep", "kernel/drivers/vfio/vfio_iommu_type1.ko.xz: kernel/drivers/vfio/pci/vfio-pci.ko.xz\n");
case('kernel', 'no vfio-pci', <<"END", 1);
!!  kernel     $release has no vfio-pci
               install a kernel that has them
END
in_tree("lib/modules/$release/modules.builtin", join '', map { "kernel/drivers/vfio/$_.ko\n" } qw(vfio vfio_iommu_type1 pci/vfio-pci));
image('gzip', map { $_ => undef } grep { /\.ko/ } keys %content);
case('kernel', 'all built in', <<"END", 0);
ok  kernel     $release: vfio-pci built in, vfio_iommu_type1 built in
END
is(of_check('image', doctor()), of_check('image', $good), 'and need not be in the image');
in_tree("lib/modules/$release/modules.builtin", join '', map { "kernel/drivers/$_.ko\n" } qw(vfio/vfio iommu/iommufd/iommufd vfio/pci/vfio-pci));
in_tree("lib/modules/$release/modules.dep", '');
case('kernel', 'one without VFIO groups', <<"END", 0);
ok  kernel     $release: vfio-pci built in, no VFIO groups: guests reach devices through /dev/iommu alone
END
is(of_check('image', doctor()), of_check('image', $good), 'and vfio_iommu_type1 need not be in its image');
in_tree("lib/modules/$release/modules.builtin", join '', map { "kernel/drivers/vfio/$_.ko\n" } qw(vfio pci/vfio-pci));
case('kernel', 'one with neither', <<"END", 1);
!!  kernel     $release has no vfio_iommu_type1
               install a kernel that has them
END
in_tree("lib/modules/$release/modules.builtin", join '', map { "kernel/drivers/vfio/$_.ko\n" } qw(vfio vfio_iommu_type1 pci/vfio-pci));
in_tree("lib/modules/$_/modules.dep", '') for '6.1.0-9-amd64', '6.0.0-1-amd64';
my $second = 'boot/initrd.img-6.1.0-9-amd64';
my @no_module = (map { $_ => undef } grep { /\.ko/ } keys %content);
sub other_image { my (%other) = @_; image('gzip', @no_module, %other); rename "$root/$image", "$root/$second" or die; image('gzip', @no_module) }
in_tree('lib/modules/6.1.0-9-amd64/modules.builtin', slurp("$root/lib/modules/$release/modules.builtin"));
my $bootable = <<"END";
ok  kernel     $release: vfio-pci built in, vfio_iommu_type1 built in
               also bootable: 6.1.0-9-amd64 (-k VERSION)
END
other_image();
case('kernel', 'another kernel that has an image', $bootable, 0);
my $fault_of_other = sub { $bootable =~ s/^ok/!!/r . ' ' x 15 . "/$second$_[0] (update-initramfs -u -k 6.1.0-9-amd64)\n" };
other_image($claim => undef);
case('kernel', 'whose image lacks the program', $fault_of_other->(': vfio-boot-claim is not in it'), 1);
is(of_check('plan', doctor()), of_check('plan', $good), 'that is not what the next boot does');
in_tree('etc/vfio-boot.conf', '');
other_image($claim => undef);
case('kernel', 'and nothing is selected', $bootable, 0);
in_tree('etc/vfio-boot.conf', "ids = 8086:10d3\n");
other_image('etc/vfio-boot.conf' => "ids = 1:1\n");
case('kernel', 'whose image has older settings', $fault_of_other->(' has older settings: /etc/vfio-boot.conf differs'), 1);
in_tree($second, 'x');
my $unknown = 'rebuild it with the program that made it, see doc/other-builders.md';
case('kernel', 'whose image is damaged', $fault_of_other->(': it is damaged, or no initramfs') =~ s/\(update.*\)/($unknown)/r, 1);
is(doctor('-k', '5.0'), "vfio-boot: -k 5.0: this kernel is not installed: there is no /lib/modules/5.0\n-- exit 2\n", 'a kernel that is not installed');
my $running = slurp("$root/proc/sys/kernel/osrelease");
in_tree('proc/sys/kernel/osrelease', "5.0\n");
case('kernel', 'a kernel that runs and is not installed any more', <<'END' =~ s/RELEASE/$release/r, 1);
!!  kernel     /lib/modules/5.0 is not there: the kernel 5.0 is not installed (any more)
               also bootable: RELEASE, 6.1.0-9-amd64 (-k VERSION)
               /boot/initrd.img-6.1.0-9-amd64: it is damaged, or no initramfs (rebuild it with the program that made it, see doc/other-builders.md)
               boot an installed kernel, or look at another one with -k VERSION
END
my $no_image = <<'END';
!!  image      the kernel 5.0 has no image; looked for /boot/initrd.img-5.0, /boot/initramfs-5.0.img, /boot/initrd-5.0, /boot/initramfs-linux.img and EFI/Linux/*.efi
               make one with the program that makes images here, see doc/other-builders.md
END
case('image', 'an image that is not there', $no_image, 1);
in_tree('usr/sbin/mkinitramfs', '');
case('image', 'where initramfs-tools is there', $no_image =~ s/make one.*/update-initramfs -c -k 5.0/r, 1);
like(doctor(), qr{\Q/boot/initrd-5.0,\E\n {17}/boot/initramfs-linux\.img and}, 'a line that goes on below');
in_tree('proc/sys/kernel/osrelease', $running);
case('image', 'an image that is none', <<'END', 1, '-k', '6.1.0-9-amd64');
!!  image      /boot/initrd.img-6.1.0-9-amd64: it is damaged, or no initramfs
               update-initramfs -u -k 6.1.0-9-amd64
END

# Older ones come later, and no more than four are named.
for my $kernel (qw(6.10.0 6.9.0 5.10.0 4.19.0)) {
	in_tree("lib/modules/$kernel/modules.dep", '');
	in_tree("boot/initrd.img-$kernel", 'x');
}
like(of_check('kernel', doctor()), qr/ also bootable: 6\.10\.0, 6\.9\.0, 6\.1\.0-9-amd64, 5\.10\.0, \.\.\. \(-k VERSION\)\n/, 'more kernels than are named');
remove_tree("$root/lib/modules/$_"), unlink "$root/boot/initrd.img-$_" for qw(6.10.0 6.9.0 5.10.0 4.19.0);

# --- the image ---

my $module = "usr/lib/modules/$release/kernel/drivers/vfio";
my $order = $content{'scripts/init-top/ORDER'};
my @images = (
	'without the program' => { $claim => undef }, "vfio-boot-claim is not in it", $update,
	'with an empty program' => { $claim => '' }, "vfio-boot-claim in it cannot be executed", $update,
	'with another program' => { $claim => "progran\n" }, "vfio-boot-claim in it differs from the installed one", $update,
	'that does not start it' => { 'scripts/init-top/ORDER' => $order =~ s/00-vfio-boot/vfio/r },
		"scripts/init-top/ORDER in it does not start 00-vfio-boot", $update,
	'that starts it too late' => { 'scripts/init-top/ORDER' => qq(/scripts/init-top/udev "\$@"\n$order) },
		"scripts/init-top/ORDER in it runs 00-vfio-boot after udev: other drivers bind first", $update,
	'without vfio' => { "$module/vfio.ko" => undef }, "the module vfio is not in it", $update,
	'without vfio_iommu_type1' => { "$module/vfio_iommu_type1.ko.xz" => undef }, "the module vfio_iommu_type1 is not in it", $update,
	'with the modules of another kernel' => { "$module/pci/vfio-pci.ko.zst" => undef, 'usr/lib/modules/5.0/vfio-pci.ko' => '' },
		"the module vfio-pci is not in it", $update,
);
machine();
while (my ($name, $other, $text, $remedy) = splice @images, 0, 4) {
	image('gzip', %$other);
	case('image', "an image $name", "!!  image      $place: $text\n" . ' ' x 15 . "$remedy\n", 1);
}
my @older = (
	'with other settings' => { 'etc/vfio-boot.conf' => "ids = 8086:10d4\n" }, '/etc/vfio-boot.conf differs',
	'with shorter settings' => { 'etc/vfio-boot.conf' => '' }, '/etc/vfio-boot.conf differs',
	'with longer settings' => { 'etc/vfio-boot.conf' => "ids = 8086:10d3\n#" }, '/etc/vfio-boot.conf differs',
	'without settings' => { 'etc/vfio-boot.conf' => undef }, '/etc/vfio-boot.conf is not in it',
	'with a file more' => { 'etc/vfio-boot.conf.d/old.conf' => "ids = x\n" }, '/etc/vfio-boot.conf.d/old.conf is only in it',
	'with another protect file' => { 'var/lib/vfio-boot/protect' => "# x\n" }, '/var/lib/vfio-boot/protect differs',
	'without a protect file' => { 'var/lib/vfio-boot/protect' => undef }, '/var/lib/vfio-boot/protect is not in it',
);
sub older { "!!  image      $place has older settings: " . join("\n" . ' ' x 15, @_, $update) . "\n" }
while (my ($name, $other, $text) = splice @older, 0, 3) {
	image('gzip', %$other);
	case('image', "an image $name", older($text), 1);
}
image('gzip', 'scripts/init-top/ORDER' => '', "$module/vfio.ko" => undef, 'etc/vfio-boot.conf' => '');
case('image', 'all that is wrong', "!!  image      $place: " . join("\n" . ' ' x 15, 'scripts/init-top/ORDER in it does not start 00-vfio-boot',
	'the module vfio is not in it', '/etc/vfio-boot.conf differs', $update) . "\n", 1);
image('gzip', map { $_ => undef } grep { $_ ne 'init' && $_ ne 'scripts/init-top/ORDER' } keys %content);
case('image', 'without vfio-boot that is all', "!!  image      $place: vfio-boot-claim is not in it\n" . ' ' x 15 . "$update\n", 1);
image('gzip', 'etc/vfio-boot.conf.d/note.txt' => 'x');
case('image', 'what is no drop-in is not compared', of_check('image', $good), 0);
in_tree('etc/vfio-boot.conf.d/a.conf', "unbind = no\n");
image('gzip', 'etc/vfio-boot.conf.d/a.conf' => "unbind = no\n");
case('image', 'a drop-in', of_check('image', $good), 0);
image('gzip');
case('image', 'a drop-in that is missing', older('/etc/vfio-boot.conf.d/a.conf is not in it'), 1);
in_tree('etc/vfio-boot.conf.d/a.conf', '');
case('image', 'one that is empty', of_check('image', $good), 0);
unlink "$root/etc/vfio-boot.conf.d/a.conf";

in_tree("etc/vfio-boot.conf.d/$_.conf", "#\n") for 'a' .. 'f';
case('image', 'six of them', older((map { "/etc/vfio-boot.conf.d/$_.conf is not in it" } 'a' .. 'd'), 'and 2 more files'), 1);
image('gzip', map { ("etc/vfio-boot.conf.d/$_.conf" => "#\n") } 'a' .. 'h');
case('image', 'two more than there are', older(map { "/etc/vfio-boot.conf.d/$_.conf is only in it" } 'g', 'h'), 1);

# What mends it.
machine();
unlink "$root/usr/share/initramfs-tools/hooks/vfio-boot";
image('gzip', $claim => undef);
my $first = "/usr/share/initramfs-tools/hooks/vfio-boot is missing: install vfio-boot for initramfs-tools first, then";
like(of_check('image', doctor()), qr/\n {15}\Q$first $update\E\n\z/, 'the hook is missing');
in_tree('etc/initramfs-tools/hooks/vfio-boot', '');
like(of_check('image', doctor()), qr/\n {15}\Q$update\E\n\z/, 'another PREFIX has it in /etc');

# Why none can be built, also where the one that is there is right.
my $conf = 'etc/initramfs-tools/update-initramfs.conf';
my $off = "update_initramfs=no in /$conf: update-initramfs updates no image";
my $right = of_check('image', $good);
machine();
in_tree($conf, "# update_initramfs=no\nupdate_initramfs=yes\n");
in_tree('usr/sbin/update-initramfs', '');
image('gzip');
is(doctor(), $good, 'images can be updated');
in_tree($conf, "update_initramfs=no\n");
my $doctor = doctor();
is($doctor, $good =~ s/\Q@{[ of_check('image', $good) ]}\E/$right               $off\n               set update_initramfs=yes\n/r,
	'images are not to be updated, which is all that is wrong');
for ("update_initramfs=yes\n \tupdate_initramfs='no' # x", 'update_initramfs="no"', 'update_initramfs=no; x=yes') {
	in_tree($conf, "$_\n");
	is(doctor(), $doctor, "so: $_");
}
for ("update_initramfs=no\nupdate_initramfs=yes", 'update_initramfs=all', 'update_initramfs=none', 'backup_initramfs=no', 'update_initramfs=', '') {
	in_tree($conf, $_);
	is(doctor(), $good, "not so: $_");
}
in_tree($conf, "update_initramfs=no\n");
unlink "$root/usr/sbin/update-initramfs";
is(doctor(), $good, 'nor where update-initramfs is not there');
@among = ('tests/read-only', "$root/boot");
case('image', '/boot is mounted read-only', "$right               /boot is mounted read-only: no image can be written\n               mount -o remount,rw /boot\n", 0);
@among = ('tests/read-only', $root);
case('image', '/ is mounted read-only', "$right               / is mounted read-only: no image can be written\n               mount -o remount,rw /\n", 0);
in_tree('usr/sbin/update-initramfs', '');
image('gzip', $claim => undef);
case('image', 'all of it', <<"END", 1);
!!  image      $place: vfio-boot-claim is not in it
               / is mounted read-only: no image can be written
               $off
               mount -o remount,rw /
               set update_initramfs=yes
               $update
END
spew("$root/etc/vfio-boot.conf", '');
image('gzip');
case('image', 'where nothing is selected', of_check('image', $good), 0);
machine();
@among = ('tests/read-only', "$root/boot");
in_tree('efi/EFI/Linux/debian.efi', 'x');
in_tree('boot/x', '');
case('image', 'a unified kernel image need not be there', "--  image      /efi/EFI/Linux/debian.efi was not looked into: it is part of a unified kernel image\n", 0);
@among = ();

# With another PREFIX the program is in another folder.
machine();
rename "$root/usr/lib", "$root/usr/lib.away";
in_tree('usr/local/lib/vfio-boot/vfio-boot-claim', "program\n");
image('gzip', $claim => undef, 'usr/local/lib/vfio-boot/vfio-boot-claim' => "program\n");
case('image', 'PREFIX=/usr/local', of_check('image', $good), 0);

# dracut's have no ORDER, and what it installs is stripped. With systemd inside a unit starts it.
my $units = 'usr/lib/systemd/system';
my %by_dracut = ('scripts/init-top/ORDER' => undef, 'usr/lib/initrd-release' => qq(VERSION="13 dracut-106-6"\n), $claim => 'stripped',
	'usr/lib/systemd/systemd' => 'x', "$units/vfio-boot-claim.service" => '[Unit]', "$units/sysinit.target.wants/vfio-boot-claim.service" => 'x');
my %by_script = (%by_dracut, (map { $_ => undef } grep { /systemd/ } keys %by_dracut), 'var/lib/dracut/hooks/cmdline/00-vfio-boot-claim.sh' => 'x');
my $dracut_module = '/usr/lib/dracut/modules.d/50vfio-boot/module-setup.sh';
machine();
in_tree("$dracut_module", '');
for ([ 'with systemd', %by_dracut ], [ 'with systemd as /init', %by_dracut, 'usr/lib/systemd/systemd' => undef, 'init' => \'usr/lib/systemd/systemd' ],
	[ 'without systemd', %by_script ],
	[ 'of before 103', %by_script, 'var/lib/dracut/hooks/cmdline/00-vfio-boot-claim.sh' => undef, 'usr/lib/initrd-release' => undef,
		'lib/dracut/hooks/cmdline/00-vfio-boot-claim.sh' => 'x' ]) {
	my ($name, %other) = @$_;
	image('gzip', %other);
	case('image', "an image of dracut, $name", of_check('image', $good), 0);
}
my @dracut = (
	'without a module' => { %by_dracut, "$module/vfio.ko" => undef }, 'the module vfio is not in it',
	'without the unit' => { %by_dracut, "$units/vfio-boot-claim.service" => undef, "$units/systemd-udevd.service.wants/vfio-boot-claim.service" => 'x' }, 'vfio-boot-claim.service is not in it',
	'whose unit nobody wants' => { %by_dracut, "$units/sysinit.target.wants/vfio-boot-claim.service" => undef },
		'sysinit.target in it does not want vfio-boot-claim.service',
	'with a script alone beside systemd' => { %by_script, 'usr/lib/systemd/systemd' => 'x' }, 'vfio-boot-claim.service is not in it',
	'without systemd and script' => { %by_dracut, 'usr/lib/systemd/systemd' => undef }, 'hooks/cmdline/00-vfio-boot-claim.sh is not in it',
);
my $force = "dracut --force $place $release";
while (my ($name, $other, $text) = splice @dracut, 0, 3) {
	image('gzip', %$other);
	case('image', "an image of dracut $name", "!!  image      $place: $text\n" . ' ' x 15 . "$force\n", 1);
}
in_tree('usr/sbin/update-initramfs', '');
like(of_check('image', doctor()), qr/\n {15}\Q$update\E\n\z/, 'Debian 14 has an update-initramfs for dracut');
unlink "$root/usr/sbin/update-initramfs", "$root$dracut_module";
like(of_check('image', doctor()), qr/\n {15}\Q$dracut_module is missing: install vfio-boot for dracut first, then $force\E\n\z/, 'its module is missing');
# Who made the image need not be there any more.
in_tree("usr/sbin/mkinitramfs", '');
like(of_check('image', doctor()), qr/\n {15}\Q$update\E\n\z/, 'initramfs-tools instead of dracut');
image('gzip', $claim => undef);
unlink "$root/usr/sbin/mkinitramfs";
in_tree("usr/bin/dracut", '');
like(of_check('image', doctor()), qr/ is missing: install vfio-boot for dracut first, then \Q$force\E\n\z/, 'dracut instead of initramfs-tools');
unlink "$root/$image";
like(of_check('image', doctor()), qr{ then dracut --force /boot/initrd\.img-\Q$release $release\E\n\z}, 'dracut, and no image yet');

# Of others nobody knows how they start the claim. systemd's have an initrd-release, too.
machine();
image('gzip', 'scripts/init-top/ORDER' => undef, 'etc/initrd-release' => "ID=arch\n", 'usr/lib/systemd/systemd' => 'x');
case('image', 'an image of mkinitcpio', of_check('image', $good), 0);
image('gzip', 'scripts/init-top/ORDER' => undef, "$module/vfio.ko" => undef);
case('image', 'an image of mkinitcpio without a module', <<"END", 1);
!!  image      $place: the module vfio is not in it
               rebuild it with the program that made it, see doc/other-builders.md
END

unlink "$root/$image";
in_tree("boot/initramfs-$release.img", 'x');
like(of_check('image', doctor()), qr{\A!!  image      /boot/initramfs-\Q$release\E\.img: it is damaged}, 'the name that dracut gives it');
unlink "$root/boot/initramfs-$release.img";
in_tree('efi/EFI/Linux/debian.efi', 'x');
case('image', 'a unified kernel image', "--  image      /efi/EFI/Linux/debian.efi was not looked into: it is part of a unified kernel image\n", 0);

machine();
image('gzip');
# A tree whose name is taken for something else.
for my $name ("build/doctor\ttab", '-x') {
	symlink getcwd() . "/$root", $name or die;
	my $odd = qx(@as_root build/vfio-boot doctor '--sysroot=$name');
	is(of_check('image', $odd), of_check('image', $good), "a tree called $name");
	unlink $name;
}

# Whoever starts it may want to hear of no child that ends.
{
	local $SIG{CHLD} = 'IGNORE';
	pipe my $from, my $to or die;
	if (!fork) {
		open STDOUT, '>&', $to;
		exec @as_root, 'build/vfio-boot', 'doctor', '--sysroot', $root;
	}
	close $to;
	local $/;
	is(of_check('image', scalar <$from>), of_check('image', $good), 'SIGCHLD ignored from the start');
}

# The image alone, for who has just made it.
sub of_image {
	my ($name, $expected, $exit, @options) = @_;
	my $text = doctor('--image', @options);
	is($text, join('', map { "vfio-boot: $_\n" } @$expected) . "-- exit $exit\n", "--image: $name");
}
of_image('all is well', [], 0);
of_image('of a kernel', [], 0, '-k', $release);
image('gzip', $claim => undef);
of_image('no program', [ "$place: vfio-boot-claim is not in it ($update)" ], 1);
image('gzip', 'scripts/init-top/ORDER' => '', 'etc/vfio-boot.conf' => '');
of_image('two faults', [ "$place: scripts/init-top/ORDER in it does not start 00-vfio-boot ($update)", "$place: /etc/vfio-boot.conf differs ($update)" ], 1);
image('gzip', 'etc/vfio-boot.conf' => '');
of_image('older settings', [ "$place has older settings: /etc/vfio-boot.conf differs ($update)" ], 1);
like(of_check('plan', doctor()), qr/\Aok  plan       the next boot: 2 claimed, .* 0 absent \(the image has to be rebuilt first\)\n\z/, 'doctor does not promise then');
in_tree('proc/cmdline', "single\n");
of_image('a rescue boot now is none of its business', [ "$place has older settings: /etc/vfio-boot.conf differs ($update)" ], 1);
in_tree($image, 'x');
my $broken = "$place: it is damaged, or no initramfs (rebuild it with the program that made it, see doc/other-builders.md)";
of_image('a damaged one', [ $broken ], 1);
in_tree('etc/vfio-boot.conf', '');
of_image('also where nothing is selected', [ $broken ], 1);
image('gzip');
of_image('nothing is selected', [], 0);
image('gzip', $claim => undef);
of_image('nor is a program there', [], 0);
image('gzip', 'etc/vfio-boot.conf' => "ids = 1:1\n");
of_image('but something is claimed', [ "$place has older settings: /etc/vfio-boot.conf differs ($update)" ], 1);
unlink "$root/$image";
in_tree('efi/EFI/Linux/debian.efi', 'x');
of_image('a unified kernel image', [ '/efi/EFI/Linux/debian.efi was not looked into: it is part of a unified kernel image' ], 0);
remove_tree("$root/efi");
in_tree('efi/EFI/Linux/.efi', 'x');
like(doctor('--image'), qr/\Avfio-boot: the kernel \Q$release\E has no image; .*-- exit 1\n\z/s, '--image: none');
unlink "$root/proc/sys/kernel/osrelease";
of_image('of a kernel that is not known', [ 'doctor: the kernel to look for is not known (-k VERSION)' ], 1);
like(doctor('--image', '--json'), qr/--image: not allowed with --json.*-- exit 2\n\z/s, '--image is no JSON');

# --- conflicts ---

machine();
image('gzip');
in_tree('etc/modprobe.d/vfio.conf', <<'END');
# options vfio-pci ids=1:1
options vfio-pci disable_vga=1
options vfio-pci ids=
options vfio_pci disable_vga=1 \
  ids=10de:2204
softdep nouveau pre: vfio-pci
softdep nouveau pre: drm
alias pci:v000010DEd* vfio_pci
blacklist nouveau
END
in_tree('usr/lib/modprobe.d/vfio.conf', "install vfio-pci /bin/true\n");
in_tree('usr/lib/modprobe.d/a.conf', "blacklist vfio-pci\n");
in_tree('lib/modprobe.d/b.txt', "blacklist vfio-pci\n");
in_tree('etc/modules-load.d/vfio.conf', "vfio-pci\n");
in_tree('proc/cmdline', "intel_iommu=on vfio_pci.ids=1:2 rd.driver.pre=nvme -- vfio-pci.ids=8:8\n");
case('conflicts', 'modprobe.d', <<'END', 1);
!!  conflicts  /usr/lib/modprobe.d/a.conf:1: blacklist vfio-pci
               /etc/modprobe.d/vfio.conf:4: options vfio_pci disable_vga=1   ids=10de:2204
               /etc/modprobe.d/vfio.conf:6: softdep nouveau pre: vfio-pci
               /etc/modprobe.d/vfio.conf:8: alias pci:v000010DEd* vfio_pci
               kernel command line: vfio_pci.ids=1:2
               vfio-boot import says what to delete, and which settings mean the same
END
machine();
image('gzip');
in_tree('etc/modprobe.d/x.conf', "install\tvfio-pci /bin/true\noptions pci-stub ids=1:2\nalias passthrough vfio-pci\n");
in_tree('etc/driverctl.d/pci-0000:03:00.0', "vfio-pci\n");
in_tree('etc/driverctl.d/pci-0000:03:00.1', "e1000e\n");
in_tree('etc/driverctl.d/pci-0000:07:00.0', "bochs-drm\n");
in_tree('etc/initramfs-tools/modules', "vfio\nvfio-pci ids=1:3\n");
in_tree('proc/cmdline', "intel_iommu=on pci-stub.ids=1:2 rd.driver.pre=nvme,vfio_pci\n");
case('conflicts', 'and others', my $others = <<'END', 1);
!!  conflicts  /etc/modprobe.d/x.conf:1: install vfio-pci /bin/true
               /etc/modprobe.d/x.conf:2: options pci-stub ids=1:2
               kernel command line: pci-stub.ids=1:2
               kernel command line: rd.driver.pre=nvme,vfio_pci
               /etc/initramfs-tools/modules:2: vfio-pci ids=1:3
               /etc/driverctl.d/pci-0000:03:00.0:1: vfio-pci (driverctl unset-override 0000:03:00.0)
               /etc/driverctl.d/pci-0000:03:00.1:1: e1000e (driverctl unset-override 0000:03:00.1)
               vfio-boot import says what to delete, and which settings mean the same
END
my $told = qx(@as_root build/vfio-boot import --sysroot $root 2>/dev/null);
like($told, qr/^#   \Q$_\E$/m, "import has it too: $_") for $others =~ m{^(?:!!  conflicts| {10})\s+(\S.*:.*)$}mg;
machine();
image('gzip');
in_tree('etc/driverctl.d/pci-0000:07:00.0', "bochs-drm\n");
case('conflicts', 'another driver for what is not selected is none', of_check('conflicts', $good), 0);
in_tree('etc/modprobe.d/a.conf', 'options vfio-pci ids=' . '10de:2204,' x 200 . "\n");
like(of_check('conflicts', doctor()), qr{a\.conf:1: options vfio-pci ids=10de:\S{120,125}\.\.\.\n}, 'of a long line the beginning');
in_tree('etc/modprobe.d/a.conf', '');
symlink 'x.conf', "$root/etc/modprobe.d/x.conf" or die;
case('conflicts', 'a file that cannot be read', "--  conflicts  not known: a file in modprobe.d or driverctl.d cannot be read\n", 0);

# --- the display ---

sub display {
	my ($conf, $kernel) = @_;
	machine(conf => $conf);
	in_tree('proc/sys/kernel/osrelease', "$kernel\n");
	my ($vga) = glob "$root/sys/devices/pci0000:00/*/*/*/0000:07:00.0";
	spew("$vga/boot_vga", "1\n") if $conf =~ /boot/;
	my $class = $conf =~ /0380/ ? '80' : '00';
	spew("$vga/modalias", "pci:v00001234d00001111sv00001AF4sd00001100bc03sc${class}i00\n");
}

my @displays = (
	'stays' => "ids = 8086:10d3 # boot\n", '6.12.1', "ok  display    0000:07:00.0, the boot display, stays with the host\n",
	'claimed' => "ids = boot-vga\n", '6.12.1', "ok  display    0000:07:00.0 is claimed: the screen goes dark in the initramfs and stays so\n",
	'claimed by an old kernel' => "ids = boot-vga\n", '5.15.0', "ok  display    0000:07:00.0 is claimed: the screen goes dark in the initramfs and stays so\n",
	'claimed by an old kernel, unbind=no' => "ids = boot-vga\nunbind = no\n", '5.15.0', <<'END',
!!  display    0000:07:00.0 is claimed, and unbind=no leaves the firmware's framebuffer on it before Linux 6.0
               a guest cannot use that BAR ("can't reserve")
               set unbind=yes, or boot with initcall_blacklist=sysfb_init
END
	'claimed by a newer one, unbind=no' => "ids = boot-vga\nunbind = no\n", '6.0.1', "ok  display    0000:07:00.0 is claimed: the screen goes dark in the initramfs and stays so\n",
	'one that is no VGA, unbind=no' => "ids = boot-vga # 0380\nunbind = no\n", '6.12.1', <<'END',
!!  display    0000:07:00.0 is claimed, and unbind=no leaves the firmware's framebuffer on it
               a guest cannot use that BAR ("can't reserve")
               set unbind=yes, or boot with initcall_blacklist=sysfb_init
END
	'claimed by a kernel that is not known' => "ids = boot-vga\n", '', "ok  display    0000:07:00.0 is claimed: the screen goes dark in the initramfs and stays so\n",
	'the second one, 6.1' => "ids = 07:00.0\n", '6.1.0-9-amd64', <<'END',
ok  display    0000:07:00.0 is claimed, and Linux 6.1 can take the framebuffer away with it:
               the screen may be dark until the driver of the boot display has loaded
END
	'the second one, 6.12' => "ids = 07:00.0\n", '6.12.1', "ok  display    0000:07:00.0 is claimed; it is not the boot display\n",
);
while (my ($name, $conf, $kernel, $expected) = splice @displays, 0, 4) {
	display($conf, $kernel);
	is(of_check('display', doctor()), $expected, "the boot display: $name");
}

# --- settings, protect, plan ---

machine(conf => "ids = 8086:10d3 x y z\nids = u v w\n");
image('gzip');
case('settings', 'errors in the settings', <<'END', 2);
!!  settings   /etc/vfio-boot.conf:1:17: x: neither a bus index (BB:DD.F) nor an ID (VVVV:DDDD, 4 digits each)
               /etc/vfio-boot.conf:1:19: y: neither a bus index (BB:DD.F) nor an ID (VVVV:DDDD, 4 digits each)
               /etc/vfio-boot.conf:1:21: z: neither a bus index (BB:DD.F) nor an ID (VVVV:DDDD, 4 digits each)
               /etc/vfio-boot.conf:2:7: u: neither a bus index (BB:DD.F) nor an ID (VVVV:DDDD, 4 digits each)
               /etc/vfio-boot.conf:2:9: v: neither a bus index (BB:DD.F) nor an ID (VVVV:DDDD, 4 digits each)
               and 1 more
               vfio-boot plan shows which settings still apply
END
machine(conf => "# nothing\n");
image('gzip');
case('settings', 'nothing selected', "--  settings   no device is selected (vfio-boot add DEVICE)\n", 0);
is(of_check('plan', doctor()), "--  plan       the next boot: 0 claimed, 0 refused, 0 pending, 0 absent\n", 'nor claimed');
machine(conf => "ids = off\n");
image('gzip');
case('settings', 'ids=off', "--  settings   nothing is claimed: ids=off in the settings files\n", 0);
machine();
image('gzip');
in_tree('proc/cmdline', "vfio.ids=off\n");
case('settings', 'off in this boot', <<'END', 0);
ok  settings   1 selector
               nothing was claimed in this boot: vfio.ids=off; that does not apply to the next boot
END
machine();
unlink "$root/var/lib/vfio-boot/protect";
image('gzip');
case('protect', 'no protect file', <<'END', 1);
!!  protect    /var/lib/vfio-boot/protect is not there: what the host lives on is unknown
               update-initramfs -u
END
in_tree('var/lib/vfio-boot/protect', "protect = unknown\n");
image('gzip');
case('protect', 'unknown', <<'END', 1);
!!  protect    /var/lib/vfio-boot/protect: what the host lives on is unknown; storage is claimed only if it is named
               update-initramfs -u
END
for my $table (qw(etc/fstab etc/crypttab)) {
	machine();
	in_tree($table, "#\n");
	image('gzip');
	utime 1, 1000, "$root/$table";
	utime 1, 2000, "$root/var/lib/vfio-boot/protect";
	case('protect', "newer than /$table", of_check('protect', $good), 0);
	utime 1, 3000, "$root/$table";
	case('protect', "older than /$table", <<"END", 1);
!!  protect    /var/lib/vfio-boot/protect is older than /$table
               update-initramfs -u
END
}
# Where what the host lives on is still the same, the file is left as it is.
machine();
in_tree('etc/fstab', "#\n");
image('gzip');
my $protect = "@as_root build/vfio-boot protect --sysroot $root 2>&1";
qx($protect);
utime 1, 1000, "$root/var/lib/vfio-boot/protect";
utime 1, 2000, "$root/etc/fstab";
like(of_check('protect', doctor()), qr/is older than/, 'a protect file that is older again');
like(qx($protect), qr/\(as before\)/, 'and that vfio-boot protect writes as it was');
lacks(of_check('protect', doctor()), qr/is older than/, 'is no older then');
machine();
image('gzip');
in_tree('proc/cmdline', "vfio-boot.protect=off\n");
case('protect', 'off', "--  protect    vfio-boot.protect=off on the kernel command line: nothing is protected\n", 0);

machine(conf => "ids = 03:00.0, 10de:2204\n");
image('gzip');
case('plan', 'refused and absent', <<'END', 1);
!!  plan       the next boot: 0 claimed, 1 refused, 0 pending, 1 absent
               0000:03:00.0 [8086:10d3] group 7: refused, group-incomplete: 0000:03:00.1 [8086:10d3] is not selected (add it, or set group=whole)
               vfio-boot explain 0000:03:00.0
END
machine();
image('gzip');
without_groups();
like(of_check('plan', doctor()), qr/\A!!  plan       the next boot: 0 claimed, 0 refused, 2 pending, 0 absent\n/, 'pending is not refused');
machine(conf => "ids = 8086:10d3, 10de:2204, 10de:2205?\n");
image('gzip');
like(of_check('plan', doctor()), qr/\A!!  plan       the next boot: 2 claimed, 0 refused, 0 pending, 1 absent\n {15}10de:2204: absent: .*\n {15}vfio-boot plan shows all of it\n\z/, 'absent alone');

# --- the boot menu ---

machine();
image('gzip');
in_tree('boot/grub/grub.cfg', "menuentry 'Debian' {\n}\n");
case('boot', 'GRUB without the entry', "!!  boot       GRUB's menu has no entry without passthrough\n               update-grub\n", 1);
spew("$root/etc/vfio-boot.conf", '');
image('gzip');
like(of_check('boot', doctor()), qr/\A--  boot       GRUB's menu has no entry/, 'which nobody misses where nothing is selected');
machine();
image('gzip');
unlink "$root/boot/grub/grub.cfg";
case('boot', 'no menu', <<'END', 0);
--  boot       no boot menu is known here: for a boot without passthrough append vfio.ids=off to the kernel command line
END

# systemd-boot: an ESP is where it is mounted. An entry of this system has its token and a version in its name.
in_tree('etc/os-release', "NAME=Debian\nID=\"debian\"\n");
in_tree('usr/lib/kernel/install.d/95-vfio-boot-entry.install', '');
my $add = sub { "               kernel-install add $_[0] /boot/vmlinuz-$_[0] /boot/initrd.img-$_[0]\n" };
for my $esp ('efi', 'boot', 'boot/efi') {
	in_tree("$esp/loader/entries/debian-6.1.conf", "title Debian\n");
	is(of_check('boot', doctor()), "!!  boot       /$esp/loader/entries/debian-6.1.conf has no entry without passthrough\n" . $add->('6.1'), "/$esp without the entry");
	in_tree("$esp/loader/entries/0-vfio-boot-off-debian-6.1.conf", "title Debian\n");
	is(of_check('boot', doctor()), "ok  boot       systemd-boot: /$esp/loader/entries has an entry without passthrough\n", "/$esp with it");
	remove_tree("$root/$esp/loader");
}
# Which of the entries in the menu are ours to judge.
my $entries = "$root/efi/loader/entries";
sub menu {
	my (@entries) = @_;
	remove_tree($entries);
	spew("$entries/$_.conf", "title $_\n") for @entries;
	return of_check('boot', doctor());
}
like(menu('debian-6.1', 'debian-6.12', '0-vfio-boot-off-debian-6.12'), qr{\A!!  boot       systemd-boot: .* has an entry.*\n {15}/efi/loader/entries/debian-6\.1\.conf has no entry without passthrough\n}, 'one kernel has it, and one has none');
like(menu('debian-6.12+deb13+3', '0-vfio-boot-off-debian-5.10'), qr{debian-6\.12\+deb13\+3\.conf has no entry without passthrough\n {15}kernel-install add 6\.12\+deb13 }, 'that of a kernel which is gone does not count, nor does the counter of boots');
like(menu('debian-6.12+deb13+0-3', '0-vfio-boot-off-debian-6.12+deb13'), qr/\Aok  boot /, 'with a counter');
like(menu('arch-6.1', 'windows', 'debian'), qr/\A--  boot       no boot menu is known/, 'those of other systems are none of it');
in_tree('etc/kernel/entry-token', "mine\n");
in_tree('etc/machine-id', "0123456789abcdef0123456789abcdef\n");
like(menu("$_-6.1"), qr{/efi/loader/entries/$_-6\.1\.conf has no entry}, "a token: $_") for 'mine', '0123456789abcdef0123456789abcdef', 'debian';
unlink "$root/etc/kernel/entry-token", "$root/etc/machine-id";
unlink "$root/usr/lib/kernel/install.d/95-vfio-boot-entry.install";
is(menu('debian-6.1'), "--  boot       /efi/loader/entries/debian-6.1.conf has no entry without passthrough\n               vfio-boot(8), RESCUE, says how to boot it without passthrough\n", 'where nobody can make it');
in_tree('usr/lib/kernel/install.d/95-vfio-boot-entry.install', '');
# GRUB beside it: the boot loader says who it is, as 2.12 does too.
my $info = 'sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';
sub loader { in_tree($info, "\6\0\0\0" . join '', map { "$_\0" } split //, "$_[0]\0") }
in_tree('boot/grub/grub.cfg', "# 'vfio-boot-off'\nmenuentry 'Debian' {\n}\n");
like(of_check('boot', doctor()), qr/\A!!  boot       GRUB's menu has no entry/, "GRUB's menu is there, and nobody says who boots");
loader('GRUB 2.12-9');
like(of_check('boot', doctor()), qr/\A!!  boot       GRUB's menu has no entry/, 'GRUB boots');
loader('systemd-boot 257.13-1~deb13u1');
like(of_check('boot', doctor()), qr{\A!!  boot       /efi/loader/entries/debian-6\.1\.conf has no entry}, 'systemd-boot boots');
remove_tree("$root/sys/firmware/efi", "$root/boot/grub");

# The entry boots a copy of the image, which may be older.
my $entry = "title Debian\ninitrd     /debian/$release/initrd.img-$release\nversion    $release\nlinux /debian/$release/linux\n";
menu("0-vfio-boot-off-debian-$release");
in_tree("efi/loader/entries/debian-$release.conf", $entry);
my $copied = of_check('boot', doctor());
is($copied, "ok  boot       systemd-boot: /efi/loader/entries has an entry without passthrough\n", 'a copy that is not there is no fault');
in_tree("efi/debian/$release/initrd.img-$release", slurp("$root/$image"));
is(of_check('boot', doctor()), $copied, 'a copy that is the same');
for ([ 'a byte', slurp("$root/$image") =~ s/.\z/x/sr ], [ 'one more', slurp("$root/$image") . 'x' ], [ 'one less', substr(slurp("$root/$image"), 0, -1) ], [ 'empty', '' ]) {
	in_tree("efi/debian/$release/initrd.img-$release", $_->[1]);
	is(of_check('boot', doctor()), $copied =~ s/^ok/!!/r . "               /efi/debian/$release/initrd.img-$release, which systemd-boot boots, is no copy of $place\n"
		. "               kernel-install add $release /boot/vmlinuz-$release $place\n", "a copy that differs: $_->[0]");
}
rename "$root/efi/loader/entries/debian-$release.conf", "$root/efi/loader/entries/debian-${release}x.conf" or die;
unlike(doctor(), qr/is no copy/, 'that of another kernel is none of it');
remove_tree("$root/efi");
in_tree('efi/loader/entries/loader.txt', '');
like(of_check('boot', doctor()), qr/no boot menu is known/, 'a folder without entries is no menu');

# A unified kernel image: a PE file with these sections.
sub pe {
	my (@sections) = @_;
	my $at = 64 + 24 + 16 + 40 * @sections;
	my ($headers, $data) = ('', '');
	for (@sections) {
		my ($name, $text) = @$_;
		$headers .= pack 'a8 V V V V x16', $name, length $text, 0, length $text, $at + length $data;
		$data .= $text;
	}
	return pack('a2 x58 V', 'MZ', 64) . pack('a4 v v x12 v x2', "PE", 0x8664, scalar @sections, 16) . "\0" x 16 . $headers . $data;
}
my $profile = [ '.profile', "ID=vfio-boot-off\nTITLE=without passthrough\n" ];
my $uki = "$root/efi/EFI/Linux/debian-6.1+3.efi";
make_path("$root/efi/EFI/Linux");
for ([ 'with it', pe([ '.linux', 'x' x 999 ], [ '.profile', 'ID=main' ], $profile, [ '.cmdline', 'vfio.ids=off' ]), 'ok' ],
	[ 'without', pe([ '.linux', 'x' ], [ '.cmdline', 'ID=vfio-boot-off' ]), '--' ],
	[ 'with another', pe([ '.profile', 'ID=main' ], [ '.cmdline', 'ID=vfio-boot-off' ]), '--' ], [ 'that is none', 'MZ', '--' ],
	[ 'with sections behind its end', substr(pe([ '.linux', '' ], $profile), 0, 130), '--' ], [ 'that is empty', '', '--' ],
	[ 'whose header is nowhere', pack('a2 x58 V', 'MZ', 0xffffffff), '--' ])
{
	my ($what, $content, $state) = @$_;
	spew($uki, $content);
	my $expected = $state eq 'ok' ? "ok  boot       systemd-boot: an image in /efi/EFI/Linux has a profile without passthrough\n"
		: "--  boot       /efi/EFI/Linux/debian-6.1+3.efi has no profile without passthrough\n               vfio-boot(8), RESCUE, says how to boot it without passthrough\n";
	is(of_check('boot', doctor()), $expected, "a unified kernel image $what");
}
in_tree('usr/bin/ukify', '');
in_tree('usr/lib/kernel/install.d/85-vfio-boot-profile.install', '');
is(of_check('boot', doctor()), "!!  boot       /efi/EFI/Linux/debian-6.1+3.efi has no profile without passthrough\n" . $add->('6.1'), 'and it could have one');
remove_tree("$root/efi", "$root/usr/bin", "$root/usr/lib/kernel");

# proxmox-boot-tool: what boot-entries has written down of its ESPs, and no other menu.
in_tree('boot/grub/grub.cfg', "menuentry 'x' 'vfio-boot-off' {\n");
in_tree('etc/kernel/proxmox-boot-uuids', "AAAA-0001\n# BBBB-0009\n\nBBBB-0002\r\n");
is(of_check('boot', doctor()), "!!  boot       proxmox-boot-tool: 2 of 2 ESPs have no entry without passthrough\n               update-initramfs -u\n", 'ESPs without the entry');
in_tree('var/lib/vfio-boot/proxmox-entries', "BBBB-0002 systemd-boot\n");
like(of_check('boot', doctor()), qr/\A!!  boot       proxmox-boot-tool: 1 of 2 ESPs have no entry/, 'one without it');
in_tree('var/lib/vfio-boot/proxmox-entries', "BBBB-0002 systemd-boot\nAAAA-0001 systemd-boot\n");
my $all = "ok  boot       proxmox-boot-tool: its ESPs have an entry without passthrough\n";
is(of_check('boot', doctor()), $all, 'all with it');
in_tree('dev/disk/by-uuid/BBBB-0002', '');
in_tree('var/lib/vfio-boot/proxmox-entries', "BBBB-0002 systemd-boot\n");
is(of_check('boot', doctor()), $all =~ s/^ok(  boot       )/--$1proxmox-boot-tool: the ESP AAAA-0001 is not there\n               /r . "               proxmox-boot-tool clean, if it was replaced\n", 'one that is gone');
remove_tree("$root/dev/disk");

# Which kernel it boots, and with which command line.
in_tree('etc/kernel/proxmox-boot-pin', "6.8.12-4-pve\n");
like(of_check('boot', doctor()), qr{\n {15}the next boot is that of 6\.8\.12-4-pve, by /etc/kernel/proxmox-boot-pin \(look at it with -k 6\.8\.12-4-pve\)\n}, 'another kernel is pinned');
in_tree('etc/kernel/next-boot-pin', "$release\n");
unlike(doctor(), qr/the next boot is that of/, 'for the next boot, this one');
in_tree('proc/cmdline', "root=ZFS=rpool/ROOT/pve-1 iommu=pt\n");
in_tree('etc/kernel/cmdline', "root=ZFS=rpool/ROOT/pve-2 vfio.ids=10de:2204 quiet\n");
my $differs = of_check('boot', doctor());
like($differs, qr{\n {15}vfio\.ids=10de:2204 in /etc/kernel/cmdline was not on the command line of this boot\n}, 'a word that is new');
like($differs, qr{\n {15}iommu=pt was on the command line of this boot, and is not in /etc/kernel/cmdline\n}, 'one that is gone');
unlike($differs, qr/root=|quiet/, 'others are no concern of ours');
like($differs, qr{\n {15}vfio-boot plan --cmdline "\$\(cat /etc/kernel/cmdline\)" plans with it\n}, 'and how to plan for it');
in_tree('proc/cmdline', "vfio.ids=off root=ZFS=rpool/ROOT/pve-2 vfio.ids=10de:2204\n");
unlike(of_check('boot', doctor()), qr/was (?:not )?on the command line/, 'the entry without passthrough has one word more');
without_groups();
like(of_check('iommu', doctor()), qr{add intel_iommu=on to the kernel command line \(/etc/kernel/cmdline, then update-initramfs -u\)}, 'where a word goes');
in_tree('var/lib/vfio-boot/proxmox-entries', "BBBB-0002 grub\n");
like(of_check('iommu', doctor()), qr{\(GRUB_CMDLINE_LINUX in /etc/default/grub, then proxmox-boot-tool refresh\)}, 'and where GRUB has the ESPs');

# Loaders for which we make no entry.
machine();
image('gzip');
unlink "$root/boot/grub/grub.cfg";
in_tree('boot/extlinux/extlinux.conf', "label l0\n\tappend root=/dev/sda1 ro\n");
case('boot', 'extlinux', <<'END', 0);
--  boot       extlinux has no entry without passthrough
               copy an entry of /boot/extlinux/extlinux.conf, and append vfio.ids=off to its `append`
END
in_tree('boot/extlinux/extlinux.conf', "label l0r\n\tappend root=/dev/sda1 ro single\n");
like(of_check('boot', doctor()), qr/\n {15}at its menu choose an entry with "rescue target": a rescue boot claims nothing\n/, 'extlinux with a rescue boot');
remove_tree("$root/boot/extlinux");
in_tree('boot/refind_linux.conf', qq("Boot" "root=/dev/sda1"\n));
like(of_check('boot', doctor()), qr/\A--  boot       rEFInd has no entry without passthrough\n {15}at its menu press F2 twice/, 'rEFInd');
unlink "$root/boot/refind_linux.conf";

# --- this boot ---

machine();
image('gzip');
unlink "$root/etc/systemd/system/multi-user.target.wants/vfio-boot.service";
case('service', 'not enabled', <<'END', 1);
!!  service    vfio-boot.service is not enabled: devices that appear late are not claimed
               systemctl enable vfio-boot.service
END
symlink '/lib/systemd/system/vfio-boot.service', "$root/etc/systemd/system/multi-user.target.wants/vfio-boot.service";
case('service', 'enabled by a link that leads out of the tree', of_check('service', $good), 0);
for ('multi-user.target.wants/vfio-boot-came-up', 'sysinit.target.wants/vfio-boot-begun') {
	machine();
	image('gzip');
	unlink "$root/etc/systemd/system/$_.service";
	case('service', "$_ is not enabled", <<'END', 1);
!!  service    boots that do not come up are not counted: vfio-boot-begun.service and vfio-boot-came-up.service are not enabled
               systemctl enable vfio-boot.service, then update-initramfs -u (or set fallback=no)
END
}
machine(conf => "ids = 8086:10d3\nfallback = no\n");
image('gzip');
unlink glob "$root/etc/systemd/system/*/vfio-boot-*.service";
case('service', 'with fallback=no nobody misses them', of_check('service', $good), 0);
machine();
image('gzip');
remove_tree("$root/etc/systemd");
case('service', 'no systemd', "--  service    there is no systemd here\n", 0);
unlink "$root/run/vfio-boot/report";
case('report', 'no report', "--  report     no report of this boot: the claim has not run\n", 0);
in_tree('run/vfio-boot/report', join '', map { "$_\n" } 'vfio-boot-report 1', map { tr/|/\t/r } '0000:03:00.0|8086:10d3|7|refused|x|-|y|z',
	'0000:03:00.1|8086:10d3|7|already|-|vfio-pci|y|z', '-|-|-|absent|-|-|10de:2204|no such device (optional)|-|optional', '-|-|-|absent|-|-|10de:2204|no');
case('report', 'a boot that refused', <<'END', 1);
!!  report     this boot: 1 claimed, 1 refused, 0 failed, 0 pending, 1 absent
               vfio-boot status
END

machine();
image('gzip');
unlink "$root/sys/bus/pci/devices/0000:03:00.1/driver";
case('report', 'a device that has lost its driver since', <<'END', 1);
!!  report     this boot: 2 claimed, 0 refused, 0 failed, 0 pending, 0 absent
               0000:03:00.1: drifted: it is without a driver now (vfio-boot claim --whole 0000:03:00.1)
               vfio-boot status
END
machine(conf => "ids = 8086:10d3 04:00.0\n");
image('gzip');
utime 1000, 1000, "$root/$image";
case('report', 'a device that is selected since', <<'END', 1);
!!  report     this boot: 2 claimed, 0 refused, 0 failed, 0 pending, 0 absent
               drifted: the settings select what they did not select in this boot
               vfio-boot status
END

in_tree('run/vfio-boot/report', "vfio-boot-report 7\n");
case('report', 'a report that is none', <<'END', 1);
!!  report     /run/vfio-boot/report:1: not the first line of a report
               update-initramfs -u, and reboot: another version of vfio-boot wrote the report
END

# --- a machine that cannot be read ---

machine();
image('gzip');
remove_tree("$root/sys");
my $blind = doctor();
like($blind, qr/-- exit 3\n\z/, 'no /sys: exit status 3');
is(of_check('plan', $blind), "!!  plan       the PCI devices of this machine cannot be read\n", 'and it is said');
is(of_check('iommu', $blind), "--  iommu      there is no /sys to read it from\n", 'of the IOMMU too');
is(of_check('image', $blind), of_check('image', $good), 'what can be looked at is looked at');

is(beside_schema('doctor', @json), '', @json . ' JSON texts are as the schema has it');
isnt(beside_schema('doctor', $json[0] =~ s/"state":"ok"/"state":"good"/r), '', 'which refuses another state');

remove_tree($root, $work, $images) if Test::More->builder->is_passing;
done_testing();
