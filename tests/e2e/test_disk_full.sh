#!/usr/bin/env bash
# A full disk: a clear message, nothing half-written, reading goes on, and so does everything
# else as soon as there is space.
. "$(dirname "$0")/check.sh"
own_mounts

mkdir "$root/FRA"
mount -t tmpfs -o size=3m,mode=0700 none "$root/FRA" || skip "tmpfs can't be mounted"
offices FRA
number=$(add_action FRA "before")
converge SHA FRA >/dev/null

# ballast: take all that is left.
fill_disk() { head -c 16M /dev/zero >"$root/FRA/ballast" 2>/dev/null || true; }

step "an edit on a full disk is refused, and says why and what to do"
fill_disk
failed=
for n in $(seq 200); do # SQLite has some pages to spare
	failed=$n
	ht FRA action add "edit $n" >"$root/said" 2>&1 || break
	failed=
done
[ -n "$failed" ] || fail "200 edits went onto a full disk"
exits 1 ht FRA action add "one more"
says '(No space left|disk .*full)'
says 'Free space'

step "reading goes on"
exits 0 ht FRA action list
says "$number"
exits 0 ht FRA verify

step "what arrives is refused, not half-stored, and the daemon stays"
for n in $(seq 20); do add_action SHA "from Shanghai $n" >/dev/null; done
"$tools/bulk" "$root/SHA" 2000
logs FRA '(No space left|disk .*full)'
is "the daemon" "$(ht FRA status --json | value_of pid)" "${daemon[FRA]}"
exits 0 ht FRA verify

step "it goes on by itself once there is space"
mount -o remount,size=64m "$root/FRA"
rm "$root/FRA/ballast"
ht FRA sync now >/dev/null
converge SHA FRA >/dev/null
add_action FRA "after" >/dev/null
converge SHA FRA >/dev/null
verifies SHA FRA
stop FRA
stop SHA
umount "$root/FRA"
