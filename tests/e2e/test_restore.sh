#!/usr/bin/env bash
# Never the same dot twice: a restored backup, a copied folder, a snapshot that was rolled back.
. "$(dirname "$0")/check.sh"

titles() { ht "$1" action list --json | jq -r '[.[].title] | sort | join(" ")'; }
has_titles() { [ "$(titles "$1")" = "$2" ]; }
# sees OFFICE TITLE...: in the order of sort.
sees() { await 60 has_titles "$1" "${*:2}" || die "$1 sees '$(titles "$1")' and not '${*:2}'"; }
epoch() { ht "$1" members --json | jq -r '.[] | select(.self).replica'; }
forks() { ht "$1" status --json | jq .forks; }
note() { add_action "$1" "$2" >/dev/null; }

offices FRA
note SHA a
note FRA b
sees SHA a b
sees FRA a b

step "a backup is restored: nothing is lost, what is written now is nobody else's number"
exits 0 ht FRA backup "$root/backup.db"
note FRA c
sees SHA a b c
exits 4 ht FRA restore "$root/backup.db"
stop FRA
head -c 8192 /dev/urandom >"$root/noise"
exits 5 ht FRA restore "$root/noise"
says "^huitong: $root/noise is no backup"
note FRA d # never sent
before=$(epoch FRA)
exits 0 ht FRA restore "$root/backup.db"
says 'kept as'
says 'taken over from it: [0-9]+ changesets? that the backup lacks \([1-9]'
[ "$(epoch FRA)" != "$before" ] || fail "the epoch is the same"
note FRA e
start FRA
sees SHA a b c d e
sees FRA a b c d e
is "forks" "$(forks SHA) $(forks FRA)" "0 0"
verifies SHA FRA
rm "$root"/FRA/replica.db.2* # their disk is needed no more

step "the same backup is restored again: the node goes on, and what was written since is there"
stop FRA
note FRA D # never sent
before=$(epoch FRA)
exits 0 ht FRA restore "$root/backup.db" --json
[ "$(jq .own "$root/said")" -ge 2 ] || fail "nothing of our own was taken over: $(cat "$root/said")"
[ "$(epoch FRA)" != "$before" ] || fail "the epoch is the same"
start FRA
sees SHA D a b c d e
sees FRA D a b c d e
is "nodes of Frankfurt" "$(ht SHA members --json | jq '[.[] | select(.office == "FRA" and .state == "member")] | length')" 1
verifies SHA FRA

step "a database that can't be read is said to be lost, and what was sent comes back"
stop FRA
exits 0 ht FRA backup "$root/later.db"
note FRA E # never sent
rm -f "$root"/FRA/replica.db.2* "$root"/FRA/replica.db-wal "$root"/FRA/replica.db-shm
head -c 20000 /dev/zero >"$root/FRA/replica.db"
exits 0 ht FRA restore "$root/later.db"
says "can't be read, so what it alone held is not taken over"
start FRA
sees FRA D a b c d e
rm "$root"/FRA/replica.db.2*

step "the folder is copied: the copy that wrote last is the node, the other one is told so"
stop FRA
cp -r "$root/FRA" "$root/COPY"
note COPY f
start COPY --peer "127.0.0.1:${port[SHA]}"
sees SHA D a b c d e f
note FRA g # it does not know yet
HUITONG_REPLICA=$root/FRA "$huitong" serve --listen none --peer "127.0.0.1:${port[SHA]}" \
	>/dev/null 2>>"$root/FRA.log" &
superseded=$!
logs FRA 'superseded'
exits 5 ht FRA action add nobody
says 'goes on elsewhere'
says 'huitong join'
exits 0 ht FRA status
says '^member .*goes on elsewhere'
exits 1 ht FRA doctor
says 'FAIL +membership'
is_gone "$superseded" || kill "$superseded" 2>/dev/null || true
wait_briefly "$superseded" || fail "the daemon of the one that is superseded does not end"
exits 5 ht FRA serve
sees COPY D a b c d e f
ht COPY sync now >/dev/null # the other one was in its place

step "enrolled anew it is a node of its own, and says again what only it had"
enrol FRA "$(invite FRA SHA "127.0.0.1:${port[SHA]}")" || fail "FRA can't enrol anew"
start FRA
sees FRA D a b c d e f g
sees SHA D a b c d e f g
is "nodes of Frankfurt" "$(ht SHA members --json | jq '[.[] | select(.office == "FRA" and .state == "member")] | length')" 2
note FRA h
sees SHA D a b c d e f g h
sees COPY D a b c d e f g h
verifies SHA FRA COPY
stop COPY

step "a snapshot is rolled back, marks and all: the fork is proved, both branches' work survives"
stop FRA
cp "$root/FRA/replica.db" "$root/snapshot.db"
cp "$root/FRA/replica.mark" "$root/snapshot.mark"
note FRA i
start FRA
sees SHA D a b c d e f g h i
crash FRA
rm -f "$root/FRA/replica.db-wal" "$root/FRA/replica.db-shm"
cat "$root/snapshot.db" >"$root/FRA/replica.db" # the same file, the same machine
cat "$root/snapshot.mark" >"$root/FRA/replica.mark"
before=$(epoch FRA)
note FRA j # under the number that i has
is "epoch" "$(epoch FRA)" "$before"
start FRA
sees SHA D a b c d e f g h i j
sees FRA D a b c d e f g h i j
[ "$(epoch FRA)" != "$before" ] || fail "the epoch is the same"
converge SHA FRA >/dev/null
note FRA k
sees SHA D a b c d e f g h i j k
verifies SHA FRA
for office in SHA FRA; do stop "$office"; done
