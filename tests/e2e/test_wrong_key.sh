#!/usr/bin/env bash
# A node with another's key: refused by name on both sides, nothing stored, and its own folder
# says what to do.
. "$(dirname "$0")/check.sh"

offices FRA NYC
stop FRA
before=$(changesets SHA)

step "the folder notices that the key is not its own"
cp "$root/FRA/identity.key" "$root/own.key"
HUITONG_REPLICA=$root/other "$huitong" init --org x --office FRA --zone UTC >/dev/null 2>&1
cp "$root/other/identity.key" "$root/FRA/identity.key"
exits 1 ht FRA action add "signed by somebody else"
says 'identity.key'
says 'put identity.key back'
exits 1 ht FRA serve --listen 127.0.0.1:0
says 'identity.key'
exits 1 ht FRA doctor
says 'identity.key'

step "another office's key does not pass for it either"
cp "$root/NYC/identity.key" "$root/FRA/identity.key"
exits 1 ht FRA serve --listen 127.0.0.1:0
says 'identity.key'

step "nothing of that was stored, and the right key mends it"
cp "$root/own.key" "$root/FRA/identity.key"
chmod 0600 "$root/FRA/identity.key"
exits 0 ht FRA verify
start FRA
add_action FRA "signed by Frankfurt" >/dev/null
converge SHA FRA NYC >/dev/null
is "changesets of Shanghai" "$(changesets SHA)" $((before + 1))
verifies SHA FRA NYC
for office in SHA FRA NYC; do stop "$office"; done
