#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The install lines of README.md, run as they stand there in a Debian with systemd,
# and that Debian booted from its disk: the device is with vfio-pci.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use JSON::PP ();
use Test::More tests => 32;

my $readme = Guest::read_file("$Guest::top/README.md");
my ($lines) = $readme =~ /<!-- install -->\s*```\w*\n(.*?)^```/ms;
ok($lines, 'README.md has install lines');
like($lines, qr/$_/, "there is a line with $_") for 'apt', 'make install', 'vfio-boot\.conf', 'update-initramfs';

my $dir = "$Guest::top/build/qemu/install";
Guest::write_file("$dir.sh", $lines);
is(system("$Guest::here/install", "$dir.sh", "$dir-made"), 0, 'every line succeeds') or die "see $dir-made/log\n";
my $log = Guest::read_file("$dir-made/log");
unlike($log, qr/^W: vfio-boot/m, 'the hook has nothing to complain about');

my @words = ('systemd.mask=serial-getty@ttyS0.service');
system("rm -rf $dir-again && cp -a $dir-made $dir-again") == 0 or die "no copy\n";
my $boot = Guest->boot('install', words => "@words", disk => "$dir-made", machine => [ '-t', 300 ]);
is($boot->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', 'vfio-pci holds the card');
$boot->usable(7, '0000:03:00.0', '0000:03:00.1');
$boot->untouched('0000:03:00.0', 'e1000e');
is($boot->driver('0000:09:00.0'), 'e1000e', 'its twin is with its driver');
is($boot->report($_)->{verdict}, 'claimed', "$_ is reported as claimed") for '0000:03:00.0', '0000:03:00.1';
is($boot->text('host-plan'), $boot->text('plan'), 'both programs print the same plan');

# The service, and what it runs.
like($boot->text('service'), qr/^ +Active: active \(exited\)/m, 'the service is content');
is($boot->text('status'), <<'END' . 'exit 0', 'so is vfio-boot status');
0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci
0000:03:00.1 [8086:10d3] group 7: claimed for vfio-pci
END
my ($line) = $boot->lines('status-json');
my $json = JSON::PP->new->utf8->decode($line);
is(join(' ', map { "$_->{address} $_->{verdict} $_->{now}" } @{ $json->{devices} }),
	'0000:03:00.0 claimed vfio-pci 0000:03:00.1 claimed vfio-pci', 'and its JSON');
like($boot->text('drift'), qr/^0000:03:00\.1 .*: already with vfio-pci; drifted: it is with e1000e now$/m,
	'a device that somebody takes away has drifted');
like($boot->text('drift'), qr/^0000:03:00\.0 .*; drifted: 0000:03:00\.1 of its group is with e1000e, the group is not usable$/m,
	'and with it the whole group');
like($boot->text('drift'), qr/^exit 1$/m, 'which is exit status 1');
like($boot->text('drift'), qr/^ +Active: failed/m, 'and the service fails');

# One device more, of an incomplete group, and one that is not there.
my $again = Guest->boot('install-refused', words => "@words vfio.ids=+0000:02:01.0,10de:2204", disk => "$dir-again",
	machine => [ '-t', 300 ]);
is($again->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', 'what can be claimed is claimed');
my $service = $again->text('service');
like($service, qr/^ +Active: failed/m, 'the service has failed');
like($service, qr/0000:02:01\.0 \[8086:100e\] group 6: refused, group-incomplete: .*0000:02:02\.0 .*\(add it, or set group=whole\)/,
	'and its status alone says what is wrong, and what to do');
like($service, qr/10de:2204: absent: no such device/, 'with what is absent');
like($again->text('status'), qr/^exit 1$/m, 'as vfio-boot status');
