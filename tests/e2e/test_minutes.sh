#!/usr/bin/env bash
# One block of minutes written in several offices at once, without a link: no word is lost, none
# comes twice, and everybody can see who wrote what.
. "$(dirname "$0")/check.sh"

offices FRA NYC
meeting=$(ht SHA meeting new 周会 --json | value_of number)
ht SHA minutes add "$meeting" --kind conclusion "We decided to buy." >/dev/null
converge SHA FRA NYC >/dev/null
block=MN-${meeting#MT-}/1
ht SHA show "$block" >/dev/null || fail "no block $block"

# text OFFICE: the block's text there.
text() { ht "$1" show "$block" --json | jq -r .text; }
# edits OFFICE SED-SCRIPT: in the editor.
edits() { EDITOR="sed -i $2" ht "$1" minutes edit "$block" >/dev/null; }

step "a week apart: each writes on the same sentence"
for office in SHA FRA NYC; do stop "$office"; done
edits SHA 's/We/今天:我们_We/'
edits FRA 's/buy/buy_two_ships/'
edits NYC 's/decided/have_decided/'
edits NYC 's/have/have_now/'
for office in SHA FRA NYC; do start "$office"; done
converge SHA FRA NYC >/dev/null
for office in SHA FRA NYC; do
	is "text in $office" "$(text "$office")" "今天:我们_We have_now_decided to buy_two_ships."
done

step "the editor was open while another office wrote"
cat >"$root/slow-editor" <<END
#!/bin/bash
HUITONG_REPLICA="$root/FRA" "$huitong" minutes edit "$block" --text "\$(cat "\$1") In May." >/dev/null
until HUITONG_REPLICA="$root/SHA" "$huitong" show "$block" | grep -q "In May"; do sleep 0.1; done
sed -i 's/buy/sell/' "\$1"
END
chmod +x "$root/slow-editor"
EDITOR="'$root/slow-editor'" ht SHA minutes edit "$block" >/dev/null
converge SHA FRA NYC >/dev/null
for office in SHA FRA NYC; do
	is "text in $office" "$(text "$office")" \
		"今天:我们_We have_now_decided to sell_two_ships. In May."
done

step "versions have the same names everywhere"
names() { ht "$1" minutes history "$block" --json | jq -r '.[].version' | sort; }
is "versions" "$(names FRA)" "$(names SHA)"
is "versions" "$(names NYC)" "$(names SHA)"
is "their number" "$(names SHA | wc -l)" 7
first=$(ht SHA minutes history "$block" --json | jq -r '[.[] | select(.parents == [])][0].version')
is "blame" "$(ht NYC minutes blame "$block" --json | jq -r 'map(.text) | join("")')" "$(text NYC)"
is "offices that wrote it" \
	"$(ht NYC minutes blame "$block" --json | jq -r '[.[].office] | unique | join(" ")')" \
	"FRA NYC SHA"
exits 0 ht SHA minutes diff "$block" "$first"
says '\[-We decided-\]\{\+今天:我们_We have_now_decided\+\} to \[-buy-\]'
exits 3 ht SHA minutes diff "$block" 00000000/1
says 'no version 00000000/1'
exits 3 ht SHA minutes restore "$block" nonsense

step "the log names what was done to a text"
ht NYC log --limit 1000 --json | jq -e '[.. | .verb? // empty] | index("splice")' >/dev/null ||
	fail "no splice in the log"
! ht NYC log --limit 1000 | grep -F '(null)' || fail "a change without a name"

step "back to the first version: an edit like any other"
ht FRA minutes restore "$block" "$first" >/dev/null
converge SHA FRA NYC >/dev/null
is "text" "$(text NYC)" "We decided to buy."
is "versions" "$(names NYC | wc -l)" 8

verifies SHA FRA NYC
for office in SHA FRA NYC; do stop "$office"; done
