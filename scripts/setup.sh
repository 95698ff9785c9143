#!/usr/bin/env bash
# Installs what is missing to build and run ragtrain on Debian or Ubuntu; says what it does.
# With `test`: also the browser that tests the web page. With `test` and `release`: also what finds
# the functions that a server runs.
set -euo pipefail

packages=()
need() { # need COMMAND PACKAGE…
  command -v "$1" >/dev/null 2>&1 || packages+=("${@:2}")
}
need cc build-essential
need curl curl
need redis-server redis-server
need tesseract tesseract-ocr tesseract-ocr-rus tesseract-ocr-eng tesseract-ocr-osd
need pdftotext poppler-utils
need python3 python3 python3-venv
# The page is built with node; the tests of live events use its clients, a browser and a balancer that are not ours.
need node nodejs
need npm npm
if [ "${1:-}" = test ]; then
  need chromium chromium fonts-dejavu-core
  [ -x /usr/sbin/nginx ] || need nginx nginx-light
fi
case "${1:-}" in test | release) need valgrind valgrind ;; esac
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || packages+=(python3-venv)
if command -v tesseract >/dev/null 2>&1; then
  for language in rus eng osd; do
    tesseract --list-langs 2>/dev/null | grep -qx "$language" || packages+=("tesseract-ocr-$language")
  done
fi

if [ ${#packages[@]} -gt 0 ]; then
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
      as_root=(sudo)
    else
      echo "Не хватает пакетов. Установите их и повторите:" >&2
      echo "  sudo apt-get update && sudo apt-get install -y ${packages[*]}" >&2
      exit 1
    fi
  fi
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "Нет apt-get. Установите средствами вашей системы: ${packages[*]}" >&2
    exit 1
  fi
  echo "== устанавливаю: ${packages[*]}"
  "${as_root[@]}" apt-get update -qq
  # The packaged redis-server would start a service of its own; ragtrain starts its own.
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

PATH="$PATH:$HOME/.cargo/bin"
command -v cargo >/dev/null 2>&1 || {
  echo "Нет Rust. Установите его (https://rustup.rs), версия не ниже 1.95." >&2
  exit 1
}

tests=$(dirname "$0")/../api/tests/js
if [ ! -e "$tests/node_modules/.package-lock.json" ]; then
  echo "== устанавливаю пакеты node для тестов"
  npm --prefix "$tests" ci --silent
fi
