#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What plan, list and explain promise of the next boot, beside the image that it boots with: whether that will do it is
# said in one line. What is found in an image is the subject of doctor.t, how it is read that of archives.t.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Image;
use JSON::PP ();
use Test::More;
use Tree;

my $root = 'build/promise';
my ($release, $other) = ('6.12.1', '6.1.0-9');
my $image = "boot/initrd.img-$release";
my $claim = 'usr/lib/vfio-boot/vfio-boot-claim';

# A machine whose settings are these, and an image that was made of it. The card is 0000:03:00.
sub machine {
	my ($settings, %in_image) = @_;
	q35($root, $settings);
	unlink "$root/proc/iomem";
	needs_no_module($root, $_) for $release, $other;
	spew("$root/proc/sys/kernel/osrelease", "$release\n");
	spew("$root/$image", image_of($root, %in_image));
}

my %json; # by verb

# What standard error says of the image and how the verb ends, as text and as JSON.
sub promised {
	my ($verb, @options) = @_;
	my @device = $verb eq 'plan' ? () : '03:00';
	my ($out, $err) = told($root, $verb, @device, @options);
	my ($text, $err_of_json) = told($root, $verb, @device, @options, '--json');
	my ($status) = $out =~ /-- exit (.*)\n\z/;
	my ($json, $json_status) = $text =~ /\A(.*)\n-- exit (.*)\n\z/ or return ("no JSON: $text", '', '');
	push @{ $json{$verb} }, $json;
	my $lines = join '', grep { m{boot/|no image|EFI/} } $err =~ /^vfio-boot: (.*\n)/mg;
	my $warnings = join '', map { "$_\n" } grep { m{boot/|no image|EFI/} } @{ JSON::PP->new->utf8->decode($json)->{warnings} };
	return ($lines, $status, $warnings eq $lines && $json_status eq $status && $err_of_json !~ m{/boot/} ? 'the same' : "$warnings-- exit $json_status\n$err_of_json");
}

sub says {
	my ($name, $line, $status, @options) = @_;
	for my $verb ('plan', @options ? () : 'list', 'explain') {
		is_deeply([ promised($verb, @options) ], [ $line ? "$line\n" : '', $status, 'the same' ], "$name: $verb");
	}
}

my $update = "update-initramfs -u -k $release";
my $settings = "ids = 8086:10d3\n";

machine($settings);
says('an image that is right', '', 0);
my ($right) = told($root, 'plan');

