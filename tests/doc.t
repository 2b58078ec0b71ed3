#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The files in doc/, and who refers to them. A reference is written doc/NAME.md; what follows it as
# `, "HEADING"`, and behind that as a number, is a heading of that file and a rule of that section.
# In doc/ relative links lead somewhere, and what design.md says of src/ is so.

use strict;
use warnings;
use File::Find;
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my @names = map { m{doc/(.*)\.md$} } glob 'doc/*.md';
my $any_name = join '|', @names;

# The headings of each file, with the numbers of the rules below them.
my %rules;
for my $name (@names) {
	my ($heading, $fenced);
	for (split /^/m, slurp("doc/$name.md")) {
		$fenced = !$fenced if /^```/;
		next if $fenced;
		$rules{$name}{ $heading = $1 } ||= {} if /^#+ (.*\S)/;
		$rules{$name}{$heading}{$1} = 1 if /^(\d+)\. / && defined $heading;
	}
}

# A text as one line: a reference may go on in the next line of a comment.
sub joined { return join ' ', map { s{^\s*(?:/?\*+(?!/)|//|\.\\"|#+)?\s*|\s+$}{}gr } split /\n/, $_[0] }

# What is wrong with the references in a text. $found counts them.
my $found = 0;
sub faults_in {
	my @faults;
	my $text = joined($_[0]);
	while ($text =~ m{([\w./-]*/)?\b($any_name)\.md(.{0,120})}g) {
		my ($folder, $name, $rest) = ($1 // '', $2, $3);
		pos($text) -= length $rest;
		$found++;
		push @faults, "$folder$name.md: not written doc/$name.md" if $folder ne 'doc/';
		push @faults, "$name.md: a rule without its heading" if $rest =~ /^,? rules? \d/;
		my ($heading, $rule) = $rest =~ /^, "([^"]+)"(?:, (\d+))?/ or next;
		push @faults, "$name.md has no heading \"$heading\"" if !$rules{$name}{$heading};
		push @faults, "$name.md, \"$heading\" has no rule $rule"
			if defined $rule && $rules{$name}{$heading} && !$rules{$name}{$heading}{$rule};
	}
	return @faults;
}

# The faults of a file of doc/.
sub faults_of_doc {
	my ($text) = @_;
	my @faults = map { "$_ leads nowhere" } grep { !-e "doc/$_" }
		map { s/#.*//r } grep { !/^(?:[a-z]+:|#)/ } $text =~ /\]\(([^)\s]+)\)/g;
	push @faults, 'it refers to a folder that is not of this repository' if $text =~ m{\.\./shared};
	return @faults;
}

# --- this test finds what it looks for ---------------------------------------

is_deeply([ sort keys %rules ], [ sort qw(boot-loaders design dracut-facts incus interface kernel-facts kubevirt libvirt many-hosts other-builders proxmox qemu test-machine) ], 'the files of doc/');
my $decided = 'What is decided, and why';
my @samples = (
	qq{/* as doc/interface.md, "$decided", 4) */} => '',
	qq{/* see (doc/interface.md,\n\t\t * "$decided",\n\t\t * 4) */} => '',
	qq{# of doc/interface.md,\n# "Protection".} => '',
	'the words of doc/kernel-facts.md: "claimed"' => '',
	"interface.md, \"$decided\"" => 'interface.md: not written doc/interface.md',
	'see ../doc/kernel-facts.md' => '../doc/kernel-facts.md: not written doc/kernel-facts.md',
	'doc/interface.md, "Protections"' => 'interface.md has no heading "Protections"',
	"doc/interface.md,\n * \"What is decided\", 4" => 'interface.md has no heading "What is decided"',
	qq{doc/interface.md, "$decided", 99} => qq{interface.md, "$decided" has no rule 99},
	'doc/interface.md, rule 3' => 'interface.md: a rule without its heading',
	'doc/interface.md, "Protection" and design.md' => 'design.md: not written doc/design.md',
);
while (my ($text, $fault) = splice @samples, 0, 2) {
	is(join('; ', faults_in($text)), $fault, $text =~ s/\s+/ /gr);
}
is(join('; ', faults_of_doc('[a](design.md) [b](../Makefile#x) [c](https://example.org/) [d](#e)')), '', 'good links');
is(join('; ', faults_of_doc('[a](nowhere.md) ../shared/x')),
	'nowhere.md leads nowhere; it refers to a folder that is not of this repository', 'a bad link');

# --- the references ----------------------------------------------------------

$found = 0;
my @files;
find({ no_chdir => 1, wanted => sub { push @files, $_ if -f && !-l && $_ ne 'tests/doc.t' } },
	qw(src tests man debian hook premount conf Makefile README.md CONTRIBUTING.md));
for my $file (sort @files) {
	my @faults = faults_in(slurp($file));
	fail("$file: $_") for @faults;
}
cmp_ok($found, '>=', 20, "there are references ($found)");

is(join('; ', faults_of_doc(slurp("doc/$_.md"))), '', "doc/$_.md leads where it says") for @names;

# --- what the package has ---

# Who has only the package gets all that is not about the source.
my @source = qw(design dracut-facts kernel-facts test-machine);
my @for_users = grep { my $name = $_; !grep { $_ eq $name } @source } @names;
is(slurp('debian/vfio-boot.docs'), join('', map { "doc/$_.md\n" } sort @for_users), 'the package has the pages for users');

# --- design.md ---------------------------------------------------------------

my $design = slurp('doc/design.md');
my @paths = map { m{^(?:hook|premount|dracut|conf|src)/} ? $_ : "src/$_" }
	$design =~ m{`((?:[a-z]+/)+(?:[\w-]+(?:\.[ch])?)?)`}g;
cmp_ok(scalar @paths, '>=', 20, 'design.md names files and folders');
is(join(' ', grep { !-e } @paths), '', 'and all of them exist');

# Who sees whom in the drawing, and as make has it.
my %sees;
for (grep { /^ {4,}\S.* < / } split /\n/, $design) {
	my @line = split ' < ', s/^\s+//r;
	$sees{ $line[$_] }{ $line[ $_ - 1 ] } = 1 for 1 .. $#line;
}
sub all_left_of {
	my ($folder) = @_;
	return map { $_, all_left_of($_) } sort keys %{ $sees{$folder} || {} };
}
delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS)};
my @verbs = grep { $_ ne 'host/shared' } map { m{^src/(host/.*)/$} } glob 'src/host/*/';
my $shared = delete $sees{'host/VERB'};
ok($shared, 'the drawing has the verbs');
$sees{$_} = { %{ $sees{$_} || {} }, %$shared } for @verbs;
ok(delete $sees{host}{'host/VERB'}, 'the drawing has host');
is(join(' ', sort keys %{ $sees{host} }), '', 'and it sees the verbs alone');
$sees{host} = { map { $_ => 1 } @verbs };
for my $folder (qw(pure read act run boot host host/shared), @verbs) {
	my %drawn = map { $_ => 1 } all_left_of($folder);
	my $made = qx(make -s --no-print-directory --eval='sees:; \@echo \$(sort \$($folder\_sees))' sees);
	is(join(' ', sort keys %drawn), $made =~ s/\s+\z//r, "$folder sees what the drawing says");
}

done_testing();
