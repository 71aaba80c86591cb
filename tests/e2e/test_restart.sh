#!/usr/bin/env bash
# Daemons come and go: what was recorded meanwhile leaves when they are back, once.
. "$(dirname "$0")/check.sh"

offices FRA NYC

step "recorded while no daemon ran: it leaves at the start"
stop FRA
add_action FRA "without a daemon" >/dev/null
add_action SHA "while FRA is away" >/dev/null
start FRA
converge SHA FRA NYC >/dev/null

step "the listening side restarts: the others come back by themselves"
stop SHA
add_action NYC "while SHA is away" >/dev/null
start SHA
converge SHA FRA NYC >/dev/null

step "all restart at once"
for office in SHA FRA NYC; do stop "$office"; done
for office in SHA FRA NYC; do add_action "$office" "$office alone" >/dev/null; done
for office in NYC FRA SHA; do start "$office"; done
converge SHA FRA NYC >/dev/null

step "killed daemons leave nothing that hinders a start"
for office in SHA FRA NYC; do crash "$office"; done
for office in SHA FRA NYC; do start "$office"; done
add_action NYC "after the crash" >/dev/null
converge SHA FRA NYC >/dev/null

step "after a restart only what is new travels"
"$tools/bulk" "$root/SHA" 300
converge SHA FRA NYC >/dev/null
stop FRA
add_action SHA "one more" >/dev/null
start FRA
converge SHA FRA NYC >/dev/null
at_most "changesets received" "$(peer SHA FRA changesets_received)" 1

step "a pause lasts until it is resumed"
ht FRA sync pause >/dev/null
add_action FRA "during the pause" >/dev/null
is_paused() { [ "$(peer SHA FRA state)" != in-sync ]; }
await 60 is_paused || fail "the session goes on"
[ "$(state_hash SHA)" != "$(state_hash FRA)" ] || fail "it was sent during the pause"
ht FRA sync resume >/dev/null
converge SHA FRA NYC >/dev/null
verifies SHA FRA NYC
for office in SHA FRA NYC; do stop "$office"; done
