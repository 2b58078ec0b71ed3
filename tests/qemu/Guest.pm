# SPDX-License-Identifier: GPL-2.0-or-later
#
# One boot of the test machine, and what the guest told about it.
#
#   my $boot = Guest->boot('by-id', conf => "ids = 8086:10d3\n");
#
# is one test by itself; where the guest did not come to its end it fails and the
# file ends there, so that everything that was planned counts as failed. What the
# boot left is in build/qemu/NAME: console and facts, and what was booted if that
# failed. VFIO_BOOT_VERBOSE=1 shows the console as it comes, and keeps all.

package Guest;

use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename;
use File::Path qw(make_path remove_tree);
use IO::Socket::UNIX;
use JSON::PP qw(decode_json encode_json);
use POSIX ();
use Test::More;

our $here = dirname(abs_path(__FILE__));
our $top  = dirname(dirname($here));
# The Debian that is tested, and whether it is the one of this machine.
our $suite = $ENV{VFIO_BOOT_SUITE} || 'bookworm';
our $image = $ENV{VFIO_BOOT_IMAGE} || 'small';
our $arch = $ENV{VFIO_BOOT_ARCH} || 'amd64';
our $native = read_file('/etc/os-release') =~ /^VERSION_CODENAME=\Q$suite\E$/m;

sub write_file {
	my ($path, $text, $mode) = @_;
	make_path(dirname($path));
	open my $out, '>:raw', $path or die "$path: $!\n";
	print $out $text;
	close $out or die "$path: $!\n";
	chmod $mode, $path if $mode;
}

sub read_file {
	my ($path) = @_;
	open my $in, '<:raw', $path or die "$path: $!\n";
	local $/;
	return scalar <$in>;
}

our $dracut = $image =~ /^dracut/;

# Functions of sh for a test in the guest: who has a device, waiting, and a virtual machine that stands still. Its monitor is
# descriptor 3; what it said of its devices is in /run/monitor.log.
our $functions = <<'END';
link() { if [ -e "$1" ]; then basename "$(readlink -f "$1")"; else echo -; fi; }
wait_for() { # COMMAND...: until it succeeds, 60 s at most
	n=0
	until "$@"; do
		n=$((n + 1))
		[ $n -lt 600 ] || { echo "waited in vain: $*"; return 1; }
		sleep 0.1
	done
}
runs() { readlink /proc/$qemu/exe >/dev/null; }
answered() { grep -q '^bus: ' /run/monitor.log || ! runs; }
begin_machine() { # WORDS...
	rm -f /run/monitor
	mkfifo /run/monitor
	qemu-system-x86_64 -machine q35 -nodefaults -display none -m 64 -S -monitor stdio "$@" </run/monitor >/run/monitor.log 2>/run/qemu.log &
	qemu=$!
	exec 3>/run/monitor
	echo 'info qtree' >&3
	wait_for answered
}
end_machine() { # returns its exit status
	! runs || echo quit >&3
	exec 3>&-
	wait $qemu
}
END

# What a shell of the initramfs does before the claim, and after udev has been started: files for the overlay.
sub around_claim {
	my ($before, $after) = @_;
	$after //= '';
	return { 'scripts/init-top/ORDER' => "$before/scripts/init-top/00-vfio-boot\n/scripts/init-top/udev\n$after" } if !$dracut;
	return {
		# systemd has made it read-only since 256.
		before => "mount -o remount,rw /usr 2>/dev/null\n$before",
		after => $after,
		'etc/systemd/system/vfio-boot-claim.service.d/test.conf' => "[Service]\nExecStartPre=-sh /before\n",
		'etc/systemd/system/vfio-boot-second-look.service.d/test.conf' => "[Service]\nExecStartPre=-sh /after\n",
	};
}

