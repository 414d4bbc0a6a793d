#!/usr/bin/env bash
# Latchkey from a shell, with curl. Source it to use the functions, or run it:
#   LATCHKEY_URL=http://127.0.0.1:8000 LATCHKEY_TOKEN=<of somebody who may register> clients/curl.sh ann 'correct horse 9'
set -euo pipefail

url=${LATCHKEY_URL:-http://127.0.0.1:8000}
access='' refresh=''

# call <credential> <path> [<field> <value>]…: prints the body; a POST where there are fields. Fails with the
# body where the answer is not 2xx. Secrets go to curl by its standard input: arguments are seen by everybody (ps).
call() {
    local credential=$1 path=$2
    shift 2
    {
        [ -z "$credential" ] || option header "Authorization: $credential"
        while [ $# -gt 0 ]; do
            option data-urlencode "$1=$2"
            shift 2
        done
    } | curl --silent --fail-with-body --max-time 30 --config - "$url$path"
}

option() {
    local text=${2//\\/\\\\}
    printf '%s = "%s"\n' "$1" "${text//\"/\\\"}"
}

# Answers with a pair are small and flat, so sed reads them; use jq where you have it.
field() { sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p"; }

# keep <answer>. Both are replaced each time: the refresh token that was used counts no longer.
keep() {
    access=$(field access <<<"$1")
    refresh=$(field refresh <<<"$1")
}

sign_up() { # <token> <username> <password>
    local answer
    answer=$(call "Token $1" /registerapi/ username "$2" password "$3" confirm_password "$3") || { echo "$answer" >&2; return 1; }
    keep "$answer"
}

sign_in() { # <username> <password>
    local answer
    answer=$(call '' /api/token/ username "$1" password "$2") || { echo "$answer" >&2; return 1; }
    keep "$answer"
}

renew() {
    local answer
    answer=$(call '' /api/token/refresh/ refresh "$refresh") || { echo "$answer" >&2; return 1; }
    keep "$answer"
}

# get <path>: with the access token; where that has ended, once more with a new one.
get() {
    local answer
    if ! answer=$(call "Bearer $access" "$1"); then
        case $answer in
            *token_not_valid*) renew && answer=$(call "Bearer $access" "$1") ;;
            *) false ;;
        esac || { echo "$answer" >&2; return 1; }
    fi
    printf '%s\n' "$answer"
}

sign_out() { # ends this sign-in, with everything it was given
    call '' /api/token/blacklist/ refresh "$refresh" >/dev/null
    access='' refresh=''
}

# revoke <credential> <token>: ends an API token, or a sign-in by one of its two tokens.
revoke() { call "$1" /api/revoke/ token "$2"; }

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    call "Token $LATCHKEY_TOKEN" /studentapi/ # as a program with a token of its own
    echo
    sign_up "$LATCHKEY_TOKEN" "$1" "$2"
    get /studentapi/ # as the person who has just registered
    sign_out
fi
