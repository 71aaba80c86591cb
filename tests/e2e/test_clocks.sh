#!/usr/bin/env bash
# Clocks a year wrong, jumping while the daemons run: nothing is lost, what is from the future
# waits visibly and is taken when its time has come.   ctest: labels=slow timeout=600
. "$(dirname "$0")/check.sh"

year=31536000

# Every process of an office sees the office's own clock, and its jumps.
cat >"$root/huitong" <<END
#!/bin/sh
SHIFT_FILE=\$HUITONG_REPLICA.clock LD_PRELOAD=$tools/shifted_clock.so \\
	ASAN_OPTIONS=verify_asan_link_order=0 exec "$huitong" "\$@"
END
chmod +x "$root/huitong"
huitong=$root/huitong

# clock OFFICE SECONDS: from now on it is off by so much.
clock() {
	echo "$2" >"$root/$1.clock.new"
	mv "$root/$1.clock.new" "$root/$1.clock"
}

titles() { ht "$1" action list --json | jq -r '.[].title' | sort; }
has() { titles "$1" | grep -qxF -- "$2"; }
# tells OFFICE PEER FIELD: what it says of the peer.
tells() { peer "$2" "$1" "$3"; }
says_of() { [[ "$(tells "$1" "$2" last_error)" == *"$3"* ]]; }
# skews OFFICE PEER SECONDS: what it says of the peer's clock, within a minute.
skews() {
	local skew
	skew=$(tells "$1" "$2" skew_ms)
	[ "$skew" != null ] && ((skew / 1000 - $3 < 60 && $3 - skew / 1000 < 60))
}

offices FRA
for office in SHA FRA; do clock "$office" 0; done
add_action SHA "before, in Shanghai" >/dev/null
converge SHA FRA >/dev/null

step "Frankfurt's clock jumps a year ahead: what it records waits, and both say so"
clock FRA "$year"
add_action FRA "from next year" >/dev/null
await 60 says_of SHA FRA "held back" || fail "Shanghai says: $(tells SHA FRA last_error)"
await 60 says_of FRA SHA "holds back" || fail "Frankfurt says: $(tells FRA SHA last_error)"
add_action SHA "meanwhile, in Shanghai" >/dev/null
await 60 has FRA "meanwhile, in Shanghai" || fail "Shanghai's work does not get out"
! has SHA "from next year" || fail "Shanghai has taken what is from next year"

step "the next session says by how much the clocks differ"
stop FRA
start FRA
await 60 skews SHA FRA "$year" || fail "a skew of $(tells SHA FRA skew_ms) ms"
await 60 skews FRA SHA "-$year" || fail "a skew of $(tells FRA SHA skew_ms) ms"

step "it jumps two years back: local work goes on, and nothing is lost"
clock FRA "-$year"
add_action FRA "from last year" >/dev/null
add_action SHA "and another one" >/dev/null
for title in "before, in Shanghai" "from next year" "meanwhile, in Shanghai" "from last year"; do
	has FRA "$title" || fail "Frankfurt has lost '$title'"
done
stop FRA
start FRA
await 60 skews SHA FRA "-$year" || fail "a skew of $(tells SHA FRA skew_ms) ms"
# Its own stamps go on ahead of all it has seen, so they still wait.
! has SHA "from last year" || fail "an order that contradicts itself"

step "the year has passed: what waited is taken without anybody's help, in one order"
for office in SHA FRA; do clock "$office" "$year"; done
converge_seconds=150 converge SHA FRA >/dev/null
for office in SHA FRA; do
	is "titles in $office" "$(titles "$office" | wc -l)" 5
	ht "$office" log --json --limit 100 | jq -c .[] >"$root/$office.order"
done
cmp "$root/SHA.order" "$root/FRA.order" || fail "the offices tell the story in different orders"
verifies SHA FRA

step "right clocks again: work goes on"
for office in SHA FRA; do clock "$office" 0; done
add_action FRA "afterwards" >/dev/null
add_action SHA "afterwards too" >/dev/null
is "titles in FRA" "$(titles FRA | wc -l)" 6
for office in SHA FRA; do stop "$office"; done
