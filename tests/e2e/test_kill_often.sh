#!/usr/bin/env bash
# kill -9 of writers and daemons at random instants, hundreds of times; thousands with
#   HUITONG_KILLS=10000 HUITONG=build/release/huitong tests/e2e/test_kill_often.sh
# ctest: labels=slow timeout=600
. "$(dirname "$0")/check.sh"

kills=${HUITONG_KILLS:-400}
seed=${HUITONG_SEED:-$RANDOM}

offices FRA
stop FRA
stop SHA

step "$kills kills, seed $seed"
"$tools/killer" --kills "$kills" --seed "$seed" "$huitong" "${port[SHA]}" "$root/SHA" "$root/FRA"
