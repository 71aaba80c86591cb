#!/usr/bin/env bash
# A disk that runs full: below the low-water mark nothing more is taken from peers while local work
# goes on and goes out; with nothing left the ballast makes room for the last edits; then a clear
# message, nothing half-written, reading goes on, and so does everything else once there is space.
. "$(dirname "$0")/check.sh"
own_mounts

mkdir "$root/FRA"
mount -t tmpfs -o size=64m,mode=0700 none "$root/FRA" || skip "tmpfs can't be mounted"
found SHA
start SHA
enrol FRA "$(invite FRA SHA "127.0.0.1:${port[SHA]}")"
printf 'ballast = 16\nlow-water = 16\n' >"$root/FRA/huitong.conf"
start FRA
ht SHA collab new 欧洲上线 >/dev/null
converge SHA FRA >/dev/null
number=$(add_action FRA "before")
converge SHA FRA >/dev/null

kib_free() { df --output=avail "$root/FRA" | tail -n 1; }
# leave MIB: take the rest.
leave() { fallocate -l "$(($(kib_free) - $1 * 1024))KiB" "$root/FRA/filler.$1"; }
# fill NAME SIZE: as much of it as there is room for.
fill() { head -c "$2" /dev/zero >"$root/FRA/filler.$1" 2>/dev/null || true; }
room() { [ "$(ask FRA status --json | jq -r .daemon.disk.room)" = "$1" ]; }
ballast_kib() { du -k "$root/FRA/ballast" 2>/dev/null | cut -f 1; }
has_ballast() { [ "$(ballast_kib)" = 16384 ]; }
has_none() { [ ! -e "$root/FRA/ballast" ]; }

step "the daemon has taken its ballast"
await 60 has_ballast || fail "no ballast"
await 60 room ample || fail "room is not ample"

step "under the low-water mark it says so, and takes nothing more from peers"
leave 8
await 60 room low || fail "room is not low"
logs FRA ' warn disk .*waits'
exits 0 ht FRA status
says 'what peers send waits'
exits 1 ht FRA doctor
says '^FAIL +disk'
held=$(changesets FRA)
for n in $(seq 3); do add_action SHA "from Shanghai $n" >/dev/null; done
"$tools/bulk" "$root/SHA" 5000
late=$(add_action FRA "low")
knows_late() { ht SHA show "$late" >/dev/null 2>&1; }
await 60 knows_late || fail "what was recorded under the mark does not go out"
is "changesets, with our own" "$(changesets FRA)" "$((held + 1))"

step "with nothing left the ballast makes room for the last edits"
fill 1 12M # the ballast is not taken, too, should it be given up at once
await 60 has_none || fail "the ballast was not given up"
logs FRA ' warn disk .*ballast is given up'
last=$(add_action FRA "the last one")
[ -n "$last" ] || fail "no edit on what the ballast took"
room low || room none || fail "its room counts as free"

step "an edit on a full disk is refused, and says why and what to do"
fill 2 64M
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

step "reading goes on, and the daemon stays"
exits 0 ht FRA action list
says "$number"
says "$last"
exits 0 ht FRA verify
is "the daemon" "$(ask FRA status --json | value_of pid)" "${daemon[FRA]}"

step "it goes on by itself once there is space"
rm "$root"/FRA/filler*
mount -o remount,size=128m "$root/FRA"
await 60 room ample || fail "room is not ample again"
logs FRA ' info disk .*taken again'
await 60 has_ballast || fail "the ballast is not back"
converge SHA FRA >/dev/null
add_action FRA "after" >/dev/null
converge SHA FRA >/dev/null
verifies SHA FRA
stop FRA
stop SHA
umount "$root/FRA"
