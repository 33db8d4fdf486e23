#!/usr/bin/env bash
# Says of each configured port whether it is free, who holds it if not, and saves free alternatives to ports.env. The
# copy in the repository builds the program first; the installed one is ready.
#
#   check-ports.sh [OPTIONS OF cwts-ultra check-ports]
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

if [ -e "$root/Cargo.toml" ]; then
    # shellcheck source=scripts/lib.sh
    . "$root/scripts/lib.sh"
    build cwts-ultra
else
    built="$root/bin"
    # An installation in another place than where the program looks.
    [ "$root" -ef "${HOME-}/.local/cwts-ultra" ] || export CWTS_HOME="${CWTS_HOME:-$root}"
fi
exec "$built/cwts-ultra" check-ports --save "$@"
