#!/usr/bin/env bash
# Below node/ nothing is kept outside a struct, and nothing reads a clock or draws dice: what the
# linker sees of the static libraries says so. The transport is the world's edge and may.
#     check_purity.sh BUILD
set -euo pipefail
build=${1:?usage: check_purity.sh BUILD}
bad=0
objects=0

clock='time|gettimeofday|clock|clock_gettime|timespec_get|nanosleep|usleep|sleep'
dice='rand|random|rand_r|drand48|getrandom|getentropy|arc4random.*|randombytes.*'
keys='crypto_(sign|box|kx|scalarmult)_(ed25519_|curve25519xsalsa20poly1305_)?keypair|crypto_.*_keygen'

for archive in "$build"/libhuitong_{core,proto,sync}.a; do
	[ -e "$archive" ] || continue
	objects=$((objects + $(ar t "$archive" | wc -l)))

	# Writable sections; .data.rel.ro is read-only once the program runs.
	data=$(objdump -t "$archive" | awk '
		/file format/ { object = $1; sub(":$", "", object) }
		$0 ~ /[ \t](\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ && $0 !~ /\.data\.rel\.ro/ \
			&& $1 ~ /^[0-9a-f]+$/ && $NF !~ /^\./ { print object ": writable data: " $NF }')
	calls=$(nm -A -u "$archive" | awk -v names="^($clock|$dice|$keys)\$" '
		{ object = $1; sub(".*:(.*):$", "", object); split($1, at, ":") }
		at[2] ~ /^transport/ { next }
		$NF ~ names { print at[2] ": calls " $NF "()" }')

	for complaint in "$data" "$calls"; do
		if [ -n "$complaint" ]; then
			echo "$complaint"
			bad=1
		fi
	done
done
if [ "$objects" -eq 0 ]; then
	echo "no libraries in $build"
	exit 1
fi
echo "$objects objects checked"
exit $bad
