#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# driver=auto takes the driver that modules.alias offers, by the module's name, and
# binds by the driver's own, which is another: module pci_stub, driver pci-stub. It
# stands here for a variant driver, of which there is none for an emulated device.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 15;

my $alias = 'alias vfio_pci:v00008086d000010D3sv*sd*bc*sc*i*';
my %module = (auto => 'pci_stub', 'auto-missing' => 'no_such_vfio_pci');
my %boot;
for my $name (sort keys %module) {
	$boot{$name} = Guest->boot($name, conf => "ids = 0000:03:00.* 0000:04:00.0\ndriver = auto\n", overlay => Guest::around_claim(
		"for file in /lib/modules/*/modules.alias; do echo '$alias $module{$name}' >>\$file; done\n"));
}
my $auto = $boot{auto};
is($auto->held_by('pci-stub'), '0000:03:00.0 0000:03:00.1', 'the card is with the driver of that module');
is($auto->pci($_)->{override}, 'pci-stub', "the override of $_ has the driver's name") for '0000:03:00.0', '0000:03:00.1';
is($auto->held_by('vfio-pci'), '0000:04:00.0', 'what no alias fits is with vfio-pci');
for ('0000:03:00.0', '0000:03:00.1') {
	my $record = $auto->report($_);
	is("$record->{verdict} $record->{driver}", 'claimed pci-stub', "$_ is reported as claimed for it");
}
my $missing = $boot{'auto-missing'};
is($missing->held_by('e1000e'), '0000:03:00.0 0000:03:00.1 0000:09:00.0', 'a module that is not there: the drivers have their devices');
is($missing->pci($_)->{override}, '(null)', "$_ has no override") for '0000:03:00.0', '0000:03:00.1';
is($missing->report('0000:03:00.0')->{reason}, 'no-driver', 'the report says why');
like($missing->report('0000:03:00.1')->{message}, qr/no_such_vfio_pci cannot be loaded/, 'and which module');
is($missing->report('0000:04:00.0')->{verdict}, 'claimed', 'what does not need it is claimed');
is($missing->driver('0000:04:00.0'), 'vfio-pci', 'in truth');
