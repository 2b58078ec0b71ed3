#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The manual pages: clean, complete in both directions (what the programs have is in them,
# what is in them the programs have), their examples run, and installed where they belong.
#
# The programs themselves tell what they have: in their help, in their answers, in the schemas
# of their JSON. No answer lists the settings and the messages: every word in the binary is
# tried as a setting, and the messages are looked up there. This test reads no source file.
#
# In them a command line stands in a line `.Dl # COMMAND` or, where a plain user may run it,
# `.Dl $ COMMAND`. It has to succeed, unless the text above it says "exit status is N". A
# settings example is a block `.Bd -literal` with lines NAME = VALUE, and plans cleanly.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use JSON::PP ();
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $root = 'build/man';
remove_tree($root);
my @pages = qw(vfio-boot.8 vfio-boot-claim.8 vfio-boot.conf.5);
my %page = map { $_ => slurp("man/$_") } @pages;

sub section {
	my ($page, $name) = @_;
	my ($text) = $page{$page} =~ /^\.Sh \Q$name\E\n(.*?)(?=^\.Sh |\z)/ms;
	ok($text, "$page has a section $name");
	return $text // '';
}

# The words of a list of the page, and of the program, are the same.
sub same {
	my ($got, $expected, $name) = @_;
	is(join(' ', sort @$got), join(' ', sort @$expected), $name);
}


# The words of an enum in the schema of plan, in their order.
sub enum {
	my ($name) = @_;
	my $schema = JSON::PP->new->decode(slurp('tests/schema/plan.json'));
	return grep { defined } @{ $schema->{properties}{devices}{items}{properties}{$name}{enum} };
}

# --- clean -------------------------------------------------------------------

for (@pages) {
	is(qx(mandoc -T lint -W warning man/$_ 2>&1) . $?, '0', "$_: nothing for mandoc to complain about");
	lacks($page{$_}, qr/[^\n\x20-\x7e]/, "$_: ASCII");
}

# --- verbs and options -------------------------------------------------------

