#!/usr/bin/env bash
# Runs the fuzz targets of fuzz/ under libFuzzer, two at a time, from the inputs of fuzz/seeds. Ends with 0 when none fails.
#
#   ./scripts/fuzz.sh [SECONDS [TARGET...]]      20 s for each target, all four of them
#
# It needs no nightly toolchain: there is no unsafe code for a sanitizer to watch, and the stable compiler counts what an
# input reaches. An input that breaks a target is printed; it belongs into fuzz/seeds, where tests/tests/any_input.rs keeps it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root/fuzz"

seconds=${1-20}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || fail "'$seconds' is no number of seconds"
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(ports_env production_toml handshake message)

need_rust
PATH="$PATH:$tools/bin"
if ! command -v cargo-fuzz >/dev/null; then
    say "cargo-fuzz"
    if ! cargo install --quiet --debug --locked --root "$tools" cargo-fuzz@0.13.2; then
        say "skipped: ${#targets[@]} fuzz targets, since cargo-fuzz cannot be installed"
        exit 0
    fi
fi

options=(--sanitizer none)
for target in "${targets[@]}"; do
    [ -f "fuzz_targets/$target.rs" ] || fail "there is no fuzz target '$target'"
    # The server takes minutes to compile.
    case $target in handshake | message) options=(--sanitizer none --features server) ;; esac
done
say "building the fuzz targets"
mkdir -p target
cargo fuzz build "${options[@]}" 2>target/build.log || { cat target/build.log >&2; exit 1; }

fuzz() {
    local log="target/$1.log"
    mkdir -p "corpus/$1"
    if cargo fuzz run "${options[@]}" "$1" "corpus/$1" "seeds/$1" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=1 2>"$log"; then
        say "fuzzed $1: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s"
    else
        grep -a -v '^#' "$log" | tail -n 60 >&2
        fail "the fuzz target $1 fails"
    fi
}

failed=0
for ((at = 0; at < ${#targets[@]}; at += 2)); do
    running=()
    for target in "${targets[@]:at:2}"; do
        fuzz "$target" &
        running+=($!)
    done
    for pid in "${running[@]}"; do wait "$pid" || failed=1; done
done
exit $failed
