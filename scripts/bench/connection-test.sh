#!/usr/bin/env bash
# Compares `cwts-ultra test` on four healthy services with one curl for each of them, in turn, in the same run.
# Ends with 1 when the median of the test takes more than 1.5 times that of the four curls.
#
#   ./scripts/bench/connection-test.sh [PROGRAM] [RUNS]     # default: target/release/cwts-ultra, 30 runs
set -euo pipefail
cd "$(dirname "$0")/../.."

program=$(realpath "${1:-target/release/cwts-ultra}")
runs=${2:-30}
home=$(mktemp -d)
server=
# Called by the trap.
# shellcheck disable=SC2329
clean() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" || true
    fi
    rm -rf "$home"
}
trap clean EXIT

mkdir "$home/config"
printf '[mcp]\nmcp_port = 23100\nmcp_http_port = 23101\n[monitoring]\nmetrics_port = 23102\nhealth_check_port = 23103\n' \
    >"$home/config/production.toml"
export CWTS_HOME=$home
"$program" run >"$home/urls" 2>"$home/log" &
server=$!
for ((i = 0; i < 100; i++)); do
    [ "$(wc -l <"$home/urls")" -lt 4 ] || break
    read -rt 0.1 <> <(:) || true
done
[ "$(wc -l <"$home/urls")" -eq 4 ] || { cat "$home/log" >&2; exit 1; }
token=$("$program" token show)

curls() {
    curl -sS -o /dev/null -H "Authorization: Bearer $token" http://127.0.0.1:23100/mcp
    curl -sS -o /dev/null -H "Authorization: Bearer $token" http://127.0.0.1:23101/api/v1/status
    curl -sS -o /dev/null http://127.0.0.1:23102/metrics
    curl -sS -o /dev/null http://127.0.0.1:23103/health
}

# Microseconds that a command takes.
timed() {
    local begun=$EPOCHREALTIME
    "$@" >/dev/null
    local ended=$EPOCHREALTIME
    echo $((${ended/./} - ${begun/./}))
}

curls
"$program" test >/dev/null
for ((i = 0; i < runs; i++)); do
    timed curls >>"$home/curls"
    timed "$program" test >>"$home/tests"
done
median() { sort -n "$1" | sed -n "$(((runs + 1) / 2))p"; }
awk -v curls="$(median "$home/curls")" -v tests="$(median "$home/tests")" -v runs="$runs" 'BEGIN {
    printf "%d runs, medians: four curls %.1f ms, cwts-ultra test %.1f ms, %.2f times\n", runs, curls / 1000, tests / 1000, tests / curls
    exit tests > 1.5 * curls
}'
