#!/usr/bin/env bash
# A rolling upgrade between two real versions: workers of an older revision and of this one share one
# queue while things break at random. Usage: scripts/rolling.sh REVISION [MINUTES]
set -euo pipefail
cd "$(dirname "$0")/.."
from=${1:?which older revision?}
minutes=${2:-2}
target=${CARGO_TARGET_DIR:-$PWD/target}
old=$(mktemp -d)
trap 'git worktree remove --force "$old/tree"; rm -rf "$old"' EXIT
git worktree add -q --detach "$old/tree" "$from"
(cd "$old/tree" && CARGO_TARGET_DIR=$target/older cargo build --release -p simulation --locked)
cargo build --release -p simulation --locked
"$target/release/soak" --minutes "$minutes" --crowd 0 \
  --other-worker "$target/older/release/simulated-worker"
