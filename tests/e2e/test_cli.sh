#!/usr/bin/env bash
# Every command in one data folder, without a daemon: what it prints, its exit code, its JSON.
# The program is $HUITONG.
set -euo pipefail

huitong=${HUITONG:?the program}
root=$(mktemp -d "${TMPDIR:-/tmp}/huitong-cli.XXXXXX")
trap 'chmod -R u+rwx "$root"; rm -rf "$root"' EXIT
trap 'echo "${0##*/}: line $LINENO: $BASH_COMMAND: ended with $?" >&2' ERR
export HUITONG_REPLICA=$root/data
unset HUITONG_PERSON TZ EDITOR VISUAL LANGUAGE XDG_DATA_HOME
export LC_ALL=C.UTF-8
failures=0

complain() {
	printf 'FAILED: %s\n' "$1" >&2
	sed 's/^/    /' "$root/out" "$root/err" >&2
	failures=$((failures + 1))
}

# expect CODE command...: runs it, keeps its output in $root/out and $root/err
expect() {
	local code=$1 got=0
	shift
	"$huitong" "$@" >"$root/out" 2>"$root/err" </dev/null || got=$?
	[ "$got" = "$code" ] || complain "huitong $* ended with $got, not $code"
}
# says TEXT: the last command printed it; complains TEXT: on stderr
says() { grep -qF -- "$1" "$root/out" || complain "stdout lacks: $1"; }
says_not() { ! grep -qF -- "$1" "$root/out" || complain "stdout has: $1"; }
warns() { grep -qF -- "$1" "$root/err" || complain "stderr lacks: $1"; }
# has KEY VALUE: the JSON of the last command, of which every key stands on a line of its own
has() { grep -qE "^ *\"$1\": $2,?\$" "$root/out" || complain "JSON lacks $1: $2"; }

# ---- Help, and what is wrong on the command line
expect 2
warns "usage: huitong COMMAND"
expect 0 help
says "action add TITLE"
expect 0 --version
says "huitong "
expect 0 help action due
says "usage: huitong action due ACTION WHEN"
expect 0 action add --help
says "--priority low|medium|high"
expect 0 help sync
says "sync pause"
expect 0 -h
says "action add TITLE"
expect 0 sync --help
says "sync pause"
expect 2 --json
warns "a command is missing"
expect 2 foo
! grep -q 'did you mean' "$root/err" || complain "foo is near to nothing"
for words in "help" "--help" "--version" "action add --help" "sync -h"; do
	# shellcheck disable=SC2086 # words
	if "$huitong" $words >/dev/full 2>"$root/err"; then complain "$words to a full disk"; fi
	warns "can't be written"
done
expect 2 actoin list
warns 'did you mean `action list`?'
expect 2 action
warns "action cancel"
expect 2 status --frobnicate
warns "no option --frobnicate"
expect 2 action due AI-SHA-2026-0001
warns "needs: ACTION WHEN"
expect 2 init --office SHA
warns "needs --org"
expect 3 help frobnicate
expect 5 help --json
warns "no JSON"
expect 0 version --json
has version '".+"'
expect 0 action list --help
says "only of this collaboration"

# ---- Before there is anything
expect 3 status
warns "huitong init"
expect 1 doctor
says "FAIL  folder"

# ---- Founding that failed: it can be repeated, even without the key
expect 5 init --org X --office "not a code" --zone Asia/Shanghai
[ -e "$root/data/replica.db" ] || complain "nothing to begin anew"
rm "$root/data/identity.key"

# ---- Founding
expect 0 init --org 会同集团 --office SHA --office-name 上海 --zone Asia/Shanghai --person 王芳
[ "$(stat -c %a "$root/data")" = 700 ] || complain "the folder's mode"
[ "$(stat -c %a "$root/data/identity.key")" = 600 ] || complain "the key's mode"
[ "$(stat -c %a "$root/data/replica.db")" = 600 ] || complain "the database's mode"
expect 5 init --org X --office SHA --zone Asia/Shanghai
warns "already a node"
mv "$root/data/identity.key" "$root/key"
expect 1 person new X
warns "put identity.key back"
mv "$root/key" "$root/data/identity.key"
expect 0 status
says 会同集团
expect 0 status --json --hash
has office '"SHA"'
has daemon null
has state_hash '"[0-9a-f]{64}"'
expect 0 doctor
says "ok    author      王芳"
expect 0 office list
says "Asia/Shanghai"
expect 0 person new 李娜 --sort-key lina
expect 0 person new 李雷
expect 0 person list --json
has name '"李雷"'
expect 3 person edit 李 --active 1
warns "fits several"

# ---- A collaboration
expect 3 action add 无处可去
warns "huitong collab new"
expect 0 collab new 欧洲上线 --goal "3 月 1 日前在德国上线"
says "CO-SHA-"
year=$(grep -oE '20[0-9]{2}' "$root/out" | head -1)
expect 0 collab list
says "SHA"
expect 0 collab show 欧洲上线 --json
has phase '"requested"'
expect 0 collab edit CO-SHA-$year-0001 --phase approved --tags 重点 --json
has phase '"approved"'
expect 5 collab edit CO-SHA-$year-0001 --phase archived

