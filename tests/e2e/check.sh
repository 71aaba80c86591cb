# What tests need beside offices: sourced by test_*.sh, not run.
# shellcheck shell=bash

set -euo pipefail
# shellcheck source=tests/e2e/offices.sh
. "$(dirname "${BASH_SOURCE[0]}")/offices.sh"

for program in jq sqlite3 "$huitong"; do
	command -v "$program" >/dev/null || die "$program is not installed"
done
tools=$(dirname "$huitong")/tests/e2e # the programs beside the scripts, as built
declare -A proxy=() proxy_port=()
# shellcheck disable=SC2034
year=$(TZ=Asia/Shanghai date +%Y) # in the numbers that Shanghai issues

fail() { die "line ${BASH_LINENO[0]}: $*"; }
skip() {
	echo "${0##*/}: skipped: $*" >&2
	exit 77
}
# Begin again in a mount namespace of our own, so that mounts end with the script.
own_mounts() {
	[ -z "${HUITONG_TEST_MOUNTS:-}" ] || return 0
	[ "$(id -u)" -eq 0 ] || skip "only root can mount"
	unshare --mount true 2>/dev/null || skip "no mount namespaces here"
	TMPDIR=$root HUITONG_TEST_MOUNTS=own unshare --mount --propagation private bash "$0" || exit
	exit
}

step() { echo "- $*"; }

# is WHAT ACTUAL EXPECTED
is() { [ "$2" = "$3" ] || die "line ${BASH_LINENO[0]}: $1: '$2' instead of '$3'"; }

# at_most WHAT ACTUAL LIMIT
at_most() { [ "$2" -le "$3" ] || die "line ${BASH_LINENO[0]}: $1: $2, over $3"; }

# exits CODE COMMAND...: what it printed is kept for `says`. Who is told that somebody is busy tries
# again, as it is told.
exits() {
	local status tries
	for ((tries = 20; tries > 0; tries--)); do
		status=0
		"${@:2}" >"$root/said" 2>&1 </dev/null || status=$?
		[ "$status" -eq 4 ] && [ "$1" -ne 4 ] || break
	done
	[ "$status" -eq "$1" ] ||
		die "line ${BASH_LINENO[0]}: exit code $status instead of $1: $(cat "$root/said")"
}

# fails COMMAND...: with any exit code of its own: no crash, no signal.
fails() {
	local status=0
	"$@" >"$root/said" 2>&1 </dev/null || status=$?
	((status >= 1 && status < 126)) ||
		die "line ${BASH_LINENO[0]}: exit code $status: $(cat "$root/said")"
}

# says PATTERN: the command before did, in an extended regular expression.
says() {
	grep -qE -- "$1" "$root/said" ||
		die "line ${BASH_LINENO[0]}: nothing like '$1' in: $(cat "$root/said")"
}

# logs OFFICE PATTERN: its daemon does within 60 s.
logs() {
	await 60 grep -qE -- "$2" "$root/$1.log" ||
		die "line ${BASH_LINENO[0]}: $1 never logged '$2'"
}

# ---- Worlds ----

# A collaboration between Shanghai, which listens, and the offices named, which dial it.
offices() { # OFFICE...
	local office
	found SHA
	start SHA
	for office; do
		enrol "$office" "$(invite "$office" SHA "127.0.0.1:${port[SHA]}")"
		start "$office"
	done
	ht SHA collab new 欧洲上线 >/dev/null
	converge SHA "$@" >/dev/null
}

# number_of OFFICE ACTION-ADD-ARGUMENT...: adds an action item and prints its number.
add_action() {
	ht "$1" action add "${@:2}" --json 2>/dev/null | value_of number
}

# field OFFICE RECORD FIELD
field() { ht "$1" show "$2" --json | jq -r ".$3"; }

# peer OFFICE OF FIELD: what OF's daemon says of its peer OFFICE.
peer() { ask "$2" peers --json | jq -r --arg o "$1" "[.[] | select(.office == \$o)][0].$3"; }

verifies() { # OFFICE...
	local office
	for office; do ht "$office" verify >/dev/null || die "$office does not verify"; done
}

# ---- Links ----

# link NAME OPTION... TARGET-PORT: a proxy in front of it; its port is ${proxy_port[NAME]}.
link() {
	"$tools/proxy" "${@:2:$#-2}" "$root/$1.port" "${@: -1}" >"$root/$1.links" &
	proxy[$1]=$!
	await 60 test -s "$root/$1.port" || die "the proxy $1 does not start"
	proxy_port[$1]=$(cat "$root/$1.port")
}
# Done when they return.
cut_link() {
	kill -USR1 "${proxy[$1]}"
	await 60 test ! -e "$root/$1.port" || die "the proxy $1 does not cut"
}
heal_link() {
	kill -USR2 "${proxy[$1]}"
	await 60 test -s "$root/$1.port" || die "the proxy $1 does not heal"
}

# has_all OFFICE OF: OF knows that OFFICE has all that it has itself.
has_all() { [ "$(peer "$1" "$2" state) $(peer "$1" "$2" to_send)" = "in-sync 0" ]; }
# Both know it of each other: equal states do not say that yet.
have_settled() { has_all "$1" "$2" && has_all "$2" "$1"; }
# Neither has a session with the other.
are_apart() {
	local none='^(down|dialling|handshake|refused)$'
	[[ $(peer "$1" "$2" state) =~ $none && $(peer "$2" "$1" state) =~ $none ]]
}

# Resident memory of an office's daemon, in KiB.
memory_kib() { awk '/^VmRSS/ { print $2 }' "/proc/${daemon[$1]}/status"; }

# The sanitizers' shadow memory makes figures of memory meaningless.
has_sanitizer() { grep -qaE '__(asan|tsan)_init' "$huitong"; }
