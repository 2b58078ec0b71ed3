#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# arm64: yes
# A card of two functions is claimed by its address; its twin, the same model in
# another group, stays with its driver.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 35;

my $boot = Guest->boot('by-address', conf => "ids = 0000:03:00.*\n");

is($boot->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', 'vfio-pci holds the card and nothing else');
my $group = $boot->group('0000:03:00.0');
$boot->usable($group, '0000:03:00.0', '0000:03:00.1');
$boot->untouched($_, 'e1000e') for '0000:03:00.0', '0000:03:00.1';

is($boot->driver('0000:09:00.0'), 'e1000e', 'the twin is left to its driver');
is($boot->pci('0000:09:00.0')->{override}, '(null)', 'and has no override');
like($boot->text('net'), qr/^0000:09:00\.0 \S/m, 'it is a network interface');
my %own = (
	'0000:00:1f.2' => 'ahci',     '0000:02:01.0' => 'e1000',
	'0000:02:02.0' => 'snd_hda_intel', '0000:04:00.0' => 'nvme',
	'0000:07:00.0' => 'bochs-drm', '0000:08:00.0' => 'xhci_hcd',
);
is($boot->driver($_), $own{$_}, "$_ is with $own{$_}") for sort keys %own;

like($boot->text('report'), qr/\Avfio-boot-report 1$/m, 'the report has its version first');
for my $address ('0000:03:00.0', '0000:03:00.1') {
	my $record = $boot->report($address);
	is("$record->{verdict} $record->{driver} $record->{group}", "claimed vfio-pci $group", "$address is reported as claimed");
	is($record->{selector}, '0000:03:00.*', 'by the selector that was written');
	my @log = $boot->log(qr/^vfio-boot: \Q$address\E\b.*claimed/);
	is(scalar @log, 1, 'the kernel log says so once');
	is($log[0][0], 6, 'as information');
}
is($boot->report('0000:09:00.0')->{verdict}, undef, 'the twin is not in the report');
my ($claim) = $boot->{console} =~ /\[ *([\d.]+)\] vfio-boot: 0000:03:00\.0/;
my ($driver) = $boot->{console} =~ /\[ *([\d.]+)\] e1000e: /;
cmp_ok($claim, '<', $driver, 'the claim was made before the driver was loaded');

like($boot->text('plan'), qr/^0000:03:00\.0 \[8086:10d3\] group $group: claim for vfio-pci$/m, 'the plan for the next boot is the same');
like($boot->text('plan'), qr/^exit 0$/m, 'with exit status 0');
is($boot->report('0000:03:00.1', 'again-report')->{verdict}, 'already', 'a second run says already');
like($boot->text('again'), qr/^exit 0$/m, 'with exit status 0');
is($boot->text('again-pci'), $boot->text('pci'), 'and changes nothing');
