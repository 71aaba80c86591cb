#!/usr/bin/env bash
# Any SQLite client reads the documented views, while the daemon runs and others write.
. "$(dirname "$0")/check.sh"

command -v sqlite3 >/dev/null || skip "no sqlite3 here"
found SHA
ht SHA collab new 欧洲上线 >/dev/null
start SHA
meeting=$(ht SHA meeting new 周例会 --start "2030-11-30 15:00" --json 2>/dev/null | value_of number)
ht SHA minutes add "$meeting" --kind conclusion "先德国，后美国。" >/dev/null
number=$(add_action SHA "提交验收报告" --owner 王芳 --due 2030-12-04 --priority high)
ht SHA action start "$number" >/dev/null

sql() { sqlite3 -readonly -separator '|' "$root/SHA/replica.db" "$1"; }

step "an action item in plain words"
is "the row" "$(sql "SELECT title, due, priority, state FROM action_item WHERE number = '$number'")" \
	"提交验收报告|2030-12-04[Asia/Shanghai]|high|doing"

step "names instead of ids are one join away"
is "the owner" "$(sql "SELECT p.name, o.code FROM action_item a JOIN person p ON p.id = a.owner
	JOIN office o ON o.id = p.office WHERE a.number = '$number'")" "王芳|SHA"

step "the query of the documents"
is "what is to do" "$(sql "SELECT a.number, a.title, p.name AS owner, a.state
	FROM action_item a LEFT JOIN person p ON p.id = a.owner
	WHERE a.state NOT IN ('done', 'cancelled') AND NOT a.voided ORDER BY a.due")" \
	"$number|提交验收报告|王芳|doing"

step "every kind has a view, and each can be read"
for view in organisation office node person space collaboration meeting topic minutes block action_item; do
	sql "SELECT count(*) FROM $view" >/dev/null || fail "no view $view"
done
is "the minutes' text" "$(sql "SELECT text FROM block")" "先德国，后美国。"

step "a reader sees one moment, and holds nobody up"
mkfifo "$root/reader"
sqlite3 -readonly "$root/SHA/replica.db" <"$root/reader" >"$root/read" &
client=$!
exec {reader}>"$root/reader"
echo "BEGIN; SELECT count(*) FROM action_item;" >&"$reader"
await 60 test -s "$root/read" || fail "the reader reads nothing"
"$tools/bulk" "$root/SHA" 200
add_action SHA "while somebody reads" >/dev/null
echo "SELECT count(*) FROM action_item;" >&"$reader"
exec {reader}>&-
wait "$client"
is "both counts" "$(paste -sd, "$root/read")" "1,1"
is "the count afterwards" "$(sql "SELECT count(*) FROM action_item")" 202
stop SHA
