#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What vfio-boot export tells of a whole host, for Prometheus and for Kubernetes' Node Feature Discovery (NFD), in good and
# in bad times; what Prometheus's own checker says to the metrics, and what the alerts of doc/examples make of them. NFD
# is in no Debian: its rules stand here.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use File::Spec;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP ();
use Test::More;
use Tree;

my $root = 'build/prometheus';
my $rules = 'doc/examples/prometheus-rules.yml';

# That of bookworm, whatever is tested.
my $guest = qx(VFIO_BOOT_SUITE=bookworm tests/qemu/guest promtool);
chomp $guest;
my $promtool = "$guest/root/usr/bin/promtool";
ok(-x $promtool, 'there is a promtool');

sub in_tree { spew("$root/$_[0]", $_[1]) }

# A host with these settings, devices (ADDRESS => [GROUP, DRIVER or '']) and rows of the report; none where there are none.
sub host {
	my ($settings, $device, @rows) = @_;
	remove_tree($root);
	make_path("$root/sys/bus/pci/devices", "$root/sys/bus/pci/drivers/vfio-pci");
	in_tree('proc/cmdline', "quiet\n");
	in_tree('proc/sys/kernel/osrelease', "6.1.0-9-amd64\n");
	in_tree('proc/sys/kernel/random/boot_id', "f3a1c6c2-6d5e-4f0b-9a39-6f9d0a5f4a11\n");
	in_tree('etc/vfio-boot.conf', $settings);
	add_device($root, $_, @{ $device->{$_} }) for sort keys %$device;
	in_tree('run/vfio-boot/report', join '', map { "$_\n" } 'vfio-boot-report 1', map { tr/|/\t/r } @rows) if @rows;
}

my $complaints = '';
sub export {
	(my $out, $complaints) = told($root, 'export', @_);
	return $out;
}

