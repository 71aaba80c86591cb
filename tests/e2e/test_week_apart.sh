#!/usr/bin/env bash
# Two offices write the same minutes for a week without a link, in the same places, too: nobody's
# words are torn apart, and everybody reads the same, sees who wrote it, and is told where to look.
. "$(dirname "$0")/check.sh"

offices FRA
meeting=$(ht SHA meeting new 周会 --json | value_of number)
block=MN-${meeting#MT-}/1
cat >"$root/minutes" <<'END'
本周例会：欧洲上线计划。

The acceptence report is due on Friday at 17:30.

1. 王芳负责验收。
2. Jonas calls the customer.
END
ht SHA minutes add "$meeting" "@$root/minutes" >/dev/null
converge SHA FRA >/dev/null
stop SHA
stop FRA

# writes OFFICE SED-EXPRESSION...: in an editor, once for each.
writes() {
	local office=$1 expression
	for expression in "${@:2}"; do
		printf '#!/bin/bash\nsed -i "%s" "$1"\n' "$expression" >"$root/editor"
		chmod +x "$root/editor"
		EDITOR="'$root/editor'" ht "$office" minutes edit "$block" >/dev/null
	done
}
step "a week"
writes SHA 's/Friday/Monday noon/' 's/acceptence/acceptance/' 's/王芳/王芳和李雷/' '\$a3. 周三前回信。'
writes FRA 's/Friday/Thursday/' 's/17:30/18:00/' 's/calls/writes to/' '\$a3. Send the certificate.'
writes SHA 's/17:30/17:45/' 's/本周/上周/'
start SHA
start FRA
converge SHA FRA >/dev/null

step "what both wrote is there, each word whole, the same everywhere"
ht SHA text show "$block" >"$root/SHA.text"
ht FRA text show "$block" >"$root/FRA.text"
cmp "$root/SHA.text" "$root/FRA.text"
holds() { grep -qE -- "$1" "$root/SHA.text" || fail "no '$1' in: $(cat "$root/SHA.text")"; }
holds '^上周例会：欧洲上线计划。$'
holds '^The acceptance report is due on (Monday noonThursday|ThursdayMonday noon) at (17:4518:00|18:0017:45)\.$'
holds '^1\. 王芳和李雷负责验收。$'
holds '^2\. Jonas writes to the customer\.$'
holds '^3\. 周三前回信。$'
holds '^3\. Send the certificate\.$'
is "lines" "$(wc -l <"$root/SHA.text")" 8

step "people are told what changed, and who wrote what"
exits 0 ht FRA minutes history "$block"
is "versions" "$(wc -l <"$root/said")" 12
says '王芳 \(SHA\) +\+11 -6  \[-Friday-\]\{\+Monday noon\+\}'
says 'Jonas Weber \(FRA\) +\+8 -6  \[-Friday-\]\{\+Thursday\+\}'
exits 0 ht FRA minutes blame "$block"
says 'Jonas Weber \(FRA\)  Thursday'
says '王芳 \(SHA\)         Monday noon'
says '王芳 \(SHA\)         和李雷'
says 'Jonas Weber \(FRA\)  3\. Send the certificate\.'
says '  The acceptance report is due on '
is "where times stand" "$(grep -oE '^[0-9a-f]+/[0-9]+ +' "$root/said" | awk '{ print length }' |
	sort -u | wc -l)" 1
oldest=$(ht FRA minutes history "$block" --json | jq -r '.[-1].version')
exits 0 ht FRA minutes diff "$block" "$oldest"
says '^\[-本-\]\{\+上\+\}周例会：欧洲上线计划。$'
says 'The \[-acceptence-\]\{\+acceptance\+\} report is due on \[-Friday-\]'
says '^2\. Jonas \[-calls-\]\{\+writes to\+\} the customer\.'
exits 0 ht FRA minutes diff "$block" "$oldest" --lines
says '^- 2\. Jonas calls the customer\.$'
says '^\+ 2\. Jonas writes to the customer\.$'
ht FRA minutes edit "$block" --text "$(cat "$root/SHA.text") Done." >/dev/null
for i in {1..10}; do ht FRA minutes edit "$block" --text "$i" >/dev/null; done
exits 0 ht FRA minutes history "$block"
is "versions" "$(grep -c / "$root/said")" 20
says '^2 older versions: --limit 22'
LANG=zh_CN.UTF-8 exits 0 ht SHA minutes history "$block" --limit 1
says 'Jonas Weber|王芳'

verifies SHA FRA
stop SHA
stop FRA
