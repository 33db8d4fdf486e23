# Shared by the scripts: says what it does, installs what is missing, finds Rust and Node, builds. To be sourced.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools="$root/target/tools"

say() { printf '== %s\n' "$*" >&2; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Runs a command as root: directly, or through sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "root is needed for: $*. Run it as root, or install sudo."
    fi
}

is_installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need_packages NAME...: installs the Debian packages that are missing.
need_packages() {
    if ! command -v dpkg-query >/dev/null; then
        say "no Debian: make sure that the counterparts of these are installed: $*"
        return
    fi
    local missing=() name
    for name in "$@"; do
        is_installed "$name" || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] && return
    say "installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Rust as found. Where there is none, rustup brings it: from the distribution, or from its own site.
need_rust() {
    if ! command -v cargo >/dev/null && [ -r "$HOME/.cargo/env" ]; then
        # shellcheck source=/dev/null
        . "$HOME/.cargo/env"
    fi
    if ! command -v cargo >/dev/null; then
        install_rust
    fi
    local needed found
    needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")
    found=$(rustc --version | cut -d' ' -f2)
    at_least "$found" "$needed" || fail "Rust $found is too old; $needed or newer is needed. Run: rustup update"
}

install_rust() {
    say "installing Rust with rustup, for this user only"
    # Not every release has the package.
    if apt-get install --simulate rustup >/dev/null 2>&1; then
        need_packages rustup
        rustup default stable
    else
        need_packages curl ca-certificates
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --quiet ||
            fail "Rust could not be fetched. Install it with rustup (https://rustup.rs), then run this again."
        # shellcheck source=/dev/null
        . "$HOME/.cargo/env"
    fi
}

# at_least FOUND NEEDED: compares dotted versions.
at_least() {
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

# Node as found when it is 20.19 or newer, else the npm package that carries Node 22.
need_node() {
    if command -v node >/dev/null && command -v npm >/dev/null; then
        local found
        found=$(node --version)
        at_least "${found#v}" 20.19 && return
    fi
    need_packages npm
    local arch package
    case $(uname -m) in
        x86_64) arch=x64 ;;
        aarch64) arch=arm64 ;;
        *) fail "there is no Node package for $(uname -m). Install Node 20.19 or newer by hand." ;;
    esac
    package="node-linux-$arch"
    if [ ! -x "$tools/node_modules/$package/bin/node" ]; then
        say "installing Node 22 below target/tools"
        npm install --silent --no-save --prefix "$tools" "$package@22" >/dev/null
    fi
    PATH="$tools/node_modules/$package/bin:$PATH"
    # This Node brings its own list of authorities; it is to trust those of the system too.
    if [ -r /etc/ssl/certs/ca-certificates.crt ]; then
        NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
    fi
    export PATH NODE_EXTRA_CA_CERTS
}

# Installs the UI's packages when the lock file changed, and builds ui/dist.
build_ui() {
    local stamp="$root/ui/node_modules/.installed"
    if [ ! -e "$stamp" ] || [ "$root/ui/package-lock.json" -nt "$stamp" ]; then
        say "installing the packages of the UI"
        (cd "$root/ui" && npm ci --silent)
        touch "$stamp"
    fi
    say "building the UI"
    (cd "$root/ui" && npm run --silent build)
}

# Where `build` puts the programs. CWTS_BUILD is release, or debug, which builds faster and runs slower.
# shellcheck disable=SC2034 # It is for the scripts.
case ${CWTS_BUILD-release} in
    release | debug) built="${CARGO_TARGET_DIR:-$root/target}/${CWTS_BUILD-release}" ;;
    *) fail "CWTS_BUILD is '$CWTS_BUILD'. Set it to release or debug." ;;
esac

# build PROGRAM: builds cwts-ultra or cwts-ultra-panel with all that it takes.
build() {
    local package=cwts-cli profile=()
    [ "${CWTS_BUILD-release}" = debug ] || profile=(--release)
    need_packages build-essential pkg-config
    need_rust
    if [ "$1" = cwts-ultra-panel ]; then
        package=$1
        need_packages libwebkit2gtk-4.1-dev
        need_node
        build_ui
    fi
    say "building $1"
    cargo build --quiet --locked "${profile[@]}" --manifest-path "$root/Cargo.toml" --package "$package"
}