# The rows of the options in a help: [NAMES, ARGUMENT]
sub rows {
	my ($help) = @_;
	my @rows;
	while ($help =~ /^  (?:(-\w), |    )(--[\w-]+)(?: ([A-Z]+)\b)?/mg) {
		push @rows, [ [ grep { defined } $1, $2 ], $3 // '' ];
	}
	return @rows;
}

# The options that a piece of mdoc has, each as in a command line.
sub options_in {
	my ($text) = @_;
	my @options;
	while ($text =~ /Fl (?:Fl ([\w-]+)|(\w)(?!\w))(?: Ar ([A-Z]+))?/g) {
		push @options, (defined $1 ? "--$1" : "-$2") . (defined $3 ? " $3" : '');
	}
	return @options;
}

my $help = qx(build/vfio-boot --help);
my @verbs = $help =~ /^  ([a-z]+) /mg;
cmp_ok(scalar @verbs, '>=', 5, 'the help has verbs');

# The lines of a help that a terminal of 80 columns would break.
sub too_long {
	my ($help) = @_;
	return join "\n", grep { length > 80 } split /\n/, $help;
}
is(too_long($help), '', 'the help fits 80 columns');

my %synopsis;
for (split /^\.Nm\n/m, section('vfio-boot.8', 'SYNOPSIS')) {
	$synopsis{$1} = $_ if /\A\.Cm ([a-z]+)\n/;
}
my $verbs_text = section('vfio-boot.8', 'VERBS');
my @items = $verbs_text =~ /^\.It Cm ([a-z]+)$/mg;
@items = grep { my $item = $_; grep { $_ eq $item } keys %synopsis } @items;
same(\@items, [ keys %synopsis ], 'every verb of the synopsis is explained, once');
same([ keys %synopsis ], \@verbs, 'the verbs are those of the program');

my %taken = ('--help' => 1, '--version' => 1);
for my $verb (@verbs) {
	my $text = $synopsis{$verb} // '';
	my $own = qx(build/vfio-boot $verb --help);
	is(too_long($own), '', "$verb: its help fits 80 columns");
	my (@expected, @got);
	my %name;
	for (rows($own)) {
		my ($names, $argument) = @$_;
		$taken{$_} = 1 for @$names;
		next if $names->[0] eq '--sysroot'; # of all verbs, in a line of its own
		push @expected, $names->[0] . ($argument && " $argument");
		$name{$_} = $names->[0] for @$names;
	}
	for (options_in($text)) {
		my ($name, $argument) = split / /;
		push @got, ($name{$name} // $name) . ($argument ? " $argument" : '');
	}
	same(\@got, \@expected, "$verb: its options");
	my ($words) = $own =~ /^usage: vfio-boot \w+ \[OPTION\.\.\.\] (.*?)\n\n/ms;
	my $plain = join '', grep { !/^\.(?:Cm $verb|Op Fl)\b/ } split /^/m, $text;
	same([ $plain =~ /\b([a-z]{3,}|[A-Z]{3,})\b/g ], [ ($words // '') =~ /[A-Za-z]+/g ], "$verb: its words");
}
# A tree with nothing in it will do.
make_path("$root/empty");
my $doctor = eval { JSON::PP->new->utf8->decode(scalar qx(@as_root build/vfio-boot doctor --json --sysroot $root/empty 2>/dev/null)) };
my @checks = map { $_->{check} } @{ $doctor->{checks} || [] };
cmp_ok(scalar @checks, '>=', 10, 'doctor has checks');
my ($doctor_text) = $verbs_text =~ /^\.It Cm doctor$(.*?)^\.It Cm /ms;
is(join(' ', $doctor_text =~ /^\.It Ql (\w+)$/mg), "@checks", 'the checks of doctor, in their order');
my %explained = map { (split / /)[0] => 1 }
	map { options_in($_) } section('vfio-boot.8', 'OPTIONS') =~ /^\.It (.*)$/mg;
same([ keys %explained ], [ keys %taken ], 'every option of every verb is explained, and no other');
like($page{'vfio-boot.8'}, qr/^\.It $_\n/m, "exit status $_") for 0 .. 3;

my $usage = qx(build/vfio-boot-claim --no-such-option 2>&1);
is($? >> 8, 2, 'vfio-boot-claim complains of an option that it does not have');
my @claim_options = ($usage =~ /options:(.*)/)[0] =~ /\s(-\S+)/g;
cmp_ok(scalar @claim_options, '>=', 7, 'the claim has options');
my $claim_text = section('vfio-boot-claim.8', 'OPTIONS');
same([ map { (split / /)[0] } map { options_in($_) } $claim_text =~ /^\.It (.*)$/mg ], \@claim_options,
	'every option of vfio-boot-claim is explained, and no other');
my %in_claim = map { (split / /)[0] => 1 } options_in(section('vfio-boot-claim.8', 'SYNOPSIS'));
same([ keys %in_claim ], \@claim_options, 'and in its synopsis');

# --- settings, verdicts, reasons ---------------------------------------------

# The bytes of the programs.
my %program = map { $_ => slurp($_) } qw(build/vfio-boot build/vfio-boot-claim);

# Everything that looks like a word in the program of the boot. The names that it knows are among them.
my %seen;
my @candidates = sort grep { !$seen{$_}++ } $program{'build/vfio-boot-claim'} =~ /(?<![\w-])[a-z][a-z_-]+(?![\w-])/g;
cmp_ok(scalar @candidates, '>=', 100, 'the program has words');
make_path("$root/words/sys/bus/pci/devices");

# Those of these lines that are settings without an error. The program lists all errors of a few lines only.
sub accepted {
	my @lines = @_;
	my @good;
	while (my @some = splice @lines, 0, 50) {
		spew("$root/words/etc/vfio-boot.conf", join '', map { "$_\n" } @some);
		my $said = qx(@as_root build/vfio-boot-claim --dry-run --sysroot $root/words 2>&1);
		$? >> 8 <= 2 && $said !~ /more errors/ or die "$said\n";
		my %bad = map { $_ => 1 } $said =~ m{^vfio-boot: /etc/vfio-boot\.conf:(\d+):}mg;
		push @good, map { $some[$_] } grep { !$bad{ $_ + 1 } } 0 .. $#some;
	}
	return @good;
}

# A wrong value is another error than an unknown name.
sub is_setting {
	my ($name) = @_;
	spew("$root/words/etc/vfio-boot.conf", "$name = ?\n");
	return qx(@as_root build/vfio-boot-claim --dry-run --sysroot $root/words 2>&1) !~ /: unknown setting/;
}

# - and _ are equal in a name.
my %is_name = map { tr/_/-/r => 1 } grep { is_setting($_) } @candidates;
my @names = sort keys %is_name;
cmp_ok(scalar @names, '>=', 8, 'the program has settings');
my $settings_text = section('vfio-boot.conf.5', 'SETTINGS');
my %shown = $settings_text =~ /^\.It Ic ([\w-]+) No = (.*)$/mg;
same([ keys %shown ], \@names, 'every setting is explained, and no other');
same([ slurp('conf/vfio-boot.conf') =~ /^#([\w-]+) = /mg ], \@names, 'and stands in the settings file');
for my $name (sort keys %shown) {
	my ($text) = $settings_text =~ /^\.It Ic $name No (.*?)(?=^\.It Ic |\z)/ms;
	my @documented = $shown{$name} =~ /\b[a-z][a-z-]*/g;
	# Every list takes this one as a selector.
	my @values = grep { $_ ne 'boot-vga' } map { s/.* = //r } accepted(map { "$name = $_" } @candidates);
	same(\@documented, \@values, "$name: with its values");
	like($text, qr/\n\.(?:It )?Cm $_\b/, "$name: $_ is explained") for @documented;
	my $said = qx(@as_root build/vfio-boot-claim --dry-run --sysroot $root/words --cmdline vfio-boot.$name=off 2>&1);
	is($said =~ /kernel command line, byte/ ? 'an error' : 'off', $text =~ /\.Cm off\b/ ? 'off' : 'an error',
		"$name=off on the kernel command line");
}

my @reasons = enum('reason');
cmp_ok(scalar @reasons, '>=', 15, 'the program has reasons');
my $reasons_text = section('vfio-boot.conf.5', 'REASONS');
is(join(' ', $reasons_text =~ /^\.It Sy (\S+)$/mg), "@reasons", 'every reason is explained, in the order of the rules');
same([ section('vfio-boot.conf.5', 'VERDICTS') =~ /^\.It Sy (\S+)$/mg ], [ enum('verdict'), 'absent' ],
	'every verdict is explained, and no other');

# --- messages ----------------------------------------------------------------

# The programs and the scripts have every text of DIAGNOSTICS, except for its placeholders (in capitals).
my $said_there = join "\0", values %program, map { slurp($_) } glob 'premount/*/*';
for my $page (@pages) {
	for my $message (section($page, 'DIAGNOSTICS') =~ /^\.It (.*)$/mg) {
		my @parts = grep { length > 7 } map { s/^[:;., ]+|[:;., ]+$//gr } split /^\S+\/\S+|\b[A-Z]+\b|\.\.\.|[:;] /, $message;
		is(join(' | ', grep { index($said_there, $_) < 0 } @parts), '', "$page: $message");
		ok(scalar @parts, 'of which there is something to be found');
	}
}

# --- examples ----------------------------------------------------------------

my @anybody = as_anybody();

sub machine {
	remove_tree($root);
	unpack_fixture($root, 'twin-gpus');
	# The other kernel of an example.
	spew("$root/lib/modules/6.12.41-amd64/modules.$_", '') for qw(alias builtin dep);
	spew("$root/etc/modprobe.d/vfio.conf", "options vfio-pci ids=10de:2204,10de:1aef\n");
}

# What a boot does with this tree, which does not react to writes: as the plan says.
sub reboot {
	my $plan = JSON::PP->new->utf8->decode(scalar qx(@as_root build/vfio-boot plan --json --sysroot $root 2>/dev/null));
	my @rows = ('vfio-boot-report 1');
	for my $d (@{ $plan->{devices} }) {
		next if $d->{verdict} ne 'claim';
		push @rows, join "\t", @$d{qw(address id group)}, 'claimed', '-', @$d{qw(driver selector)}, '-';
		my $link = "$root/sys/bus/pci/devices/$d->{address}/driver";
		my ($up) = readlink($link) =~ m{^(.*/)};
		unlink $link;
		symlink "$up$d->{driver}", $link or die "$link: $!\n";
		spew("$root/sys/bus/pci/drivers/$d->{driver}/bind", '');
	}
	is(scalar @rows, 3, 'the card of the walk is claimed');
	spew("$root/run/vfio-boot/report", join '', map { "$_\n" } @rows);
}

sub run {
	my ($prompt, $command) = @_;
	$command =~ s{^(?:/usr/lib/vfio-boot/)?(vfio-boot(?:-claim)?) }{build/$1 } or return (127, "no command of ours\n");
	my $pid = open my $out, '-|' // die "fork: $!\n";
	if (!$pid) {
		open STDERR, '>&', \*STDOUT;
		exec $prompt eq '$' ? @anybody : @as_root, 'sh', '-c', "$command --sysroot $root" or exit 127;
	}
	local $/;
	my $text = <$out> // '';
	close $out;
	return ($? & 127 ? 'signal ' . ($? & 127) : $? >> 8, $text);
}

# Their success depends on what a tree does not have: a driver that takes a device, all of a host.
my %may_say_no = map { $_ => 1 } qw(claim release doctor protect);

sub run_examples {
	my ($page, $name) = @_;
	my ($expected, $above, $n) = (0, '', 0);
	for (split /^/m, section($page, $name)) {
		if (!/^\.Dl ([#\$]) (.*)$/) {
			next if /^\.Pp$/;
			$above = '' if $n;
			$above .= $_;
			$n = 0;
			next;
		}
		my ($prompt, $command) = ($1, $2 =~ s/\\(?:&|\(dq)//gr);
		my ($verb) = $command =~ /^vfio-boot ([a-z]+)/;
		($expected) = $above =~ /exit\s+status\s+is\s+(\d)/;
		$expected //= 0;
		$n++;
		if ($command eq 'reboot') {
			reboot();
			next;
		}
		my ($status, $text) = run($prompt, $command);
		if ($verb && $may_say_no{$verb}) {
			like($status, qr/^[01]$/, "$page: $command: is understood") or diag $text;
		} else {
			is($status, $expected, "$page: $command: exit status $expected") or diag $text;
		}
	}
}

# The settings of the blocks, one after the other; those of the last one stay.
sub plan_blocks {
	my ($page, $name) = @_;
	my @blocks = grep { /^\w+ = /m } section($page, $name) =~ /^\.Bd -literal[^\n]*\n(.*?)^\.Ed$/msg;
	ok(scalar @blocks, "$page: $name has settings");
	for (@blocks) {
		spew("$root/etc/vfio-boot.conf", $_);
		my ($status, $text) = run('$', 'vfio-boot plan ');
		is($status, 0, "$page: settings that plan cleanly: " . tr/\n/;/r) or diag $text;
		like($text, qr/: claim for /, 'and claim something');
	}
}

machine();
run_examples('vfio-boot.8', 'FROM A CARD TO A VIRTUAL MACHINE');
machine();
run_examples('vfio-boot.8', 'EXAMPLES');
machine();
run_examples('vfio-boot-claim.8', 'EXAMPLES');
machine();
plan_blocks('vfio-boot.conf.5', $_) for 'DESCRIPTION', 'EXAMPLES';
run_examples('vfio-boot.conf.5', 'EXAMPLES');
machine();
my ($words) = $page{'vfio-boot.conf.5'} =~ /^\.Dl (vfio-boot\..*)$/m;
$words =~ s/\\\(dq/"/g;
my ($status, $text) = run('$', "vfio-boot plan --cmdline '$words' ");
is($status, 0, "the kernel command line $words") or diag $text;
like($text, qr/^0000:0a:00\.0 .*: excluded: .*^0000:0b:00\.1 .*: claim for /ms, 'means what it looks like');

# --- installed ---------------------------------------------------------------

machine(); # for a folder of our own
delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS)};
my @where = ("DESTDIR=$root/dest", 'PREFIX=/opt/v');
my $said = qx(make @where install 2>&1);
is($?, 0, 'make install') or diag $said;
my %installed = map { $_ => slurp("$root/dest/opt/v/share/man/man" . substr($_, -1) . "/$_") } @pages;
for (@pages) {
	ok($installed{$_}, "$_ is installed");
	lacks($installed{$_}, qr{/usr/lib/vfio-boot|/usr/sbin/vfio-boot|/usr/share/initramfs}, "$_: with the paths of its PREFIX");
}
like($installed{'vfio-boot-claim.8'}, qr{^\.Nm /opt/v/lib/vfio-boot/vfio-boot-claim$}m, 'where the claim is');
ok(-e "$root/dest/opt/v/share/$_", "and so is $_")
	for 'bash-completion/completions/vfio-boot', 'zsh/site-functions/_vfio-boot', 'fish/vendor_completions.d/vfio-boot.fish';
# As README.md has it.
my ($remove) = slurp('README.md') =~ /^- \*\*Remove it:\*\*(.*?)(?=^\S|^$)/ms;
my $commands = join "\n", $remove =~ /`([^`]+)`/g;
spew("$root/remove", <<"END");
set -e
make() { command make @where "\$@" >&2; }
sudo() { if [ "\$1" = make ]; then "\$@"; else echo "\$@"; fi; }
$commands
END
$said = qx(dash $root/remove 2>$root/errors);
is($?, 0, 'what README.md says of the removal is run') or diag slurp("$root/errors");
is($said, "systemctl disable vfio-boot\nupdate-initramfs -u -k all\nupdate-grub\n", 'unit, images of all kernels and menu are made anew');
is(qx(find $root/dest -type f), "$root/dest/etc/vfio-boot.conf\n", 'and nothing but the settings is left');

remove_tree($root) if Test::More->builder->is_passing;
done_testing();
