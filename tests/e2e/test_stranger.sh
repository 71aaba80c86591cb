#!/usr/bin/env bash
# Whoever knocks without belonging: refused by name, at little cost, and the honest peer does not
# feel it.
. "$(dirname "$0")/check.sh"

trap '' PIPE # the daemon hangs up on us
offices FRA
before=$(changesets SHA)
memory=$(memory_kib SHA)

honest() { # the honest peer is served
	add_action FRA "$1" >/dev/null
	converge SHA FRA >/dev/null
}

step "a node of another organisation is refused by name on both sides"
ht X init --org 别的集团 --office XXX --zone Asia/Tokyo --person 他 >/dev/null 2>&1
start X --peer "127.0.0.1:${port[SHA]}"
logs X 'refused|organisation'
logs SHA 'refused|organisation'
is "its state" "$(ask X peers --json | jq -r '.[0].state')" refused
honest "a stranger knocked"
stop X
is "changesets of the stranger" "$(ht X status --json | value_of changesets)" 1

step "garbage"
for bytes in 1 2 100 5000 200000; do
	head -c "$bytes" /dev/urandom >"/dev/tcp/127.0.0.1/${port[SHA]}" 2>/dev/null || true
done
printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' >"/dev/tcp/127.0.0.1/${port[SHA]}" || true
printf '\377\377' >"/dev/tcp/127.0.0.1/${port[SHA]}" || true
honest "garbage came"

step "200 connections that say nothing"
idle=()
for _ in $(seq 200); do
	exec {fd}<>"/dev/tcp/127.0.0.1/${port[SHA]}" && idle+=("$fd")
done
honest "200 connections stand"

step "one byte at a time"
exec {slow}<>"/dev/tcp/127.0.0.1/${port[SHA]}"
for _ in $(seq 20); do
	printf '\0' >&"$slow" || break
	sleep 0.05
done
honest "somebody is slow"
for fd in "${idle[@]}" "$slow"; do exec {fd}>&-; done

step "a peer that comes again and again"
for _ in $(seq 300); do
	: >"/dev/tcp/127.0.0.1/${port[SHA]}" || true
done
honest "somebody rang 300 times"

step "memory is as before, the log is short, the daemon is the same"
has_sanitizer || at_most "memory in KiB" "$(memory_kib SHA)" $((memory + 8192))
at_most "lines of the log" "$(wc -l <"$root/SHA.log")" 200
is "the daemon" "$(ask SHA status --json | value_of pid)" "${daemon[SHA]}"
is "changesets" "$(changesets SHA)" $((before + 5))
verifies SHA FRA
stop FRA
stop SHA
