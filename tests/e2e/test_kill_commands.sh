#!/usr/bin/env bash
# kill -9 inside the commands that change who a node is: before any of the system calls by which
# they change files or send. Whatever the instant, the folder is a node that works, nothing
# acknowledged is lost, and the command can be given again and ends well. Every instant with
#   HUITONG_KILLS=100000 HUITONG=build/release/huitong tests/e2e/test_kill_commands.sh
# ctest: labels=slow timeout=900
. "$(dirname "$0")/check.sh"

kills_max=${HUITONG_KILLS:-16} # of each command, evenly spread
world=$root/world               # a folder for each office, as it is before the command
acked=$root/acked               # what must be there, a title a line
feed=/dev/null                  # what the command reads
kills=0

"$tools/kill_at" 0 /bin/true || skip "processes can't be traced here"

# The items of an office that nobody has voided, a title a line.
items() { ht "$1" action list --json | jq -r '.[].title' | sort; }

record() { # OFFICE TITLE
	ht "$1" action add "$2" --collab CO-SHA-$year-0001 >/dev/null 2>>"$root/$1.log" ||
		fail "$1 can't record after $command, killed at $at"
	echo "$2" >>"$acked"
}

# A copy is another file, which begins an epoch: let that be done with before the command.
renew() { # OFFICE...
	local office
	rm -rf "${@/#/$root/}"
	for office; do cp -a "$world/$office" "$root/$office"; done
	cp "$world.acked" "$acked"
	command=renewing at=never
	for office; do record "$office" "before, in $office"; done
}

# What the worlds are as of now.
keep_world() { # OFFICE...
	local office
	mkdir -p "$world"
	for office; do
		rm -rf "${world:?}/$office"
		cp -a "$root/$office" "$world/$office"
	done
	cp "$acked" "$world.acked"
}

# strike N OFFICE COMMAND...: killed at its N-th call; succeeds if it was.
# What it printed stands in $root/printed.
strike() {
	local status=0
	HUITONG_REPLICA=$root/$2 "$tools/kill_at" --count "$root/count" "$1" \
		"$huitong" "${@:3}" <"$feed" >"$root/printed" 2>"$root/said" || status=$?
	[ "$status" -eq 0 ] || [ "$status" -eq 137 ] ||
		fail "${*:3}, to be killed at $1, ended with $status: $(cat "$root/said")"
	[ "$status" -eq 137 ]
}

again() { # OFFICE COMMAND...: gives it once more, now to its end
	local status=0
	ht "$@" <"$feed" >"$root/said" 2>&1 || status=$?
	[ "$status" -eq 0 ] ||
		fail "$command, killed at $at, ends with $status when repeated: $(cat "$root/said")"
}

must_hold() { # OFFICE
	comm -23 <(sort "$acked") <(items "$1") >"$root/lost"
	[ ! -s "$root/lost" ] || fail "lost by $command, killed at $at: $(cat "$root/lost")"
}

# each SETUP CHECK OFFICE COMMAND...: CHECK is given the same OFFICE COMMAND; SETUP may add
# arguments to $line. Where it is stands in $command and $at.
each() {
	local setup=$1 check=$2 line n total step before=$kills
	line=("${@:3}")
	"$setup"
	! strike 0 "${line[@]}" || fail "killed by nobody"
	total=$(cat "$root/count")
	step=$(((total + kills_max - 1) / kills_max))
	for ((n = 1 + total % step; n <= total; n += step)); do
		line=("${@:3}")
		"$setup"
		command=$4 at=$n
		if strike "$at" "${line[@]}"; then
			kills=$((kills + 1))
			"$check" "${line[@]}"
		fi
	done
	echo "  $((kills - before)) kills, of $total instants"
}

works() { # OFFICE: it opens, holds what it must, can be written to
	exits 0 ht "$1" status
	record "$1" "after $at"
	must_hold "$1"
}

# ---- The world: Shanghai, which is an admin, and Frankfurt; both off ----

ht SHA init --org 会同集团 --office SHA --zone Asia/Shanghai --person 王芳 --json \
	2>/dev/null >"$root/init"
