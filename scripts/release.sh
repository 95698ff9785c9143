#!/usr/bin/env bash
# Builds the programs as they are handed out (Dockerfile, bench/relay): as every build does, and then
# the api is linked once more so that less of it has to be in memory.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PATH:$HOME/.cargo/bin"
built=$(realpath -m "${CARGO_TARGET_DIR:-target}")
build=(cargo build --release --workspace --locked)

"${build[@]}"
# The linker of Rust takes an order of functions; on other machines than x86_64 it is not the default.
if [ "$(uname -m)" != x86_64 ]; then
  echo "== функции остаются в порядке сборки: на $(uname -m) другой компоновщик"
  exit
fi
order=$built/ragtrain-api.order
python3 scripts/order_functions.py "$built/release/ragtrain-api" "$order"
# glibc 2.36 is the first that loads packed relocations.
libc=$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)
if [ "$(printf '%s\n' 2.36 "$libc" | sort -V | head -1)" = 2.36 ]; then
  export RAGTRAIN_PACKED_RELOCATIONS=1
fi
RAGTRAIN_FUNCTION_ORDER=$order "${build[@]}"
"$built/release/ragtrain-api" --version
