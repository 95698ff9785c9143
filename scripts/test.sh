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
# The build that is handed out finds what it looks for: see scripts/release.sh.
order=$(mktemp)
trap 'rm -f "$order"' EXIT
python3 scripts/order_functions.py "${CARGO_TARGET_DIR:-target}/release/ragtrain-api" "$order"
(cd dashboard && npm run --silent e2e)
