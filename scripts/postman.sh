#!/usr/bin/env bash
# Runs the Postman collection against a server of its own: a free loopback port, an empty database, a superuser and
# a token made by the command line. On SQLite, or on PostgreSQL where LATCHKEY_TEST_POSTGRES_URL is set.
#   LATCHKEY_BINARY  the binary, by default target/release/latchkey
#   NEWMAN           newman, by default through npx
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
binary=$(realpath "${LATCHKEY_BINARY:-$root/target/release/latchkey}")
newman=${NEWMAN:-npx --yes newman@6.2.2}

. "$root/scripts/server.sh"
start_server "$binary"
cd "$server_dir"
LATCHKEY_SUPERUSER_USERNAME=postman LATCHKEY_SUPERUSER_EMAIL=postman@example.org \
    LATCHKEY_SUPERUSER_PASSWORD=$(python3 -c 'import secrets; print(secrets.token_urlsafe(18))') \
    "$binary" createsuperuser --noinput
token=$("$binary" create-token postman)

# shellcheck disable=SC2086 # the default is a command with arguments
$newman run "$root/postman/latchkey.postman_collection.json" \
    --environment "$root/postman/latchkey.postman_environment.json" \
    --env-var "base_url=$server_url" --env-var "token=$token" \
    --reporters cli --reporter-cli-no-banner --reporter-cli-no-success-assertions --color off --timeout-request 15000 ||
    { printf '\nThe end of the server log:\n' >&2; tail -n 60 "$server_dir/log" >&2; exit 1; }
