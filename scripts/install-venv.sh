#!/bin/sh
# Debian keeps what `python3 -m venv` needs in a package of its own: install it and try again.
set -eu

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "'$1 -m venv' does not work here; on Debian: sudo apt-get install python3-venv" >&2
    exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3-venv >/dev/null
exec "$1" -m venv --clear "$2"
