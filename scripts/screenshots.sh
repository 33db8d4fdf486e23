#!/usr/bin/env bash
# Takes pictures of every screen of the real window, light and dark, into target/screenshots.
#
#   ./scripts/screenshots.sh
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

need_packages build-essential pkg-config libwebkit2gtk-4.1-dev webkit2gtk-driver xvfb dbus-daemon openbox wmctrl \
    python3 fonts-noto-core
need_rust
need_node
build_ui
say "building the panel"
cargo build --quiet --locked --package cwts-ultra-panel
say "taking the pictures"
CI=true CWTS_SCREENSHOTS=1 cargo test --quiet --locked --package cwts-tests --test desktop_screens
say "see target/screenshots"
