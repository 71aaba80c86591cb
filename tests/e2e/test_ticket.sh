#!/usr/bin/env bash
# Tickets: good once, for a while, for one organisation, and only whole.
. "$(dirname "$0")/check.sh"

offices FRA
before=$(changesets SHA)

joins() { ht "$1" join "$2" --person "$1"; }

step "used twice"
ticket=$(invite NYC SHA "127.0.0.1:${port[SHA]}")
joins NYC "$ticket" >/dev/null 2>&1 || fail "a good ticket is refused"
after=$(changesets SHA)
exits 5 joins NYC2 "$ticket"
says 'used'
logs SHA 'used'

step "mangled: cut, changed, not one at all"
ticket=$(invite NYC SHA "127.0.0.1:${port[SHA]}")
for wrong in "${ticket:0:60}" "${ticket}AAAA" huitong1: "huitong9:${ticket#*:}" hello ""; do
	exits 1 joins B "$wrong"
	says 'ticket'
done
middle=$((${#ticket} / 2))
letter=${ticket:middle:1}
fails joins B "${ticket:0:middle}$([ "$letter" = A ] && echo B || echo A)${ticket:middle+1}"
says 'ticket|not who'

step "both sides show the same words, and others for another ticket"
ht SHA invite NYC --zone America/New_York --address "127.0.0.1:${port[SHA]}" --json >"$root/made"
words=$(jq -r .words "$root/made")
is "check words" "$(wc -w <<<"$words")" 6
fails joins B "${ticket:0:middle}$([ "$letter" = A ] && echo B || echo A)${ticket:middle+1}"
says 'check words: '
! grep -qF "$words" "$root/said" || fail "the words are the same for another ticket"

step "taken back"
exits 0 ht SHA ticket burn "$(jq -r .id "$root/made")"
exits 5 joins B "$(jq -r .ticket "$root/made")"
says "check words: $words"
says 'taken back'

step "five tries with a wrong secret burn it, also for whoever has the right one"
burned=$(invite NYC SHA "127.0.0.1:${port[SHA]}")
for at in 120 122 124 126 128; do # letters of the secret
	letter=${burned:at:1}
	exits 3 joins C "${burned:0:at}$([ "$letter" = A ] && echo B || echo A)${burned:at+1}"
	says 'secret'
done
exits 5 joins C "$burned"
says 'tried 5 times'

step "expired"
old=$(SHIFT_S=-7200 LD_PRELOAD=$tools/shifted_clock.so ASAN_OPTIONS=verify_asan_link_order=0 \
	invite NYC SHA "127.0.0.1:${port[SHA]}" --expires 1h)
exits 1 joins C "$old"
says 'expired'
logs SHA 'expired'

step "of another organisation"
ht X init --org 别的集团 --office XXX --zone Asia/Tokyo --person 他 >/dev/null 2>&1
foreign=$(ht X invite NYC --zone America/New_York --address "127.0.0.1:${port[SHA]}" 2>/dev/null |
	grep -o 'huitong1:.*')
exits 1 joins D "$foreign"
says 'organisation|not who'

step "nobody at the address"
nobody=$(invite NYC SHA 127.0.0.1:1)
exits 1 joins E "$nobody"
says '127.0.0.1:1'

step "a folder that is a node already"
exits 5 joins NYC "$(invite NYC SHA "127.0.0.1:${port[SHA]}")"
says 'already a node'

step "after all that: nothing was stored, and a good ticket works in a folder where a bad one did not"
is "changesets of Shanghai" "$(changesets SHA)" "$after"
joins E "$(invite NYC SHA "127.0.0.1:${port[SHA]}")" >/dev/null 2>&1 || fail "E can't join any more"
joins B "$ticket" >/dev/null 2>&1 || fail "B can't use the whole ticket"
verifies SHA FRA NYC B E
stop FRA
stop SHA
