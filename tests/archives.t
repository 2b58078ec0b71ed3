#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Images as nobody makes them, and as few do: archives of cpio one behind the other, in every compression, damaged at any
# place, with hard links, names that are none and more than fits into memory. The kernel's
# Documentation/driver-api/early-userspace/buffer-format.rst says what an image is; doctor says what is in it.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Image;
use Test::More;
use Tree;

my $root = 'build/archives';
my $image = "$root/boot/initrd.img-6.1";
my $claim = 'usr/lib/vfio-boot/vfio-boot-claim';
my $ids = "ids = 8086:10d3\n";

q35($root, $ids);
needs_no_module($root, '6.1');
spew("$root/proc/sys/kernel/osrelease", "6.1\n");
spew("$root/$claim", 'program');
spew("$root/usr/share/initramfs-tools/hooks/vfio-boot", '');
unlink "$root/var/lib/vfio-boot/protect";
make_path("$root/boot");

my $order = entry('scripts/init-top/ORDER', "/scripts/init-top/00-vfio-boot\n/scripts/init-top/udev\n");
my $settings = entry('etc/vfio-boot.conf', $ids);
my @good = (entry('init', "#!/bin/sh\n"), entry($claim, 'program'), $order, $settings);
my $early = padded(archive(entry('kernel/x86/microcode/GenuineIntel.bin', "\1" x 5000)));
my $later = archive(entry('etc/vfio-boot.conf', "ids = 1:1\n"));

my %tool = (none => 'cat', gzip => 'gzip -n', zstd => 'zstd -q', xz => 'xz --check=crc32', lzma => 'lzma', lz4 => 'lz4 -q -l',
	'lz4, frames' => 'lz4 -q', bzip2 => 'bzip2');
sub compressed {
	my ($how, $text) = @_;
	spew("$root.raw", $text);
	return scalar qx($tool{$how} <$root.raw);
}

# What doctor says of an image, in a word.
sub seen {
	spew($image, join '', @_);
	my $text = qx(timeout 60 @as_root build/vfio-boot doctor --sysroot $root 2>&1);
	my $status = $?;
	my ($found) = $text =~ /^(?:ok|--|!!)  image +\S+ ?(.*\n(?: {15}.*\n)*)/m;
	return "exit $status: $text" if $status & 127 || !defined $found;
	return $found =~ /^has the program/ ? 'good' : $found =~ s/\n.*//sr;
}
my $damaged = 'it is damaged, or no initramfs';
my $older = 'has older settings: /etc/vfio-boot.conf differs';

# --- compressions, and several archives ---

my $main = padded(archive(@good));
# A program in the right place and more data than any buffer has.
my $noise = entry('usr/lib/noise', join '', map { pack 'N', ($_ * 2654435761) % 4294967296 } 1 .. 100000);
for my $how (sort keys %tool) {
	my $one = compressed($how, padded(archive($noise, @good)));
	is(seen($one), 'good', "$how: an image");
	is(seen($early, $one), 'good', "$how: behind microcode");
	is(seen($early, "\0" x 4096, $early, $one, "\0" x 700), 'good', "$how: behind two of them, with zeros between and behind");
	is(seen($early, padded($one, 4), $later), $older, "$how: an archive behind it counts");
	is(seen(padded($one, 512), $later), $older, "$how: with zeros between");
	is(seen(padded($one, 4), compressed('gzip', $later)), $older, "$how: one of gzip behind it counts") if $how !~ /^lz4/;
	is(seen(padded($one, 4), compressed($how, $later)), $older, "$how: one like it behind it counts") if $how !~ /^lz4/;
	is(seen(padded($one, 4), "\xff" x 5000), 'good', "$how: what is no archive behind it is not taken for damage");
	is(seen(substr($one, 0, -length($one) / 3)), $damaged, "$how: cut");
	is(seen($early, substr($one, 0, 300)), $damaged, "$how: cut at its beginning");
	is(seen(compressed($how, archive($noise) . padded(archive(@good)) . $later)), $older, "$how: three archives in one");
	is(seen(compressed($how, 'no archive at all')), $damaged, "$how: no archive in it");
}
is(seen(padded(compressed('gzip', $main), 4) . "\0\0", $later), 'good', 'the kernel takes an archive at a multiple of four bytes only');
is(seen("\x89LZO\0\r\n\x1a\n", 'x' x 5000), 'was not looked into: it is compressed with lzop', 'lzop');
is(seen($early, "\x89LZO\0\r\n\x1a\n", 'x' x 5000), 'was not looked into: it is compressed with lzop', 'lzop behind microcode');

# --- damage ---

