#!/usr/bin/env bash
# Who may include whom: core <- proto <- sync <- node, and each library of others behind one door.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "${BASH_SOURCE[0]}")/.."

grep -HnE '^[[:space:]]*#[[:space:]]*include' {core,proto,sync,node}/*.[ch] | awk '
	BEGIN {
		# Layers are tried as a prefix of the included path.
		sees["core"] = "^core/"
		sees["proto"] = "^(core|proto)/"
		sees["sync"] = "^(core|proto|sync)/"
		sees["node"] = "^(core|proto|sync|node)/"

		# Header of a library: the only files that may name it.
		door["sqlite3.h"] = "^core/store[a-z0-9_]*[.][ch]$"
		door["msgpack.h"] = "^core/wire[.]c$"
		door["zstd.h"] = "^core/pack[.]c$"
		door["sodium.h"] = "^(core|proto|node)/"
		door["nng.h"] = "^sync/transport[a-z0-9_]*[.][ch]$"
		door["pthread.h"] = "^(sync/transport[a-z0-9_]*|node/[a-z0-9_]+)[.][ch]$"
		door["jansson.h"] = "^node/"
		door["microhttpd.h"] = "^node/http[a-z0-9_]*[.][ch]$"
		door["qrencode.h"] = "^node/qr[.]c$"
		door["libintl.h"] = "^(core/i18n[.]c|node/i18n[.]h)$"
	}
	function complain(why) {
		print file ":" line ": " why
		bad = 1
	}
	{
		split($0, at, ":"); file = at[1]; line = at[2]
		layer = file; sub("/.*", "", layer)
		quoted = match($0, /"[^"]+"/)
		if (!quoted && !match($0, /<[^>]+>/)) {
			complain("an include without a name")
			next
		}
		name = substr($0, RSTART + 1, RLENGTH - 2)
		if (quoted && name !~ sees[layer])
			complain(layer "/ must not include \"" name "\"")
		sub("^(nng|msgpack)/.*", "", name) # nng/nng.h, nng/supplemental/...
		if (name == "") name = $0 ~ /<nng/ ? "nng.h" : "msgpack.h"
		if (!quoted && name in door && file !~ door[name])
			complain("<" name "> belongs to " door[name])
	}
	END {
		print NR " includes checked"
		exit bad
	}'
