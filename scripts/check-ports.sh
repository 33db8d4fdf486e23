#!/usr/bin/env bash
# Says of each configured port whether it is free, who holds it if not, and saves free alternatives to ports.env.
#
#   ./scripts/check-ports.sh [OPTIONS OF cwts-ultra check-ports]
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

program="$root/bin/cwts-ultra"
if [ ! -x "$program" ]; then
    need_packages build-essential pkg-config
    need_rust
    say "building cwts-ultra"
    cargo build --quiet --locked --release --manifest-path "$root/Cargo.toml" --package cwts-cli
    program="${CARGO_TARGET_DIR:-$root/target}/release/cwts-ultra"
fi
exec "$program" check-ports --save "$@"
