#!/usr/bin/env bash
# Installs what a fresh Debian or Ubuntu lacks, and pyfs into a virtual environment in .venv.
# Asks no questions. What it cannot install it names, with the line to run.
set -euo pipefail
cd "$(dirname "$0")/.."
# Where rustup puts Rust.
PATH="$PATH:${HOME:-/root}/.cargo/bin"

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null; }
# at_least HAVE WANTED: the version HAVE is WANTED or newer.
at_least() { [ -n "$1" ] && [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

sudo=
may_install=yes
if [ "$(id -u)" != 0 ]; then
    if has sudo && sudo -n true 2>/dev/null; then sudo="sudo -n"; else may_install=; fi
fi
apt_updated=
# What apt can offer is asked of its lists, which a fresh machine does not have yet.
apt_update() {
    [ -z "$apt_updated" ] && [ -n "$may_install" ] && has apt-get || return 0
    apt_updated=yes
    say "updating the package lists"
    $sudo apt-get update -qq
}
# The version that apt would install of a package; nothing where it knows none.
apt_version() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \([0-9.]*\).*/\1/p'; }

packages=()
need() { has "$1" || packages+=("$2"); }
need fusermount3 fuse3
need pkg-config pkg-config
need cc build-essential
need git git
need rsync rsync
need vim vim
if ! pkg-config --exists fuse3 2>/dev/null; then packages+=(libfuse3-dev); fi
# Cargo looks for the certificates of the system.
if ! [ -e "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" ]; then packages+=(ca-certificates); fi

# A Python from 3.11 on. The distribution's own comes first, where it is complete: it is compiled
# with profiles, and a mount starts a fifth faster with it than with one that was compiled plainly.
is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }
has_header() {
    [ -e "$("$1" -c 'import sysconfig; print(sysconfig.get_path("include") + "/Python.h")')" ]
}
python=
for candidate in /usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.11 /usr/bin/python3; do
    if is_new_enough "$candidate" && has_venv "$candidate" && has_header "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    for candidate in python3.13 python3.12 python3.11 python3; do
        if is_new_enough "$candidate"; then
            python=$candidate
            has_venv "$python" || packages+=(python3-venv)
            has_header "$python" || packages+=(python3-dev)
            break
        fi
    done
fi
[ -n "$python" ] || packages+=(python3 python3-venv python3-dev)

rust_wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
rust_is_new_enough() {
    local have
    have=$(rustc --version 2>/dev/null | awk '{ print $2 }') || return 1
    has cargo && at_least "${have%%-*}" "$rust_wanted"
}
rust_help="Rust $rust_wanted or newer is needed, and apt has none: install it with rustup (rustup.rs), then run make setup again"
rust_missing=
if ! rust_is_new_enough; then
    if has rustup; then fail "Rust $rust_wanted or newer is needed: run rustup update stable"; fi
    rust_missing=yes
    apt_update
    # Debian 12 and 13 have a new Rust under another name, in their security updates too.
    for suffix in "" -web; do
        if at_least "$(apt_version "rustc$suffix")" "$rust_wanted"; then
            packages+=("rustc$suffix" "cargo$suffix")
            rust_missing=
            break
        fi
    done
    if [ -n "$rust_missing" ] && ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; then
        # Without lists and without the right to fetch them: what these releases are known to have.
        # shellcheck source=/dev/null
        case "$(. /etc/os-release 2>/dev/null && echo "${ID:-}${VERSION_ID:-}")" in
            debian12 | debian13) packages+=(rustc-web cargo-web) rust_missing= ;;
        esac
    fi
fi

if [ ${#packages[@]} -gt 0 ]; then
    if ! has apt-get; then
        fail "please install ${packages[*]} (their names on Debian)${rust_missing:+; and: $rust_help}"
    fi
    line="apt-get install -y --no-install-recommends ${packages[*]}"
    if [ -z "$may_install" ]; then
        fail "system packages are missing; run: sudo apt-get update && sudo $line${rust_missing:+; and: $rust_help}"
    fi
    apt_update
    say "installing ${packages[*]}"
    # sudo passes no environment on, so it is set behind it.
    # shellcheck disable=SC2086 # the line is words
    $sudo env DEBIAN_FRONTEND=noninteractive $line -qq -o Dpkg::Use-Pty=0 </dev/null >/dev/null
fi
rust_is_new_enough || fail "$rust_help"
if [ -z "$python" ]; then
    python=python3
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed and apt has $("$python" --version)"
fi

# One that was left half made is made anew.
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    say "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
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
