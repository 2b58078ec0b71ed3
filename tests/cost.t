#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the verbs of the host may cost: system calls on a machine with 4,096
# functions, how the instructions grow, and who opens the database of names. What
# is read once for two plans says the same as what is read for each. The figures
# are printed; `prove -v tests/cost.t` shows them. tests/bench/native has more of
# them.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Tree;
use JSON::PP ();
use Test::More;

my $host = 'build/vfio-boot';
my $dir = 'build/cost';

# The system calls of a command.
sub calls {
	my (@command) = @_;
	system("strace -f -c -o $dir/count @command >/dev/null 2>&1");
	my ($total) = slurp("$dir/count") =~ /^100\.00\s+\S+\s+(?:\d+\s+)?(\d+)\s+\d*\s*total$/m or die "no strace\n";
	return $total;
}

# How often a verb opens a database of names.
sub opened {
	my (@words) = @_;
	system("strace -f -e trace=openat,open -o $dir/trace $host @words >$dir/said 2>&1");
	my $trace = slurp("$dir/trace");
	die "no strace\n" if $trace !~ m{\.so};
	return scalar(() = $trace =~ /"[^"]*(?:pci\.ids|hwdb)[^"]*"/g);
}

remove_tree($dir);
make_path($dir);
my %root = map { $_ => big_machine("$dir/$_", $_) } 1024, 2048, 4096;

# --- system calls

my $start = calls($host, '--version');
my $each = sprintf '%.2f', (calls($host, 'list', '--sysroot', $root{4096}) - $start) / 4096;
cmp_ok($each, '<=', 13.4, "list: at most 13.4 calls a function ($each)");
for my $verb ('plan', 'status') {
	my $more = calls($host, $verb, '--sysroot', $root{4096}) - $start;
	cmp_ok($more, '<=', 150, "$verb: what nobody selects costs no call of its own ($more in all)");
}
$each = sprintf '%.2f', (calls($host, 'explain', '0000:01:00.0', '--sysroot', $root{4096}) - $start) / 4096;
cmp_ok($each, '<=', 14.5, "explain: the machine is read once ($each calls a function)");

# --- how it grows

my %cost = map { $_ => instructions($dir, $root{$_}, $host, 'list') } keys %root;
my $growth = sprintf '%.2f', ($cost{4096} - $cost{2048}) / ($cost{2048} - $cost{1024});
cmp_ok($growth, '<=', 2.3, "list: twice as many functions cost about twice as much ($growth times)");

# --- the database of names

spew("$dir/q35.conf", '');
unpack_fixture("$dir/q35", 'qemu-q35');
spew("$dir/q35/etc/vfio-boot.conf", "ids = 10de:2204\n");
for my $where ('', "--sysroot $dir/q35") {
	is(opened($_, $where), 0, "$_ $where opens no database of names") for 'plan', 'plan --json', 'status', 'status --json', 'doctor';
}
is(opened('list -o ADDRESS,DRIVER,GROUP'), 0, 'nor does a table without names');
is(opened('explain ffff:ff:1f.7'), 0, 'nor what finds no device');
cmp_ok(opened('list', "--sysroot $dir/q35"), '>', 0, 'list opens it, even where it is out of reach later');
like(slurp("$dir/said"), qr/Red Hat, Inc\./, 'and has the names');

# --- once for two plans

sub json {
	my ($root, @words) = @_;
	my $said = qx($host @words --json --sysroot $root 2>/dev/null);
	return eval { JSON::PP::decode_json($said) } // die "@words: no JSON\n";
}

# What becomes of each device at the next boot.
sub verdicts {
	my ($json) = @_;
	return { map { $_->{address} => join ' ', grep { defined } @$_{qw(verdict reason)} } grep { ($_->{verdict} // 'absent') ne 'absent' } @{ $json->{devices} } };
}

my %settings = (
	classes => "ids = class:01 class:02 class:03 class:04 class:06 class:0c\n",
	whole => "ids = class:03 class:02 boot-vga\ngroup = whole\n",
	ignore => "ids = class:01 class:02 class:03 class:0c !boot-vga\ngroup = ignore\n",
	paths => "ids = 0000:00:01.0/00.0 0000:00:1c.0/00.0 0000:00:01.1/00.0 01:00\nprotect = class:01\n",
);
for my $machine (map { m{([^/]+)/machine$} } glob 'tests/fixtures/*/machine') {
	my $root = "$dir/$machine";
	unpack_fixture($root, $machine);
	for my $name (sort keys %settings) {
		spew("$root/etc/vfio-boot.conf", $settings{$name});
		is_deeply(verdicts(json($root, 'list')), verdicts(json($root, 'plan', '--no-image')), "$machine, $name: list says of the next boot what plan says");
	}
}

remove_tree($dir);
done_testing;
