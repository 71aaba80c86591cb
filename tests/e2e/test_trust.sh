#!/usr/bin/env bash
# The commands of membership in one data folder, without a daemon: recovery words, admins, roles,
# tickets, keys, backups.
. "$(dirname "$0")/check.sh"

json() { ht SHA "$@" --json 2>/dev/null; }
# The words of an answer in JSON, a list a line.
words() { jq -r '.. | .words? | strings'; }
# feed CODE COMMAND...: with $root/typed on stdin.
feed() {
	local status=0
	ht SHA "${@:2}" <"$root/typed" >"$root/said" 2>&1 || status=$?
	[ "$status" -eq "$1" ] ||
		die "line ${BASH_LINENO[0]}: exit code $status instead of $1: $(cat "$root/said")"
}

step "2 of 3 root keys, shown once and stored nowhere"
exits 5 ht SHA init --org X --office SHA --zone UTC --roots 17
says 'from 1 to 16'
exits 5 ht SHA init --org X --office SHA --zone UTC --roots 2 --threshold 3
json init --org 会同集团 --office SHA --zone Asia/Shanghai --person 王芳 --roots 3 >"$root/init"
words <"$root/init" >"$root/words"
is "lists of words" "$(wc -l <"$root/words")" 3
is "words in a list" "$(sed 1q "$root/words" | wc -w)" 9
is "threshold" "$(json roots | jq .threshold)" 2
while read -r list; do
	! grep -rqaF "$(cut -d' ' -f1-3 <<<"$list")" "$root/SHA" || fail "the words are stored"
done <"$root/words"

step "who is who, and why"
is "nodes" "$(json members | jq -r '.[] | [.office, .admin, .self, .state] | join(" ")')" \
	"SHA true true member"
is "statements" "$(json trust log | jq -r '[.[] | .type + " " + .verdict] | join(", ")')" \
	"genesis stands"
genesis=$(json trust log | jq -r '.[0].id')
is "organisation" "$(jq -r .organisation "$root/init")" "$genesis"
exits 0 ht SHA trust show "${genesis:0:10}"
says "^id +$genesis"
says '^type +genesis'
exits 3 ht SHA trust show 00000000
exits 5 ht SHA trust show "${genesis:0:2}"

step "tickets need an admin, end within 72 hours and can be taken back"
exits 5 ht SHA invite FRA --zone Europe/Berlin --address a:1 --expires 73h
says 'at most 72h'
exits 5 ht SHA invite "not a code" --zone Europe/Berlin --address a:1
json invite FRA --zone Europe/Berlin --address a:1 --expires 3d --admin >"$root/ticket"
is "check words" "$(jq -r .words "$root/ticket" | wc -w)" 6
is "until" "$(jq -r .expires "$root/ticket")" "$(json tickets | jq -r .[0].expires)"
exits 5 ht SHA invite SHA --zone Europe/Berlin --address a:1
says 'SHA is in Asia/Shanghai; .*huitong office edit SHA --zone Europe/Berlin'
id=$(jq -r .id "$root/ticket")
is "open tickets" "$(json tickets | jq -r '.[] | .id + " " + .state')" "$id open"
exits 0 ht SHA ticket burn "${id:0:6}"
is "open tickets" "$(json tickets)" '[]'
is "all tickets" "$(json tickets --all | jq -r '.[].state')" taken-back
exits 3 ht SHA ticket burn "${id:0:6}$(tr 0-9a-f 1-9a-f0 <<<"${id:6:4}")"
exits 0 ht SHA invite FRA --zone Europe/Berlin --address a:1 --qr
says '█▀▀▀▀▀█|█ ▄▄▄▄▄ █'

step "without an admin, the words make one: enough of them, of this organisation, well typed"
exits 5 ht SHA admin grant self
says 'already'
exits 5 ht SHA admin withdraw self
says 'last admin|--yes'
exits 0 ht SHA admin withdraw self --yes
exits 5 ht SHA invite FRA --zone Europe/Berlin --address a:1
says 'no admin'
says 'huitong recover'
sed -n 1p "$root/words" >"$root/typed"
feed 5 recover
says 'ended before'
sed 1q "$root/words" | awk '{ $3 = "lusac"; print }' >"$root/typed"
feed 1 recover
says 'word 3 is mistyped'
sed -n '1p;1p' "$root/words" >"$root/typed"
feed 5 recover
says 'given before'
echo "babab babab babab babab babab babab babab babab rivil" >"$root/typed"
feed 5 recover
says 'no root key'
is "admins so far" "$(json members | jq -r '.[0].admin')" false
# As they were shown: with numbers, on several lines, in any order of the lists.
sed -n '3p;1p' "$root/words" |
	awk '{ for (i = 1; i <= NF; i++) printf "  %d %s%s", i, toupper($i), i % 3 ? "" : "\n" }' \
		>"$root/typed"
feed 0 recover
is "admins now" "$(json members | jq -r '.[0].admin')" true

step "new words by the old ones, which then are worth nothing"
sed -n '1,2p' "$root/words" >"$root/typed"
ht SHA roots change --json <"$root/typed" 2>/dev/null | words >"$root/new"
is "lists of words" "$(wc -l <"$root/new")" 1
feed 5 recover
says 'no root key'
cp "$root/new" "$root/typed"
feed 0 recover

