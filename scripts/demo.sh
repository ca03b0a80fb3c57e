#!/usr/bin/env bash
# Shows the main job on real input: a mounted remote, read and committed into. Prints each command
# it runs, and fails at the first that does not give what it should.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"

work=$(mktemp -d "${TMPDIR:-/tmp}/pyfs-demo.XXXXXX")
servers=
finish() {
    status=$?
    mountpoint -q "$work/mnt" && fusermount3 -u -z "$work/mnt" || true
    [ -z "$servers" ] || kill "$servers" 2>/dev/null || true
    rm -rf "$work"
    [ "$status" = 0 ] || printf '\nThe demo failed (exit %s).\n' "$status" >&2
}
trap finish EXIT
# Leave the user's caches and logs alone.
export XDG_CACHE_HOME="$work/cache" XDG_STATE_HOME="$work/state"

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '$ %s\n' "$*"; bash -c "$*"; }
expect() { # expect TEXT COMMAND: the command's output holds TEXT
    local wanted=$1 output
    shift
    printf '$ %s\n' "$*"
    output=$(bash -c "$*" 2>&1) || true
    printf '%s\n' "$output"
    [[ $output == *"$wanted"* ]] || { printf 'expected to see: %s\n' "$wanted" >&2; exit 1; }
}

show() { # show URL: the main job on the remote at URL
    local url=$1
    run "pyfs mount -o 'author=Ada Lovelace <ada@example.com>' '$url' mnt"
    expect "primes.csv" "ls mnt mnt/main mnt/feature/twin"
    expect "36,151" "tail -n 3 mnt/main/primes.csv"
    expect "25,97" "grep -c . mnt/feature/twin/primes.csv; tail -n 1 mnt/feature/twin/primes.csv"
    title "Appending rows is a commit, pushed when the command returns"
    run "printf '37,157\n38,163\n' >> mnt/main/primes.csv"
    expect "Update primes: +2 -0 ~0 rows" "head -n 5 mnt/main/.pyfs/log"
    title "A bad value is refused, the branch stays as it was, and the reason is kept"
    expect "Invalid argument" "(cat mnt/main/primes.csv; echo 39,many) > edited.csv; cp edited.csv mnt/main/primes.csv"
    expect "many" "cat mnt/main/.pyfs/status"
    expect "38,163" "tail -n 1 mnt/main/primes.csv"
    title "A branch is a directory"
    run "mkdir mnt/spring"
    expect "spring" "ls mnt"
    run "rmdir mnt/spring"
    run "pyfs umount mnt"
    expect "Update primes: +2 -0 ~0 rows" "pyfs log '$url' main | head -n 5"
}

here=$PWD
cd "$work"
mkdir mnt
title "A remote that dolt pushed, in a directory"
cp -r "$here/tests/golden/remotes/primes" remote
show "file://$work/remote"

title "The same on S3 and DynamoDB (served by moto on this machine)"
python3 -m moto.server -H 127.0.0.1 -p 0 > moto.log 2>&1 &
servers=$!
port=
until [ -n "$port" ]; do
    kill -0 "$servers" || { cat moto.log >&2; exit 1; }
    port=$(sed -n 's/.*Running on http:\/\/127\.0\.0\.1:\([0-9]*\).*/\1/p' moto.log | head -n 1)
done
export AWS_ENDPOINT_URL="http://127.0.0.1:$port" AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo
cd "$here"
python3 - "$AWS_ENDPOINT_URL" <<'PY'
import sys
from pathlib import Path

from tests.support.servers import Endpoints

endpoints = Endpoints(sys.argv[1], sys.argv[1])
endpoints.make("manifests", "tables")
endpoints.upload(Path("tests/golden/remotes/primes"), "aws://[manifests:tables]/primes")
PY
cd "$work"
show "aws://[manifests:tables]/primes"
title "All unmounted again. The demo showed what it should."
