#!/usr/bin/env bash
# django-venv.sh: makes a virtual environment with real Django in the cache of CI and prints the path of its
# interpreter. The tests of `latchkey import-django` and of clients/ find it there. Needs python3 with venv, and PyPI the first time.
set -euo pipefail

packages=(
    'django==5.2.19' 'djangorestframework==3.18.3' 'djangorestframework-simplejwt==5.5.1'
    'argon2-cffi==25.1.0' 'bcrypt==5.0.0' 'psycopg[binary]==3.3.9'
    'pyjwt[crypto]==2.15.1' 'requests==2.34.2' # what clients/ is made with
)
cache="${LATCHKEY_CI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/latchkey-ci}"
# Another set of packages is another environment.
home="$cache/django-$(printf '%s\n' "${packages[@]}" | sha256sum | cut -c1-12)"

if [ ! -e "$home/complete" ]; then
    rm -rf "$home"
    mkdir -p "$cache"
    python3 -m venv "$home" >&2
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}" >&2
    touch "$home/complete"
fi
ln -sfn "$home" "$cache/django"
echo "$home/bin/python"
