#!/usr/bin/env bash
# The texts of the program for people, as a template for catalogs, on stdout. Beside those that are
# marked, all formats of errmsg_set() are: see core/i18n.h.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

xgettext --from-code=UTF-8 --language=C --sort-by-file --no-wrap --omit-header \
	--keyword --keyword=_ --keyword=N_ --keyword=P_:1,2 \
	--keyword=errmsg_set:3 --keyword=errmsg_prefix:3 \
	--flag=errmsg_set:3:c-format --flag=errmsg_prefix:3:c-format \
	--output=- {core,proto,sync,node}/*.[ch]
