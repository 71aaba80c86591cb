#!/usr/bin/env bash
# A link that is slow, spoils bytes, lets nothing through one way, or goes silent: nothing wrong is
# stored, nobody hangs, and a good link mends it all.
# ctest: labels=slow timeout=600
. "$(dirname "$0")/check.sh"

found SHA
start SHA
link wire "${port[SHA]}"
enrol FRA "$(invite FRA SHA "127.0.0.1:${proxy_port[wire]}")"
start FRA
ht SHA collab new 欧洲上线 >/dev/null
converge SHA FRA >/dev/null
stop FRA
cut_link wire

# meanwhile NAME: Frankfurt's only link is that one.
meanwhile() { start FRA --peer "127.0.0.1:${proxy_port[$1]}"; }
mended() { # with a good link instead
	heal_link wire
	start FRA
	converge SHA FRA >/dev/null
	verifies SHA FRA
	stop FRA
	cut_link wire
}

step "200 ms there, 200 ms back"
link slow --delay 200 "${port[SHA]}"
add_action SHA "over a slow link" >/dev/null
meanwhile slow
converge SHA FRA >/dev/null
stop FRA

step "a byte is spoiled: in the handshake, in the first frames, in the middle of a catch-up"
"$tools/bulk" "$root/SHA" 3000
spoiled() { # BYTE COMPLAINT
	link "spoiled-$1" --corrupt-at "$1" "${port[SHA]}"
	: >"$root/FRA.log"
	meanwhile "spoiled-$1"
	logs FRA "warn session-(refused|lost) .*$2"
	stop FRA
}
spoiled 10 'another organisation'
spoiled 60 'the handshake does not verify'
for byte in 130 400 100000; do spoiled "$byte" 'a frame is damaged'; done
verifies FRA
mended

step "nothing comes back: Frankfurt gives up, Shanghai does not mind"
add_action FRA "for later" >/dev/null
link mute --stall down "${port[SHA]}"
meanwhile mute
gives_up() { grep -qE "warn .*peer=127.0.0.1:${proxy_port[mute]}" "$root/FRA.log"; }
await 60 gives_up || fail "Frankfurt waits for ever"
logs SHA 'warn stranger-refused .*timeout'
stop FRA
mended

step "an open session goes silent: both take the other for gone, and find each other again"
link silent "${port[SHA]}"
meanwhile silent
add_action SHA "before the silence" >/dev/null
converge SHA FRA >/dev/null
kill -STOP "${proxy[silent]}"
add_action SHA "during the silence" >/dev/null
await 150 are_apart SHA FRA || fail "nobody noticed"
kill -CONT "${proxy[silent]}"
exits 0 ht FRA sync now
converge SHA FRA >/dev/null
verifies SHA FRA
stop FRA
stop SHA
