#!/usr/bin/env bash
# A running daemon finds the bytes that its disk has changed, and puts them back from another office;
# what nobody else has is named, shown and not passed on.   ctest: labels=slow timeout=600
. "$(dirname "$0")/check.sh"

offices FRA
"$tools/bulk" "$root/SHA" 100
number=$(add_action SHA "提交验收报告 acceptance report")
converge SHA FRA >/dev/null
stop FRA
echo 'scrub = 1s' >>"$root/FRA/huitong.conf"
start FRA

# hold OFFICE: its daemon stands still, in the middle of nothing, and the whole database is in one
# file: it neither writes into what we change, nor mends it before we have looked.
holds_still() {
	kill -STOP "${daemon[$1]}"
	[ "$(sqlite3 "$root/$1/replica.db" 'PRAGMA wal_checkpoint(TRUNCATE)')" != "0|0|0" ] || return 0
	release "$1"
	return 1
}
hold() { await 60 holds_still "$1" || fail "$1 does not hold still"; }
release() { kill -CONT "${daemon[$1]}"; }

# rot OFFICE TEXT: wherever the database has it, its last byte is another one now; nobody wrote.
rot() {
	local at
	for at in $(LC_ALL=C grep -obUaF "$2" "$root/$1/replica.db" | cut -d : -f 1); do
		printf '\001' | dd of="$root/$1/replica.db" bs=1 seek=$((at + ${#2} - 1)) \
			conv=notrunc status=none
	done
	[ -n "${at:-}" ] || fail "the database of $1 does not have $2"
}
looked() { [ "$(ht "$1" status --json | jq -r '.scrub.ended_ms // 0')" -gt "$2" ]; }
# A whole round that began after now.
await_round() {
	local at
	at=$(now_ms)
	await 120 looked "$1" "$at" || fail "$1 does not look"
	at=$(now_ms)
	await 120 looked "$1" "$at" || fail "$1 does not look again"
}
damage() { ht "$1" status --json | jq -r ".scrub.damage$2"; }
meet() { [ "$(peer SHA FRA state)" = syncing ]; }
has_none() { [ "$(damage "$1" ' | length')" = 0 ]; }

step "a sound database: nothing is said"
await_round FRA
has_none FRA || fail "$(damage FRA '')"
exits 0 ht FRA doctor
says 'damage +none'

step "a changeset and a record: found, and put back from the other office"
hold FRA
rot FRA "item 57"
rot FRA "acceptance report"
exits 1 ht FRA verify
release FRA
logs FRA ' error damage .*changeset [0-9]+ of replica '
logs FRA ' warn mended .*changeset [0-9]+ of replica '
logs FRA ' warn mended .*the records'
await_round FRA
has_none FRA || fail "$(damage FRA '')"
verifies FRA
is "the title" "$(field FRA "$number" title)" "提交验收报告 acceptance report"
converge SHA FRA >/dev/null

step "what only this office has: named, shown, not passed on"
stop SHA
add_action FRA "nobody else has this" >/dev/null
add_action FRA "recorded after it" >/dev/null
hold FRA
rot FRA "nobody else has this"
release FRA
logs FRA ' error damage .*changeset [0-9]+ of replica .*huitong repair'
await_round FRA
exits 0 ht FRA status
says 'damage +changeset [0-9]+ of replica '
is "what" "$(damage FRA '[0].what')" changeset
exits 1 ht FRA doctor
says 'FAIL +damage'
says 'huitong repair'
start SHA
ht FRA sync now >/dev/null # it may have found nobody there for long
await 60 meet || fail "they do not meet"
await_round FRA
! grep -qE 'signature|chain|corrupt' "$root/SHA.log" || fail "damage came to SHA"

step "repaired, it goes on"
stop FRA
exits 0 ht FRA repair
start FRA
add_action FRA "after the repair" >/dev/null
converge SHA FRA >/dev/null
verifies SHA FRA
await_round FRA
has_none FRA || fail "$(damage FRA '')"
stop FRA
stop SHA
