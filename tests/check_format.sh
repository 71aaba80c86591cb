#!/usr/bin/env bash
# The sources are formatted as .clang-format says. With --fix: format them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Other versions disagree in details; the one of Debian 12 decides.
formatter=$(command -v clang-format-14 || command -v clang-format || true)
if [ -z "$formatter" ] || ! "$formatter" --version | grep -q 'version 14\.'; then
	echo "clang-format 14 is not installed: the format was not checked" >&2
	exit 77 # ctest: skipped
fi

mode=(--dry-run --Werror)
if [ "${1:-}" = --fix ]; then
	mode=(-i)
fi
find core proto sync node tests -name '*.[ch]' -print0 | xargs -0 "$formatter" "${mode[@]}"
