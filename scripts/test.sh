#!/usr/bin/env bash
# Formatting, lints and every test. Tests start their own redis-server and fail without one.
set -euo pipefail
cd "$(dirname "$0")/.."
# The programs carry the page.
scripts/dashboard.sh
(cd dashboard && npm run --silent check && npm run --silent test)
cargo fmt --all --check
cargo clippy --release --workspace --all-targets --locked -- -D warnings
# The programs first: tests of whole processes start them from the target folder.
cargo build --release --workspace --locked
cargo test --release --workspace --locked
(cd dashboard && npm run --silent e2e)
# Last, because it replaces the api: the build that is handed out.
scripts/release.sh
