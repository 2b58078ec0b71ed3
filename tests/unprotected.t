#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A protect file that is not true any more: plan, list, explain, status and doctor find out afresh what the host lives on,
# and say as a fault what the file does not protect. What they find is the subject of protect.t.

use strict;
use warnings;
use File::Path 'remove_tree';
use FindBin;
use lib $FindBin::Bin;
use JSON::PP ();
use Test::More;
use Tree;

my $root = 'build/unprotected';
my $file = '/var/lib/vfio-boot/protect';

sub machine {
	my ($name, $protect, $settings) = @_;
	remove_tree($root);
	unpack_fixture($root, $name);
	spew("$root/etc/vfio-boot.conf", $settings);
	spew("$root$file", $protect) if defined $protect;
}

# Standard error without what a plan always says, and the exit status.
sub said {
	my ($out, $err) = told($root, @_);
	my ($status) = $out =~ /-- exit (\d)\n\z/ or die "@_: $out";
	return ($err =~ s/^vfio-boot: (?:planned for|no device is selected|no report of this boot).*\n//mgr, $status, $out);
}

my %json; # by verb
sub warnings_of {
	my (@words) = @_;
	my ($err, $status, $out) = said(@words, '--json');
	my ($text) = $out =~ /\A(.*)\n--/;
	push @{ $json{ $words[0] } }, $text;
	return (join("\n", @{ JSON::PP->new->utf8->decode($text)->{warnings} }), $status);
}

# The disk of the host, its twin, and what is said where the file protects the twin alone.
my ($disk, $twin) = ('0000:01:00.0', '10000:00:00.0');
my $bridge = "protect = 0000:00:01.0\@1def:e101\n";
my $true = "${bridge}protect = 0000:00:01.0/00.0\@144d:a80a\n";
my $stale = "${bridge}protect = $twin\@144d:a80a\n";
my $fault = "$disk [144d:a80a]: the host lives on it, and $file does not protect it: / on nvme0n1p2 (update-initramfs -u)";
my $loud = "$disk [144d:a80a] is claimed, and the host lives on it: / on nvme0n1p2; $file does not protect it "
	. '(run update-initramfs -u before you reboot)';

for ([ '', $fault ], [ "ids = $twin\n", $fault ], [ "ids = 0000:00:01.0/00.0\@144d:a80a\n", $loud ]) {
	my ($settings, $expected) = @$_;
	my $name = $settings =~ s/ids = (.*)\n/ids = $1/r || 'no settings';
	machine('multi-domain', $stale, $settings);
	for my $verb ('plan', "list $disk", "explain $disk") {
		my @words = split / /, $verb;
		my ($err, $status) = said(@words);
		is($err, "vfio-boot: $expected\n", "$name, $verb: said");
		is($status, 1, "$name, $verb: a fault");
		is_deeply([ warnings_of(@words) ], [ $expected, 1 ], "$name, $verb: with --json too");
	}
	my ($err, $status) = said('status');
	is($err =~ s/^(?!vfio-boot: 0000).*\n//mgr, "vfio-boot: $fault\n", "$name, status: said");
	is($status, 1, "$name, status: a fault");
	like((warnings_of('status'))[0], qr/^\Q$fault\E$/m, "$name, status: with --json too");
	my ($out) = told($root, 'doctor');
	my $wrapped = join '\s+', map { quotemeta } split / /, $expected;
	like($out, qr/^!! +protect +$wrapped\n +update-initramfs -u\n/m, "$name, doctor: said, with the remedy");
	# Only standard output is that of the claim program.
	is((told($root, 'plan'))[0] =~ s/-- exit.*//sr, qx(@as_root build/vfio-boot-claim --dry-run --next-boot --sysroot $root 2>/dev/null),
		"$name: standard output is that of vfio-boot-claim");
}
# What mends it.
my ($list, $explain) = map { (told($root, $_, $disk))[0] } 'list', 'explain';
my $now = (said('plan', '--now'))[0];
told($root, 'protect');
is_deeply([ said('plan') ],
	[ '', 1, "$disk [144d:a80a] group 2: refused, protected: the host lives on it: protect = 0000:00:01.0/00.0\@144d:a80a ($file:4:11): "
		. (slurp("$root$file") =~ /a80a  # (.*)/)[0] . "\n-- exit 1\n" ], 'a file that is written anew protects it');

like($list, qr/^ +not protected, and the host lives on it: \/ on nvme0n1p2; next\s+boot: claim for vfio-pci$/m, 'list calls it not protected');
like($explain, qr/^ +ok +protected +no entry protects it$/m, 'and explain does not say that nobody lives on it');
is($now =~ /(.*lives on it.*)/ ? $1 : '', "vfio-boot: $fault", 'plan --now, which refuses it: it is in use');

# Nothing is claimed, as in the boot that is to rescue the host: that is where it is needed.
machine('multi-domain', $stale, "ids = 0000:00:01.0/00.0\@144d:a80a\n");
spew("$root/proc/cmdline", "vfio.ids=off\n");
is((said('plan'))[0], "vfio-boot: vfio.ids=off of this boot is ignored\nvfio-boot: $loud\n", 'in a rescue boot');
spew("$root/proc/cmdline", "single\n");
is((said('plan'))[0], "vfio-boot: nothing is claimed: this is a rescue boot\nvfio-boot: $fault\n", 'in a boot that claims nothing');

# Where there is nothing to say.
sub is_quiet {
	my ($name) = @_;
	is((said('plan'))[0], '', "$name: plan has nothing to say");
	lacks((said('list', $disk))[2] . (told($root, 'doctor'))[0] . (said('explain', $disk))[0], qr/lives on it, and|still true/,
		"$name: nor has another verb");
}
machine('multi-domain', $true, '');
is_quiet('a file that is true');
is((said('plan'))[1], 0, 'and the exit status is 0');
like((told($root, 'list', $disk))[0], qr/^ +protected: \/ on nvme0n1p2$/m, 'list calls it protected');
machine('multi-domain', $true =~ s/.*\n//r, '');
is_quiet('a file without the bridge, which nobody can claim');
machine('multi-domain', "protect = class:01\n", '');
is_quiet('an entry for a class');
machine('multi-domain', "protect = $twin\@144d:ffff\nprotect = 0000:77:00.0\@144d:a80a\n", "ids = $disk\n");
lacks((said('plan'))[0], qr/lives on it/, 'a guard that fits no more protects every function with its ID');
machine('multi-domain', $stale, "protect = $disk\n");
is_quiet('a protect entry in the settings');
machine('multi-domain', $stale, '');
spew("$root/proc/cmdline", "vfio-boot.protect=off\n");
is_quiet('protect=off');

# What cannot be found out is no fault.
machine('multi-domain', $true, '');
unlink "$root/proc/mounts" or die "no mounts: $!\n";
spew("$root/proc/mounts", "tmpfs / tmpfs rw 0 0\n");
my $unknown = "whether $file is still true could not be found out: /: tmpfs is on no device";
is_deeply([ (said('plan'))[ 0, 1 ] ], [ "vfio-boot: $unknown\n", 0 ], 'unknown: said, and no fault');
is_deeply([ warnings_of('plan') ], [ $unknown, 0 ], 'with --json too');
like((told($root, 'doctor'))[0], qr/^-- +protect +whether \Q$file\E is still true could\s+not be found out: [^!]*\n(?=ok|--|!!)/m, 'doctor does not judge it');
spew("$root$file", "protect = unknown\n");
is((said('plan'))[0], '', 'a file that says unknown says the same');
unlink "$root$file";
is((said('plan'))[0], '', 'as does none');
# A file that says unknown is not untrue; but what the plan claims all the same is said.
machine('multi-domain', "protect = unknown\n", "ids = $disk\n");
is_deeply([ (said('plan'))[ 0, 1 ] ], [ "vfio-boot: $loud\n", 1 ], 'unknown, and the disk is named');
spew("$root/etc/vfio-boot.conf", "ids = $twin\n");
is_deeply([ (said('plan'))[ 0, 1 ] ], [ '', 0 ], 'unknown, and it is not');
# A chroot, in which nothing can be found out.
machine('multi-domain', $true, '');
unlink "$root/proc/mounts" or die "no mounts: $!\n";
is((said('plan'))[0], '', 'in a chroot plan does not judge the file');
# A machine that cannot be read: who reads it for the plan says so, once.
machine('multi-domain', $stale, "ids = $disk\n");
remove_tree("$root/sys");
is((said('plan'))[0] =~ tr/\n//, 2, 'no /sys: two lines, of which one says what is not there');

is(beside_schema($_, @{ $json{$_} }), '', "$_ --json is as its schema has it") for sort keys %json;

remove_tree($root) if Test::More->builder->is_passing;
done_testing();
