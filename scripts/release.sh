#!/usr/bin/env bash
# Builds the programs as they are handed out (Dockerfile, bench/relay): as every build does, and then
# the api once more, linked so that less of it has to be in memory. The next ordinary build undoes it.
# The api then needs a glibc as new as that of this machine, at least 2.36 where this one is.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PATH:$HOME/.cargo/bin"
unset RAGTRAIN_FUNCTION_ORDER RAGTRAIN_PACKED_RELOCATIONS
built=$(realpath -m "${CARGO_TARGET_DIR:-target}")
api=$built/release/ragtrain-api order=$built/ragtrain-api.order
build=(cargo build --release --workspace --locked)

"${build[@]}"
# LLD, the default on x86_64, takes an order of functions.
if ! readelf -p .comment "$api" | grep -q 'Linker: LLD'; then
  echo "== функции остаются в порядке сборки: компоновщик не LLD"
  exit
fi
python3 scripts/order_functions.py "$api" "$order"
# glibc 2.36 is the first that loads packed relocations.
libc=$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)
packed=0
if [ "$(printf '%s\n' 2.36 "$libc" | sort -V | head -1)" = 2.36 ]; then packed=1; fi
RAGTRAIN_FUNCTION_ORDER=$order RAGTRAIN_PACKED_RELOCATIONS=$packed "${build[@]}"
# Both took effect, and the program can be loaded.
python3 scripts/order_functions.py --check "$api" "$order"
if [ $packed = 1 ]; then readelf -S "$api" | grep -q '\.relr\.dyn'; fi
"$api" --version
