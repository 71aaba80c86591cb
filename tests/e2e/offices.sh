# Offices of one organisation as real processes on this machine: sourced by the demo and the
# tests, not run.
#
# An office is known by its code. Its data folder is $root/CODE, its daemon's log $root/CODE.log.
# Whatever is started here ends with the script, however that ends.
# shellcheck shell=bash

huitong=${HUITONG:-}
[ -x "$huitong" ] || {
	echo "${0##*/}: no program at '$huitong': say HUITONG=PATH" >&2
	exit 2
}
huitong=$(realpath "$huitong")

# The offices of the stories told here.
declare -rA office_name=([SHA]=上海 [FRA]=Frankfurt [NYC]="New York")
declare -rA office_zone=([SHA]=Asia/Shanghai [FRA]=Europe/Berlin [NYC]=America/New_York)
declare -rA office_person=([SHA]=王芳 [FRA]="Jonas Weber" [NYC]="Maria Lopez")

declare -A daemon=() # the process by office; no entry: not running
declare -A port=()   # where it listens, and will listen again
orphans=()           # processes that a child of ours left running, to be ended with us
keep=                # not empty: leave everything as it is at the end

# What the caller's shell says of itself must not change the story.
unset HUITONG_REPLICA HUITONG_PERSON TZ EDITOR VISUAL LANGUAGE
export LC_ALL=C.UTF-8

root=$(mktemp -d "${TMPDIR:-/tmp}/huitong.XXXXXX")

