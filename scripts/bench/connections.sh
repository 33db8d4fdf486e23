#!/usr/bin/env bash
# connections.sh [fan-out]: measures what clients cost that only listen: memory of an idle connection, and telling a change to 1,000 subscribers.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
ulimit -n "$(ulimit -Hn)"
cargo run --quiet --release --locked -p cwts-tests --example connections -- "$@"
