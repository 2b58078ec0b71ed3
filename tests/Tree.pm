# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests share that run the programs on a tree of their own.

package Tree;

use strict;
use warnings;
use Exporter 'import';
use File::Copy;
use File::Path qw(make_path remove_tree);
use Test::More ();

our @EXPORT = qw(slurp spew unpack_fixture lacks process wait_until in_memory q35 dir_of bind_to add_device bring told beside_schema big_machine instructions @as_root as_anybody);

# Who is not root may shut nothing into a tree but as the root of a namespace.
our @as_root = $> ? qw(unshare --map-root-user) : ();

# How a command is run by somebody who is not root, who must be able to come here.
sub as_anybody {
	return if $>;
	my @anybody = qw(setpriv --reuid 65534 --regid 65534 --clear-groups);
	system(@anybody, 'test', '-x', 'build/vfio-boot') == 0 or die "this folder is for root alone: make it and build readable for all (umask 022)\n";
	return @anybody;
}

# script(1) runs this, and whoever calls the tests may have another, or want no colours.
$ENV{SHELL} = '/bin/sh';
delete $ENV{NO_COLOR};

# The text of a file; empty where there is none.
sub slurp {
	my ($path) = @_;
	open my $in, '<', $path or return '';
	local $/;
	return scalar <$in> // '';
}

# Writes a file, with its folders.
sub spew {
	my ($path, $text) = @_;
	make_path($path =~ s{/[^/]*\z}{}r);
	open my $out, '>:raw', $path or die "$path: $!\n";
	print $out $text;
	close $out or die "$path: $!\n";
}

