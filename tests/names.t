#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What devices are called where the database of libpci is missing, broken, or no UTF-8. vfio-boot runs in a root of its
# own, with the libraries that it needs.

use strict;
use warnings;
use File::Path 'remove_tree';
use FindBin;
use lib $FindBin::Bin;
use JSON::PP ();
use Test::More;
use Tree;

my $root = 'build/names';
remove_tree($root);
unpack_fixture($root, 'qemu-q35');
bring($root, 'build/vfio-boot', '/usr/sbin/vfio-boot');
spew("$root/etc/vfio-boot.conf", '');

# CLASS: NAME of 03:00.0, as text and as JSON.
sub called {
	my ($database) = @_;
	spew("$root/usr/share/misc/pci.ids", $database) if defined $database;
	my $list = "@as_root chroot $root /usr/sbin/vfio-boot list -D 0000:03:00.0";
	my ($text) = qx($list) =~ /0000:03:00\.0  e1000e +(.*) \[8086:10d3\]/;
	my ($device) = @{ (eval { JSON::PP->new->utf8->decode(scalar qx($list --json)) } || {})->{devices} || [] };
	my $json = $device ? "$device->{class_name}: $device->{name}" : 'no JSON';
	utf8::encode($json);
	return ($text, $json);
}

sub is_called {
	my ($name, $expected, $database) = @_;
	my ($text, $json) = called($database);
	is($text, $expected, "$name: as text");
	is($json, $expected, "$name: as JSON");
}

my $intel = "8086  Intel\n\t10d3  82574L\n";
is_called('no database', 'Class 0200: Device 8086:10d3');
is_called('a database', 'Network: Intel 82574L', "${intel}C 02  Net\n\t00  Network\n");
is_called('a line that is none', 'Class 0200: Intel 82574L', "${intel}what is this\nC 02  Net\n\t00  Network\n");
is_called('an empty database', 'Class 0200: Device 8086:10d3', '');
is_called('UTF-8', "N\xc3\xa9t: Intel \xe2\x82\xac\xf0\x9f\x90\x9f", "8086  Intel\n\t10d3  \xe2\x82\xac\xf0\x9f\x90\x9f\nC 02  Net\n\t00  N\xc3\xa9t\n");
is_called('Latin 1', 'N?t: Intel 8?', "8086  Intel\n\t10d3  8\xe9\nC 02  Net\n\t00  N\xe9t\n");
is_called('what UTF-8 forbids', 'a??b: ???? ???', "8086  \xed\xa0\x80?\n\t10d3  \xe0\x80\xaf\nC 02  Net\n\t00  a\xc0\xafb\n");
is_called('control characters', 'a?[2J: ??x ?', "8086  \xc2\x9bx\n\t10d3  \x7f\nC 02  Net\n\t00  a\e[2J\n");

remove_tree($root) if Test::More->builder->is_passing;
done_testing();