step "roles in a collaboration"
exits 3 ht SHA collab new 上线 --offices FRA
says 'FRA'
exits 5 ht SHA collab new 上线 --offices SHA:boss
says 'reader, editor or manager'
exits 0 ht SHA collab new 上线
is "offices" "$(json collab offices CO-SHA-$year-0001 | jq -c '.[] | [.office, .role]')" \
	'["SHA","manager"]'
exits 5 ht SHA collab admit CO-SHA-$year-0001 SHA --role manager
exits 3 ht SHA collab remove CO-SHA-$year-0001 FRA
exits 0 ht SHA collab remove CO-SHA-$year-0001 SHA
says 'nobody manages it any more'
exits 0 ht SHA collab admit CO-SHA-$year-0001 SHA --role manager
! grep -q 'nobody manages it' "$root/said" || fail "it has a manager"

step "new keys: the old ones write no more, a backup of before is refused by name"
exits 0 ht SHA backup "$root/old.db"
cp "$root/SHA/identity.key" "$root/old.key"
before=$(json members | jq -r '.[0].replica')
exits 0 ht SHA rotate
after=$(json members | jq -r '.[0].replica')
[ "$before" != "$after" ] || fail "the epoch is the same"
exits 0 ht SHA trust log
says 'epoch +stands +SHA +SHA goes on as replica'
is "epochs" "$(json members | jq -r '.[0].epochs | sort | join(" ")')" \
	"$(printf '%s\n' "$before" "$after" | sort | paste -sd ' ')"
exits 0 ht SHA action add 有了新钥匙
exits 5 ht SHA restore "$root/old.db"
says 'keys were changed'
cp "$root/SHA/identity.key" "$root/new.key"
cp "$root/old.key" "$root/SHA/identity.key"
exits 1 ht SHA action add 旧钥匙
says 'identity.key'
is "items" "$(json action list | jq length)" 1

step "a crash between the two renames of a rotation, on either side"
cp "$root/new.key" "$root/SHA/identity.new" # the epoch was begun: it is the key
exits 0 ht SHA action add 恢复了
[ ! -e "$root/SHA/identity.new" ] || fail "identity.new is still there"
cmp -s "$root/SHA/identity.key" "$root/new.key" || fail "the key is not the new one"
cp "$root/old.key" "$root/SHA/identity.new" # it was not: it is left alone
exits 0 ht SHA action add 没变
cmp -s "$root/SHA/identity.key" "$root/new.key" || fail "the key was changed"
exits 0 ht SHA rotate

step "a restored backup goes on as another replica, with what it lacks of the database of before"
exits 0 ht SHA backup "$root/backup.db"
exits 0 ht SHA action add 备份之后
before=$(json members | jq -r '.[0].replica')
json restore "$root/backup.db" >"$root/restored"
[ "$(jq -r .replica "$root/restored")" != "$before" ] || fail "the epoch is the same"
is "statement" "$(json trust log | jq -r '.[-1] | .type + " " + .reason + " " + .replica')" \
	"epoch restored $(jq -r .replica "$root/restored")"
[ "$(json trust log | jq -r '.[-1].at')" != null ] || fail "it has no time"
kept=$(jq -r .kept "$root/restored")
is "items kept" "$(sqlite3 "$kept" 'SELECT count(*) FROM r_action_item')" 4
is "items restored" "$(json action list | jq length) $(jq .own "$root/restored")" "4 1"
cmp -s "$root/backup.db" "$root/SHA/replica.db" && fail "the backup itself was changed"
exits 0 ht SHA action add 恢复之后
exits 0 ht SHA verify
exits 0 ht SHA doctor
says 'ok +quarantine +empty'
says 'ok +forks +none'

step "so does a copy of the database that was put in its place"
before=$(json members | jq -r '.[0].replica')
cp "$root/backup.db" "$root/SHA/replica.db"
rm -f "$root/SHA/replica.db-wal" "$root/SHA/replica.db-shm"
exits 0 ht SHA action add 又一次
[ "$(json members | jq -r '.[0].replica')" != "$before" ] || fail "the epoch is the same"
exits 0 ht SHA verify

step "a revocation is confirmed, says what is cut, and can name another cut"
seq=$(json log --limit 1 | jq -r .[0].seq)
replica=$(json log --limit 1 | jq -r .[0].replica)
exits 5 ht SHA revoke self
says 'up to changeset'
says 'This very node'
says 'No admin will be left'
says '--yes'
exits 5 ht SHA revoke self --at directory
says 'SPACE:SEQ'
exits 3 ht SHA revoke self --yes --at "CO-SHA-$year-0001:$seq"
says 'several replicas'
exits 5 ht SHA revoke self --yes --at "${replica:0:8}/CO-SHA-$year-0001:$((seq + 1))"
says "only $seq are held"
exits 3 ht SHA revoke FRA --yes
exits 0 ht SHA revoke self --yes --at "${replica:0:8}/CO-SHA-$year-0001:$((seq - 1))"
exits 0 ht SHA quarantine
says "^${replica:0:8} +SHA +CO-SHA-$year-0001 +$seq-$seq +revoked"
exits 0 ht SHA status
says '^quarantine +1 changeset: huitong quarantine$'
exits 0 ht SHA quarantine show "${replica:0:8}"
says '又一次'
is "its items" "$(json quarantine show "${replica:0:8}" | jq -r '.[0].changes[0].type')" action_item
is "state" "$(json members | jq -r '.[0].state')" revoked
exits 5 ht SHA action add 不再是成员
says 'huitong join'
exits 1 ht SHA doctor
says 'FAIL +membership'
exits 0 ht SHA status
says '^member '
exits 5 ht SHA serve
