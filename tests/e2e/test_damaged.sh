#!/usr/bin/env bash
# A folder that is not as it should be: each time one clear message, what to do, and nothing
# made worse.
. "$(dirname "$0")/check.sh"

found SHA
ht SHA collab new 欧洲上线 >/dev/null
number=$(add_action SHA "提交验收报告")
"$tools/bulk" "$root/SHA" 500
cp -r "$root/SHA" "$root/whole"

restore() {
	rm -rf "$root/SHA"
	cp -r "$root/whole" "$root/SHA"
}

step "no replica"
exits 3 ht NYC status
says 'no replica in .*/NYC.*huitong init.*huitong join'

step "no key: reading works, editing and serving say so, and no new key is made"
rm "$root/SHA/identity.key"
exits 0 ht SHA action list
exits 1 ht SHA action add x
says 'identity.key'
says 'put identity.key back'
exits 1 ht SHA serve --listen 127.0.0.1:0
says 'identity.key'
[ ! -e "$root/SHA/identity.key" ] || fail "a new key was made"
restore

step "a key that others can read"
chmod 0644 "$root/SHA/identity.key"
exits 1 ht SHA action add x
says 'identity.key.*'
says '0600'
restore

step "a key that is cut off, or not one"
truncate -s 40 "$root/SHA/identity.key"
exits 1 ht SHA action add x
says 'identity.key'
echo 'not a key' >"$root/SHA/identity.key"
exits 1 ht SHA action add x
says 'identity.key'
restore

step "not a database"
head -c 100000 /dev/urandom >"$root/SHA/replica.db"
rm -f "$root/SHA"/replica.db-*
exits 1 ht SHA action list
says 'replica.db'
exits 1 ht SHA serve --listen 127.0.0.1:0
says 'replica.db'
exits 1 ht SHA doctor
restore

step "an empty database file"
: >"$root/SHA/replica.db"
rm -f "$root/SHA"/replica.db-*
exits 1 ht SHA action list
says 'replica.db'
restore

step "a database cut in half"
rm -f "$root/SHA"/replica.db-*
truncate -s $(($(stat -c %s "$root/SHA/replica.db") / 2)) "$root/SHA/replica.db"
exits 1 ht SHA verify
exits 1 ht SHA doctor
restore

step "a changeset whose bytes were changed"
forged=$(sqlite3 "$root/SHA/replica.db" "
	UPDATE changeset SET body = CAST(substr(body, 1, at - 1) || 'item 999' || substr(body, at + 8) AS BLOB)
	FROM (SELECT key AS k, instr(body, CAST('item 257' AS BLOB)) AS at FROM changeset)
	WHERE key = k AND at > 0;
	SELECT changes()")
is "changesets forged" "$forged" 1
exits 1 ht SHA verify
says 'seq [0-9]+'
says 'huitong repair'
exits 0 ht SHA repair
says 'saved [0-9]+ changesets; [1-9]'
says 'replica.db.[0-9TZ]+'
exits 0 ht SHA verify
exits 0 ht SHA action add "after the repair"
restore

step "a state that is not what the log says"
sqlite3 "$root/SHA/replica.db" "UPDATE r_action_item SET title = 'forged' WHERE number = '$number'"
exits 1 ht SHA verify
says 'rows of r_action_item that are damaged'
exits 0 ht SHA repair
says 'saved [0-9]+ changesets; 0'
exits 0 ht SHA verify
exits 0 ht SHA show "$number"
says "提交验收报告"
restore

step "a database that another program holds: reading works, editing says who waits"
mkfifo "$root/hold"
sqlite3 "$root/SHA/replica.db" <"$root/hold" >"$root/held" &
holder=$!
exec {hold}>"$root/hold"
echo "BEGIN IMMEDIATE; SELECT 'held';" >&"$hold"
await 60 grep -q held "$root/held" || fail "the lock is not taken"
exits 4 ht SHA action add x
says 'try again'
exits 0 ht SHA action list
echo "ROLLBACK;" >&"$hold"
exec {hold}>&-
wait "$holder"
exits 0 ht SHA action add "after the lock"

step "a clock before 2020"
preload=$tools/shifted_clock.so
SHIFT_S=-600000000 LD_PRELOAD=$preload ASAN_OPTIONS=verify_asan_link_order=0 \
	exits 1 ht SHA action add x
says 'clock'
says 'timedatectl'

step "a clock that was a year ahead and is right again"
SHIFT_S=31536000 LD_PRELOAD=$preload ASAN_OPTIONS=verify_asan_link_order=0 \
	exits 0 ht SHA action add "from next year"
exits 1 ht SHA doctor
says 'hold back what is recorded here'
says 'OPERATIONS, "clocks"'
exits 0 ht SHA action add "of today"
says 'stamps run 36[45] days ahead'

step "the whole folder was restored well"
restore
exits 0 ht SHA verify
exits 0 ht SHA doctor
