#!/usr/bin/env bash
# Who can be dialled is not who can send: one reachable side is enough, whichever it is.
. "$(dirname "$0")/check.sh"

both_ways() { # WHAT
	add_action SHA "上海: $1" >/dev/null
	converge SHA FRA >/dev/null
	add_action FRA "Frankfurt: $1" >/dev/null
	converge SHA FRA >/dev/null
}

step "only Shanghai can be dialled"
offices FRA
stop FRA
start FRA --listen none --peer "127.0.0.1:${port[SHA]}"
both_ways "FRA dials"

step "only Frankfurt can be dialled"
stop SHA
stop FRA
unset "port[FRA]"
start FRA
start SHA --listen none --peer "127.0.0.1:${port[FRA]}"
both_ways "SHA dials"

step "both dial each other: one connection stays"
stop SHA
stop FRA
# Each needs the other's port before it starts.
start SHA
stop SHA
start FRA --peer "127.0.0.1:${port[SHA]}"
start SHA --peer "127.0.0.1:${port[FRA]}"
both_ways "both dial"
one_in_sync() {
	[ "$(ask "$1" peers --json | jq '[.[] | select(.state == "in-sync")] | length')" = 1 ]
}
for office in SHA FRA; do
	await 60 one_in_sync "$office" || fail "peers of $office: $(ht "$office" peers --json)"
done

step "nobody can be dialled: each works alone, and says so"
stop SHA
stop FRA
start SHA --listen none
start FRA --listen none
add_action SHA "alone" >/dev/null
[ "$(peer SHA FRA state)" != in-sync ] || fail "in sync without a link"
stop SHA
stop FRA
