#!/usr/bin/env bash
# The main job, told as a story: three offices on this machine that work offline and converge.
#
#   demo.sh HUITONG [--keep]      HUITONG: the program; or $HUITONG
#
# New York reaches Shanghai only through Frankfurt. The link is cut by ending Frankfurt's
# daemon. --keep leaves folders and daemons in place and says how to look around and stop.
set -euo pipefail

huitong=${HUITONG:-}
keep=no
for argument; do
	case $argument in
	--keep) keep=yes ;;
	-*) echo "usage: demo.sh [HUITONG] [--keep]" >&2; exit 2 ;;
	*) huitong=$argument ;;
	esac
done
[ -x "$huitong" ] || { echo "demo: no program at '$huitong'" >&2; exit 2; }

root=$(mktemp -d "${TMPDIR:-/tmp}/huitong-demo.XXXXXX")
declare -A daemon=()
declare -A port=()

stop_daemon() { # office
	local pid=${daemon[$1]:-}
	[ -n "$pid" ] || return 0
	kill "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	unset "daemon[$1]"
}

clean_up() {
	local status=$?
	if [ "$keep" = yes ] && [ "$status" = 0 ]; then
		return
	fi
	for office in "${!daemon[@]}"; do stop_daemon "$office"; done
	if [ "$status" != 0 ]; then
		echo "demo: failed; the daemons' last words:" >&2
		tail -n 5 "$root"/*.log >&2 || true
	fi
	rm -rf "$root"
}
trap clean_up EXIT

# Telling the story.
if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' off=$'\e[0m'; else bold= dim= off=; fi
chapter() { printf '\n%s%s%s\n' "$bold" "$1" "$off"; }
say() { printf '  %s\n' "$1"; }

ht() { # office command...: quietly
	local office=$1
	shift
	HUITONG_REPLICA=$root/$office "$huitong" "$@"
}
show() { # office command...: with the command and what it printed
	local office=$1
	shift
	printf '  %s%s$ huitong%s' "$dim" "$office" "$off"
	printf " %s" "${@@Q}" | sed "s/'\([A-Za-z0-9_.:,=+-]*\)'/\1/g"
	printf '\n'
	ht "$office" "$@" 2>&1 | sed 's/^/      /'
}

start_daemon() { # office arguments...
	local office=$1
	shift
	# A job of its own would be told about when it ends; the port file says when it is ready.
	rm -f "$root/$office.port"
	HUITONG_REPLICA=$root/$office "$huitong" serve --listen "127.0.0.1:${port[$office]:-0}" \
		--port-file "$root/$office.port" "$@" 2>>"$root/$office.log" &
	daemon[$office]=$!
	for _ in $(seq 200); do
		[ -s "$root/$office.port" ] && break
		kill -0 "${daemon[$office]}" 2>/dev/null || { echo "demo: $office's daemon ended" >&2; exit 1; }
		sleep 0.05
	done
	port[$office]=$(cat "$root/$office.port")
}

state_hash() { ht "$1" status --hash --json | tr -d ' \n' | sed -n 's/.*"state_hash":"\([0-9a-f]*\)".*/\1/p'; }

# Wait until all three offices show the same state; prints the milliseconds it took.
converge() {
	local began now sha fra nyc
	began=$(date +%s%3N)
	for _ in $(seq 600); do
		sha=$(state_hash SHA) fra=$(state_hash FRA) nyc=$(state_hash NYC)
		if [ -n "$sha" ] && [ "$sha" = "$fra" ] && [ "$sha" = "$nyc" ]; then
			now=$(date +%s%3N)
			echo $((now - began))
			return
		fi
		sleep 0.02
	done
	echo "demo: the offices did not converge: $sha $fra $nyc" >&2
	exit 1
}

chapter "1. Three offices, three nodes"
ht SHA init --org 会同集团 --office SHA --office-name 上海 --zone Asia/Shanghai --person 王芳 >/dev/null
start_daemon SHA --no-dial
say "Shanghai founds the organisation 会同集团 and listens on port ${port[SHA]}."
ticket=$(ht SHA invite FRA --zone Europe/Berlin --address "127.0.0.1:${port[SHA]}" | grep -o 'huitong1:[A-Za-z0-9_-]*')
ht FRA join "$ticket" --name Frankfurt --person "Jonas Weber" >/dev/null 2>&1
start_daemon FRA
say "Frankfurt joins with a ticket from Shanghai (${#ticket} characters, valid once)."
ticket=$(ht FRA invite NYC --zone America/New_York --address "127.0.0.1:${port[FRA]}" | grep -o 'huitong1:[A-Za-z0-9_-]*')
ht NYC join "$ticket" --name "New York" --person "Maria Lopez" >/dev/null 2>&1
start_daemon NYC
say "New York joins with a ticket from Frankfurt, and knows no way to Shanghai but through it."
converge >/dev/null
show SHA office list

chapter "2. Each office records"
ht SHA collab new 欧洲上线 --goal "3 月 1 日前在德国上线" >/dev/null
show SHA meeting new "欧洲上线周例会" --kind weekly --start "2026-11-30 15:00" --duration 45
show SHA minutes add MT-SHA-2026-0001 --kind conclusion "3 月 1 日上线，先德国，后美国。"
show SHA action add "提交验收报告" --owner 王芳 --due 2026-12-04 --priority high
say "… and a moment later, in the others:"
converge >/dev/null
show FRA meeting new "Data protection review" --kind special --start "2026-12-01 10:00"
show FRA minutes add MT-FRA-2026-0001 --kind conclusion "Hosting stays in Frankfurt."
show FRA action add "Sign the data processing agreement" --owner "Jonas Weber" --due 2026-12-02
show NYC meeting new "Support hand-over" --start "2026-12-02 09:30"
show NYC minutes add MT-NYC-2026-0001 --kind to-do "Train two people in November."
show NYC action add "Write the runbook" --owner "Maria Lopez" --due 2026-12-11
say "All three agree after $(converge) ms."
show NYC action list

chapter "3. The link is cut"
stop_daemon FRA
say "Frankfurt's daemon is stopped: Shanghai and New York can't reach each other now."
show SHA action edit AI-SHA-2026-0001 --title "提交验收报告（含性能数据）"
show SHA action due AI-SHA-2026-0001 2026-12-03
show NYC action edit AI-SHA-2026-0001 --title "Submit the acceptance report in English"
show NYC action progress AI-SHA-2026-0001 "Translation ordered"
show FRA action start AI-FRA-2026-0001
say "Frankfurt works on, too: its commands need no daemon. What waits for whom:"
for office in SHA FRA NYC; do
	say "$office: $(ht "$office" status --json | tr -d ' \n' | sed -n 's/.*"changesets":\([0-9]*\).*/\1/p') changesets held"
done

chapter "4. The link is back"
start_daemon FRA
say "Converged in $(converge) ms, dialling included."
say "Both titles are kept; one shows, and the record waits in the conflict inbox:"
show FRA conflicts
show FRA conflicts show AI-SHA-2026-0001

chapter "5. Somebody chooses"
show NYC conflicts pick AI-SHA-2026-0001 title --value "提交验收报告 / Submit the acceptance report"
say "Everywhere after $(converge) ms:"
show SHA conflicts
show SHA action list

chapter "6. The same state, three times"
for office in SHA FRA NYC; do say "$office  $(state_hash "$office")"; done
show NYC verify

if [ "$keep" = yes ]; then
	chapter "Still running"
	for office in SHA FRA NYC; do
		say "export HUITONG_REPLICA=$root/$office   # daemon ${daemon[$office]}, port ${port[$office]}"
	done
	say "$huitong help"
	say "sqlite3 $root/SHA/replica.db 'SELECT * FROM action_item'"
	say "To end it: kill ${daemon[*]}; rm -r $root"
	disown -a
fi
