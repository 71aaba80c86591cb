#!/usr/bin/env bash
# The main job, told as a story: three offices on this machine that work without a link and agree
# in the end.
#
#   demo.sh [--keep]      the program is $HUITONG
#
# New York reaches Shanghai only through Frankfurt. The link is cut by ending Frankfurt's daemon.
# --keep leaves folders and daemons in place, and says how to look around and how to end them.
set -euo pipefail
case ${1:-} in
"" | --keep) ;;
*)
	echo "usage: demo.sh [--keep]" >&2
	exit 2
	;;
esac
# shellcheck source=tests/e2e/offices.sh
. "$(dirname "${BASH_SOURCE[0]}")/offices.sh"
keep=${1:-}
began=$(now_ms)

# ---- Telling ----

bold='' dim='' off=''
declare -A tint=([SHA]='' [FRA]='' [NYC]='')
width=110 # what a table can need at the turn of a year
if [ -t 1 ]; then
	read -r _ width < <(stty size <&1 2>/dev/null || echo 0 110)
fi
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' dim=$'\e[2m' off=$'\e[0m'
	tint=([SHA]=$'\e[1;31m' [FRA]=$'\e[1;33m' [NYC]=$'\e[1;36m')
fi
margin="      $dim│$off "
export COLUMNS=$((width - 8)) # for what stands behind the margin

chapter() { printf '\n%s%s%s\n\n' "$bold" "$1" "$off"; }
say() { printf '  %s\n' "$@" | sed 's/ *$//'; }

# As one would type it.
typed() {
	local word
	for word; do
		case $word in
		'' | *[[:space:]\"\'\;\&\|\(\)\<\>\$]*) printf ' "%s"' "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
}

# A path as a shell reads it.
quoted() { printf '%q' "$1"; }

# enter OFFICE COMMAND...: shows the command, $said is what it said.
enter() {
	printf '  %s%s%s $ %shuitong%s%s\n' "${tint[$1]}" "$1" "$off" "$bold" "$(typed "${@:2}")" \
		"$off"
	said=$(ht "$@" 2>&1) || die "$said"
}

# show OFFICE COMMAND...: and what it said; $number is the first one in it.
show() {
	enter "$@"
	number=$(grep -oE '[A-Z]{2}-[A-Z]{3}-[0-9]{4}-[0-9]+' <<<"$said" | sed 1q || true)
	sed -E "s/\b([0-9a-f]{16})[0-9a-f]{48}\b/\1…/; s/^/$margin/; s/ *\$//" <<<"$said"
}

seconds() { printf '%d.%02d s' $(($1 / 1000)) $(($1 % 1000 / 10)); }

# all_agree [SINCE-MS]: waits for it, and tells how long it took, from now or from then.
all_agree() {
	local since=${1:-$(now_ms)}
	converge SHA FRA NYC >/dev/null
	seconds $(($(now_ms) - since))
}

in_days() { date -d "$1 days" +%F; }

# ---- The story ----

chapter "会同 Huitong: three offices, a cut link, one truth"
say "Three real nodes on this machine, each with its own folder, key, port and time zone."

chapter "1. Three offices"
found SHA
start SHA
say "Shanghai founds the organisation 会同集团."
enrol FRA "$(invite FRA SHA "127.0.0.1:${port[SHA]}" --admin)"
start FRA --peer "127.0.0.1:${port[SHA]}"
say "Frankfurt joins with a ticket from Shanghai, which is good once."
enrol NYC "$(invite NYC FRA "127.0.0.1:${port[FRA]}")"
start NYC --peer "127.0.0.1:${port[FRA]}"
say "New York joins with one from Frankfurt. It can reach Shanghai only through Frankfurt." ""
converge SHA FRA NYC >/dev/null
show NYC office list

chapter "2. Each office records"
show SHA collab new 欧洲上线 --goal "3 月 1 日前在德国上线"
show SHA meeting new 欧洲上线周例会 --kind weekly --start "$(in_days 8) 15:00" --duration 45
meeting=$number
show SHA minutes add "$meeting" --kind conclusion 先德国，后美国。
show SHA action add 验收报告 --owner 王芳 --due "$(in_days 12)" --priority high
report=$number
say "" "The collaboration reaches the others; they go on in it." ""
converge SHA FRA NYC >/dev/null
show FRA meeting new "Data protection review" --start "$(in_days 9) 10:00"
show FRA minutes add "$number" --kind conclusion "Hosting stays in Frankfurt."
show FRA action add "Sign NDA" --owner "Jonas Weber" --due "$(in_days -2)"
signing=$number
echo
show NYC meeting new "Support hand-over" --start "$(in_days 10) 09:30"
show NYC minutes add "$number" --kind to-do "Train two people."
show NYC action add Runbook --owner "Maria Lopez" --due "$(in_days 19) 17:00"
say "" "$(all_agree) later all three agree. New York sees its own time, and the origin's beside it:" ""
show NYC action list

chapter "3. The link is cut"
stop FRA
say "Frankfurt's daemon is stopped: nothing gets through. Work goes on, in Frankfurt, too." ""
enter SHA action edit "$report" --title 验收报告（含性能数据）
enter SHA action due "$report" "$(in_days 11)"
enter NYC action edit "$report" --title "Acceptance report"
enter NYC action progress "$report" "Translation ordered"
enter FRA action start "$signing"
say "" "Each office knows what waits there for Frankfurt:" ""
show SHA peers
show NYC peers

chapter "4. The link is back"
since=$(now_ms)
start FRA --peer "127.0.0.1:${port[SHA]}"
say "Frankfurt's daemon starts; $(all_agree "$since") later all three agree." \
	"The same title was changed in Shanghai and in New York. Neither is lost: one shows," \
	"both wait in the conflict inbox for somebody to choose." ""
show FRA conflicts show "$report"

chapter "5. Somebody chooses"
enter NYC conflicts pick "$report" title --value "验收报告 v2"
say "" "Everywhere $(all_agree) later:" ""
show SHA conflicts
show SHA action list

chapter "6. One truth"
for office in SHA FRA NYC; do
	say "${tint[$office]}$office$off  $(state_hash "$office")"
done
echo
show NYC verify
say "" "That took $(seconds $(($(now_ms) - began)))."

if [ -z "$keep" ]; then
	say "Look around yourself: ./dev demo --keep"
else
	chapter "Still running"
	say "alias huitong=$(quoted "$(quoted "$huitong")")" ""
	for office in SHA FRA NYC; do
		say "export HUITONG_REPLICA=$(quoted "$root/$office")   # port ${port[$office]}"
	done
	say "" "huitong status" "huitong log" "huitong minutes show $meeting" \
		"huitong help" "" "To end it:" "" \
		"kill ${daemon[*]}; rm -r $(quoted "$root")"
fi