jq -r '.roots.keys[].words' "$root/init" >"$root/words"
start SHA
enrol FRA "$(invite FRA SHA "127.0.0.1:${port[SHA]}")"
start FRA
ht SHA collab new 欧洲上线 >/dev/null
command=preparing at=never
record SHA one
converge SHA FRA >/dev/null
record FRA two
converge SHA FRA >/dev/null
stop FRA
exits 0 ht SHA backup "$root/backup.db"
record SHA three
stop SHA
keep_world SHA FRA

# The last edit stands in the write-ahead log alone, as when its writer was killed.
leave_wal() { # OFFICE
	local n said
	record "$1" settled
	strike 0 "$1" action add "left in the log" || true
	for ((n = $(cat "$root/count"); n > 0; n--)); do
		strike "$n" "$1" action add "in the log, $n" || continue
		[ ! -s "$root/printed" ] || break
	done
	[ "$n" -gt 0 ] || fail "no instant between the answer and the end"
	[ -s "$root/$1/replica.db-wal" ] || fail "no write-ahead log is left"
	echo "in the log, $n" >>"$acked"
}

step "init: its words are shown before they count, or it can be given again"
no_folder() { rm -rf "$root/NEW"; }
is_founded_or_not() {
	local words status=0
	words=$(jq -r '.roots.keys[0].words' "$root/printed" 2>/dev/null || true)
	ht "$@" >"$root/said" 2>&1 || status=$?
	if [ "$status" -eq 5 ]; then
		[ "$(wc -w <<<"$words")" -eq 9 ] || fail "killed at $at, init founded without words"
	else
		[ "$status" -eq 0 ] || fail "init, killed at $at, again: $status: $(cat "$root/said")"
	fi
	exits 0 ht NEW collab new x
	exits 0 ht NEW verify
}
each no_folder is_founded_or_not NEW init --org X --office NEW --zone UTC --person Z --json

step "rotate: the keys and the replica fit each other"
renew_sha() { renew SHA; }
is_rotated() {
	works SHA
	again "$@"
	[ ! -e "$root/SHA/identity.new" ] || fail "identity.new is left"
	works SHA
}
each renew_sha is_rotated SHA rotate

step "recover, and revoke with it"
is_recovered() {
	works SHA
	again "$@"
	works SHA
	is "state of FRA" "$(ht SHA members --json |
		jq -r '.[] | select(.office == "FRA").state')" revoked
}
feed=$root/words
each renew_sha is_recovered SHA recover --revoke FRA
feed=/dev/null
each renew_sha is_recovered SHA revoke FRA --yes

step "roots change: either the old words count, or the new ones that were shown"
has_words() {
	jq -r '.. | .words? | strings' "$root/printed" >"$root/new" 2>/dev/null || true
	works SHA
	ht SHA recover <"$root/words" >/dev/null 2>&1 || ht SHA recover <"$root/new" >/dev/null 2>&1 ||
		fail "killed at $at, neither the old words count nor new ones that were shown"
}
feed=$root/words
each renew_sha has_words SHA roots change --json
feed=/dev/null

step "restore: what the database of before held is there in either"
with_wal() {
	renew SHA
	leave_wal SHA
}
is_restored() {
	exits 0 ht SHA status
	must_hold SHA
	works SHA
	again "$@"
	works SHA
	exits 0 ht SHA verify
}
each with_wal is_restored SHA restore "$root/backup.db"