# The metrics without their exit status, after Prometheus has looked at them.
sub metrics {
	my ($name) = @_;
	my $out = export('prometheus');
	like($out, qr/^-- exit 0\n\z/m, "$name: exit status 0");
	$out =~ s/-- exit.*\n\z//;
	spew("$root.prom", $out);
	my $said = qx($promtool check metrics <$root.prom 2>&1);
	is("$?$said", '0', "$name: promtool finds nothing");
	my @series = map { /^(\S.*) \S+$/ } grep { !/^#/ } split /\n/, $out;
	my %once = map { $_ => 1 } @series;
	is(scalar @series, scalar keys %once, "$name: each series once");
	return $out;
}

sub has {
	my ($text, $name, @lines) = @_;
	for my $line (@lines) {
		ok(scalar(grep { $_ eq $line } split /\n/, $text), "$name: $line") or diag $text;
	}
}

# parseFeatureFile() of NFD (source/local): NAME=VALUE. Then names and values of labels, as validate.Label() has them.
sub nfd {
	my ($name) = @_;
	my $out = export('nfd');
	like($out, qr/^-- exit 0\n\z/m, "$name: exit status 0");
	$out =~ s/-- exit.*\n\z//;
	my $word = qr/[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?/;
	my @wrong = grep { !/^[a-z0-9.-]{1,253}\/$word=$word$/ } split /\n/, $out;
	is("@wrong", '', "$name: each line is a label that Kubernetes takes");
	return $out =~ s/^feature\.node\.kubernetes\.io\/vfio-boot\.//mgr;
}

my @row = map { "0000:0$_:00.0|8086:10d3|$_|claimed|-|vfio-pci|8086:10d3|-" } 3, 4;
my %good = ('0000:03:00.0' => [3, 'vfio-pci'], '0000:04:00.0' => [4, 'vfio-pci']);

# --- all is well -------------------------------------------------------------

host("ids = 8086:10d3\n", \%good, @row);
my $version = (qx(build/vfio-boot --version) =~ /(\S+)$/)[0];
my $fine = metrics('all is well');
is(join("\n", grep { !/^#/ } split /\n/, $fine) . "\n", <<"END", 'the metrics');
vfio_boot_info{version="$version",kernel="6.1.0-9-amd64",boot_id="f3a1c6c2-6d5e-4f0b-9a39-6f9d0a5f4a11"} 1
vfio_boot_ok 1
vfio_boot_exit_status 0
vfio_boot_report_present 1
vfio_boot_settings_errors 0
vfio_boot_devices{verdict="claimed"} 2
vfio_boot_devices{verdict="already"} 0
vfio_boot_devices{verdict="kept"} 0
vfio_boot_devices{verdict="excluded"} 0
vfio_boot_devices{verdict="given-back"} 0
vfio_boot_devices{verdict="refused"} 0
vfio_boot_devices{verdict="pending"} 0
vfio_boot_devices{verdict="failed"} 0
vfio_boot_claimed_groups 2
vfio_boot_drifted_devices 0
vfio_boot_device_info{address="0000:03:00.0",id="8086:10d3",group="3",driver="vfio-pci",verdict="claimed",reason="",selector="8086:10d3"} 1
vfio_boot_device_info{address="0000:04:00.0",id="8086:10d3",group="4",driver="vfio-pci",verdict="claimed",reason="",selector="8086:10d3"} 1
vfio_boot_device_fault{address="0000:03:00.0",id="8086:10d3"} 0
vfio_boot_device_fault{address="0000:04:00.0",id="8086:10d3"} 0
END
is(nfd('all is well'), "ready=true\n8086_10d3.count=2\n", 'the labels');

# --- a card is lost ----------------------------------------------------------

host("ids = 8086:10d3\n", { %good, '0000:04:00.0' => [4, 'e1000e'] }, @row);
my $drifted = metrics('another driver');
has($drifted, 'another driver', 'vfio_boot_ok 0', 'vfio_boot_drifted_devices 1', 'vfio_boot_device_fault{address="0000:04:00.0",id="8086:10d3"} 1',
	'vfio_boot_device_info{address="0000:04:00.0",id="8086:10d3",group="4",driver="e1000e",verdict="claimed",reason="",selector="8086:10d3"} 1');
is(nfd('another driver'), "ready=false\n8086_10d3.count=1\n", 'another driver: the labels');
host("ids = 8086:10d3\n", { '0000:03:00.0' => [3, 'vfio-pci'] }, @row);
has(metrics('gone since the boot'), 'gone', 'vfio_boot_device_fault{address="0000:04:00.0",id="8086:10d3"} 1');
is(nfd('gone since the boot'), "ready=false\n8086_10d3.count=1\n", 'gone: the labels');
host("ids = 8086:10d3\n", { '0000:03:00.0' => [3, 'vfio-pci'] }, $row[0]);
my $fewer = metrics('gone before the boot');
host("ids = 10de:2204 10de:1aef?\n", {}, '-|-|-|absent|-|-|10de:2204|no such device', '-|-|-|absent|-|-|10de:2204|no such device',
	'-|-|-|absent|-|-|10de:1aef|no such device (optional)|-|optional');
my $absent = metrics('absent');
has($absent, 'absent', 'vfio_boot_ok 0', 'vfio_boot_selector_absent{selector="10de:2204",optional="false"} 1',
	'vfio_boot_selector_absent{selector="10de:1aef",optional="true"} 1');
host("ids = 8086:10d3\n", { %good, '0000:04:00.0' => [4, 'e1000e'] }, $row[0], '0000:04:00.0|8086:10d3|4|refused|in-use|-|8086:10d3|why');
has(metrics('refused'), 'refused', 'vfio_boot_devices{verdict="refused"} 1', 'vfio_boot_device_fault{address="0000:04:00.0",id="8086:10d3"} 1',
	'vfio_boot_device_info{address="0000:04:00.0",id="8086:10d3",group="4",driver="e1000e",verdict="refused",reason="in-use",selector="8086:10d3"} 1');
is(nfd('refused'), "ready=false\n8086_10d3.count=1\n", 'refused: the labels');

# --- it is printed whatever is wrong -----------------------------------------

host("# nothing\n", {});
has(metrics('nothing selected'), 'nothing selected', 'vfio_boot_ok 1', 'vfio_boot_report_present 0');
is(nfd('nothing selected'), "ready=false\n", 'nothing selected: the labels');
host("ids = 8086:10d3\n", \%good);
has(metrics('no report'), 'no report', 'vfio_boot_ok 0', 'vfio_boot_report_present 0');
is($complaints, '', 'no report: and nothing is said');
host("ids = 8086:10d3\n", \%good, @row);
in_tree('run/vfio-boot/report', "vfio-boot-report 7\n");
has(metrics('a report of another version'), 'a report of another version', 'vfio_boot_exit_status 3');
like($complaints, qr{^vfio-boot: /run/vfio-boot/report:1: }, 'and it is said');
host("ids = x y\n", \%good, @row);
has(metrics('wrong settings'), 'wrong settings', 'vfio_boot_exit_status 2', 'vfio_boot_settings_errors 2');
host("ids = 8086:10d3\n", \%good, map { s/8086:10d3\|-\z/a"b\\c\x01|-/r } @row);
has(metrics('a selector that needs escapes'), 'escaped',
	'vfio_boot_device_info{address="0000:03:00.0",id="8086:10d3",group="3",driver="vfio-pci",verdict="claimed",reason="",selector="a\\"b\\\\c?"} 1');

for my $format ('prometheus', 'nfd') {
	for my $words ("$format 03:00.0", "$format --iommufd", "$format --bus 3") {
		is(export(split / /, $words), "-- exit 2\n", "$words: wrong use");
		like($complaints, qr/^vfio-boot: export: $format tells of the whole host: it takes no DEVICE and no option$/, "$words: with a word");
	}
	system("@as_root build/vfio-boot export $format --sysroot $root >/dev/full 2>$root.err");
	is($? >> 8, 3, "$format on a full disk: exit status 3");
}

# --- the alerts --------------------------------------------------------------

my $said = qx($promtool check rules $rules 2>&1);
is($?, 0, 'promtool takes the rules') or diag $said;

# Two hosts, one metric file after the other, six hours each: "a" stays as it is, "b" goes from one to the next.
sub series {
	my (@texts) = @_;
	my %value;
	for my $host ('a', 'b') {
		for my $i (0 .. $#texts) {
			my $text = $host eq 'a' ? $texts[0] : $texts[$i];
			for (grep { !/^#/ } split /\n/, $text) {
				my ($name, $labels, $value) = /^(\w+)(?:\{(.*)\})? (\S+)$/ or die "$_\n";
				$value{ "$name\{" . join(',', $labels // (), qq(instance="$host")) . '}' }[$i] = $value;
			}
		}
	}
	return [ map { my $name = $_; { series => $name, values => join ' ', map { defined $value{$name}[$_] ? "$value{$name}[$_]x35" : '_x35' } 0 .. $#texts } } sort keys %value ];
}

# Which alerts fire in the end, as a unit test of promtool has them: it compares, and names what it finds otherwise.
sub alerts {
	my ($name, $texts, @expected) = @_;
	my %by_alert = map { $_ => [] } (map { /alert: (\w+)/ } grep { /alert:/ } split /\n/, slurp($rules));
	push @{ $by_alert{ $_->[0] } }, { exp_labels => $_->[1], exp_annotations => $_->[2] } for @expected;
	my $test = { rule_files => [ File::Spec->rel2abs($rules) ], evaluation_interval => '10m', tests => [ {
		interval => '10m', input_series => series(@$texts),
		alert_rule_test => [ map { { eval_time => '30h', alertname => $_, exp_alerts => $by_alert{$_} } } sort keys %by_alert ],
	} ] };
	# JSON is YAML.
	spew("$root.test.yml", JSON::PP->new->canonical->encode($test));
	my $said = qx($promtool test rules $root.test.yml 2>&1);
	is($?, 0, "$name: the alerts are as they should be") or diag $said;
}

my @not_ok = ('VfioBootNotOk', { instance => 'b', severity => 'warning' }, { summary => 'b: vfio-boot status finds a fault' });
alerts('all is well', [ ($fine) x 6 ]);
alerts('another driver', [ ($fine) x 4, ($drifted) x 2 ], \@not_ok, [ 'VfioBootDeviceFault',
	{ instance => 'b', severity => 'critical', address => '0000:04:00.0', id => '8086:10d3', group => '4', driver => 'e1000e', verdict => 'claimed', selector => '8086:10d3' },
	{ summary => 'b: 0000:04:00.0 [8086:10d3] is no longer for guests',
	  description => 'The boot said claimed; now e1000e has it. On the host: vfio-boot status.' } ]);
alerts('one of two is gone', [ ($fine) x 4, ($fewer) x 2 ], [ 'VfioBootFewerDevices', { instance => 'b', id => '8086:10d3', severity => 'critical' },
	{ summary => 'b: it has lost devices [8086:10d3] within a day: 1' } ]);
alerts('all are gone', [ ($fine) x 4, ($absent) x 2 ], \@not_ok,
	[ 'VfioBootFewerDevices', { instance => 'b', id => '8086:10d3', severity => 'critical' }, { summary => 'b: it has lost devices [8086:10d3] within a day: 2' } ],
	[ 'VfioBootCardAbsent', { instance => 'b', severity => 'critical', selector => '10de:2204', optional => 'false' },
	{ summary => 'b: the settings select 10de:2204, and no such device is there' } ]);

remove_tree($root) if Test::More->builder->is_passing;
unlink map { "$root$_" } '.prom', '.err', '.test.yml';
done_testing();
