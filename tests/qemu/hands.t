#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# In a running kernel, with real drivers: every write of a claim fails in its turn,
# a child is killed at each of them, a driver grabs a member between plan and claim,
# a function is pulled out half way, and a newcomer fails beside a group member that
# a VFIO user has open. After each the group is with vfio-pci as a whole or with its
# own driver as a whole.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my $script = <<'END';
#!/bin/sh
pci=/sys/bus/pci/devices
drivers=/sys/bus/pci/drivers
a=0000:03:00.0
b=0000:03:00.1
export vfio="vfio.ids=0000:03:00.* vfio-boot.timeout=20"

claim() { /usr/lib/vfio-boot/vfio-boot-claim --cmdline "$vfio" "$@"; }
link() { if [ -e "$1" ]; then basename "$(readlink "$1")"; else echo -; fi; }
state() { # NAME STATUS
	echo "state $1 $2 $(link $pci/$a/driver) $(link $pci/$b/driver)" \
		"$(cat $pci/$a/driver_override || echo gone) $(cat $pci/$b/driver_override || echo gone)"
	sed -n "s/^0000:03:00/report $1 &/p" /run/vfio-boot/report
}
reset() {
	for dev in $a $b; do
		echo >$pci/$dev/driver_override
		[ "$(link $pci/$dev/driver)" = e1000e ] && continue
		[ ! -e $pci/$dev/driver ] || echo $dev >$pci/$dev/driver/unbind
		echo $dev >/sys/bus/pci/drivers_probe
	done
	rm -f /run/vfio-boot/report
}
# For ten seconds at most, until a program in the background has come so far. strace writes a call down before it delays it.
until_seen() { # WORD FILE
	n=0
	until grep -qs "$1" "$2" || [ $n -eq 100 ]; do sleep 0.1; n=$((n + 1)); done
}
# NAME INJECTION...: a claim under strace, whose children are traced as well
under() {
	name=$1
	shift
	reset
	timeout 60 strace -f -qq -o /run/trace "$@" /usr/lib/vfio-boot/vfio-boot-claim --cmdline "$vfio"
	state "$name" $?
}

reset
state own 0
claim
state good $?
n=1
while [ $n -le 8 ]; do
	for error in EBUSY ENODEV; do
		under write-$n-$error -e trace=write -P /sys/bus/pci/drivers_probe -P $pci/$a/driver_override \
			-P $pci/$b/driver_override -P $drivers/e1000e/unbind -e inject=write:error=$error:when=$n
	done
	under kill-$n -e trace=write -P /sys/bus/pci/drivers_probe -P $pci/$a/driver_override \
		-P $pci/$b/driver_override -P $drivers/e1000e/unbind -e inject=write:signal=KILL:when=$n
	n=$((n + 1))
