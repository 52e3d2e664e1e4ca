#!/bin/sh
# Installs what the end-to-end tests need and this machine lacks: the locked npm packages and a Chromium.
# Running it again when nothing is missing changes nothing and takes no time.
set -eu
cd "$(dirname "$0")"

say() { printf 'e2e: %s\n' "$*" >&2; }

need() {
    if ! command -v "$1" >/dev/null 2>&1; then
        say "$1 was not found. Install $2 and run this again."
        exit 1
    fi
}

need node "Node.js 20 or newer"
need npm "npm (it comes with Node.js)"
major=$(node -p 'process.versions.node.split(".")[0]')
if [ "$major" -lt 20 ]; then
    say "Node.js $major is too old. Install Node.js 20 or newer and run this again."
    exit 1
fi

# npm writes node_modules/.package-lock.json at the end of an install, so an install cut short is done again.
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    say "installing the npm packages of package-lock.json"
    npm ci --ignore-scripts --no-fund --no-audit --loglevel=error >&2
    touch node_modules/.package-lock.json
fi

if ! node chromium.mjs >/dev/null 2>&1; then
    if ! command -v apt-get >/dev/null 2>&1; then
        say "no Chromium was found. Install one, or name it: CHROMIUM=/path/to/chromium"
        exit 1
    fi
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        as_root='sudo -n'
        if ! sudo -n true 2>/dev/null; then
            say "no Chromium was found, and installing it needs root. Run: sudo apt-get install chromium"
            say "Or name one that is elsewhere: CHROMIUM=/path/to/chromium"
            exit 1
        fi
    fi
    # Another apt may be at work; it is waited for rather than failed on.
    say "installing Chromium with apt-get (about 130 MB)"
    $as_root apt-get -o DPkg::Lock::Timeout=300 update -qq >&2
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
        install -y -q --no-install-recommends chromium fonts-dejavu-core >&2
    node chromium.mjs >/dev/null
fi
