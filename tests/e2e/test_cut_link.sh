#!/usr/bin/env bash
# The link is cut while both sides work; it comes back, and nothing is lost or fetched twice.
# ctest: timeout=300
. "$(dirname "$0")/check.sh"

found SHA
start SHA
link wire "${port[SHA]}"
enrol FRA "$(invite FRA SHA "127.0.0.1:${proxy_port[wire]}")"
start FRA
ht SHA collab new 欧洲上线 >/dev/null
number=$(add_action SHA "提交验收报告" --due 2030-12-04)
converge SHA FRA >/dev/null
await 60 have_settled SHA FRA || fail "what has arrived is not acknowledged"

step "the link is cut: both sides notice and work on"
cut_link wire
await 60 are_apart SHA FRA || fail "the cut goes unnoticed"
ht SHA action edit "$number" --title "提交验收报告（含性能数据）" >/dev/null
ht FRA action edit "$number" --title "Acceptance report in English" >/dev/null
ht SHA action due "$number" 2030-12-03 >/dev/null
ht FRA action progress "$number" "translation ordered" >/dev/null
add_action SHA "only in Shanghai" >/dev/null
add_action FRA "only in Frankfurt" >/dev/null
[ "$(state_hash SHA)" != "$(state_hash FRA)" ] || fail "they are not apart"

step "what waits is told while the link is down, unless nobody can know"
is_waiting() { [ "$(peer "$1" "$2" to_send)" = "$3" ]; }
await 60 is_waiting FRA SHA 3 || fail "$(peer FRA SHA to_send) wait in SHA, not 3"
await 60 is_waiting SHA FRA 3 || fail "$(peer SHA FRA to_send) wait in FRA, not 3"
is "unsent" "$(ask SHA status --json | jq .unsent)" 3
stop FRA
start FRA
is_waiting SHA FRA null || fail "a new daemon claims that $(peer SHA FRA to_send) wait"
is "unsent" "$(ask FRA status --json | jq .unsent)" null
exits 0 ht FRA status
says 'unsent *unknown'

step "it heals: both converge by themselves, and the conflict has both titles"
heal_link wire
converge SHA FRA >/dev/null
for office in SHA FRA; do
	exits 0 ht "$office" conflicts show "$number"
	says '提交验收报告（含性能数据）'
	says 'Acceptance report in English'
	is "the due date in $office" "$(field "$office" "$number" due)" "2030-12-03[Asia/Shanghai]"
done

step "one office chooses, the other follows"
ht FRA conflicts pick "$number" title --value "Acceptance report 验收报告" >/dev/null
converge SHA FRA >/dev/null
is "conflicts left" "$(ht SHA conflicts --json | jq length)" 0

step "cut at many places of one catch-up: it goes on where it was"
stop FRA
"$tools/bulk" "$root/SHA" 12000
before=$(changesets FRA)
# From the first byte over the handshake to the middle of the stream.
link rough --cut-after \
	1,2,50,98,150,200,262,300,400,600,1000,400000,450001 "${port[SHA]}"
cut_link wire # the only other way
start FRA --peer "127.0.0.1:${proxy_port[rough]}"
is_done() {
	ht FRA sync now >/dev/null
	[ "$(changesets FRA)" = "$(changesets SHA)" ]
}
await 60 is_done || fail "the catch-up does not end"
converge SHA FRA >/dev/null
received=$(ask FRA peers --json | jq '[.[].changesets_received] | add')
at_most "changesets received" "$received" $(($(changesets FRA) - before + 50))
verifies SHA FRA
stop FRA
# Connections that have ended: the link tells it when it finds it out.
has_ended() { [ "$(wc -l <"$root/rough.links")" -ge "$1" ]; }
await 60 has_ended 14 || fail "not all cuts happened: $(cat "$root/rough.links")"

step "the same in one go, to compare: most of it did not travel again"
last=$(tail -n +14 "$root/rough.links" | awk '{ n += $3 } END { print n }')
count=$(wc -l <"$root/rough.links")
rm -rf "$root/FRA"
heal_link wire
enrol FRA "$(invite FRA SHA "127.0.0.1:${proxy_port[rough]}")"
await 60 has_ended $((count + 2)) || fail "no enrolment and no session: $(cat "$root/rough.links")"
whole=$(tail -n +$((count + 1)) "$root/rough.links" | awk '{ n += $3 } END { print n }')
echo "  $whole bytes; after 13 cuts $last were left"
at_most "bytes left after the cuts" "$last" $((whole * 3 / 4))
