#!/usr/bin/env bash
# Installs what a fresh Debian or Ubuntu lacks, and a virtual environment in .venv.
# Asks no questions. What it cannot install it names, with the line to run.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

sudo=
may_install=yes
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo="sudo -n"; else may_install=; fi
fi
apt_updated=
# What apt can offer is asked of its lists, which a fresh machine does not have yet.
apt_update() {
    [ -z "$apt_updated" ] && [ -n "$may_install" ] && command -v apt-get >/dev/null || return 0
    apt_updated=yes
    say "updating the package lists"
    $sudo apt-get update -qq
}

packages=()
need() { command -v "$1" >/dev/null || packages+=("$2"); }
need fusermount3 fuse3
need pkg-config pkg-config
need cc build-essential
need git git
need rsync rsync
need vim vim-tiny
if ! pkg-config --exists fuse3 2>/dev/null; then packages+=(libfuse3-dev); fi

# The first Python from 3.11 on.
python=
for candidate in python3.13 python3.12 python3.11 python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    packages+=(python3 python3-venv python3-dev)
else
    "$python" -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
    header=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include") + "/Python.h")')
    [ -e "$header" ] || packages+=(python3-dev)
fi

rust_wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
rust_is_new_enough() {
    local have
    have=$(rustc --version 2>/dev/null | awk '{ print $2 }') || return 1
    [ -n "$have" ] && command -v cargo >/dev/null &&
        [ "$(printf '%s\n%s\n' "$rust_wanted" "${have%%-*}" | sort -V | head -n 1)" = "$rust_wanted" ]
}
rust_missing=
if ! rust_is_new_enough; then
    rust_missing=yes
    apt_update
    # Debian 12 has a new Rust under another name; elsewhere the ordinary one may do.
    if apt-cache show rustc-web >/dev/null 2>&1; then
        packages+=(rustc-web cargo-web)
    elif apt-cache show rustc >/dev/null 2>&1; then
        packages+=(rustc cargo)
    fi
fi

if [ ${#packages[@]} -gt 0 ]; then
    command -v apt-get >/dev/null || fail "please install: ${packages[*]} (by their Debian names)"
    line="apt-get install -y --no-install-recommends ${packages[*]}"
    if [ -z "$may_install" ]; then
        fail "some system packages are missing; run: sudo apt-get update && sudo $line"
    fi
    apt_update
    say "installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # the line is words
    $sudo $line -qq >/dev/null
fi
if [ -n "$rust_missing" ] && ! rust_is_new_enough; then
    fail "Rust $rust_wanted or newer is needed and apt has none; install it with rustup (rustup.rs)"
fi
if [ -z "$python" ]; then
    python=python3
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed and apt has $("$python" --version)"
fi

if ! [ -x .venv/bin/python ]; then
    say "making .venv with $("$python" --version)"
    "$python" -m venv .venv
fi
say "installing Python packages"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
# An environment of pyfs itself and the tools of its development.
# The dependencies come first: some are built here, each with the tools that it asks for.
.venv/bin/python -c '
import tomllib
with open("pyproject.toml", "rb") as file:
    print(*tomllib.load(file)["project"]["dependencies"], sep="\n")' |
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement /dev/stdin --group dev
say "building pyfs (a few minutes the first time)"
# Without isolation, so that one cargo target folder serves all builds; maturin is on this PATH.
PATH="$PWD/.venv/bin:$PATH" .venv/bin/python -m pip install \
    --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