is(seen(''), $damaged, 'an empty image');
is(seen("\0" x 5000), $damaged, 'zeros');
is(seen('x' x 5000), $damaged, 'no image');
is(seen($early), $damaged, 'microcode alone');
is(seen(archive(@good[ 1 .. 3 ])), $damaged, 'no /init');
is(seen(join '', @good), $damaged, 'no end');
is(seen($early, join '', @good), $damaged, 'no end, behind microcode');
my $whole = archive(@good);
my @cut = grep { seen(substr $whole, 0, $_) ne $damaged } map { 7 * $_ } 0 .. (length($whole) - 1) / 7;
is("@cut", '', 'cut at any place');
my $small = compressed('zstd', $whole);
srand 1;
my @odd;
for my $round (1 .. 150) {
	my $text = $round % 2 ? $whole : $small;
	substr($text, rand length $text, 1) = chr rand 256 for 1 .. 3;
	my $seen = seen($text);
	push @odd, $seen if $seen =~ /^exit/;
}
is("@odd", '', 'other bytes at any place: an answer');
is(seen(archive(entry('a', 'x', size => 0xffffffff), @good)), $damaged, 'an entry of 4 GiB');
is(seen(archive(entry('a', '', name_size => 0), @good, entry("etc/vfio-boot.conf\0" . 'a' x 5000, 'x'))), 'good', 'names that are too short and too long are left out');
is(seen(archive(@good), entry('a', '', name_size => 0)), $damaged, 'and begin an archive');
is(seen(archive(entry('a', '', name_size => 0x7fffffff), @good)), $damaged, 'a name of 2 GiB');
is(seen(archive(entry('a', '', magic => '070707'), @good)), $damaged, 'another format of cpio');
is(seen(archive(entry('a', '', magic => '070702'), @good)), 'good', 'newc with checksums');

# --- names, sizes and links ---

is(seen(archive(map { entry(@$_) } [ './init', 'x' ], [ "./$claim", 'program' ], [ '/scripts/init-top/ORDER', "/init-top/00-vfio-boot\n" ],
	[ './etc/vfio-boot.conf', $ids ])), 'good', 'names that begin with ./ or /');
is(seen(archive(entry('a/' . 'n' x 4000, ''), entry("\e[31m%s \xff", 'x'), entry(join('/', ('d') x 300), ''), @good)), 'good', 'names that are none');
# As dracut-cpio aligns what follows: zeros in the name.
is(seen(archive(entry("init\0\0\0\0\0\0\0\0", 'x'), @good[ 1 .. 3 ])), 'good', 'zeros behind a name');
is(seen(archive(@good, entry('etc/vfio-boot.conf', '#' x 300000))), $older, 'settings that are larger than any');
is(seen(archive(entry($claim, 'x' x 300000), $order, $settings, $good[0])), 'vfio-boot-claim in it differs from the installed one', 'a program that is larger');
is(seen(archive(@good, entry($claim, 'program', mode => 0100644))), 'vfio-boot-claim in it cannot be executed', 'the last entry of a name counts');
is(seen(archive(@good, entry($claim, '', mode => 040755))), 'good', 'a folder of its name is none');
is(seen(archive(entry('etc/vfio-boot.conf', '', mode => 040755), @good[ 0 .. 2 ])), 'has older settings: /etc/vfio-boot.conf is not in it', 'nor of that of the settings');
is(seen(archive(entry('etc/vfio-boot.conf', '../x', mode => 0120777), @good[ 0 .. 2 ])), $older, 'a link where the host has a file');

my @link = (inode => 77, links => 2);
my ($conf, $other) = ('etc/vfio-boot.conf', 'etc/other');
is(seen(archive(@good[ 0 .. 2 ], entry($conf, '', @link), entry($other, $ids, @link))), 'good', 'hard links: the content comes with the last name');
is(seen(archive(@good[ 0 .. 2 ], entry($other, '', @link), entry($conf, $ids, @link))), 'good', 'which is ours');
is(seen(archive(@good[ 0 .. 2 ], entry($conf, '', @link), entry('x', $ids, inode => 78, links => 2), entry($other, "#\n", @link))), $older,
	'other hard links between them');
is(seen(archive(@good[ 0 .. 2 ], entry($conf, '', @link)), archive(entry('x', $ids, @link))), $older, 'the same number in the next archive is another file');
is(seen(archive((map { entry("etc/vfio-boot.conf.d/$_.txt", '', inode => 1000 + $_, links => 2) } 1 .. 300), @good)), 'good', 'more hard links than are kept');

# --- how much it takes ---

{
	# A file of 300 MB, which is nearly nothing when it is compressed.
	open my $to, '|-', "zstd -q >$image" or die "zstd: $!\n";
	binmode $to;
	my $large = entry('large', '', size => 300 << 20);
	print $to $large, map({ "\0" x (1 << 20) } 1 .. 300), archive(@good);
	close $to or die "zstd: $?\n";
	my $text = qx(@as_root sh -c 'ulimit -v 150000; exec build/vfio-boot doctor --sysroot $root' 2>&1);
	like($text, qr/^ok  image /m, 'a file of 300 MB takes no memory');
}

remove_tree($root, "$root.raw") if Test::More->builder->is_passing;
done_testing();
