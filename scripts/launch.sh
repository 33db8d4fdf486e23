#!/usr/bin/env bash
# Starts CWTS Ultra: the panel, or without a display the headless server. The copy in the repository first installs what
# is missing, and builds; the installed one only starts. The settings are the programs' business: ports.env is not
# sourced here, since that would turn all of it into environment, the strongest layer.
#
#   launch.sh [--headless] [OPTIONS OF THE PROGRAM]
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

program=cwts-ultra-panel
if [ "${1-}" = --headless ]; then
    shift
    program=cwts-ultra
elif [ -z "${DISPLAY-}${WAYLAND_DISPLAY-}" ]; then
    echo "== no display: starting the headless server" >&2
    program=cwts-ultra
fi

if [ -e "$root/Cargo.toml" ]; then
    # shellcheck source=scripts/lib.sh
    . "$root/scripts/lib.sh"
    build "$program"
else
    built="$root/bin"
    # An installation in another place than where the programs look.
    [ "$root" -ef "${HOME-}/.local/cwts-ultra" ] || export CWTS_HOME="${CWTS_HOME:-$root}"
    if [ ! -x "$built/$program" ]; then
        echo "error: $built/$program is missing. Run ./scripts/install.sh in the repository again." >&2
        exit 1
    fi
fi
exec "$built/$program" "$@"
