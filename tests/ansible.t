#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The Ansible role of doc/examples, run by a real Ansible on two trees in place of two hosts: check mode, a first run, a
# second one that changes nothing, and settings that the plan refuses.

use strict;
use warnings;
use Cwd qw(getcwd);
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use JSON::PP ();
use Test::More;
use Tree;

my $root = getcwd() . '/build/ansible';
my $playbook = 'doc/examples/ansible/playbook.yml';
remove_tree($root);
make_path("$root/status");
my %fixture = (gpus => 'twin-gpus', cards => 'qemu-q35');
for (sort keys %fixture) {
	unpack_fixture("$root/$_", $fixture{$_});
	make_path("$root/$_/etc");
}
spew("$root/rebuild", "#!/bin/sh\necho built >>\"$root/rebuilt\"\n");
chmod 0755, "$root/rebuild";
spew("$root/ansible.cfg", '');
%ENV = (%ENV, LC_ALL => 'C.UTF-8', ANSIBLE_CONFIG => "$root/ansible.cfg", ANSIBLE_LOCALHOST_WARNING => 'False', ANSIBLE_NOCOLOR => 1,
	map { $_ => "$root/tmp" } qw(ANSIBLE_HOME ANSIBLE_LOCAL_TEMP ANSIBLE_REMOTE_TEMP));

# Runs the play with these variables of each host. Hands its exit status, all that it says, and the figures of each host.
my %variables;
sub play {
	my (@options) = @_;
	my $common = { ansible_connection => 'local', ansible_python_interpreter => '/usr/bin/python3', vfio_boot_become => JSON::PP::false,
		vfio_boot_program => getcwd() . '/build/vfio-boot', vfio_boot_rebuild => "$root/rebuild", vfio_boot_status_folder => "$root/status" };
	my %hosts = map { $_ => { vfio_boot_sysroot => "$root/$_", %{ $variables{$_} } } } keys %variables;
	spew("$root/hosts.yml", JSON::PP->new->canonical->encode({ all => { vars => $common, hosts => \%hosts } }));
	my $said = qx(ansible-playbook -i $root/hosts.yml @options $playbook 2>&1);
	my $exit = $? >> 8;
	my %figures = map { /^(\w+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=0\s+failed=(\d+)/ ? ($1 => { changed => $3, failed => $4 }) : () } split /\n/, $said;
	return ($exit, $said, \%figures);
}

sub conf { return slurp("$root/$_[0]/etc/vfio-boot.conf") }
my $local = "$root/cards/etc/vfio-boot.conf.d/50-local.conf";
my $head = "# Written by Ansible (role vfio_boot): changes made here are lost. See vfio-boot.conf(5).\n";

%variables = (
	gpus => { vfio_boot_ids => [ '10de:2204', '10de:1aef' ], vfio_boot_settings => { group => 'whole', keep => JSON::PP::true } },
	cards => { vfio_boot_add => [ [ '--whole', '03:00.0' ], [ '04:00.0' ] ] },
);
my ($exit, $said, $figures) = play('--check', '--diff');
is($exit, 0, 'check mode: exit status 0') or diag $said;
is($figures->{gpus}{changed}, 1, 'check mode: something would change');
like($said, qr/^\+ids = 10de:2204\n\+ids = 10de:1aef\n\+group = whole\n\+keep = yes$/m, 'and what');
ok(!-e "$root/$_/etc/vfio-boot.conf" && !-e $local, "check mode: nothing is written on $_") for sort keys %fixture;
ok(!-e "$root/rebuilt", 'check mode: no image is built');

($exit, $said, $figures) = play();
is($exit, 0, 'the first run: exit status 0') or diag $said;
cmp_ok($figures->{$_}{changed}, '>', 0, "the first run changes $_") for sort keys %fixture;
is(conf('gpus'), "${head}ids = 10de:2204\nids = 10de:1aef\ngroup = whole\nkeep = yes\n", 'the settings are written');
is(conf('cards'), '', 'and where none are given none');
is(scalar(() = slurp($local) =~ /^ids = /mg), 3, 'what is to be added is added');
is(slurp("$root/rebuilt"), "built\n" x 2, 'the images of both are built, once');
is(scalar(() = $said =~ /HANDLER \[vfio_boot : Reboot\] \**\n(?:skipping: .*\n){2}/g), 1, 'and nothing is rebooted unless it may be');
for (sort keys %fixture) {
	my $status = JSON::PP->new->utf8->decode(slurp("$root/status/$_.json") || '{}');
	is($status->{format}, 1, "the status of $_ is kept on the controller");
}

($exit, $said, $figures) = play();
is($exit, 0, 'the second run: exit status 0') or diag $said;
is($figures->{$_}{changed}, 0, "the second run changes nothing on $_") for sort keys %fixture;
is(slurp("$root/rebuilt"), "built\n" x 2, 'and builds nothing');

# The function alone is no group; and of two hosts only the one with bad settings stops.
my $before = conf('gpus');
$variables{gpus} = { vfio_boot_ids => ['0b:00.0'] };
$variables{cards} = { vfio_boot_ids => ['10de:2204'], vfio_boot_accept_faults => JSON::PP::true };
($exit, $said, $figures) = play();
is($exit, 2, 'settings that the plan refuses: the play fails');
is($figures->{gpus}{failed}, 1, 'on that host');
like($said, qr/0b:00\.0 .*refused, group-incomplete: 0000:0b:00\.1 /, 'and says why');
is(conf('gpus'), $before, 'and nothing is written');
is($figures->{cards}{failed}, 0, 'the other one accepts faults');
is(conf('cards'), "${head}ids = 10de:2204\n", 'and gets its settings');

remove_tree($root) if Test::More->builder->is_passing;
done_testing();
