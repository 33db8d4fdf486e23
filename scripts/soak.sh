#!/usr/bin/env bash
# The tests that take long, in full: 500 random changes of settings with failures and crashes, and 200 saves that are
# killed in the middle. scripts/test.sh runs a tenth of them.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CWTS_SOAK=1

cargo test --locked -p cwts-config --lib save::tests::killed -- --nocapture --test-threads 1
cargo test --locked -p cwts-tests --test random_changes -- --nocapture --test-threads 1
