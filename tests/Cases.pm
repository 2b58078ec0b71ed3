# SPDX-License-Identifier: GPL-2.0-or-later
#
# Reads and renews the cases of tests/fixtures; the head of fixtures.t says how they are
# written.

package Cases;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(case_files parse_cases prints_of renewed);

my %known = map { $_ => 1 } qw(conf cmdline args overlay expect prints);

sub case_files {
	my ($machine) = @_;
	return grep { -e } "tests/fixtures/$machine/cases", glob "tests/fixtures/$machine/*.cases";
}

sub plain_line {
	my ($line) = @_;
	$line =~ s{\\(x[0-9a-f]{2}|.|\n)}{
		$1 eq '\\' ? '\\' : $1 eq "\n" ? '' : length $1 == 3 ? chr hex substr $1, 1 : die "no escape: \\$1\n"
	}ges;
	return $line;
}

sub plain {
	my ($text) = @_;
	return join '', map { s/^\\// ? plain_line($_) : $_ } split /^/, $text;
}

sub escaped_line {
	my ($line) = @_;
	return $line if $line =~ /\A(?!\\|==|-- )[\x20-\x7e\t]*\n\z/;
	$line =~ s/([^\x20-\x5b\x5d-\x7e\n])/$1 eq '\\' ? '\\\\' : sprintf '\x%02x', ord $1/ge;
	return "\\$line" . ($line =~ /\n\z/ ? '' : "\\\n");
}

# What a program has printed, as the section prints.
sub prints_of {
	my ($out, $err, $status) = @_;
	($out, $err) = map { join '', map { escaped_line($_) } split /^/ } $out, $err;
	return "$out-- stderr\n$err-- exit $status\n";
}

# A case has its name, its sections, and its text before and after what it prints. What may
# be read otherwise than it was meant is an error, lest a renewal take it away.
sub parse_case {
	my ($text) = @_;
	my ($first) = $text =~ /\A(.*)/;
	my ($name) = $first =~ /^== ([a-z0-9][a-z0-9.-]*)$/ or die "$first: not the name of a case\n";
	my %case = (name => $name);
	if ($text =~ /^-- prints$/m) {
		@case{qw(before prints after)} = $text =~ /\A(.*?^-- prints\n)(.*?^-- exit \d+\n|(?=\s*\z))(.*)/ms
			or die "$name: prints does not end with an exit status\n";
		die "$name: a section in prints\n" if $case{prints} =~ /^-- (?!stderr\n|exit \d+\n\z)/m;
		die "$name: nothing but comments may follow its exit status\n" if $case{after} !~ /\A(?:#.*\n|\n)*\z/;
	} else {
		@case{qw(before after)} = $text =~ /\A(.*?\n)(\n*)\z/s;
	}
	my ($head, @sections) = split /^-- (.*)\n/m, $case{before}, -1;
	die "$name: what is this before its sections\n" if $head !~ /\A.*\n(?:#.*\n|\n)*\z/;
	my %seen;
	while (my ($section, $content) = splice @sections, 0, 2) {
		die "$name: unknown section $section\n" if !$known{$section};
		die "$name: section $section twice\n" if $seen{$section}++;
		next if $section eq 'prints';
		$case{$section} = eval { plain($content) } // die "$name: $section: $@";
	}
	defined $case{$_} or die "$name: no section $_\n" for qw(conf expect);
	return \%case;
}

# The text of a file: its head, its cases, and what is wrong.
sub parse_cases {
	my ($text) = @_;
	my ($head, @cases, @wrong) = ('');
	for (split /^(?===)/m, $text) {
		if (/^==/) {
			push @cases, eval { parse_case($_ =~ s/[^\n]\K\z/\n/r) } // do { push @wrong, $@ =~ s/\n//r; () };
		} else {
			$head = $_;
			push @wrong, 'what is this before the first case' if !/\A(?:#.*\n|\n)*\z/;
		}
	}
	push @wrong, 'the last line does not end' if $text !~ /\n\z/;
	return { head => $head, cases => \@cases, wrong => \@wrong };
}

# The text with what is printed now, a hash by name; everything else stays as it is.
sub renewed {
	my ($file, $now) = @_;
	return $file->{head} . join '', map {
		my $prints = $now->{ $_->{name} } // $_->{prints};
		my $marker = defined $_->{prints} || !defined $prints ? '' : "-- prints\n";
		$_->{before} . $marker . ($prints // '') . $_->{after};
	} @{ $file->{cases} };
}

1;
