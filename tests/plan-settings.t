#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vfio-boot plan --settings FILE: the plan of a file that is not installed yet is that of the same file once it is.

use strict;
use warnings;
use File::Path qw(remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Image;
use JSON::PP ();
use Test::More;
use Tree;

my $root = 'build/plan-settings';
my $file = "$root.conf";

remove_tree($root);
unpack_fixture($root, 'qemu-q35');
sub machine {
	my ($settings) = @_;
	remove_tree("$root/etc/vfio-boot.conf.d");
	spew("$root/etc/vfio-boot.conf", $settings);
}

# Standard output with the exit status, and standard error.
sub planned {
	my ($shell) = @_;
	my $out = qx($shell 2>$root.err);
	return ($out . '-- exit ' . ($? >> 8) . "\n", slurp("$root.err"));
}
my $plan = "@as_root build/vfio-boot plan --sysroot $root";

my %settings = (
	'a card' => "ids = 03:00.*\n",
	'a function of two' => "ids = 03:00.0 10de:2204?\n",
	'whole groups' => "ids = 03:00.0\ngroup = whole",
	'what the host lives on' => "ids = 00:1f.2\n",
	'an error' => "ids = 04:00.0 x\nnosuch = 1\n",
	'nothing' => '',
);
for my $name (sort keys %settings) {
	spew($file, $settings{$name});
	for my $option ('', '--now', '--json', "--cmdline 'vfio.ids=+!04:00.0'") {
		machine("ids = 04:00.0\n");
		spew("$root/etc/vfio-boot.conf.d/a.conf", "group = ignore\n");
		my @asked = planned("$plan $option --settings $file");
		my @piped = planned("$plan $option --settings - <$file");
		machine($settings{$name});
		my @installed = planned("$plan $option");
		s/\Q$file\E/\/etc\/vfio-boot.conf/g for @asked;
		s/standard input/\/etc\/vfio-boot.conf/g for @piped;
		is("@asked", "@installed", "$name $option: as if it were installed");
		is("@piped", "@installed", "$name $option: from standard input too");
	}
}

# The path is that of the caller, and a pipe is a file.
machine("ids = 04:00.0\n");
spew($file, "ids = 03:00\n");
my ($said) = planned("(cd build && @as_root ./vfio-boot plan --sysroot plan-settings --settings ./plan-settings.conf)");
like($said, qr/^0000:03:00\.0 .*: claim for vfio-pci\n0000:03:00\.1 .*\n-- exit 0\n\z/, 'a path from where the caller is');
($said) = planned("cat $file | $plan --settings /dev/stdin");
like($said, qr/^0000:03:00\.0 .*: claim/, 'a pipe');

# The image has other settings, and that is no fault.
machine("ids = 04:00.0\n");
spew("$root/proc/sys/kernel/osrelease", "6.1.0-9\n");
needs_no_module($root, '6.1.0-9');
spew("$root/boot/vmlinuz-6.1.0-9", '');
spew("$root/boot/initrd.img-6.1.0-9", image_of($root));
spew("$root/etc/vfio-boot.conf", "ids = 03:00\n");
my ($out, $err) = planned($plan);
like("$out$err", qr/-- exit 1\n.*older settings/s, 'the image is looked into');
($out, $err) = planned("$plan --settings $file");
like($out, qr/-- exit 0\n\z/, 'but not for what is only asked about');
lacks($err, qr/older settings/, 'nor is it said');

# What cannot be read.
spew($file, '# ' . 'x' x 65_534);
($out, $err) = planned("$plan --settings $file");
is($out, "-- exit 0\n", '64 KiB are read');
spew($file, '# ' . 'x' x 65_535);
my %not = ($file => 'more than 64 KiB of settings', "$root.nowhere" => 'No such file or directory', 'build' => 'Is a directory');
for (sort keys %not) {
	($out, $err) = planned("$plan --settings $_");
	is($out, "-- exit 2\n", "$not{$_}: exit status 2");
	is($err, "vfio-boot: plan: --settings $_: $not{$_}\n", "$not{$_}: with file and cause");
}
($out, $err) = planned("@as_root build/vfio-boot explain 03:00.0 --settings $file --sysroot $root");
like($err, qr/explain: --settings: not an option of this verb/, 'explain reads the files that are there');

remove_tree($root) if Test::More->builder->is_passing;
unlink $file, "$root.err";
done_testing();
