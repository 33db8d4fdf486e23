#!/usr/bin/env bash
# Measures what a durable acknowledgement of an order costs, on a server of its own with a journal below target/.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo build --quiet --release --locked --bin cwts-ultra
cargo build --quiet --release --locked -p cwts-server --example acknowledged
target="${CARGO_TARGET_DIR:-target}"
home="$(mktemp -d "$target/bench.XXXXXX")"
CWTS_HOME="$(realpath "$home")"
export CWTS_HOME

"$target/release/cwts-ultra" run > "$home/urls" 2> "$home/log" &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$home"' EXIT
until [ "$(wc -l < "$home/urls")" -ge 4 ]; do
    kill -0 "$server" 2>/dev/null || { cat "$home/log" >&2; exit 1; }
    read -rt 0.1 <> <(:) || true
done
url="$(awk '/^MCP WebSocket/ { print $NF }' "$home/urls")"
"$target/release/examples/acknowledged" "$url?token=$("$target/release/cwts-ultra" token show)" "$home"