# ---- Meetings and minutes
expect 0 meeting new 周例会 --kind weekly --start "$((year + 1))-01-15 15:00" --duration 45 \
	--chair 王芳 --participants 李娜 --participants 王芳
meeting=MT-SHA-$year-0001
says "$meeting  周例会"
expect 0 meeting show "mt-sha-$year-0001"
says "李娜, 王芳"
expect 0 meeting edit "$meeting" --no-participants 李娜 --state held --json
has state '"held"'
expect 0 meeting list
says "$meeting"
expect 5 meeting edit "$meeting" --kind nonsense
warns "is none of"
expect 0 meeting new 夜会 --start "2026-03-29 02:30[Europe/Berlin]"
warns "Europe/Berlin: clocks skip 02:30 on 2026-03-29; taken as 03:30"
expect 3 minutes show "$meeting"
warns "no minutes yet"
expect 0 minutes add "$meeting" --kind conclusion "先德国，后美国。"
expect 0 minutes add 周例会 "I think so"
warns "advice:"
expect 0 minutes add "$meeting" --after "MN-SHA-$year-0001/1" --kind basis $'第一行\n第二行'
expect 0 minutes show "$meeting"
says "[2] basis"
says "    第二行"
says "[3] note"
expect 0 minutes edit "MN-SHA-$year-0001/3" --text "Confirmed."
expect 3 minutes edit "MN-SHA-$year-0001/9" --text x
EDITOR="sed -i s/德国/法国/" expect 0 minutes edit "MN-SHA-$year-0001/1"
expect 0 minutes show "MN-SHA-$year-0001" --json
has text '"先法国，后美国。"'
expect 0 minutes add "$meeting" 误记 --json
block=$(sed -n 's/^ *"id": "\([0-9a-f]*\)".*/\1/p' "$root/out" | head -1)
expect 0 show "$block"
says "MN-SHA-$year-0001/4"
expect 0 minutes void "MN-SHA-$year-0001/4"
expect 3 minutes void "MN-SHA-$year-0001/4"
expect 0 revive "$block"
says "MN-SHA-$year-0001/4  note"
EDITOR=true expect 0 minutes edit "MN-SHA-$year-0001/1"
warns "nothing was changed"
printf '#!/bin/sh\necho 荷兰 >"$1"\nexit 1\n' >"$root/editor"
chmod +x "$root/editor"
EDITOR="'$root/editor'" expect 1 minutes edit "MN-SHA-$year-0001/1"
warns "Your text is kept in "
kept=$(sed -n 's/^Your text is kept in //p' "$root/err")
grep -q 荷兰 "$kept" || complain "the kept text"
EDITOR=true expect 0 minutes edit "MN-SHA-$year-0001/1" --resume

# ---- Action items
expect 0 action add 提交验收报告 --owner 王芳 --due +30d --priority high --meeting "$meeting"
item=AI-SHA-$year-0001
says "$item  提交验收报告"
expect 0 action add 早该完成 --due $((year - 1))-03-01
warns "nobody owns it"
late=AI-SHA-$year-0002
expect 5 action add 含糊 --due 尽快
warns "尽快"
expect 0 minutes show "$meeting"
says "$item"
expect 0 action list
[ "$(sed -n 2p "$root/out" | cut -d' ' -f1)" = "$late" ] || complain "the late one is not the first"
expect 0 action list --overdue
says "$late"
says_not "$item"
expect 0 action list --owner 王芳 --json
has number "\"$item\""
has overdue false
expect 3 action list --owner 无名氏
expect 5 action list --state sleeping
expect 0 action assign "$late" 李娜
expect 0 action list --owner 李娜
says "$late"
expect 0 action due "$late" "$year-12-31 17:00 [Europe/Berlin]"
expect 0 action show "$late" --json
has due "\"$year-12-31T17:00\\[Europe/Berlin\\]\""
expect 5 action due "$late" 2026-02-30
expect 3 action due "$late" "2026-12-31 17:00 [Europe/Nowhere]"
expect 2 action edit "$item"
warns "nothing to change"
expect 0 action edit "$item" --title 提交报告 --helpers 李雷 --deliverable "一份 PDF" --json
has title '"提交报告"'
expect 0 action edit "$item" --deliverable "" --no-helpers 李雷 --json
has deliverable '""'
has helpers '\[\]'
expect 3 action edit "$item" --no-helpers 李雷
expect 0 action progress "$item" 已过半
expect 0 action show "$item"
says "王芳: 已过半"
expect 0 action start "$item"
expect 0 action block "$item"
expect 0 action list --state blocked
says "$item"
expect 0 action done "$item" --json
has state '"done"'
expect 5 action start "$item"
warns "can become: open"
expect 0 action list
says_not "$item"
expect 0 action list --all
says "$item"
expect 0 action reopen "$item"
expect 0 action cancel "$late"
expect 0 action void "$late"
expect 5 action void "$late"
expect 5 action start "$late"
warns "revive it first"
expect 0 action list --all
says "[voided]"
expect 0 action revive "$late"
expect 5 action revive "$late"
expect 3 action show AI-SHA-$year-0099
expect 3 action show 0199
expect 0 action show "$item" --json
id=$(sed -n 's/^ *"id": "\([0-9a-f]*\)".*/\1/p' "$root/out" | head -1)
expect 0 show "$id"
says "$item"
expect 0 show "$(printf %s "${id:0:30}" | tr a-f A-F)"
says "$item"

