#!/usr/bin/env bash
# The demo tells the truth: one state in three offices, a conflict with both values and its end.
. "$(dirname "$0")/check.sh"

demo=$(dirname "$0")/demo.sh
story=$root/story

tells() { grep -qE -- "$1" "$story" || fail "the story lacks '$1': $(cat "$story")"; }

step "it ends well and leaves nothing behind"
TMPDIR=$root "$demo" >"$story" 2>&1 || fail "the demo failed: $(cat "$story")"
is "what is left" "$(find "$root" -mindepth 1 -name 'huitong.*' | wc -l)" 0

step "three offices show the same hash"
mapfile -t hashes < <(grep -oE '\b[0-9a-f]{64}\b' "$story" | sort | uniq -c | sort -rn | awk '{ print $1, $2 }')
is "hashes told" "${#hashes[@]}" 1
[ "${hashes[0]%% *}" -ge 3 ] || fail "the hash is not told thrice"

step "the conflict is shown with both values, then it is over"
tells '^ +│ +[12]  验收报告（含性能数据）'
tells '^ +│ +[12]  Acceptance report'
tells 'no conflicts'

step "lines fit into 110 columns, and nothing is left of the machinery"
! grep -nE '(/tmp|warning|error|line [0-9]+:)' "$story" || fail "noise"
at_most "columns" "$(wc -L <"$story")" 110

step "--keep leaves it running, with the commands to look around and to end it"
kept="$root/a folder"
mkdir "$kept"
TMPDIR=$kept "$demo" --keep >"$story" 2>&1 || fail "the demo failed: $(cat "$story")"
end=$(grep -oE 'kill [0-9 ]+; rm -r .+' "$story") || fail "no command to end it"
read -ra pids <<<"$(grep -oE '[0-9 ]+;' <<<"$end" | tr -d ';')"
orphans=("${pids[@]}")
is "daemons to end" "${#pids[@]}" 3
while read -r export; do
	(
		eval "$export"
		"$huitong" status --json | value_of pid | grep -q .
	) || fail "no daemon by: $export"
done < <(grep -oE 'export HUITONG_REPLICA=.*' "$story")
eval "folders=(${end#*; rm -r })"
is "folders to remove" "${folders[*]}" "$(echo "$kept"/huitong.*)"
kill "${pids[@]}"
have_ended() { ! kill -0 "${pids[@]}" 2>/dev/null; } # any of them
await 60 have_ended || fail "the daemons don't end"
orphans=()
