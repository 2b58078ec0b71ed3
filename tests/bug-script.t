#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What reportbug adds to a report, by the program of reportbug that runs the package's script.

use strict;
use warnings;
use Cwd qw(getcwd);
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $dir = 'build/bug-script';
my $script = 'debian/vfio-boot.bug-script';
$ENV{PATH} = getcwd() . "/build:/usr/bin:/bin";
remove_tree($dir);
make_path($dir);

# What is in the report, and what somebody saw who typed this.
sub report {
	my ($typed, @command) = @_;
	unlink "$dir/report";
	spew("$dir/typed", $typed);
	system('sh', '-c', 'exec "$@" <"$0/typed" >"$0/seen" 2>"$0/errors"', $dir, @command);
	is($?, 0, 'the script ends well') or diag slurp("$dir/errors");
	return (slurp("$dir/report"), slurp("$dir/seen"));
}

my @handle = ('/usr/share/reportbug/handle_bugscript', "./$script", "$dir/report");
my $machine = qx(vfio-boot collect);
like($machine, qr/^f proc\/cmdline /m, 'there is a machine');

my ($yes, $seen) = report('y', @handle);
like($seen, qr/vfio-boot collect.*Add it to the report\? \[y\/N\] $/s, 'it is asked about the machine');
ok(index($yes, "\n\$ vfio-boot collect\n$machine") > 0, 'which is in the report after a yes');
for my $verb ('--version', 'status', 'doctor') {
	my $said = qx(vfio-boot $verb 2>&1 </dev/null);
	$said .= '(exit status ' . ($? >> 8) . ")\n" if $?;
	ok(index($yes, "\n\$ vfio-boot $verb\n$said") >= 0, "and so is vfio-boot $verb") or diag $yes;
}
my ($udev) = qx(dpkg-query -W udev);
like($yes, qr/^udev \Q${\ ($udev =~ s{.*\t|\n}{}gr)}\E$/m, 'and the version of what matters here');
lacks($yes, qr/no packages found|^dracut *$/m, 'but not of what is not there');

for ([ 'n', @handle ], [ "\n", @handle ], [ '', @handle ], [ '', 'sh', '-c', "exec ./$script 3>$dir/report" ]) {
	my ($typed, @command) = @$_;
	my ($no) = report($typed, @command);
	like($no, qr/^\$ vfio-boot doctor\n/m, 'a report');
	lacks($no, qr/vfio-boot collect|proc\/cmdline/, 'without the machine, after ' . ($typed =~ s/\n/Enter/r || 'nothing'));
}
is(slurp("$dir/seen") . slurp("$dir/errors"), '', 'and where nobody can be asked, nobody is');

remove_tree($dir) if Test::More->builder->is_passing;
done_testing();