done
# Whatever it reads, in each process as often as the one that reads most.
for fault in openat:EIO readlinkat:EIO faccessat:ENOENT getdents64:EIO; do
	call=${fault%:*}
	reset
	strace -f -qq -o /run/trace -e trace=$call /usr/lib/vfio-boot/vfio-boot-claim --cmdline "$vfio"
	most=$(awk '{ if (++calls[$1] > most) most = calls[$1] } END { print most + 0 }' /run/trace)
	n=1
	while [ $n -le $most ]; do
		under "$call-$n" -e trace=$call -e inject=$call:error=${fault#*:}:when=$n
		n=$((n + 1))
	done
done
for call in fork clone vfork pipe2; do
	under "$call" -e trace=$call -e inject=$call:error=ENOMEM:when=2
done

# A driver that grabs a member: the claim of the second child waits, and b comes to e1000e meanwhile.
reset
rm -f /run/trace
echo $a >$drivers/e1000e/unbind
echo $b >$drivers/e1000e/unbind
strace -f -qq -o /run/trace -e trace=write -P $pci/$a/driver_override -e inject=write:delay_enter=4000000:when=1 \
	/usr/lib/vfio-boot/vfio-boot-claim --cmdline "$vfio" &
until_seen write /run/trace
echo $b >$drivers/e1000e/bind
wait $!
state grabbed $?

# A VFIO user has the group open with one member; the other is a newcomer that fails.
reset
claim
echo >$pci/$b/driver_override
echo $b >$drivers/vfio-pci/unbind
vfio-check -w /run/go $(link $pci/$a/iommu_group) $a >/run/user &
until_seen regions /run/user
timeout 60 strace -f -qq -o /run/trace -e trace=write -P /sys/bus/pci/drivers_probe \
	-e inject=write:error=EIO:when=1+ /usr/lib/vfio-boot/vfio-boot-claim --cmdline "$vfio"
state open $?
touch /run/go
wait
sed 's/^/user /' /run/user

# A function that is pulled out between the plan and its turn.
reset
rm -f /run/trace
strace -f -qq -o /run/trace -e trace=write -P $pci/$a/driver_override -e inject=write:delay_enter=4000000:when=1 \
	/usr/lib/vfio-boot/vfio-boot-claim --cmdline "$vfio" &
until_seen write /run/trace
echo 1 >$pci/$b/remove
wait $!
state pulled $?
echo 1 >/sys/bus/pci/rescan
sleep 2
state rescanned 0
END

my $boot = Guest->boot('hands', conf => "ids = 0000:09:00.0\n", machine => [ '-t', 600 ], overlay => { 'etc/test' => $script });
my (%state, %report);
for ($boot->lines('test')) {
	if (/^state (\S+) (\d+) (\S+) (\S+) (\S+) (\S+)$/) {
		$state{$1} = { status => $2, drivers => "$3 $4", overrides => "$5 $6" };
	} elsif (/^report (\S+) (.*)$/) {
		push @{ $report{$1} }, $2;
	}
}
is($state{own}{drivers}, 'e1000e e1000e', 'the card is with its driver');
is($state{good}{drivers}, 'vfio-pci vfio-pci', 'a claim takes it');
my $runs = 0;
for my $name (grep { /-\d|^(?:fork|clone|vfork|pipe2)$/ } sort keys %state) {
	my ($s, $report) = ($state{$name}, join "\n", @{ $report{$name} || [] });
	$runs++;
	my $whole = $s->{drivers} =~ /^(vfio-pci|e1000e) \1$/ && $s->{status} <= 3;
	$whole &&= $s->{overrides} eq '(null) (null)' || $report =~ /override-left/ if $s->{drivers} =~ /^e1000e/;
	ok($whole, "$name: whole") or diag("status $s->{status}: $s->{drivers}, $s->{overrides}\n$report");
}
cmp_ok($runs, '>=', 80, "$runs faults");
is($state{grabbed}{drivers}, 'e1000e e1000e', 'a member is grabbed: both are with their driver');
like("@{ $report{grabbed} }", qr/0000:03:00\.1\t\S+\t\d+\tfailed\tbind\t/, 'the report says which one');
is($state{pulled}{drivers}, 'e1000e -', 'a member is pulled out: the other one is with its driver');
like("@{ $report{pulled} }", qr/0000:03:00\.1\t\S+\t\d+\tfailed\tvanished\t/, 'the report says that it vanished');
is($state{rescanned}{drivers}, 'e1000e e1000e', 'who comes back gets its driver');
is($state{open}{drivers}, 'vfio-pci -', 'the member that is in use is left alone, and the newcomer gets no host driver beside it');
like("@{ $report{open} }", qr/0000:03:00\.1\t\S+\t\d+\tfailed\t.*a VFIO user has the group open/, 'the report says why');
like($boot->text('test'), qr/^user group \d+ viable: yes$/m, 'its user has had it all the while');
like($boot->text('test'), qr/^user device 0000:03:00\.0 descriptor: ok$/m, 'to the end');
done_testing();
