#!/usr/bin/env bash
# Bring the catalogs up to date with the sources: new texts come in without a translation, those
# that are gone go. Translate what `msgattrib --untranslated node/po/zh_CN.po` shows.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

template=$(mktemp)
trap 'rm -f "$template"' EXIT
./extract.sh >"$template"
for catalog in *.po; do
	msgmerge --quiet --no-fuzzy-matching --no-location --no-wrap "$catalog" "$template" |
		msgattrib --no-obsolete --no-wrap --output-file="$catalog"
	echo "$catalog: $(msgfmt --statistics --output-file=/dev/null "$catalog" 2>&1)"
done
