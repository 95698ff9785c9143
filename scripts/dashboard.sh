#!/usr/bin/env bash
# Builds the web page into dashboard/dist; packages are fetched only when their list has changed.
set -euo pipefail
cd "$(dirname "$0")/../dashboard"
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
  # No package of ours needs to run anything to be installed.
  npm ci --ignore-scripts --no-audit --no-fund
fi
npm run --silent build
