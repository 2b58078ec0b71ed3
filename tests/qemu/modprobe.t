#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# What modprobe.d can do to a claim: `options vfio-pci ids=` of a device that nobody
# selected, `blacklist vfio-pci`, an `install` line that refuses, no module at all;
# and a vfio-pci that was there before, with IDs, or built in.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 54;

my $conf = "ids = 0000:03:00.*\n";
my @all = ('0000:03:00.0', '0000:03:00.1', '0000:09:00.0');

my $options = Guest->boot('modprobe-options', conf => $conf,
	overlay => { 'etc/modprobe.d/old.conf' => "options vfio-pci ids=8086:10d3\nblacklist vfio-pci\nblacklist vfio_iommu_type1\n" });
is($options->held_by('vfio-pci'), "@all[ 0, 1 ]", 'blacklist and options: what was selected is claimed, and nothing else');
$options->usable(7, @all[ 0, 1 ]);
is($options->driver($all[2]), 'e1000e', 'what the options name is left to its driver');
is(scalar($options->log(qr/foreign/)), 0, 'nobody unasked');

my $before = Guest->boot('modprobe-before', conf => $conf, overlay => Guest::around_claim("modprobe vfio-pci ids=8086:10d3\n"));
is($before->held_by('vfio-pci'), "@all", 'loaded before with IDs: it holds all three');
is($before->report($_)->{verdict}, 'already', "$_ was with it already") for @all[ 0, 1 ];
my @foreign = $before->log(qr/^vfio-boot: \Q$all[2]\E: foreign: /);
is(scalar @foreign, 1, 'the one that nobody selected is called foreign');
is($foreign[0][0], 4, 'as a warning');

# As where it is built into the kernel: it is there before we are, and the image has no modprobe.
my $built_in = Guest->boot('modprobe-built-in', conf => $conf, overlay => Guest::around_claim(
	"modprobe vfio-pci\nmodprobe vfio_iommu_type1\nmv /sbin/modprobe /sbin/away\n", "mv /sbin/away /sbin/modprobe\n"));
is($built_in->held_by('vfio-pci'), "@all[ 0, 1 ]", 'there before, without a modprobe: what was selected is claimed');
is($built_in->report($_)->{verdict}, 'claimed', "$_ by this boot") for @all[ 0, 1 ];
$built_in->untouched($_, 'e1000e') for @all[ 0, 1 ];
$built_in->usable(7, @all[ 0, 1 ]);
is(scalar($built_in->log(qr/modprobe/)), 0, 'and nobody misses it');

my %without = (
	install => { 'etc/modprobe.d/no.conf' => "install vfio-pci /bin/false\n" },
	missing => Guest::around_claim("rm -f /lib/modules/*/kernel/drivers/vfio/pci/vfio-pci.ko*\n"),
);
for my $case (sort keys %without) {
	my $boot = Guest->boot("modprobe-$case", conf => $conf, overlay => $without{$case});
	is($boot->held_by('vfio-pci'), '', "$case: vfio-pci holds nothing");
	for (@all[ 0, 1 ]) {
		is($boot->driver($_), 'e1000e', "$_ is with its driver");
		is($boot->pci($_)->{override}, '(null)', 'without an override');
		is("$boot->{name} " . join(' ', @{ $boot->report($_) }{ 'verdict', 'reason' }),
			"modprobe-$case failed no-driver", 'and reported as failed');
		is(join(' ', map { $_->[0] } $boot->log(qr/^vfio-boot: \Q$_\E .*failed, no-driver/)), '3',
			'once in the kernel log, as an error');
	}
}
my $quiet = Guest->boot('modprobe-quiet', conf => "${conf}ids = 0000:02:01.0\nlog = quiet\n");
is($quiet->held_by('vfio-pci'), "@all[ 0, 1 ]", 'log=quiet: the claim is made');
is(scalar($quiet->log(qr/claimed/)), 0, 'without a word');
is(scalar($quiet->log(qr/^vfio-boot: 0000:02:01\.0 .*refused/)), 1, 'what was refused is said');
my $debug = Guest->boot('modprobe-debug', conf => "${conf}log = debug\n");
cmp_ok(scalar($debug->log(qr{^vfio-boot: vfio-pci to /sys/bus/pci/devices/0000:03:00\.\d/driver_override: ok$})), '==', 2,
	'log=debug: each write is said');
is(($debug->log(qr{drivers_probe: ok$}))[0][0], 7, 'at the level for that');