offices_end() {
	local status=$?
	set +e
	trap - ERR
	if [ -n "$keep" ] && [ "$status" -eq 0 ]; then
		return
	fi
	trap '' INT TERM
	end_all TERM
	if [ "$status" -ne 0 ] && [ -n "${daemon[*]}" ]; then
		echo "${0##*/}: failed; the last words of the daemons:" >&2
		tail -n 15 "$root"/*.log >&2
	fi
	await 10 nothing_runs || end_all KILL
	rm -rf "$root" 2>/dev/null
}
trap offices_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# A command that failed unasked, which ends the script: where, and who called for it.
unexpected() { # STATUS COMMAND
	local i at=
	[ "$BASH_SUBSHELL" -eq 0 ] || return 0 # whoever began it is told of
	for ((i = ${#BASH_LINENO[@]} - 2; i >= 0; i--)); do
		at+="${at:+ > }${BASH_SOURCE[i + 1]##*/}:${BASH_LINENO[i]}"
	done
	echo "$at: '$2' ended with $1" >&2
}
set -E
trap 'unexpected $? "$BASH_COMMAND"' ERR

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# await SECONDS COMMAND...: until it succeeds. The limit is for what never comes, not for how long it
# may take: a machine may be slow.
await() {
	local end=$(($(now_ms) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(now_ms)" -lt "$end" ] || return 1
		sleep 0.02
	done
}

# is_gone PROCESS: one that we have started has ended. Its number alone says nothing: as soon as it
# has ended, the number may be that of another process, of another test.
is_gone() { [[ $'\n'$(jobs -rp)$'\n' != *$'\n'$1$'\n'* ]]; }
nothing_runs() { [ -z "$(jobs -rp)" ]; }

# end_all SIGNAL: to everything that we have started.
end_all() {
	# shellcheck disable=SC2046 # numbers
	kill -"$1" $(jobs -rp) "${orphans[@]}" 2>/dev/null
}

# Until all these processes of ours have ended, 60 s at most.
wait_briefly() {
	local pid
	for pid; do await 60 is_gone "$pid" || return 1; done
}

# One value of JSON on stdin, by its key; the first one.
value_of() { sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" | sed 1q; }

# ---- Offices ----

# ht OFFICE COMMAND...: huitong in that office.
ht() {
	HUITONG_REPLICA=$root/$1 "$huitong" "${@:2}"
}

found() { # OFFICE [ARGUMENT...]
	ht "$1" init --org 会同集团 --office "$1" --office-name "${office_name[$1]}" \
		--zone "${office_zone[$1]}" --person "${office_person[$1]}" "${@:2}" \
		>/dev/null 2>>"$root/$1.log"
}

# invite OFFICE BY ADDRESS [ARGUMENT...]: prints the ticket.
invite() {
	ht "$2" invite "$1" --zone "${office_zone[$1]}" --address "$3" "${@:4}" 2>>"$root/$2.log" |
		grep -o 'huitong1:[A-Za-z0-9_-]*'
}

# enrol OFFICE TICKET [ARGUMENT...]
enrol() {
	ht "$1" join "$2" --name "${office_name[$1]}" --person "${office_person[$1]}" \
		"${@:3}" >/dev/null 2>>"$root/$1.log"
}

# What an office holds; its daemon need not find the time to add what it knows.
holds() { { ht "$1" status "${@:3}" --json 2>/dev/null || true; } | value_of "$2"; } # OFFICE KEY
state_hash() { holds "$1" state_hash --hash; }
changesets() { holds "$1" changesets; } # how many

has_converged() { # OFFICE...
	local first hash
	first=$(state_hash "$1")
	for office in "${@:2}"; do
		hash=$(state_hash "$office")
		[ -n "$first" ] && [ "$hash" = "$first" ] || return 1
	done
}

# converge OFFICE...: until all show the same state; prints the milliseconds it took.
converge() {
	local began
	began=$(now_ms)
	await "${converge_seconds:-60}" has_converged "$@" ||
		die "no convergence: $(for office; do echo "$office $(state_hash "$office")"; done)"
	echo $(($(now_ms) - began))
}

# ---- Daemons ----

answers() { answer=$(ht "$@" 2>/dev/null); }

# ask OFFICE COMMAND...: prints what its daemon says, which may be too busy to say it at once.
ask() {
	await 60 answers "$@" || die "$1's daemon does not answer: ${*:2}"
	printf '%s\n' "$answer"
}

# A daemon that ended is as good as one that is ready: the caller looks which it is.
is_ready() {
	is_gone "${daemon[$1]}" ||
		[ "$(ht "$1" status --json 2>/dev/null | value_of pid)" = "${daemon[$1]}" ]
}

# A port that stays ours while its office is stopped: the system gives those from 32768 on to
# whoever asks for any, or dials.
free_port() {
	local found
	while
		found=$((20000 + SRANDOM % 12000))
		[[ " ${port[*]} " == *" $found "* ]] || (: <>"/dev/tcp/127.0.0.1/$found") 2>/dev/null
	do :; done
	echo "$found"
}

# serves OFFICE [ARGUMENT...]: from now on, unless another process has been given its port meanwhile.
serves() {
	HUITONG_REPLICA=$root/$1 "$huitong" serve --listen "127.0.0.1:${port[$1]:-0}" "${@:2}" \
		</dev/null >/dev/null 2>>"$root/$1.log" &
	daemon[$1]=$!
	await 60 is_ready "$1" || die "$1's daemon does not answer"
	! is_gone "${daemon[$1]}" || ! tail -n 1 "$root/$1.log" | grep 'in use' >/dev/null
}

start() { # OFFICE [ARGUMENT...]
	await 60 serves "$@" || die "$1's port stays with somebody else"
	must_run "$1"
	port[$1]=$(ask "$1" status --json | value_of port)
}

must_run() { # OFFICE
	! is_gone "${daemon[$1]}" || die "$1's daemon has ended by itself"
}

stop() { # OFFICE [SIGNAL]
	must_run "$1"
	kill -"${2:-TERM}" "${daemon[$1]}"
	wait_briefly "${daemon[$1]}" || die "$1's daemon does not end"
	wait "${daemon[$1]}" || die "$1's daemon ended with status $?"
	unset "daemon[$1]"
}

# As by a power cut, but for the disk.
crash() { # OFFICE
	must_run "$1"
	kill -9 "${daemon[$1]}"
	wait "${daemon[$1]}" 2>/dev/null || true
	unset "daemon[$1]"
}
