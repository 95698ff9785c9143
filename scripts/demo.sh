#!/usr/bin/env bash
# Trains a folder with live progress, asks two questions, leaves the server open until Ctrl-C.
# Usage: RAGTRAIN=path/of/ragtrain scripts/demo.sh [FOLDER]
# Without a terminal, or with DEMO_EXIT=1, it ends after the answers.
set -euo pipefail
cd "$(dirname "$0")/.."
ragtrain=${RAGTRAIN:-target/release/ragtrain}
docs=$(realpath "${1:-samples}")
[ -d "$docs" ] || { echo "нет папки $docs" >&2; exit 1; }
data=${RAGTRAIN_DATA:-.demo}
listen=${RAGTRAIN_LISTEN:-127.0.0.1:8000}
export RAGTRAIN_URL="http://$listen"
mkdir -p "$data"

"$ragtrain" up --data "$data" --listen "$listen" --docs-root "$docs" >"$data/up.log" 2>&1 &
server=$!
stop() { kill -TERM "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
trap stop EXIT
# Ctrl-C reaches the server, too: it drains, and this script waits for it.
trap 'wait "$server" 2>/dev/null || true; trap - EXIT; exit 0' INT
for _ in $(seq 1 150); do
  kill -0 "$server" 2>/dev/null || { echo "сервер не запустился:" >&2; tail -20 "$data/up.log" >&2; exit 1; }
  grep -q 'api listens on' "$data/up.log" && curl -fsS "$RAGTRAIN_URL/readyz" >/dev/null 2>&1 && break
  sleep 0.2
done
curl -fsS "$RAGTRAIN_URL/readyz" >/dev/null || { tail -20 "$data/up.log" >&2; exit 1; }

echo "== обучение: $docs"
# A document that fails on purpose (exit 1) is no failure of the demo; a refused job (2) is.
code=0
"$ragtrain" train --force "$docs" || code=$?
[ "$code" -le 1 ] || exit "$code"

ask() { echo; echo "== вопрос: $1"; "$ragtrain" search "$1" -k 3 || [ $? -eq 1 ]; }
if [ "$docs" = "$(realpath samples)" ]; then
  ask "Какой должна быть температура бетонной смеси зимой?"
  ask "Кто отвечает за безопасность при подъёме грузов краном?"
else
  ask "Какие требования предъявляются к основаниям и фундаментам?"
  ask "Какие документы регламентируют производство работ?"
fi

echo
echo "API: $RAGTRAIN_URL   описание: $RAGTRAIN_URL/docs   журнал: $data/up.log"
if [ -t 1 ] && [ "${DEMO_EXIT:-0}" != 1 ]; then
  echo "Ctrl-C — остановить."
  wait "$server"
fi
