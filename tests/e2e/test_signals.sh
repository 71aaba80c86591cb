#!/usr/bin/env bash
# Signals: TERM and INT end the daemon cleanly, HUP has it read its settings again.
. "$(dirname "$0")/check.sh"

found SHA

for signal in TERM INT; do
	step "SIG$signal ends it with 0 and leaves no socket"
	start SHA
	stop SHA "$signal"
	[ ! -e "$root/SHA/control.sock" ] || fail "the socket is left"
	[ ! -s "$root/SHA/replica.db-wal" ] || fail "the log was not checkpointed"
	ht SHA collab new "after SIG$signal" >/dev/null
done

step "SIGHUP reads the settings again, and survives wrong ones"
start SHA
echo 'log-level = debug' >"$root/SHA/huitong.conf"
kill -HUP "${daemon[SHA]}"
logs SHA 'settings .*read again'
ht SHA sync now >/dev/null
logs SHA ' debug '
echo 'log-level = loud' >"$root/SHA/huitong.conf"
kill -HUP "${daemon[SHA]}"
logs SHA 'error settings .*loud'
is "the daemon" "$(ask SHA status --json | value_of pid)" "${daemon[SHA]}"
stop SHA

step "wrong settings at the start are named with their line"
exits 5 ht SHA serve
says 'huitong.conf.*1.*loud'
rm "$root/SHA/huitong.conf"
exits 5 ht SHA serve --scrub 5
says '^huitong: --scrub: "5" is not like 12h'

step "a reader of the log that goes away does not end it"
mkfifo "$root/log"
cat "$root/log" >/dev/null &
reader=$!
HUITONG_REPLICA=$root/SHA "$huitong" serve --listen 127.0.0.1:0 --log-level debug \
	2>"$root/log" </dev/null >/dev/null &
daemon[SHA]=$!
await 60 is_ready SHA || fail "it is not ready"
kill "$reader"
wait_briefly "$reader" || fail "the reader does not end"
ht SHA sync now >/dev/null
ht SHA sync now >/dev/null
stop SHA
