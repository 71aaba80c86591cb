#!/usr/bin/env bash
# A disk that runs full, or turns read-only, while a text is open in an editor: what was typed
# is kept, and goes on when there is room again.
. "$(dirname "$0")/check.sh"
own_mounts

mkdir "$root/SHA"
mount -t tmpfs -o size=32m,mode=0700 none "$root/SHA" || skip "tmpfs can't be mounted"
found SHA
ht SHA collab new 欧洲上线 --goal "Open in March." >/dev/null
goal() { ht SHA text show CO-SHA-$year-0001 goal; }
edit() { ht SHA text edit CO-SHA-$year-0001 goal "$@"; }
kept() { sed -n 's/^Your text is kept in //p' "$root/said"; }
editor() {
	printf '#!/bin/bash\nfile=$1\n%s\n' "$1" >"$root/editor"
	chmod +x "$root/editor"
	export EDITOR="'$root/editor'"
}

step "full when the text is stored"
editor "echo 'Open in April.' >\"\$file\"; head -c 64M /dev/zero >'$root/SHA/filler'; true"
exits 1 edit
says 'Free space on that disk'
is "kept" "$(cat "$(kept)")" "Open in April."

step "full before: the editor does not open"
editor "touch '$root/opened'"
exits 1 ht SHA text edit CO-SHA-$year-0001 background
says 'Free space on that disk'
[ ! -e "$root/opened" ] || fail "the editor was opened"
rm "$root/SHA/filler"
is "goal" "$(goal)" "Open in March."
EDITOR=true exits 0 edit --resume
is "goal" "$(goal)" "Open in April."

step "read-only when the text is stored"
editor "echo 'Open in May.' >\"\$file\"; mount -o remount,ro '$root/SHA'"
exits 1 edit
says '[Rr]ead-only'
is "kept" "$(cat "$(kept)")" "Open in May."
exits 1 edit --resume
says '[Rr]ead-only'
mount -o remount,rw "$root/SHA"
EDITOR=true exits 0 edit --resume
is "goal" "$(goal)" "Open in May."
[ -z "$(ls "$root/SHA/drafts")" ] || fail "$(ls -R "$root/SHA/drafts")"
verifies SHA
umount "$root/SHA"
