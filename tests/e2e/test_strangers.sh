#!/usr/bin/env bash
# A thousand strangers at the door, silent, slow, talking rubbish, and coming back whenever they
# are sent away: the daemon's memory stays, an honest peer goes on, and one that comes anew gets in.
. "$(dirname "$0")/check.sh"

strangers=1000
offices FRA
address=127.0.0.1:${port[SHA]}
memory=$(memory_kib SHA)

honest() { # the honest peer is served
	add_action FRA "$1" >/dev/null
	converge SHA FRA >/dev/null
}

step "$strangers strangers come"
"$tools/strangers" "${port[SHA]}" "$strangers" >"$root/strangers" &
crowd=$!
descriptors() { find "/proc/${daemon[SHA]}/fd" -type l 2>/dev/null | wc -l; }
crowd_stands() { [ "$(descriptors)" -gt 128 ]; } # as many as may, and all kinds among them
await 60 crowd_stands || fail "nobody comes"

step "the honest peer goes on"
for i in $(seq 20); do honest "the crowd stands there, $i"; done
await 60 has_all SHA FRA || fail "its state is $(peer SHA FRA state)"

step "an honest peer that comes anew gets in"
for i in $(seq 5); do
	stop FRA
	start FRA
	honest "came back, $i"
done

step "so does a newcomer"
enrol NYC "$(invite NYC SHA "$address")"
start NYC
await 60 has_all SHA NYC || fail "the newcomer does not come in"

step "memory is as before"
worst=$(memory_kib SHA)
for _ in $(seq 20); do
	sleep 0.1
	now=$(memory_kib SHA)
	worst=$((now > worst ? now : worst))
done
echo "  resident: $memory KiB before, $worst KiB now;" \
	"descriptors: $(descriptors)"
has_sanitizer || at_most "memory in KiB" "$worst" $((memory + 16384))

step "nothing of theirs was kept, and the log is short"
kill "$crowd"
wait_briefly "$crowd" || fail "the strangers do not leave"
echo "  strangers: $(cat "$root/strangers")"
at_most "lines of the log" "$(wc -l <"$root/SHA.log")" 200
is "the daemon" "$(ask SHA status --json | value_of pid)" "${daemon[SHA]}"
verifies SHA FRA
stop NYC
stop FRA
stop SHA
