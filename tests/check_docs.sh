#!/usr/bin/env bash
# Every relative link in the documents leads to a file, and every anchor to a heading.
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
echo "$links links checked"
exit $bad
