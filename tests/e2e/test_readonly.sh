#!/usr/bin/env bash
# A folder that can't be written: who reads is served, who writes is told.
. "$(dirname "$0")/check.sh"
own_mounts

mkdir "$root/SHA"
mount -t tmpfs -o size=32m,mode=0700 none "$root/SHA" || skip "tmpfs can't be mounted"
found SHA
ht SHA collab new 欧洲上线 >/dev/null
number=$(add_action SHA "提交验收报告")
mount -o remount,ro "$root/SHA"

step "editing and serving say that it can't be written"
for command in "action add x" "serve --listen 127.0.0.1:0"; do
	# shellcheck disable=SC2086 # words
	exits 1 ht SHA $command
	says '[Rr]ead-only'
	says 'Nothing was changed'
done

step "reading works"
exits 0 ht SHA action list
says "$number"
exits 0 ht SHA show "$number"
exits 0 ht SHA status --hash
exits 0 ht SHA verify

step "a new folder there can't be made"
HUITONG_REPLICA=$root/SHA/inner exits 1 "$huitong" init --org x --office NYC --zone UTC
says '[Rr]ead-only'
umount "$root/SHA"