# A text does not match. One that is empty, since nobody said anything, is a failure: unlike() would pass.
sub lacks($$;$) {
	my ($text, $pattern, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return Test::More::unlike($text, $pattern, $name) if $text =~ /\S/;
	return Test::More::ok(0, "$name: there is no text");
}

# Unpacks a machine of the fixtures into a tree.
sub unpack_fixture {
	my ($root, $name) = @_;
	system('tests/fixture', 'unpack', "tests/fixtures/$name/machine", $root) == 0 or die "no machine\n";
}

# Makes a tree of a machine that tests/big-machine prints for these arguments. Returns its folder.
sub big_machine {
	my ($root, @how) = @_;
	system("tests/big-machine @how >$root.machine && tests/fixture unpack $root.machine $root") == 0 or die "no machine\n";
	return $root;
}

# The instructions of a command, which reads this tree, or none if that is undefined. $dir is for what valgrind leaves. As
# root, a program is in a chroot of its tree when callgrind writes its file.
sub instructions {
	my ($dir, $root, @command) = @_;
	my $jailed = !$> && defined $root;
	my $file = $jailed ? '/callgrind' : "$dir/callgrind";
	my $found = $jailed ? "$root$file" : $file;
	push @command, '--sysroot', $root if defined $root;
	unlink $found;
	system("valgrind --tool=callgrind --vgdb=no --callgrind-out-file=$file @command >/dev/null 2>$dir/valgrind");
	my ($total) = slurp($found) =~ /^totals: (\d+)/m or die "@command: no callgrind: " . slurp("$dir/valgrind");
	unlink $found;
	return $total + 0;
}

# Puts a process into the tree, with the start that its stat file says (proc(5)).
sub process {
	my ($root, $pid, $start) = @_;
	spew("$root/proc/$pid/stat", "$pid (a ) b) S " . join(' ', (0) x 18, $start) . " 0 0\n");
}

# Waits until something is so, for ten seconds at most; whether it is.
sub wait_until {
	my ($is_so) = @_;
	for (1 .. 1000) {
		return 1 if $is_so->();
		select undef, undef, undef, 0.01;
	}
	return '';
}

# Runs the test anew where this folder is in memory: a disk with much to do makes a tree slow, or its answer late. Nobody
# else sees the mount.
sub in_memory {
	my ($dir) = @_;
	return if $ENV{VFIO_BOOT_IN_MEMORY};
	$ENV{VFIO_BOOT_IN_MEMORY} = 1;
	make_path($dir);
	exec 'unshare', ($> ? '--map-root-user' : ()), '--mount', 'sh', '-c', 'mount -t tmpfs tmpfs "$0" && exec "$@"', $dir, $^X, $0;
	die "no unshare: $!\n";
}

# Some tests run the program that is built with sanitizers. A report of theirs is no answer, and ends with 99. Leaks are none
# of a program that ends.
$ENV{ASAN_OPTIONS} = 'detect_leaks=0:exitcode=99';

# What vfio-boot says of a tree: standard output with the exit status below it, and standard error.
sub told {
	my ($root, @words) = @_;
	my $out = qx(@as_root build/asan/vfio-boot @words --sysroot $root 2>$root.err);
	my $status = $? & 127 ? "signal $?" : $? >> 8;
	return ($out . "-- exit $status\n", slurp("$root.err"));
}

# What is wrong with JSON texts of a verb, beside its schema in tests/schema; empty where nothing is.
sub beside_schema {
	my ($verb, @json) = @_;
	my $dir = "build/schema-$verb";
	remove_tree($dir);
	spew("$dir/$_.json", $json[$_]) for 0 .. $#json;
	my @files = map { ('-i', "$dir/$_.json") } 0 .. $#json;
	my $said = qx(/usr/bin/python3 -W ignore -m jsonschema @files tests/schema/$verb.json 2>&1);
	remove_tree($dir);
	return $? ? substr("exit $?: $said", 0, 2000) : '';
}

# The machine of the QEMU tests, in which a claim of the card 0000:03:00 can be made: no driver has it, nobody uses it,
# vfio-pci is there, and so is a modprobe that tells how it was called. Such a tree never shows a bound device.
sub q35 {
	my ($root, $settings) = @_;
	remove_tree($root);
	unpack_fixture($root, 'qemu-q35');
	make_path("$root/$_") for qw(dev sbin run sys/bus/pci/drivers/vfio-pci sys/class/vfio);
	copy('build/klibc/modprobe', "$root/sbin/modprobe") or die "no modprobe: $!\n";
	chmod 0755, "$root/sbin/modprobe";
	spew("$root/etc/vfio-boot.conf", $settings);
	spew("$root/dev/kmsg", '');
	spew("$root/sys/bus/pci/drivers_probe", '');
	unlink map { "$root/sys/bus/pci/devices/0000:03:00.$_/driver" } 0, 1;
	remove_tree("$root/sys/class/net");
}

# The directory of a device in a tree; its link there is relative.
sub dir_of {
	my ($root, $address) = @_;
	return "$root/sys/bus/pci/devices/" . readlink "$root/sys/bus/pci/devices/$address";
}

# Devices of a tree have this driver, or none if it is ''.
sub bind_to {
	my ($root, $driver, @addresses) = @_;
	for my $address (@addresses) {
		my $dir = dir_of($root, $address);
		my $up = '../' x (() = $dir =~ s{.*\.\./}{}r =~ m{/}g);
		unlink "$dir/driver";
		next if $driver eq '';
		make_path("$root/sys/bus/pci/drivers/$driver");
		symlink "../${up}bus/pci/drivers/$driver", "$dir/driver" or die "$dir/driver: $!\n";
	}
}

# Puts a network card into a tree, with this group and this driver, or none if it is ''.
sub add_device {
	my ($root, $address, $group, $driver) = @_;
	my $dir = "sys/devices/pci0000:00/$address";
	spew("$root/$dir/modalias", "pci:v00008086d000010D3sv00000000sd00000000bc02sc00i00\n");
	symlink "../../../devices/pci0000:00/$address", "$root/sys/bus/pci/devices/$address";
	symlink "../../../kernel/iommu_groups/$group", "$root/$dir/iommu_group";
	make_path("$root/sys/kernel/iommu_groups/$group/devices");
	symlink "../../../../devices/pci0000:00/$address", "$root/sys/kernel/iommu_groups/$group/devices/$address";
	return if $driver eq '';
	bind_to($root, $driver, $address);
	symlink "../../../../devices/pci0000:00/$address", "$root/sys/bus/pci/drivers/$driver/$address";
}

# Copies a program into a root of its own, with the libraries that it needs.
sub bring {
	my ($root, $from, $to) = @_;
	make_path("$root$to" =~ s{/[^/]*\z}{}r);
	copy($from, "$root$to") or die "$from: $!\n";
	chmod 0755, "$root$to";
	for (qx(ldd $from)) {
		my ($library) = m{(/\S+) \(0x} or next;
		bring($root, $library, $library) unless -e "$root$library";
	}
}

1;
