#!/usr/bin/env bash
# The protocol is what docs/PROTOCOL.md says and not what our code happens to do: a member in
# JavaScript completes Noise XX with our daemon in both roles, and each understands the other's
# sealed messages. Once with a Noise of our own on OpenSSL, and once with the npm package
# noise-handshake if somebody has installed it and says in which folder:
#     HUITONG_NODE_MODULES=FOLDER
. "$(dirname "$0")/check.sh"

program=$(command -v node || true)
[ -n "$program" ] || skip "no node here: this check needs node 20 or later"
"$program" -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' ||
	skip "node $("$program" --version) is too old: this check needs 20 or later"

found SHA
start SHA
address=127.0.0.1:${port[SHA]}
ticket=$(invite FRA SHA "$address")
enrol FRA "$ticket"
secret=$(sed -n 's/^noise //p' "$root/FRA/identity.key")
replica=$(ht FRA status --json | value_of replica)
[ ${#secret} -eq 64 ] || fail "no noise secret in the key file"

member() { # STACK ROLE WHERE: the member that is not ours
	NOISE_SECRET=$secret TICKET=$ticket REPLICA=$replica \
		timeout 60 "$program" "$(dirname "$0")/noise_peer.mjs" "$@"
}

both_roles() { # STACK
	step "$1: it dials our daemon"
	member "$1" dial "${port[SHA]}" || fail "$1 could not talk to our listener"
	step "$1: our daemon dials it"
	rm -f "$root/peer.port"
	member "$1" listen "$root/peer.port" &
	local pid=$!
	await 60 test -s "$root/peer.port" || fail "$1 does not listen"
	stop SHA
	start SHA --peer "127.0.0.1:$(cat "$root/peer.port")"
	wait "$pid" || fail "$1 could not talk to our dialler"
}

both_roles openssl
if [ -d "${HUITONG_NODE_MODULES:-/nowhere}/noise-handshake" ]; then
	both_roles package
else
	step "package: left out: no noise-handshake in HUITONG_NODE_MODULES"
fi

step "our daemon has seen a member, and nothing went wrong"
logs SHA 'session-open peer=FRA'
logs SHA 'session-closed peer=FRA.*the peer says stopped: that was all'
# It asked for the preamble once each time, and was dialled again after it had gone.
if grep -E ' (error|warn) ' "$root/SHA.log" |
	grep -vE 'stranger-refused.*organisation|dial-failed.*refused'; then
	fail "see above"
fi
verifies SHA
stop SHA
