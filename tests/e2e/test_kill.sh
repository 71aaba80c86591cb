#!/usr/bin/env bash
# kill -9 at any moment: what was acknowledged is there, what arrives stays, and every log is whole.
# ctest: labels=slow timeout=600
. "$(dirname "$0")/check.sh"

changesets=20000

found SHA
start SHA
link slow --delay 100 "${port[SHA]}" # time enough to be killed in
enrol FRA "$(invite FRA SHA "127.0.0.1:${proxy_port[slow]}")"
ht SHA collab new 欧洲上线 >/dev/null
"$tools/bulk" "$root/SHA" $changesets

step "Frankfurt catches up with $changesets changesets and is killed again and again"
kills=0
has_more() { [ "$(changesets FRA)" != "$held" ]; }
lacks_some() { [ "$(changesets FRA)" != "$(changesets SHA)" ]; }
while lacks_some; do
	held=$(changesets FRA)
	start FRA
	await 60 has_more || fail "no progress beyond $held changesets"
	crash FRA
	[ "$(changesets FRA)" -ge "$held" ] || fail "it lost what it had"
	kills=$((kills + 1))
	[ $((kills % 5)) -ne 1 ] || verifies FRA
	# Where everything has its turn but us, it has caught up before we have seen it begin.
	lacks_some || [ "$kills" -ge 3 ] || "$tools/bulk" "$root/SHA" $changesets
done
echo "  $kills kills"
start FRA
converge SHA FRA >/dev/null
verifies FRA
is "changesets" "$(changesets FRA)" "$(changesets SHA)"

step "writers record what was acknowledged, while daemons and writers are killed"
write() { # NAME: until told to stop; about every other time it gets to its end
	local n=0 at number life_ms=100
	while [ ! -e "$root/enough" ]; do
		n=$((n + 1)) at=$((1 + RANDOM % life_ms))
		printf -v at %d.%03d $((at / 1000)) $((at % 1000))
		number=$(HUITONG_REPLICA=$root/SHA timeout -s KILL "$at" \
			"$huitong" action add "$1-$n" --json 2>/dev/null | value_of number) || true
		if [ -n "$number" ]; then
			echo "$number" >>"$root/$1.acknowledged"
			life_ms=$((life_ms - life_ms / 5))
		else
			life_ms=$((life_ms + life_ms / 5 + 5))
		fi
	done
}
acknowledged() { cat "$root"/*.acknowledged 2>/dev/null | wc -l; }
write one &
writers=($!)
write two &
writers+=($!)
for ((round = 0; round < 8 || (round < 80 && $(acknowledged) < 20); round++)); do
	sleep 0.3
	crash SHA
	start SHA
done
touch "$root/enough"
wait "${writers[@]}"
ht SHA action list --all --json | jq -r '.[].number' | sort >"$root/numbers"
is "numbers issued twice" "$(uniq -d "$root/numbers" | wc -l)" 0
sort "$root"/*.acknowledged >"$root/acknowledged"
[ "$(acknowledged)" -ge 20 ] || fail "hardly anything was written: $(acknowledged)"
is "acknowledged and lost" "$(comm -23 "$root/acknowledged" "$root/numbers" | wc -l)" 0
echo "  $(acknowledged) acknowledged"
ht FRA sync now >/dev/null # it may have found nobody there for long
converge SHA FRA >/dev/null
verifies SHA FRA
stop FRA
stop SHA
