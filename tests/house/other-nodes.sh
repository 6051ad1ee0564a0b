#!/usr/bin/env bash
# Proves the other Node versions that Skein runs on: `npm run test:nodes [version …]`, by default 22 and 24.
#
# The packages that npm's own package `node` chooses from bring the binary and its headers, with no script to run. For each version: a clean
# clone of the last commit, `npm ci` with that Node first on the PATH (native modules are built for it), then the whole suite. Takes
# minutes; not part of `npm test`.
# The last line is `N passed, N failed`, counted in versions.
set -uo pipefail
project=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

prove() {
  local version=$1
  local folder=$work/$version
  local package
  local distribution
  package=$(node -p '`node-${process.platform}-${process.arch}`') || return 1
  npm install --no-save --ignore-scripts --prefix "$folder/node" "$package@$version" || return 1
  distribution=$folder/node/node_modules/$package
  [ -x "$distribution/bin/node" ] || { echo "$package@$version brought no binary"; return 1; }
  git clone --quiet "$project" "$folder/skein" || return 1
  cd "$folder/skein" || return 1
  export PATH="$distribution/bin:$PATH"
  export npm_config_nodedir=$distribution
  echo "--- Node $(node --version)"
  npm ci && npm run test:unit
}

[ $# -gt 0 ] || set -- 22 24
for version in "$@"; do
  if (prove "$version"); then
    passed=$((passed + 1))
    echo "--- Node $version: passed"
  else
    failed=$((failed + 1))
    echo "--- Node $version: FAILED"
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
