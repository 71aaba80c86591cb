#!/usr/bin/env bash
# Every text for people is translated in every catalog, with the same format directives.
# ./dev po brings new texts into the catalogs.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v xgettext >/dev/null || {
	echo "gettext is not installed" >&2
	exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
node/po/extract.sh >"$work/texts.pot"
texts=$(grep -c '^msgid ' "$work/texts.pot")
bad=0

# Texts that a macro cuts off are not seen here, and then not found when they are shown.
if grep -nE '(\b_|N_|errmsg_set\([^"]*)\(?"[^"]*" [A-Z]' {core,proto,sync,node}/*.[ch]; then
	echo "a text is put together from parts: translators see the first one" >&2
	bad=1
fi
for catalog in node/po/*.po; do
	# The template has no header: that the catalog's is not used is no news.
	msgcmp "$catalog" "$work/texts.pot" 2> >(grep -v 'message is not used' >&2) || bad=1
	msgfmt --check-format --output-file="$work/catalog.mo" "$catalog" || bad=1
	if msgattrib --only-fuzzy "$catalog" | grep -q .; then
		echo "$catalog has fuzzy entries" >&2
		bad=1
	fi
	echo "$catalog: $texts texts checked"
done
[ "$texts" -gt 500 ] || bad=1
exit $bad