# conf     text of /etc/vfio-boot.conf (else the shipped one holds)
# overlay  { path => text }, more files for the image and the root
# words    more for the kernel command line
# image    of tests/qemu/image; small, or what VFIO_BOOT_IMAGE says
# suite    of another Debian than the one all tests are run with
# disk     the folder with disk, kernel and initrd of an installed Debian
# machine  more options of tests/qemu/boot
# keep     keeps what was booted, for another boot
# panics   its kernel panics, after some facts
# qmp      { WORD => [[COMMAND, ARGUMENT => VALUE, ...], ...] }, what QEMU is told once the console says
#          "qmp: WORD", as often as it does. Its answers are in {qmp}, one line for each command.
sub boot {
	my ($class, $name, %o) = @_;
	my $dir = "$top/build/qemu/$name";
	local $ENV{VFIO_BOOT_SUITE} = $o{suite} if $o{suite};
	remove_tree($dir);
	make_path($dir);
	write_file("$dir/overlay/etc/vfio-boot.conf", $o{conf}) if defined $o{conf};
	my $overlay = $o{overlay} || {};
	for (sort keys %$overlay) {
		write_file("$dir/overlay/$_", $overlay->{$_}, m{^scripts|^etc/test$} ? 0755 : 0644);
	}
	if ($o{disk}) {
		rename "$o{disk}/$_", "$dir/$_" or die "$o{disk}/$_: $!\n" for qw(disk kernel initrd);
		push @{ $o{machine} }, '-d', "$dir/disk";
	}
	my @options = ('-i', $o{image} || $image, '-c', $o{words} || '', @{ $o{machine} || [] });
	push @options, '-v' if $ENV{VFIO_BOOT_VERBOSE};
	my ($limit) = "@options" =~ /(?:^| )-t (\d+)/;
	my @watchers = later(\&look, $dir, ($limit || 120) - 12);
	push @watchers, later(\&obey, $dir, $o{qmp}) if $o{qmp};
	my $status = system "$here/boot", @options, $dir;
	kill 'KILL', @watchers;
	my $self = bless { dir => $dir, name => $name, section => {} }, $class;
	$self->read_facts if -e "$dir/facts";
	$self->{qmp} = -e "$dir/qmp.log" ? read_file("$dir/qmp.log") : '';
	$self->{console} = -e "$dir/console" ? read_file("$dir/console") : '';
	my $done = $o{panics} ? $self->{console} =~ /Kernel panic/ && !$self->{ended} : $self->{ended};
	ok($status == 0 && $done, "$name: the guest boots to its root and " . ($o{panics} ? 'panics' : 'powers off'))
		or $self->give_up($status);
	remove_tree(map { "$dir/$_" } qw(disk kernel initrd root)) unless $ENV{VFIO_BOOT_VERBOSE} || $o{keep};
	return $self;
}

# In a process of its own, beside a boot. Returns its number.
sub later {
	my ($do, @arguments) = @_;
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	eval { $do->(@arguments); 1 } or warn $@;
	POSIX::_exit(0);
}

# Says something to the QEMU of a boot, and returns its answers.
sub tell_qemu {
	my ($dir, @commands) = @_;
	chdir $dir;
	my $qmp = IO::Socket::UNIX->new(Peer => 'qmp') or return;
	my @answers;
	for ({ execute => 'qmp_capabilities' }, @commands) {
		print $qmp encode_json($_), "\n";
		$qmp->flush;
		# Before it comes the greeting, and what has happened meanwhile.
		while (my $line = <$qmp>) {
			my $answer = decode_json($line);
			next unless exists $answer->{return} || exists $answer->{error};
			push @answers, $answer->{return} // $answer->{error}{desc};
			last;
		}
	}
	shift @answers;
	return @answers;
}

