#!/usr/bin/env bash
# Plays a file of an exchange at full speed, again and again, while a client trades, and prints how the memory of the server
# goes: one line each few seconds, and at the end steps per second and the slope. Needs the built program, curl and python3.
#
#   scripts/bench/replay.sh [FILE] [SECONDS]
#
# FILE is BTCPERP-1m-2022-01.csv in $CWTS_DATA when left out; skipped where there is none.
set -euo pipefail
file=${1:-${CWTS_DATA:-.}/BTCPERP-1m-2022-01.csv}
seconds=${2:-60}
program=${CWTS_PROGRAM:-$(dirname "$0")/../../target/release/cwts-ultra}
if [ ! -e "$file" ]; then
    echo "skipped: $file is not there; name it, or its folder in CWTS_DATA"
    exit 0
fi

CWTS_HOME=$(mktemp -d)
export CWTS_HOME
pid=
end() {
    if [ -n "$pid" ]; then
        kill "$pid" || true
        wait "$pid" || true
    fi
    rm -rf "$CWTS_HOME"
}
trap end EXIT
mkdir "$CWTS_HOME/config"
printf '[mcp]\nmcp_port = 5410\nmcp_http_port = 5411\n[monitoring]\nmetrics_port = 5412\nhealth_check_port = 5413\n' \
    >"$CWTS_HOME/config/production.toml"
"$program" run >"$CWTS_HOME/run.log" 2>&1 &
pid=$!
until curl -sf -o /dev/null http://127.0.0.1:5413/health/ready; do
    kill -0 "$pid" || { cat "$CWTS_HOME/run.log"; exit 1; }
    sleep 0.2
done
token=$("$program" token show)
"$program" market replay "$file" --symbol BTCUSD --speed max --loop

field() { "$program" market show --json | python3 -c "import json,sys; print(json.load(sys.stdin)['replay']['$1'])"; }
order() {
    curl -s -o /dev/null -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        -d "{\"symbol\":\"BTCUSD\",\"side\":\"$1\",\"order_type\":\"market\",\"quantity\":0.001}" \
        http://127.0.0.1:5411/api/v1/orders
}

begun=$(date +%s)
while [ $(($(date +%s) - begun)) -lt "$seconds" ]; do
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        order buy
        order sell
        sleep 0.2
    done
    echo "$(($(date +%s) - begun)) $(awk '/VmRSS/ { print $2 }' "/proc/$pid/status") $(field played)" | tee -a "$CWTS_HOME/points"
done
python3 - "$CWTS_HOME/points" "$(field rounds)" <<'PY'
import sys

points = [tuple(map(float, line.split())) for line in open(sys.argv[1])]
# The first third is for warming up.
late = points[len(points) // 3:]
mean = lambda index: sum(point[index] for point in late) / len(late)
spread = sum((point[0] - mean(0)) ** 2 for point in late) or 1.0
slope = sum((point[0] - mean(0)) * (point[1] - mean(1)) for point in late) / spread
print(f"{points[-1][2] / points[-1][0]:.0f} steps/s, played {sys.argv[2]} times whole, "
      f"{late[-1][1] / 1024:.1f} MiB resident, {slope * 60:+.0f} KiB a minute")
PY
