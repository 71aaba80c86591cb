#!/usr/bin/env bash
# Chinese: what the environment asks for is spoken, whether or not the machine has the locale;
# what programs and other offices read is not.
. "$(dirname "$0")/check.sh"

zh() { # COMMAND...: in Shanghai, in Chinese
	env -u LC_ALL LANG=zh_CN.UTF-8 HUITONG_REPLICA="$root/SHA" "$huitong" "$@"
}

step "help, tables, answers, errors of every layer"
exits 0 zh init --org 会同集团 --office SHA --zone Asia/Shanghai --person 王芳
says '恢复词'
says '^下一步'
exits 0 zh help
says '^成员与信任$'
exits 0 zh help revoke
says '^用法：huitong revoke NODE'
exits 0 zh collab new 上线
exits 0 zh action add 提交报告 --priority high
says '未结'
says '建议：还没有负责人'
exits 0 zh action list
says '^编号 +状态 +负责人'
exits 0 zh members
says '管理员 +成员'
exits 0 zh doctor
says '^正常 +replica'
exits 3 zh action show AI-SHA-$year-0009
says '没有'
exits 5 zh action edit AI-SHA-$year-0001 --title "$(printf 'a\001b')" # of core
says '须为一行'
exits 1 zh join huitong1:xyz # of sync
says '邀请券不完整'
exits 2 zh acton list
says '您是指'

step "columns stand under each other"
value_columns() {
	sed 's/^\( *[^ ]* *\).*/\1/; s/[^ -~]/xx/g' | awk '{ print length }' | sort -u | wc -l
}
is "where values begin" "$(zh status | value_columns)" 1
is "where they do of a record" "$(zh collab show CO-SHA-$year-0001 | tail -n +2 | value_columns)" 1

step "every help text is in Chinese"
zh help | sed -n 's/^  \([a-z]*\( [a-z]*\)\{0,1\}\) .*/\1/p' >"$root/commands"
[ "$(wc -l <"$root/commands")" -gt 50 ] || fail "hardly any commands: $(cat "$root/commands")"
while read -r -a words; do
	exits 0 zh help "${words[@]}"
	says '^用法'
	! grep -nE '^[A-Z]?[a-z]+ [a-z]+ [a-z]+' "$root/said" || fail "help ${words[*]}: English"
done <"$root/commands"

step "JSON is the same in every language"
zh action show AI-SHA-$year-0001 --json | jq -S . >"$root/zh.json"
ht SHA action show AI-SHA-$year-0001 --json | jq -S . >"$root/en.json"
cmp "$root/zh.json" "$root/en.json" || fail "another JSON"
zh trust log --json >"$root/zh.json"
ht SHA trust log --json | cmp - "$root/zh.json" || fail "another JSON"

step "the log is English"
(
	unset LC_ALL
	LANG=zh_CN.UTF-8 start SHA
	stop SHA
)
grep -q 'listening on' "$root/SHA.log" || fail "no such line"
! grep -P '[^\x00-\x7f]' "$root/SHA.log" || fail "not English"

step "an unknown language, and none, are English"
exits 0 env -u LC_ALL LANG=xx_YY.UTF-8 "$huitong" help
says '^Membership and trust'
exits 0 env -u LC_ALL LANG=C "$huitong" help
says '^Membership and trust'