machine($settings, $claim => undef);
says('without the program', "/$image will not do this: vfio-boot-claim is not in it ($update)", 1);
is((told($root, 'plan'))[0] =~ s/exit 1/exit 0/r, $right, 'standard output is the same');
is((told($root, 'plan'))[0] =~ s/-- exit.*//sr, qx(@as_root build/vfio-boot-claim --dry-run --next-boot --sysroot $root 2>/dev/null), 'and that of vfio-boot-claim');
says('which --no-image does not look at', '', 0, '--no-image');
says('nor does --now', '', 0, '--now');

machine($settings, 'scripts/init-top/ORDER' => '', 'etc/vfio-boot.conf' => '');
says('two faults', "/$image will not do this: scripts/init-top/ORDER in it does not start 00-vfio-boot, and 1 more ($update)", 1);
machine($settings, 'etc/vfio-boot.conf' => "ids = 1:1\n");
says('older settings', "/$image has older settings: /etc/vfio-boot.conf differs ($update)", 1);
machine($settings);
spew("$root/etc/vfio-boot.conf.d/a.conf", "unbind = no\n");
says('a file that is newer', "/$image has older settings: /etc/vfio-boot.conf.d/a.conf is not in it ($update)", 1);
machine($settings, 'var/lib/vfio-boot/protect' => "protect = 00:02.0\n");
says('another protect file', "/$image has older settings: /var/lib/vfio-boot/protect differs ($update)", 1);
machine($settings);
unlink "$root/var/lib/vfio-boot/protect";
spew("$root/$image", image_of($root));
says('no protect file in either', '', 0);
machine($settings);
spew("$root/$image", 'x' x 5000);
says('no image at all', "/$image will not do this: it is damaged, or no initramfs (rebuild it with the program that made it, see doc/other-builders.md)", 1);
machine("ids = 03:00.0\n", $claim => undef);
says('and a device that is refused', "/$image will not do this: vfio-boot-claim is not in it ($update)", 1);
machine("ids = 8086:10d3 x\n", $claim => undef);
is((promised('plan'))[1], 2, 'with an error in the settings the exit status stays that of it');

# Another kernel.
machine($settings);
spew("$root/boot/initrd.img-$other", image_of($root, $claim => undef));
says('the kernel that runs', '', 0);
says('another one', "/boot/initrd.img-$other will not do this: vfio-boot-claim is not in it (update-initramfs -u -k $other)", 1, '-k', $other);
spew("$root/boot/initrd.img-$other", image_of($root));
spew("$root/$image", 'x');
says('whose image is right', '', 0, '-k', $other);

# No image.
my $places = "/boot/initrd.img-$release, /boot/initramfs-$release.img, /boot/initrd-$release, /boot/initramfs-linux.img and EFI/Linux/*.efi";
my $none = "the kernel $release has no image; looked for $places (make one with the program that makes images here, see doc/other-builders.md)";
for my $file ('initrd.img-5.0', "vmlinuz-$release", 'initramfs-5.0.img') {
	machine($settings);
	remove_tree("$root/boot");
	spew("$root/boot/$file", '');
	says("no image beside $file", $none, 1);
}
remove_tree("$root/boot");
make_path("$root/boot/grub");
says('no kernel in /boot, as in a container', '', 0);
remove_tree("$root/boot");
says('no /boot', '', 0);

# Nothing is selected: what an image lacks is not missed, but what it claims is.
for my $nothing ('', "# nothing\n", "ids = off\n", "ids = 03:00\nids = off\n", "ids = !03:00.0\n") {
	my $name = "nothing is selected (" . ($nothing =~ s/\n/ /gr) . ')';
	machine($nothing, map { $_ => undef } $claim, 'scripts/init-top/ORDER', 'etc/vfio-boot.conf');
	says("$name, and an image without vfio-boot", '', 0);
	machine($nothing);
	says("$name, and one of these settings", '', 0);
	machine($nothing, 'etc/vfio-boot.conf' => "# older\nunbind = no\nids = !04:00.0\n");
	says("$name, and one of others that select nothing", '', 0);
	machine($nothing, 'etc/vfio-boot.conf' => "ids = 04:00.0\n");
	says("$name, and one that selects", "/$image has older settings: /etc/vfio-boot.conf differs ($update)", 1);
	machine($nothing, 'etc/vfio-boot.conf' => "ids = 04:00.0\n", $claim => undef);
	says("$name, and one that would select but has no program", '', 0);
	machine($nothing, 'var/lib/vfio-boot/protect' => "protect = 00:02.0\n");
	says("$name, and one with another protect file", '', 0);
	machine($nothing);
	spew("$root/$image", 'x');
	says("$name, and one that is damaged", '', 0);
	unlink "$root/$image";
	spew("$root/boot/vmlinuz-$release", '');
	says("$name, and none", '', 0);
}
machine('');
spew("$root/etc/vfio-boot.conf.d/a.conf", "unbind = no\n");
spew("$root/$image", image_of($root, 'etc/vfio-boot.conf.d/a.conf' => "ids = 04:00.0\n"));
says('a drop-in that selects no more', "/$image has older settings: /etc/vfio-boot.conf.d/a.conf differs ($update)", 1);
machine('', 'etc/vfio-boot.conf.d/gone.conf' => "ids = 04:00.0\n");
says('a file that was removed', "/$image has older settings: /etc/vfio-boot.conf.d/gone.conf is only in it ($update)", 1);

# A boot that claims nothing, whatever its image is like.
machine($settings, $claim => undef);
for my $cmdline ('single', 'boot=live', 'systemd.unit=rescue.target') {
	spew("$root/proc/cmdline", "$cmdline\n");
	says($cmdline, '', 0);
}
spew("$root/proc/cmdline", "quiet\n");
says('vfio.ids=off', '', 0, '--cmdline', 'vfio.ids=off');
spew("$root/proc/cmdline", "vfio.ids=off\n");
says('vfio.ids=off of this boot, which does not count', "/$image will not do this: vfio-boot-claim is not in it ($update)", 1);
machine('', $claim => undef);
spew("$root/proc/cmdline", "vfio.ids=8086:10d3\n");
says('what the command line selects', "/$image will not do this: vfio-boot-claim is not in it ($update)", 1);

# What is not looked into is no fault.
machine($settings);
unlink "$root/$image";
spew("$root/efi/EFI/Linux/debian.efi", 'x');
spew("$root/boot/vmlinuz-$release", '');
says('a unified kernel image', '/efi/EFI/Linux/debian.efi was not looked into: it is part of a unified kernel image', 0);
spew("$root/etc/vfio-boot.conf", '');
says('and nothing selected', '', 0);
for my $selected (1, 0) {
	machine($selected ? $settings : '');
	chmod 0, "$root/$image" or die;
	my @anybody = as_anybody();
	my $err = qx(@anybody build/vfio-boot plan --sysroot $root 2>&1 >/dev/null);
	is($? >> 8, 0, 'no right to read it: exit status 0');
	my $line = "vfio-boot: /$image was not looked into: no right to read it (run this as root)\n";
	is($err =~ s/^vfio-boot: (?:planned for|no device is).*\n//mgr, $selected ? $line : '', $selected ? 'and it is said' : 'nothing is said where nothing is selected');
}

is(beside_schema($_, @{ $json{$_} }), '', "$_ --json is as its schema has it") for sort keys %json;

remove_tree($root, "$root.err") if Test::More->builder->is_passing;
done_testing();
