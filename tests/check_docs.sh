#!/usr/bin/env bash
# Every relative link in the documents leads to a file, every anchor to a heading, and every test
# that they name ("core/test_x: what_it_shows", in backquotes) exists, in core/test_x*.c.
set -euo pipefail
shopt -s nullglob
export LC_ALL=C.UTF-8
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bad=0
links=0

# The anchors of a document, as GitHub derives them from its headings.
anchors() {
	sed -n '/^```/,/^```/d; s/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' |
		sed 's/[^[:alnum:] _-]//g; s/ /-/g'
}

# One target a line: ](target), outside fenced code.
targets() {
	sed '/^```/,/^```/d; s/`[^`]*`//g' "$1" | grep -oE '\]\([^)]+\)' | sed 's/^](//; s/)$//'
}

for document in *.md docs/*.md; do
	while read -r target; do
		case $target in
		*://* | mailto:*) continue ;;
		esac
		links=$((links + 1))
		file=${target%%#*}
		path=$document
		[ -z "$file" ] || path=$(dirname "$document")/$file
		if [ ! -e "$path" ]; then
			echo "$document: $target: no such file"
			bad=1
		elif [[ $target == *#* && $path == *.md ]] &&
			! anchors "$path" | grep -qxF "${target#*#}"; then
			echo "$document: $target: no such heading"
			bad=1
		fi
	done < <(targets "$document" || true)
done
tests=0
while read -r named; do
	tests=$((tests + 1))
	if ! grep -qsw "${named##*: }" "tests/${named%%:*}"*.c; then
		echo "$named: no such test"
		bad=1
	fi
done < <(grep -ohE '`[a-z]+/test_[a-z_]+: [a-z_]+`' docs/*.md | tr -d '`' | sort -u)
echo "$links links and $tests tests checked"
exit $bad
