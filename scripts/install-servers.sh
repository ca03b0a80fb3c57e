#!/usr/bin/env bash
# Puts DynamoDB Local and MinIO into .servers, for `make test-servers`. Needs Maven, Java and Go.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .servers

fail() { printf 'install-servers: %s\n' "$*" >&2; exit 1; }
# Everything that lacks is named at once.
missing=()
command -v java >/dev/null || missing+=(default-jre-headless)
[ -d .servers/lib ] || command -v mvn >/dev/null || missing+=(maven)
[ -x .servers/minio ] || command -v go >/dev/null || missing+=(golang-go)
if [ ${#missing[@]} -gt 0 ]; then
    fail "please install what is missing; on Debian: apt-get install --no-install-recommends ${missing[*]}" \
        "(MinIO needs a newer Go than some releases have: go.dev/dl)"
fi

if ! [ -d .servers/lib ]; then
    rm -rf .servers/maven
    mkdir .servers/maven
    cat > .servers/maven/pom.xml <<'POM'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>pyfs</groupId>
  <artifactId>servers</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>com.amazonaws</groupId>
      <artifactId>DynamoDBLocal</artifactId>
      <version>2.6.1</version>
    </dependency>
  </dependencies>
</project>
POM
    rm -rf .servers/lib.new
    (cd .servers/maven && mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory=../lib.new)
    mv .servers/lib.new .servers/lib
fi
if ! [ -x .servers/minio ]; then
    GOBIN="$PWD/.servers" go install github.com/minio/minio@latest ||
        fail "MinIO could not be built; it needs a new Go (this is $(go version))"
fi
