#!/usr/bin/env bash
# The bench does not rot: with next to no rows it gives every figure, one JSON object a line.
# Nothing is said about the values.     ctest: labels=slow timeout=600
#     check_smoke.sh HUITONG-BENCH
set -euo pipefail
bench=${1:?usage: check_smoke.sh HUITONG-BENCH}
figures=(
	catchup catchup_batched commit_durable disk_bytes disk_bytes_batched handshake incremental
	insert_batch noop noop_bytes open propagation_p50 propagation_p99 rss_catchup stranger_p50
	stranger_p99 stranger_rate stranger_rss trust_extend trust_fold trust_fold_branches
	wire_bytes wire_bytes_batched
)
if [ -x "$(dirname "$bench")/huitong-sim" ]; then
	figures+=(sim_applies)
fi

number='[0-9]+(\.[0-9]+)?(e[-+][0-9]+)?'
object="\\{\"name\":\"[a-z0-9_]+\",\"n\":[0-9]+,\"value\":$number,\"unit\":\"(us|ms|s|B|MiB|1/s)\","
object+="\"floor\":(null|$number),\"ratio\":(null|$number)\\}"

output=$("$bench" --json --n 200 --runs 1)
if printf '%s\n' "$output" | grep -vxE "$object"; then
	echo "not an object of a figure: see above"
	exit 1
fi
diff <(printf '%s\n' "${figures[@]}" | sort) \
	<(printf '%s\n' "$output" | sed 's/{"name":"\([a-z0-9_]*\)".*/\1/' | sort)
echo "$(printf '%s\n' "$output" | wc -l) figures"
