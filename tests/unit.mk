# SPDX-License-Identifier: GPL-2.0-or-later
#
# The unit tests: each is built with gcc and its sanitizers, and with klcc; the property test once more without
# sanitizers, with all its rounds. Uses B, BASE, KLIBC, KLCC, KLDFLAGS, WARN, pure and host of the Makefile.

unit := words selector settings cmdline plan property
fuzzed := settings cmdline selector
unit_tests := $(unit:%=$(B)/asan/unit-%.t) $(unit:%=$(B)/klibc/unit-%.t) $(B)/host/unit-property.t \
	$(B)/host/unit-json.t $(B)/host/unit-schedules.t \
	$(fuzzed:%=$(B)/asan/fuzz-%.t)
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ASAN := $(BASE) $(WERROR) -O1 -g $(SANITIZE)
# In a table a row may end early.
UNIT := $(INCLUDE) -Itests/unit -Wno-missing-field-initializers
# Rounds of the property test where they are slow, or very slow.
FEW := -DROUNDS=$(if $(EMULATOR),3000,30000)

$(B)/asan/%.o: src/%.c Makefile tests/unit.mk
	$(made)
	$(tell)
	$(Q)$(CC) $(ASAN) $(call include_of,$(*D)) -c -o $@ $<

$(patsubst %,$(B)/asan/%.o,$(filter-out $(core),$(host))): ASAN += $(LIB_CFLAGS) -DVERSION='"$(VERSION)"'

$(B)/asan/vfio-boot: $(host:%=$(B)/asan/%.o)
	$(tell)
	$(Q)$(CC) $(SANITIZE) -o $@ $^ $(LIB_LIBS)

$(B)/asan/unit-%.o: tests/unit/%.c Makefile tests/unit.mk
	$(made)
	$(tell)
	$(Q)$(CC) $(ASAN) $(UNIT) $(FEW) -c -o $@ $<

$(B)/klibc/unit-%.o: tests/unit/%.c Makefile tests/unit.mk
	$(made)
	$(tell)
	$(Q)$(KLCC) $(KLIBC) $(UNIT) $(FEW) -c -o $@ $<

$(B)/host/unit-%.o: tests/unit/%.c Makefile tests/unit.mk
	$(made)
	$(tell)
	$(Q)$(CC) $(BASE) -Werror $(UNIT) $(CFLAGS) -c -o $@ $<

# The property test has more parts.
$(B)/asan/unit-property.t: $(B)/asan/unit-oracle.o $(B)/asan/unit-random_pair.o
$(B)/klibc/unit-property.t: $(B)/klibc/unit-oracle.o $(B)/klibc/unit-random_pair.o
$(B)/host/unit-property.t: $(B)/host/unit-oracle.o $(B)/host/unit-random_pair.o

$(B)/asan/unit-%.t: $(B)/asan/unit-%.o $(B)/asan/unit-model.o $(pure:%=$(B)/asan/%.o)
	$(tell)
	$(Q)$(CC) $(SANITIZE) -o $@ $^

$(B)/klibc/unit-%.t: $(B)/klibc/unit-%.o $(B)/klibc/unit-model.o $(pure:%=$(B)/klibc/%.o)
	$(tell)
	$(Q)$(KLCC) -static -o $@ $^

$(B)/host/unit-%.t: $(B)/host/unit-%.o $(B)/host/unit-model.o $(pure:%=$(B)/host/%.o)
	$(tell)
	$(Q)$(CC) -o $@ $^

# The schedules: the real layers over a kernel in the process, which stands for the system calls and for children.
schedule_calls := openat close read pread write readlinkat faccessat getdents64 mkdirat renameat
$(B)/host/unit-schedules.t: $(B)/host/unit-schedules.o $(patsubst %,$(B)/host/%.o,$(filter-out act/child,$(core)))
	$(tell)
	$(Q)$(CC) $(schedule_calls:%=-Wl,--wrap=%) -o $@ $^

# The units as they are linked with klibc: what a build of the package runs, quick and without a network. EMULATOR runs
# those of another processor.
check-klibc: $(unit:%=$(B)/klibc/unit-%.t)
	$(Q)prove $(if $(EMULATOR),--exec $(EMULATOR)) $^

