#!/usr/bin/env bash
# Runs fuzz targets one after another: scripts/fuzz.sh MINUTES TARGET…|all. Ends with 1 when one found something.
# First inputs: fuzz/seeds, samples/ and the folder CORPUS. What is found stays in fuzz/artifacts/TARGET,
# what reached new code in fuzz/corpus/TARGET, the output in fuzz/logs (or LOGS).
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-10}
shift || true
export PATH=$PATH:$HOME/.cargo/bin
# The instrumentation is an unstable flag of the compiler; the toolchain stays the stable one.
export RUSTC_BOOTSTRAP=1
logs=${LOGS:-fuzz/logs}
corpus=${CORPUS:-../shared/corpus/files}
seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
mkdir -p "$logs"

cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --locked --quiet
cargo fuzz build --sanitizer none
# Parsers recurse on a stack as large as the child gives them.
ulimit -s 131072 2>/dev/null || echo "The stack stays at $(ulimit -s) KiB; deep inputs may overflow it."

longest() { # longest TARGET: bytes of an input; a container needs room for its directory
  case $1 in
    doc) echo 200000 ;;
    archive | pdf | odt | dwg | image) echo 65536 ;;
    docx | spreadsheet) echo 24000 ;;
    csv | json | markdown | pipe) echo 4096 ;;
    *) echo 16384 ;;
  esac
}

sources() { # sources TARGET: where the words of its format stand
  case $1 in
    spreadsheet | doc | docx | dxf | estimate | html | odt | pdf | rtf) echo "extractor/src/$1" ;;
    dwg) echo extractor/src/dxf ;;
    pdf_page) echo extractor/src/pdf ;;
    image | ocr) echo extractor/src/ocr ;;
    detect) echo extractor/src/detect extractor/src/detect.rs ;;
    pipe) echo extractor/src/model.rs ;;
    archive | letter) echo extractor/src/archive ;;
    ifc) echo extractor/src/ifc extractor/rules/ifc.toml ;;
    *) echo extractor/src/text ;;
  esac
}

if [ "${*:-all}" = all ]; then
  mapfile -t targets < <(cargo fuzz list)
else
  targets=("$@")
fi
failed=()
for target in "${targets[@]}"; do
  mkdir -p "$seeds/$target" "fuzz/corpus/$target"
  most=$(longest "$target")
  folders=(samples)
  [ ! -d "$corpus" ] || folders+=("$corpus")
  python3 scripts/fuzz_seeds.py "$target" "$seeds/$target" "$most" "${folders[@]}"
  # The strings of a parser's source are the dictionary of its format.
  # shellcheck disable=SC2046
  LC_ALL=C grep -rhoE '"[] !#-[^-~]{2,40}"' $(sources "$target") | sort -u >"$seeds/$target.dictionary" || true
  echo "== $target: $minutes min, $(find "$seeds/$target" -type f | wc -l) first inputs"
  if ! cargo fuzz run --sanitizer none "$target" "fuzz/corpus/$target" "$seeds/$target" -- \
    -max_total_time=$((minutes * 60)) -max_len="$most" -dict="$seeds/$target.dictionary" \
    -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 >"$logs/$target.log" 2>&1; then
    failed+=("$target")
    grep -E 'panicked|ERROR|Test unit written' "$logs/$target.log" | tail -5 || true
  fi
  grep -E '^(DEPENDENCY|DONE|Done|stat::number|stat::average)|DONE' "$logs/$target.log" | tail -12 || true
done
[ ${#failed[@]} -eq 0 ] || { echo "Found something: ${failed[*]}; inputs are in fuzz/artifacts" >&2; exit 1; }
