#!/usr/bin/env bash
# How much of src the default suite runs through: `npm run test:coverage`. Prints c8's table; minutes, and not part of `npm test`.
#
# Servers that tests start run from single files instead of the bundle, since the bundle's lines are not those of src. A thread writes its
# coverage after its addons have let go of what they held, and a collection of garbage just then makes `roaring` (2.7.0) use freed memory:
# a young generation that is large enough has none. Without coverage nothing runs that late.
# Works in a copy of the last commit. The last line is `N passed, N failed`, counted in tests.
set -euo pipefail
project=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone --quiet "$project" "$work/skein"
cd "$work/skein"
ln -s "$project/node_modules" node_modules
cp -r "$project/build" build
npm run --silent build

heap='--min-semi-space-size=64 --max-semi-space-size=64'
program=dist/bundle/server/main.js
{
  head -n 1 "$program" | sed "s/--max-semi-space-size=[0-9]*/$heap/"
  echo "await import('../../src/main.js');"
} > "$work/main.js"
cp "$work/main.js" "$program"
# One has the bundle for its subject, the other names the first.
rm dist/tests/scenarios/bundle.test.js tests/scenarios/bundle.test.ts dist/tests/house/features.test.js tests/house/features.test.ts

# shellcheck disable=SC2086
NODE_V8_COVERAGE=$work/raw node $heap dist/tests/support/run.js --file-deadline-ms=600000 > "$work/tests" || true
grep '^FAIL' "$work/tests" || true
npx --yes c8@12 report --temp-directory "$work/raw" --all --src dist/src --include 'dist/src/**/*.js' --reporter text
tail -n 1 "$work/tests"
grep -q ', 0 failed$' "$work/tests"
