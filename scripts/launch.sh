#!/usr/bin/env bash
# Installs what is missing, builds, and starts CWTS Ultra: the panel, or without a display the headless server.
#
#   ./scripts/launch.sh [--headless] [OPTIONS OF THE PROGRAM]
#
# CWTS_BUILD=debug builds faster and runs slower.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

headless=
if [ "${1-}" = --headless ]; then
    headless=asked
    shift
elif [ -z "${DISPLAY-}${WAYLAND_DISPLAY-}" ]; then
    headless=found
fi

case ${CWTS_BUILD-release} in
    release) profile=(--release) folder=release ;;
    debug) profile=() folder=debug ;;
    *) fail "CWTS_BUILD is ${CWTS_BUILD}; use release or debug." ;;
esac

need_packages build-essential pkg-config
need_rust

if [ -n "$headless" ]; then
    [ "$headless" = found ] && say "no display: starting the headless server"
    program=cwts-ultra
    package=cwts-cli
else
    need_packages libwebkit2gtk-4.1-dev
    need_node
    build_ui
    program=cwts-ultra-panel
    package=cwts-ultra-panel
fi

say "building $program"
cargo build --quiet --locked "${profile[@]}" --manifest-path "$root/Cargo.toml" --package "$package"
target=${CARGO_TARGET_DIR:-$root/target}
exec "$target/$folder/$program" "$@"