# Waits for words of the guest, and tells QEMU what each of them stands for.
sub obey {
	my ($dir, $script) = @_;
	my $seen = 0;
	while (1) {
		select undef, undef, undef, 0.1;
		next unless -e "$dir/console";
		my @words = read_file("$dir/console") =~ /qmp: (\S+)\r?\n/g;
		for my $word (splice @words, $seen) {
			$seen++;
			my @commands = @{ $script->{$word} || [] };
			my @answers = tell_qemu($dir, map { command(@$_) } @commands);
			open my $log, '>>', "$dir/qmp.log" or die "$dir/qmp.log: $!\n";
			print $log "$word: @{ $commands[$_] }: ", JSON::PP->new->allow_nonref->encode($answers[$_] // 'no answer'), "\n" for 0 .. $#commands;
		}
	}
}

# Commands for qmp. A card behind an empty port, or one function of a card with several: function 0 has to come last,
# and then the guest sees them all.
sub plug {
	my ($id, $port, $function) = @_;
	my @place = defined $function ? (addr => "0.$function", multifunction => 'on') : ();
	return [ device_add => driver => 'e1000e', id => $id, bus => $port, romfile => '', @place ];
}

sub unplug { my ($id) = @_; return [ device_del => id => $id ] }

# A switch with a card behind each of its two ports, as a dock brings it. QEMU has no hotplug for what is on the bus inside
# of a switch, so the machine itself is said to see to it, and does nothing; the guest waits until all of it is there. Once
# in a boot: the emulated IOMMU does not forget a bus that has gone, and a second one ends QEMU.
sub plug_switch {
	my ($id, $port) = @_;
	my @port = (power_controller_present => 'off', driver => 'xio3130-downstream', bus => $id);
	return (
		['stop'],
		[ device_add => driver => 'x3130-upstream', id => $id, bus => $port ],
		[ 'qom-set' => path => "/machine/peripheral/$id/$id", property => 'hotplug-handler', value => '/machine' ],
		[ device_add => @port, id => "$id-b", addr => '1.0', chassis => 42 ],
		[ device_add => @port, id => "$id-a", addr => '0.0', chassis => 41 ],
		(map { plug("$id-card-$_", "$id-$_") } qw(a b)),
		['cont'],
	);
}

sub command {
	my ($name, %arguments) = @_;
	for (values %arguments) {
		# A copy, since a number that was compared as text would be sent as text.
		my $text = $_;
		$_ = $text eq 'on' ? JSON::PP::true : $text eq 'off' ? JSON::PP::false : $_;
	}
	return { execute => $name, arguments => \%arguments };
}

# What a guest does whose time is almost up: its kernel says it on the console (SysRq: which
# tasks are blocked, where the processors are, and all tasks), QEMU in DIR/late.
sub look {
	my ($dir, $seconds) = @_;
	sleep $seconds;
	my @keys = map { [ map { { type => 'qcode', data => $_ } } 'alt', 'sysrq', $_ ] } 'w', 'l', 't';
	my @answers = tell_qemu($dir, map({ { execute => 'human-monitor-command', arguments => { 'command-line' => "info $_" } } }
			'status', 'registers -a'),
		map { { execute => 'send-key', arguments => { keys => $_ } } } @keys);
	write_file("$dir/late", join '', map { ref ? '' : $_ } @answers);
}

sub give_up {
	my ($self, $status) = @_;
	my $late = -e "$self->{dir}/late" ? read_file("$self->{dir}/late") : '';
	my ($console, $asked, $tasks) = split /^(?=[^\n]*sysrq: Show (?:Blocked )?State)/m, $self->{console} =~ s/\r//gr;
	diag("asked what it does, its kernel said:\n$asked") if $asked;
	my @processes = ($tasks // '') =~ /task:(\S+) .* ppid:(?!2 )\d+ /g;
	diag("these are its processes: @processes") if @processes;
	my @lines = split /\n/, $console;
	diag("the console ends:\n" . join "\n", splice @lines, -(@lines < 15 ? @lines : 15)) if @lines;
	diag("QEMU says: $_") for $late =~ /^VM status: .*/mg, map { s/\s+/ /gr } $late =~ /^RIP=.*/mg;
	diag("the guest came to \"$self->{last}\"") if $self->{last};
	diag(($status >> 8) == 124 ? 'the time was up' : 'exit status ' . ($status >> 8));
	die "$self->{name}: see $self->{dir}\n";
}

sub read_facts {
	my ($self) = @_;
	my $lines;
	for (split /\r?\n/, read_file("$self->{dir}/facts")) {
		if (/^== (\S+)$/) {
			$lines = $self->{section}{$1} = [];
			$self->{last} = $1;
			$self->{ended} = 1 if $1 eq 'end';
		} elsif ($lines) {
			push @$lines, $_;
		}
	}
}

sub lines { my ($self, $section) = @_; return @{ $self->{section}{$section} || [] } }
sub text { my ($self, $section) = @_; return join "\n", $self->lines($section) }

# A PCI function as the running system has it: ids class group driver override.
sub pci {
	my ($self, $address, $section) = @_;
	my %dev;
	for ($self->lines($section || 'pci')) {
		my @field = split / /;
		@dev{qw(ids class group driver override)} = @field[1 .. 5] if $field[0] eq $address;
	}
	return \%dev;
}

# The kernel counts groups in the order in which it makes them, which is another one on each architecture.
sub group { my ($self, $address) = @_; return $self->pci($address)->{group} // '-' }
sub driver { my ($self, $address) = @_; return $self->pci($address)->{driver} }

# All functions of one driver.
sub held_by {
	my ($self, $driver) = @_;
	return join ' ', map { (split)[0] } grep { (split)[4] eq $driver } $self->lines('pci');
}

# A record of the report by address, or else by selector.
sub report {
	my ($self, $what, $section) = @_;
	for ($self->lines($section || 'report')) {
		my %record;
		@record{qw(address id group verdict reason driver selector message)} = split /\t/;
		next unless defined $record{message};
		return \%record if $record{address} eq $what || $record{selector} eq $what;
	}
	return {};
}

# The lines of the kernel log that match: [level, text] each.
sub log {
	my ($self, $pattern) = @_;
	my @found;
	for ($self->lines('log')) {
		my ($priority, $text) = /^<(\d+)>\[[^]]*\] (.*)/ or next;
		push @found, [ $priority & 7, $text ] if $text =~ $pattern;
	}
	return @found;
}

# That a group can be given to a virtual machine, from the first call to the last.
sub usable {
	my ($self, $group, @addresses) = @_;
	my $said = $self->text('vfio') . "\n";
	for my $line ("group $group viable: yes", "group $group iommu: ok",
		map { "device $_ descriptor: ok" } @addresses) {
		like($said, qr/^\Q$line\E$/m, "vfio: $line");
	}
}

# That no real driver has ever had it: the drivers of the test machine all say so.
sub untouched {
	my ($self, $address, $driver) = @_;
	my ($loaded) = $self->{console} =~ /^(.*\b$driver: .*)$/m;
	my ($touched) = $self->{console} =~ /^(.*\b$driver $address.*)$/m;
	isnt($loaded, undef, "$driver was loaded in this boot");
	is($touched, undef, "and never had $address");
}

1;
