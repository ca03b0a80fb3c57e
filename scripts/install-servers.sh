#!/usr/bin/env bash
# Puts DynamoDB Local and MinIO into .servers, for `make test-servers`. Needs Maven, Java and Go.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .servers

if ! [ -d .servers/lib ]; then
    command -v mvn >/dev/null || { echo "install-servers: please install maven and a JRE" >&2; exit 1; }
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
    (cd .servers/maven && mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory=../lib.new)
    mv .servers/lib.new .servers/lib
fi
if ! [ -x .servers/minio ]; then
    command -v go >/dev/null || { echo "install-servers: please install go" >&2; exit 1; }
    GOBIN="$PWD/.servers" go install github.com/minio/minio@latest
fi