# ---- Who did it
expect 0 action progress "$item" "by another" --as 李雷
expect 0 log "$item" --limit 1
says "李雷 (SHA)"
says "progress + by another"
HUITONG_PERSON=李娜 expect 0 action progress "$item" "by a third"
expect 0 log --limit 1 --json
has name '"李娜"'
expect 3 action progress "$item" x --as 无名氏
expect 0 log
expect 5 log --limit none

# ---- What is refused
expect 0 meeting new 短会
meeting2=$(grep -oE 'MT-SHA-[0-9]{4}-[0-9]+' "$root/out" | head -1)
for duration in -5 0 10081 9223372036854775807 99999999999999999999; do
	expect 5 meeting edit "$meeting2" --duration $duration
	warns duration
done
expect 0 office edit SHA --closes 17:30 --json
has closes 1050
expect 0 log --limit 1
says "closes = 17:30"
for closes in 99999 -1 24:00 17.30; do
	expect 5 office edit SHA --closes $closes
	warns closes
done
expect 0 office edit SHA --closes 1080
for blank in "" " " "　"; do
	expect 5 person edit 王芳 --name "$blank"
	warns "the name is empty"
	expect 5 action edit "$item" --title "$blank"
	expect 5 action add "$blank"
	expect 5 collab new "$blank"
done
expect 5 node edit self --addresses bad
warns bad
expect 0 node edit self --addresses sha.example.org:7420
expect 0 node edit self --no-addresses sha.example.org:7420

# ---- What was taken out of a set
expect 0 action edit "$item" --helpers 李雷
expect 0 action edit "$item" --no-helpers 李雷
expect 0 log "$item" --limit 1
says "helpers - 李雷"
expect 0 log "$item" --limit 1 --json
has name '"李雷"'
expect 0 log --limit 1
says "helpers - 李雷"

# ---- The inbox
expect 0 conflicts
warns "no conflicts"
expect 0 conflicts --json
says "[]"
expect 0 conflicts show "$item"
expect 5 conflicts pick "$item" title 9
expect 5 conflicts pick "$item" title 1
warns "title is not in conflict"
expect 5 conflicts pick "$item" life void
warns "nothing to choose"
expect 3 conflicts pick "$item" colour 1
expect 0 conflicts pick "$item" title --value 提交最终报告
expect 0 action show "$item"
says 提交最终报告

# ---- Dates are told by the reader's clock
expect 0 action add 纽约 --due "$((year + 1))-06-30 18:00 [America/New_York]"
TZ=Europe/Berlin expect 0 action list
says "00:00"
TZ=Nowhere/Land expect 3 action list
warns "Nowhere/Land"

# ---- Care
expect 0 verify --json
has equal true
expect 5 backup ""
warns "name the FILE"
expect 0 backup "$root/copy.db"
warns "identity.key"
expect 5 backup "$root/copy.db"
[ "$(stat -c %a "$root/copy.db")" = 600 ] || complain "the copy's mode"
expect 0 peers
expect 3 sync now
warns "no daemon"
expect 2 sync
expect 0 invite FRA --zone Europe/Berlin --address 127.0.0.1:7420 --expires 30m
says "huitong1:"
expect 5 invite FRA --zone Europe/Berlin --address 127.0.0.1:7420 --expires soon
expect 5 invite NYC --address 127.0.0.1:7420
warns "--zone"
expect 5 join huitong1:nonsense --replica "$root/other"

# ---- What the machine does to us
chmod 644 "$root/data/identity.key"
expect 1 action add 谁都能读
warns "chmod 600"
expect 0 action list
expect 1 doctor
says "FAIL  key"
chmod 600 "$root/data/identity.key"
mv "$root/data/identity.key" "$root/key"
expect 1 action add 没有钥匙
warns "identity.key"
warns "put identity.key back"
mv "$root/key" "$root/data/identity.key"
chmod 755 "$root/data"
expect 1 doctor
says "others may enter"
chmod 700 "$root/data"
cp -r "$root/data" "$root/damaged"
dd if=/dev/urandom of="$root/damaged/replica.db" bs=4096 seek=0 count=1 conv=notrunc status=none
rm -f "$root/damaged/replica.db-wal"
expect 1 status --replica "$root/damaged"
warns "replica.db"
expect 0 verify

[ "$failures" = 0 ] || { echo "$failures failed" >&2; exit 1; }
echo "all well"
