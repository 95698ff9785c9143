#!/usr/bin/env bash
# Breaks the queue's scripts in three ways, in a copy, and shows that a named test notices each.
# Ends with 1 when a mutation survives. Usage: scripts/mutations.sh
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
target=${CARGO_TARGET_DIR:-$root/target}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# The queue's crate and the testkit, as a workspace of their own with the same locked versions.
cp -r Cargo.toml Cargo.lock rustfmt.toml clippy.toml shared testkit "$copy"
sed -i -E 's/^members = .*/members = ["shared", "testkit"]/; /^exclude = /d' "$copy/Cargo.toml"
sed -i -E '/^(stores|extractor|worker|api) = \{ path = /d' "$copy/Cargo.toml"
scripts=shared/src/queue/scripts
cd "$copy"
cp -r "$scripts" unchanged
run() { CARGO_TARGET_DIR=$target cargo test --release --offline -q -p shared --test it -- "$@"; }

echo "== unchanged: the tests that are to notice"
run --exact leases::a_lost_lease_changes_nothing_any_more \
  leases::a_document_that_is_given_out_after_its_end_is_counted_once \
  leases::a_job_does_not_end_while_its_listing_waits >/dev/null

survivors=0
mutate() { # mutate NAME FILE SED TEST
  local name=$1 file=$2 expression=$3 test=$4 output
  cp "unchanged/$file" "$scripts/$file"
  sed -i -E "$expression" "$scripts/$file"
  if cmp -s "unchanged/$file" "$scripts/$file"; then
    echo "FAIL $name: nothing in $file was changed" >&2
    exit 2
  fi
  # A mutation must not be a syntax error: the library is part of every script, and others work.
  if ! run --exact events::a_lost_history_has_another_epoch >/dev/null 2>&1; then
    echo "FAIL $name: breaks more than it should" >&2
    exit 2
  fi
  if output=$(run --exact "$test" 2>&1); then
    echo "SURVIVED  $name: $test is green"
    survivors=1
  else
    grep -q 'test result: FAILED. 0 passed; 1 failed' <<<"$output" || { echo "$output" >&2; exit 2; }
    echo "noticed   $name: $test is red"
    grep -m 1 -A 3 'panicked at' <<<"$output" | sed 's/^/            /'
  fi
  cp "unchanged/$file" "$scripts/$file"
}

mutate "no fence check" library/leases.lua \
  's/return lease and lease\.fence == fence/return lease/' \
  leases::a_lost_lease_changes_nothing_any_more
mutate "no 0→1 test of the done bit" complete.lua \
  's/if known\[n\] == 0 then/if true then/' \
  leases::a_document_that_is_given_out_after_its_end_is_counted_once
mutate "no sealed test" library/queue.lua \
  "s/ and get\(job, 'sealed'\) == 1\$//" \
  leases::a_job_does_not_end_while_its_listing_waits
exit "$survivors"