# The JSON is the host program's alone.
$(B)/host/unit-json.o: BASE += $(LIB_CFLAGS)

$(B)/host/unit-json.t: $(B)/host/unit-json.o $(B)/host/unit-model.o $(B)/host/unit-random_pair.o \
		$(patsubst %,$(B)/host/%.o,$(filter-out host/main,$(host)))
	$(tell)
	$(Q)$(CC) -o $@ $^ $(LIB_LIBS)

.PRECIOUS: $(B)/asan/unit-%.o $(B)/klibc/unit-%.o $(B)/host/unit-%.o $(B)/asan/fuzz-%.o

$(B)/klibc/modprobe $(B)/klibc/peak $(B)/klibc/zpool: $(B)/klibc/%: tests/%.c
	$(made)
	$(tell)
	$(Q)$(KLCC) $(KLIBC) -Wno-shadow -c -o $@.o $< && $(KLCC) -static -s -o $@ $@.o

# What the guest of the bench runs. klibc has no clock that counts nanoseconds.
bench_programs := $(B)/bench/clock $(B)/bench/empty
$(B)/bench/clock: tests/bench/clock.c
	$(made)
	$(tell)
	$(Q)$(CC) $(WARN) $(WERROR) -O2 -static -s -o $@ $<

$(B)/bench/empty: tests/bench/empty.c
	$(made)
	$(tell)
	$(Q)$(KLCC) $(KLIBC) -c -o $@.o $< && $(KLCC) -static -s -o $@ $@.o

# What the fuzzers found and what they begin with, one test a file.
$(B)/asan/fuzz-%.o: tests/fuzz/%.c Makefile tests/unit.mk
	$(made)
	$(tell)
	$(Q)$(CC) $(ASAN) $(UNIT) -c -o $@ $<

$(B)/asan/fuzz-%.t: tests/fuzz/replay.c $(B)/asan/fuzz-%.o $(B)/asan/unit-model.o $(pure:%=$(B)/asan/%.o)
	$(tell)
	$(Q)$(CC) $(ASAN) $(UNIT) -MF $@.d -DCORPUS='"tests/fuzz/corpus/$*"' -o $@ $(filter %.c %.o,$^)

# Crashers go into the corpus of the repository; what else is worth keeping stays below $(B).
$(B)/fuzz/%: tests/fuzz/%.c tests/unit/model.c $(pure:%=src/%.c) $(wildcard src/*/*.h tests/unit/*.h tests/fuzz/*.h)
	@mkdir -p $(B)/fuzz
	$(tell)
	$(Q)$(FUZZ_CC) -std=gnu11 -D_GNU_SOURCE $(UNIT) -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $(filter %.c,$^)

fuzz: $(fuzzed:%=$(B)/fuzz/%)
	for name in $(fuzzed); do \
		mkdir -p $(B)/fuzz/corpus/$$name && \
		$(B)/fuzz/$$name -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -timeout=10 -print_final_stats=1 \
			-artifact_prefix=tests/fuzz/corpus/$$name/ $(B)/fuzz/corpus/$$name tests/fuzz/corpus/$$name || \
		exit 1; \
	done

# Mutants that are drawn, and how many at a time. Each that survives costs the time of all native tests.
N ?= 40
SEED ?= 1
JOBS ?= 2
FILES ?=
mutate: check_ready
	@tests/mutate $(N) $(SEED) $(JOBS) '$(FILES)'

# The pure layers call nothing but each other and what works on memory: no I/O, no heap.
$(B)/pure.ok: $(pure:%=$(B)/klibc/%.o) tests/unit.mk
	@$(NM) $(filter %.o,$^) | awk ' \
		NF == 2 && $$1 == "U" { wanted[$$2] } \
		NF == 3 && $$2 ~ /[A-Z]/ { ours[$$3] } \
		END { \
			for (name in wanted) \
				if (!(name in ours) && name !~ /^(mem(chr|cmp|cpy|move|set)|str(len|n?cmp|r?chr|c?spn|str))$$/) { \
					print "the pure layers call " name; \
					bad = 1 \
				} \
			exit bad \
		}' >&2
	@touch $@

.PHONY: fuzz mutate check-klibc
