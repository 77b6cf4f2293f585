#!/bin/sh
# Installs what tests need beside Python: PostgreSQL, Chromium, curl, swaks, Kannel, Node.js with
# npm.  Where that is not possible it says so, and the tests that need the missing one skip themselves
# by name.
set -u

missing=""
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
command -v curl >/dev/null 2>&1 || missing="$missing curl"
command -v swaks >/dev/null 2>&1 || missing="$missing swaks"
command -v bearerbox >/dev/null 2>&1 || missing="$missing kannel"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium fonts-dejavu-core"
command -v npm >/dev/null 2>&1 || missing="$missing nodejs npm"
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "cannot install$missing: there is no apt-get here"
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "cannot install$missing: only root may (sudo apt-get install$missing)"
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
echo "installing$missing"
apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing >/dev/null ||
    echo "could not install$missing"