step "repair: what is sound stays, and comes into one database"
damaged() {
	with_wal
	forged=$(sqlite3 "$root/SHA/replica.db" "
		UPDATE changeset SET body = CAST(substr(body, 1, at - 1) || 'THREE' || substr(body, at + 5) AS BLOB)
		FROM (SELECT key AS k, instr(body, CAST('three' AS BLOB)) AS at FROM changeset)
		WHERE key = k AND at > 0;
		SELECT changes()")
	is "changesets forged" "$forged" 1
	sed -i /three/d "$acked"
}
is_repaired() {
	works SHA
	again "$@"
	works SHA
	exits 0 ht SHA verify
}
each damaged is_repaired SHA repair

step "join: the ticket can be used again by the machine that was killed"
renew SHA
start SHA
nodes_of() { ht SHA members --json | jq "[.[] | select(.office == \"$1\")] | length"; }
newcomer() {
	rm -rf "$root/NYC"
	nodes=$(nodes_of NYC)
	line+=("$(invite NYC SHA "127.0.0.1:${port[SHA]}")")
}
has_joined() {
	[ -s "$root/printed" ] || again "$@"
	is "nodes of New York, with one killed at $at" "$(nodes_of NYC)" $((nodes + 1))
	exits 0 ht NYC person new "after $at"
	exits 0 ht NYC verify
	is "author in NYC, killed at $at" \
		"$(ht NYC log --limit 1 --json | jq -r '.[0].author.name')" "Maria Lopez"
}
each newcomer has_joined NYC join --person "Maria Lopez"

step "join in the folder of a copy that is superseded: new keys, and nothing is lost"
hears() { # OFFICE COMMAND...: its daemon runs until that is true
	HUITONG_REPLICA=$root/$1 "$huitong" serve --listen none >/dev/null 2>>"$root/$1.log" &
	local pid=$!
	shift
	await 60 "$@" || fail "not so after 60 s: $*"
	is_gone "$pid" || kill "$pid" 2>/dev/null || true
	wait_briefly "$pid" || fail "the daemon does not end"
}
has_come() { # PERSON: to the office that both talk to
	ht SHA person list --json | jq -e --arg n "$1" 'any(.name == $n)' >/dev/null
}
stop SHA
renew SHA FRA # there are few enough nodes again
start SHA
cp -a "$root/FRA" "$root/COPY"
ht COPY person new "of the copy" >/dev/null
hears COPY has_come "of the copy"
record FRA "only in FRA"
hears FRA grep -q superseded "$root/FRA.log"
keep_world FRA
superseded() {
	rm -rf "$root/FRA"
	cp -a "$world/FRA" "$root/FRA"
	cp "$world.acked" "$acked"
	nodes=$(nodes_of FRA)
	line+=("$(invite FRA SHA "127.0.0.1:${port[SHA]}")")
}
has_come_back() {
	[ -s "$root/printed" ] || again "$@"
	is "nodes of Frankfurt, with one killed at $at" "$(nodes_of FRA)" $((nodes + 1))
	works FRA
	exits 0 ht FRA verify
}
each superseded has_come_back FRA join --person "Jonas Weber"
stop SHA
verifies SHA

step "join, while the node that made the ticket is killed, and the newcomer then, too"
renew SHA
began() { is_gone "$serving" || ht SHA status --json 2>/dev/null | jq -e .daemon.pid >/dev/null; }
knows_number() { is_gone "$serving" || pid=$(ht SHA status --json 2>/dev/null | jq -e .daemon.pid); }
one_ended() { is_gone "$serving" || is_gone "$joining"; }
served() { # N: a join at a daemon that is killed at its N-th call
	local pid
	rm -rf "$root/NYC"
	nodes=$(nodes_of NYC)
	ticket=$(invite NYC SHA "127.0.0.1:${port[SHA]}")
	HUITONG_REPLICA=$root/SHA "$tools/kill_at" --count "$root/count" "$1" \
		"$huitong" serve --listen "127.0.0.1:${port[SHA]}" >/dev/null 2>>"$root/SHA.log" &
	serving=$!
	await 60 began || fail "the daemon, to be killed at $1, does not answer"
	HUITONG_REPLICA=$root/NYC "$huitong" join "$ticket" --person "Maria Lopez" \
		>"$root/printed" 2>/dev/null &
	joining=$!
	await 120 one_ended || fail "join, with the daemon to be killed at $1, does not end"
	await 60 knows_number || fail "the daemon, to be killed at $1, does not say its number"
	is_gone "$serving" || kill "$pid" 2>/dev/null || true
	wait_briefly "$serving" || fail "the daemon, to be killed at $1, does not end"
	is_gone "$joining" || kill -9 "$joining" 2>/dev/null || true
	wait "$joining" 2>/dev/null || true
}
served 0
calls=$(cat "$root/count")
before=$kills
for ((n = 1; n <= calls; n += (calls + kills_max - 1) / kills_max)); do
	command="serve" at=$n
	served "$n"
	kills=$((kills + 1))
	start SHA
	[ -s "$root/printed" ] || again NYC join "$ticket" --person "Maria Lopez"
	is "nodes of New York, after serve was killed at $n" "$(nodes_of NYC)" $((nodes + 1))
	exits 0 ht NYC person new "after $n"
	stop SHA
done
echo "  $((kills - before)) kills, of $calls instants"
verifies SHA NYC
echo "$kills kills in all"
