#!/bin/sh
# Runs the end-to-end tests against the real binary; "run.sh screenshots [FOLDER]" makes the pictures instead.
# LATCHKEY_BIN names a binary that is already built.
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
# A folder for pictures is meant relative to where the caller stands.
if [ "${1:-}" = screenshots ] && [ -n "${2:-}" ]; then
    mkdir -p "$2"
    pictures=$(cd "$2" && pwd)
fi
cd "$folder"
./install.sh

if [ -z "${LATCHKEY_BIN:-}" ]; then
    build=$(mktemp -d)
    trap 'rm -rf "$build"' EXIT
    trap 'exit 130' INT TERM
    printf 'e2e: building latchkey\n' >&2
    (cd ../.. && go build -tags sqlite_omit_load_extension -o "$build/latchkey" ./cmd/latchkey)
    LATCHKEY_BIN=$build/latchkey
    export LATCHKEY_BIN
fi

if [ "${1:-}" = screenshots ]; then
    node screenshots.mjs "${pictures:-$folder/screenshots}"
else
    node --test --test-concurrency=2 --test-reporter=spec ./*.test.mjs
fi
