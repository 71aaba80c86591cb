#!/usr/bin/env bash
# Texts in an editor, and everything that can go wrong there: what was typed is stored, or refused
# with a message that names it and the file where it is kept; and it merges with what others wrote.
# ctest: timeout=300
. "$(dirname "$0")/check.sh"

offices FRA
meeting=$(ht SHA meeting new 周会 --json | value_of number)
ht SHA minutes add "$meeting" --kind conclusion "We decided to buy." >/dev/null
converge SHA FRA >/dev/null
block=MN-${meeting#MT-}/1
id=$(ht SHA show "$block" --json | jq -r .id)
drafts=$root/SHA/drafts

text() { ht "${1:-SHA}" show "$id" --json | jq -r .text; }
# An editor: a script whose first argument is the file.
editor() { # COMMAND...
	printf '#!/bin/bash\nfile=${!#}\n%s\n' "$*" >"$root/editor"
	chmod +x "$root/editor"
	export EDITOR="'$root/editor'"
}
edit() { ht SHA minutes edit "$block" "$@"; }
kept() { sed -n 's/^Your text is kept in //p' "$root/said"; }
# keeps FILE: the message names a file that only we can read, with the same bytes.
keeps() {
	cmp -s "$(kept)" "$1" || die "line ${BASH_LINENO[0]}: $(kept) is not what was typed"
	is "its mode" "$(stat -c %a "$(kept)")" 600
	says "Go on with it:  huitong minutes edit $block .*--resume"
}
none_kept() { [ -z "$(ls "$drafts")" ] || die "line ${BASH_LINENO[0]}: $(ls -R "$drafts")"; }
# refuses TEXT PATTERN: what printf makes of TEXT is refused with that message, and kept.
refuses() {
	printf '%b' "$1" >"$root/typed"
	editor "cat '$root/typed' >\"\$file\""
	exits 5 edit
	says "$2"
	keeps "$root/typed"
	exits 5 edit
	says "Your text is kept in $drafts/"
	editor "exit 1" # --discard comes first
	exits 1 edit --discard
	none_kept
}
# takes TEXT [EXPECTED]
takes() {
	printf '%b' "$1" >"$root/typed"
	editor "cat '$root/typed' >\"\$file\""
	exits 0 edit
	is "text" "$(text)" "$(printf '%b' "${2:-$1}")"
	none_kept
}

step "what is no text is refused by its line, and kept"
refuses 'We decided.\ncaf\xe9' 'text: line 2: not valid UTF-8'
refuses 'a\xed\xa0\x80b' 'line 1: not valid UTF-8'
refuses 'a\n\nb\0c' 'line 3: contains a NUL'
refuses '\xff\xfea\0' 'line 1: not valid UTF-8'
head -c 10485760 /dev/zero | tr '\0' x >"$root/paste"
editor "cp '$root/paste' \"\$file\""
exits 5 edit
says 'text: 10485760 bytes, the limit is 1048576'
keeps "$root/paste"

step "it is offered the next time, and goes on from where it was"
editor "true"
exits 5 edit
says '^huitong: what was typed on .* is not stored yet'
says "Throw it away:  huitong minutes edit $block --discard"
is "text" "$(text)" "We decided to buy."
exits 0 ht SHA drafts
says "^20.* huitong minutes edit $block --resume$"
is "the draft" "$(ht SHA drafts --json | jq -r .[0].path)" "$(ls "$drafts"/*/*.txt)"
ht SHA doctor >"$root/said" 2>&1 || true
says 'warn +drafts +1 text'
editor "echo 'We decided to buy two.' >\"\$file\""
exits 0 edit --resume
is "drafts" "$(ht SHA drafts --json)" "[]"
mkdir "$drafts/$id-text.lost"
echo typed >"$drafts/$id-text.lost/x.txt"
: >"$drafts/$id-text.lost/version"
exits 0 ht SHA drafts
says "by hand: $drafts/$id-text.lost"
rm -r "$drafts/$id-text.lost"
is "text" "$(text)" "We decided to buy two."
none_kept
exits 3 edit --resume
says 'nothing was left over'

step "right as it is: scripts, marks, line ends of other systems"
takes 'e\xcc\x81a \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80 \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xe2\x80\xae'
takes '\xef\xbb\xbfWe decided.\r\nAll of us.\r\n' 'We decided.\nAll of us.'
takes 'We decided.'
head -c 1048576 /dev/zero | tr '\0' y >"$root/typed"
editor "cp '$root/typed' \"\$file\""
exits 0 edit
is "size" "$(text | wc -c)" 1048577
takes 'We decided to buy.'

step "editors that fail"
says_nothing_kept() { none_kept && is "text" "$(text)" "We decided to buy."; }
editor "exit 3"
exits 1 edit
says "the editor \".*/editor'\" ended with exit code 3"
says_nothing_kept
editor "kill -9 \$\$"
exits 1 edit
says 'was ended by signal 9'
says_nothing_kept
EDITOR="no-such-editor --wait" exits 1 edit
says 'the editor "no-such-editor --wait" can.t be run: set VISUAL or EDITOR'
says_nothing_kept
editor "rm \"\$file\""
exits 1 edit
says 'the editor left no text in'
says_nothing_kept
editor ": >\"\$file\""
exits 5 edit
says 'the text is empty: nothing was changed'
says_nothing_kept
editor "echo typed >\"\$file\"; kill -TERM \$\$"
exits 1 edit
says 'was ended by signal 15'
is "kept" "$(cat "$(kept)")" typed
EDITOR=true exits 0 edit --resume
is "text" "$(text)" "typed"
editor "cp \"\$file\" \"\$file.swp\"; echo half >\"\$file.swp\"; rm \"\$file\""
exits 1 edit
says "What the editor left is kept in $drafts/"
rm -r "$drafts"

step "editors with arguments, and those that write a new file"
printf '#!/bin/bash\n[ "$1" = --wait ] && [ "$2" = "a b" ] && echo "by arguments" >"$3"\n' >"$root/wordy"
chmod +x "$root/wordy"
VISUAL="'$root/wordy' --wait 'a b'" EDITOR=false exits 0 edit
is "text" "$(text)" "by arguments"
editor "echo 'We decided to buy.' >\"\$file.new\"; cp \"\$file\" \"\$file~\"; mv \"\$file.new\" \"\$file\""
exits 0 edit
is "text" "$(text)" "We decided to buy."
none_kept

step "nothing changed: no version; an editor that returned at once is mentioned"
versions=$(ht SHA minutes history "$block" --json | jq length)
editor "touch \"\$file\""
exits 0 edit
says 'nothing was changed'
is_told_to_wait() { # unless the machine took its time for it
	exits 0 edit
	grep -q 'must be told to wait' "$root/said"
}
await 60 is_told_to_wait || fail "no word of --wait: $(cat "$root/said")"
is "versions" "$(ht SHA minutes history "$block" --json | jq length)" "$versions"
editor "sleep 2.1"
exits 0 edit
none_kept

step "somebody else's edit comes while the editor is open: both stay"
editor "HUITONG_REPLICA='$root/FRA' '$huitong' minutes edit '$id' --text 'We decided to buy. In May.' >/dev/null
until HUITONG_REPLICA='$root/SHA' '$huitong' show '$id' | grep -q 'In May'; do sleep 0.05; done
sed -i s/buy/sell/ \"\$file\""
exits 0 edit
converge SHA FRA >/dev/null
is "text" "$(text FRA)" "We decided to sell. In May."

step "killed while the editor is open: the text is offered, and goes on from its version"
editor "sed -i 's/We/We all/' \"\$file\"; touch '$root/open'
until [ -e '$root/go' ]; do sleep 0.05; done; sed -i 's/sell/buy/' \"\$file\"; touch '$root/done'"
HUITONG_REPLICA=$root/SHA "$huitong" minutes edit "$block" >/dev/null 2>&1 &
await 60 test -e "$root/open"
kill -9 $!
wait $! || true
ht FRA minutes edit "$id" --text "We decided to sell. In June." >/dev/null
converge SHA FRA >/dev/null
EDITOR=true exits 0 edit # it is still open there
touch "$root/go"
await 60 test -e "$root/done"
offered() { ! EDITOR=true edit >"$root/said" 2>&1; }
await 60 offered
says 'is not stored yet'
EDITOR=true exits 0 edit --resume
is "text" "$(text)" "We all decided to buy. In June."

step "ctrl-C is the editor's"
editor "trap '' INT QUIT; kill -INT 0; kill -QUIT 0; sleep 0.1; sed -i 's/ all//' \"\$file\""
exits 0 setsid --wait env HUITONG_REPLICA="$root/SHA" "$huitong" minutes edit "$block"
is "text" "$(text)" "We decided to buy. In June."

step "voided meanwhile"
editor "HUITONG_REPLICA='$root/SHA' '$huitong' minutes void '$id' >/dev/null; echo mine >\"\$file\""
exits 5 edit
says "$block is voided: revive it first"
is "kept" "$(cat "$(kept)")" mine
exits 3 edit
exits 5 ht SHA minutes edit "$id"
ht SHA revive "$id" >/dev/null
EDITOR=true exits 0 edit --resume
is "text" "$(text)" mine

step "the database is another one meanwhile"
ht SHA backup "$root/backup" >/dev/null
stop SHA
editor "HUITONG_REPLICA='$root/SHA' '$huitong' restore '$root/backup' >/dev/null; echo 'after the restore' >\"\$file\""
exits 0 edit
start SHA
is "text" "$(text)" "after the restore"
converge SHA FRA >/dev/null
is "text in FRA" "$(text FRA)" "after the restore"

step "a new block"
printf 'caf\xe9' >"$root/typed"
editor "cat '$root/typed' >\"\$file\""
exits 5 ht SHA minutes add "$meeting" --kind basis
says "Go on with it:  huitong minutes add $meeting --kind basis --resume"
cmp -s "$(kept)" "$root/typed" || fail "$(kept) is not what was typed"
is "how to go on" "$(ht SHA drafts --json | jq -r .[0].command)" \
	"huitong minutes add $meeting --kind basis"
exits 5 ht SHA minutes add "$meeting"
says 'is not stored yet'
editor "echo café >\"\$file\""
exits 0 ht SHA minutes add "$meeting" --kind basis --resume
is "text" "$(field SHA "MN-${meeting#MT-}/2" text)" café
EDITOR=true exits 5 ht SHA minutes add "$meeting"
says 'the text is empty'

step "what is printed into a file is the text, as it is"
printf 'a\tb \xe2\x80\xaeRTL\xe2\x80\xac \e[31mred\n\n' >"$root/typed"
exits 0 ht SHA minutes edit "MN-${meeting#MT-}/2" --text "@$root/typed"
ht SHA text show "MN-${meeting#MT-}/2" >"$root/shown"
cmp "$root/shown" <(head -n 1 "$root/typed")
script -qc "HUITONG_REPLICA='$root/SHA' '$huitong' text show 'MN-${meeting#MT-}/2'" /dev/null >"$root/said"
! grep -q $'\e' "$root/said" || fail "a text steers the terminal"

step "any text of any record"
editor "echo 'Open in March.' >\"\$file\""
exits 0 ht SHA text edit CO-SHA-$year-0001 goal
exits 5 ht SHA text edit CO-SHA-$year-0001
says 'goal, background, scope-in, scope-out'
seen=$(ht SHA text show CO-SHA-$year-0001 goal --json | jq -r '.versions[0]')
ht SHA collab edit CO-SHA-$year-0001 --goal "Open in March or April." >/dev/null
printf 'Open it in March.\r\n' >"$root/typed"
exits 0 ht SHA text edit CO-SHA-$year-0001 goal --from "$seen" --text "@$root/typed"
is "goal" "$(field SHA CO-SHA-$year-0001 goal)" "Open it in March or April."
is "in all" "$(ht SHA text diff CO-SHA-$year-0001 goal "$seen")" "Open {+it +}in March{+ or April+}."
is "as it was" "$(ht SHA text show CO-SHA-$year-0001 goal "$seen")" "Open in March."
exits 3 ht SHA text edit CO-SHA-$year-0001 goal --from 00000000/1 --text x
says "Its versions:  huitong text history CO-SHA-$year-0001 goal"
exits 2 ht SHA text restore CO-SHA-$year-0001 goal
says 'text restore. needs: RECORD \[FIELD\] VERSION'
says "Its versions:  huitong text history CO-SHA-$year-0001 goal"
exits 0 ht SHA text restore CO-SHA-$year-0001 goal "$seen"
is "goal" "$(ht SHA text show CO-SHA-$year-0001 goal)" "Open in March."
exits 0 ht SHA text edit "$meeting" --text "To agree."
is "goal of the meeting" "$(field SHA "$meeting" goal)" "To agree."
exits 5 ht SHA text edit "$(ht SHA person list --json | jq -r '.[0].id')"
says 'has no text that many can write'
exits 0 ht SHA meeting edit "$meeting" --goal ""
is "goal of the meeting" "$(field SHA "$meeting" goal)" ""

converge SHA FRA >/dev/null
verifies SHA FRA
stop SHA
stop FRA
