#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The commands of doc/many-hosts.md, on trees in place of hosts: `ssh HOST` asks the tree of that name, and where the page
# writes below / it writes into a tree. And that the units in doc/examples do what the page says.

use strict;
use warnings;
use Cwd qw(getcwd);
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use POSIX qw(strftime);
use Test::More;
use Tree;

my $top = getcwd();
my $root = "$top/build/many-hosts";
my $page = slurp('doc/many-hosts.md');
my %block = $page =~ /^<!-- run: (\w+) -->\n```sh\n(.*?)^```$/msg;
is(join(' ', sort keys %block), 'fleet nfd plan prometheus', 'the page has its commands');
is(scalar(() = $page =~ /^```sh$/mg), scalar keys %block, 'and no others');

remove_tree($root);
make_path($root);
for (['a', 'twin-gpus'], ['b', 'qemu-q35'], ['here', 'twin-gpus']) {
	unpack_fixture("$root/$_->[0]", $_->[1]);
	spew("$root/$_->[0]/etc/vfio-boot.conf", "# nothing\n");
}
spew("$root/hosts", "a\nb\n");
spew("$root/vfio-boot.conf", "ids = 0b:00\n");
spew("$root/bin/ssh", "#!/bin/sh\nif [ \"\$1\" = -n ]; then shift; exec </dev/null; fi\nexport HOST=\"\$1\"\nshift\nexec sh -c \"\$*\"\n");
spew("$root/bin/vfio-boot", "#!/bin/sh\nexec @as_root $top/build/vfio-boot \"\$@\" --sysroot \"$root/\${HOST:-here}\"\n");
chmod 0755, map { "$root/bin/$_" } 'ssh', 'vfio-boot';
symlink "$top/doc", "$root/doc" or die;
$ENV{PATH} = "$root/bin:$ENV{PATH}";

# Exit status, and all that is said.
sub run {
	my ($commands) = @_;
	spew("$root/commands", $commands =~ s{ /(?=var/|etc/)}{ $root/here/}gr);
	my $said = qx(cd $root && sh ./commands 2>&1);
	return ($? >> 8, $said);
}

my ($exit, $said) = run($block{plan});
is($exit, 0, 'plan: exit status 0');
like($said, qr/^== a\n.*^0000:0b:00\.1 .*: claim for vfio-pci\n== b\n/ms, 'plan: one host says what it would do');
like($said, qr/^0b:00: absent: .*\nb: not with these settings\n\z/m, 'and one has no such card');

make_path("$root/here/var/lib/prometheus/node-exporter");
($exit, $said) = run($block{prometheus});
is("$exit$said", '0', 'prometheus: done, and nothing said');
my @files = glob "$root/here/var/lib/prometheus/node-exporter/*";
is("@files", "$root/here/var/lib/prometheus/node-exporter/vfio-boot.prom", 'one file is there');
like(slurp($files[0]), qr/^vfio_boot_ok 1$/m, 'with the metrics');
my $service = slurp('doc/examples/vfio-boot-metrics.service');
my ($folder) = $service =~ /^WorkingDirectory=(.*)$/m;
my ($command) = $service =~ /^ExecStart=\/bin\/sh -c '([^'\$%\\]*)'$/m;
is("cd $folder && $command\n", $block{prometheus}, 'and the service does the same');
like(slurp('doc/examples/vfio-boot-metrics.timer'), qr/^OnUnitActiveSec=5min$/m, 'every five minutes');

# The program need not be installed here.
make_path("$root/units");
system("cp doc/examples/vfio-boot-metrics.* $root/units") == 0 or die;
$said = qx(SYSTEMD_UNIT_PATH=$root/units: systemd-analyze verify --man=no $root/units/vfio-boot-metrics.timer 2>&1);
is("$?$said", '0', 'systemd finds nothing in the units');

make_path("$root/here/etc/kubernetes/node-feature-discovery/features.d");
($exit, $said) = run($block{nfd});
is("$exit$said", '0', 'nfd: done, and nothing said');
like(slurp("$root/here/etc/kubernetes/node-feature-discovery/features.d/vfio-boot"),
	qr{\A# \+expiry-time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\nfeature\.node\.kubernetes\.io/vfio-boot\.ready=false\n\z}, 'the labels, and when they expire');
is(join(' ', glob "$root/here/etc/kubernetes/node-feature-discovery/*"), "$root/here/etc/kubernetes/node-feature-discovery/features.d", 'and nothing beside them');

($exit, $said) = run($block{fleet});
is($exit, 2, 'fleet, on the first day: there is no yesterday');
like($said, qr/^fleet: .*: No such file or directory$/m, 'which is said');
make_path("$root/status/" . strftime('%Y-%m-%d', localtime time - 86400));
($exit, $said) = run($block{fleet});
is($exit, 0, 'fleet: exit status 0') or diag $said;
like($said, qr/^2 hosts /m, 'with both hosts');

remove_tree($root) if Test::More->builder->is_passing;
done_testing();
