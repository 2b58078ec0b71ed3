#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# conf/boot-entries: what it makes of entries that somebody wrote, in a folder. tests/qemu/boot-entries.t has those of
# kernel-install, and the ESPs of proxmox-boot-tool.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $work = 'build/boot-entries';
my $folder = "$work/loader/entries";
remove_tree($work);
make_path($folder);
# Its state is below the tree.
my $script = slurp('conf/boot-entries') =~ s{^state=.*}{state=$work/state}mr =~ s{^uuids=.*}{uuids=$work/uuids}mr;
spew("$work/boot-entries", $script);

my $said;
my @shell = ('sh');
sub entries {
	my (@words) = @_;
	$said = qx(@shell $work/boot-entries @words 2>&1);
	return $? >> 8;
}
sub names { return join ' ', map { s{.*/}{}r } sort glob "$folder/*" }
sub ours { return slurp("$folder/0-vfio-boot-off-debian-$_[0].conf") }

# Makes the entries of a menu, and ours of them.
sub menu {
	my (%text) = @_;
	remove_tree($folder);
	make_path($folder);
	spew("$folder/$_", $text{$_}) for keys %text;
	return entries('sync', $folder, 'debian');
}
my $plain = "title Debian\nversion 6.1\nlinux /vmlinuz\noptions root=/dev/sda1 -- x\n";
my $head = "# vfio-boot has made this of debian-6.1.conf\n";

for (['sh'], ['bash', '--posix']) {
	@shell = @$_;
	is(menu('debian-6.1.conf' => $plain), 0, "@shell: it ends with 0");
	is(ours('6.1'), "${head}title Debian, without passthrough\nversion 6.1\nlinux /vmlinuz\noptions vfio.ids=off root=/dev/sda1 -- x\n", 'and makes the entry');
}
@shell = ('sh');
my $inode = (stat "$folder/0-vfio-boot-off-debian-6.1.conf")[1];
is(entries('sync', $folder, 'debian'), 0, 'again');
is((stat "$folder/0-vfio-boot-off-debian-6.1.conf")[1], $inode, 'does not write what is there');
is(names(), '0-vfio-boot-off-debian-6.1.conf debian-6.1.conf', 'changes nothing');

# What stands in it.
for ([ 'no title', "version 6.1\nlinux /x\noptions a\n", "version 6.1\nlinux /x\noptions vfio.ids=off a\ntitle Linux, without passthrough\n" ],
	[ 'no options', "title x\nversion 6.1\nlinux /x\n", "title x, without passthrough\nversion 6.1\nlinux /x\noptions vfio.ids=off\n" ],
	[ 'two lines of options', "title x\nversion 6.1\nlinux /x\noptions a\noptions b\n", "title x, without passthrough\nversion 6.1\nlinux /x\noptions vfio.ids=off a\noptions b\n" ],
	[ 'no line feed at the end', "title x\nversion 6.1\noptions a\nlinux /x", "title x, without passthrough\nversion 6.1\noptions vfio.ids=off a\nlinux /x\n" ],
	[ 'a sort key of two words', "title x\nsort-key a b\nversion 6.1\noptions a\nlinux /x\n", "title x, without passthrough\nsort-key   zz-vfio-boot\nversion 6.1\noptions vfio.ids=off a\nlinux /x\n" ],
	[ 'comments, tabs', "# x\ntitle\tx \nversion\t6.1\noptions\ta\nlinux\t/x\n", "title\tx, without passthrough\nversion\t6.1\noptions\tvfio.ids=off a\nlinux\t/x\n" ],
	[ 'carriage returns', "title x\r\nversion 6.1\r\noptions a\r\nlinux /x\r\n", "title x, without passthrough\nversion 6.1\r\noptions vfio.ids=off a\r\nlinux /x\r\n" ])
{
	my ($what, $text, $expected) = @$_;
	menu('debian-6.1.conf' => $text);
	is(ours('6.1'), $head . $expected, $what);
}

# Which of them are meant.
is(menu('debian-6.1.conf' => $plain =~ s/^linux/efi/mr), 0, 'an entry that boots no Linux');
is(names(), 'debian-6.1.conf', 'has none of ours');
menu('debian-6.1+3.conf' => $plain, 'debian-6.12+deb13.conf' => $plain =~ s/6\.1/6.12+deb13/r, 'debian-testing-6.1.conf' => $plain, 'arch-6.1.conf' => $plain,
	'debian-.conf' => $plain =~ s/6\.1//r, 'debian-*.conf' => $plain, '0-vfio-boot-off-debian-5.10.conf' => $plain =~ s/6\.1/5.10/r,
	'0-vfio-boot-off-debian-testing-6.1.conf' => $plain, '0-vfio-boot-off-arch-6.1.conf' => $plain);
is(join(' ', grep { /vfio/ } split / /, names()), join(' ', map { "0-vfio-boot-off-$_.conf" } 'arch-6.1', 'debian-6.1', 'debian-6.12+deb13', 'debian-testing-6.1'),
	'those of kernels that are gone go, and those of other systems stay');
menu('debian-a b.conf' => $plain =~ s/6\.1/a b/r);
is(names(), '0-vfio-boot-off-debian-a b.conf debian-a b.conf', 'a name with a blank');

# Faults: what is there stays.
menu('debian-6.1.conf' => $plain);
my $before = ours('6.1');
@shell = ("PATH=$work/bin", '/bin/sh');
make_path("$work/bin");
for my $program (qw(sed tr head grep mkdir cat cmp mv rm)) {
	symlink((grep { -x } map { "$_/$program" } '/usr/bin', '/bin')[0], "$work/bin/$program") or die "$program: $!\n";
}
spew("$folder/debian-6.1.conf", $plain . "# changed\n");
entries('sync', $folder, 'debian');
like($said, qr{^W: vfio-boot: cannot read \Q$folder\E/debian-6\.1\.conf: its entry without passthrough is left as it is$}m, 'an entry that cannot be read is a warning');
is(ours('6.1'), $before, 'and ours stays as it was');
@shell = ('sh');
make_path("$folder/0-vfio-boot-off-debian-6.1.conf.new");
spew("$folder/debian-6.1.conf", $plain =~ s/Debian/Other/r);
is(entries('sync', $folder, 'debian'), 0, 'one that cannot be written fails nothing');
like($said, qr{^W: vfio-boot: cannot write .*: the boot menu has no entry without passthrough for that kernel$}m, 'but is a warning');
remove_tree("$folder/0-vfio-boot-off-debian-6.1.conf.new");

# A removal finds the folders again, and takes only what it has made there.
menu('debian-6.1.conf' => $plain, '0-vfio-boot-off-arch-6.1.conf' => $plain);
is(slurp("$work/state/boot-entries"), "$folder\tdebian\n", 'a folder is written down once');
entries('remove');
is(names(), '0-vfio-boot-off-arch-6.1.conf debian-6.1.conf', 'remove');
ok(!-e "$work/state/boot-entries", 'and forgotten');
is(entries('remove'), 0, 'where there is nothing to remove');
is(entries('sync', $folder), 2, 'wrong use');
like($said, qr/^usage: /, 'is told');
remove_tree($work);
done_testing();
