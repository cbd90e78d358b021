#!/bin/sh
# What the full suite needs from the system: Chromium, PostgreSQL's server, a C compiler, xmlsec1, and fonts that
# the portal has not of its own; and the programs that are named.
set -eu
missing=""
command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing="chromium"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing="$missing postgresql"
command -v gcc >/dev/null || missing="$missing gcc libc6-dev"
command -v xmlsec1 >/dev/null || missing="$missing xmlsec1"
if command -v apt-get >/dev/null; then  # elsewhere they are in other places, and tests of them are skipped
  [ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || missing="$missing fonts-noto-cjk"
  [ -e /usr/share/fonts/truetype/ancient-scripts/Symbola_hint.ttf ] || missing="$missing fonts-symbola"
fi
for program in "$@"; do
  command -v "$program" >/dev/null || missing="$missing $program"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "The full suite needs these packages of your system: $missing" >&2
  exit 1
fi
apt-get update -qq
# Its engine without windows is quicker, where the system has it apart.
apt-cache show chromium-headless-shell >/dev/null 2>&1 && missing=$(echo "$missing" | sed 's/chromium/chromium-headless-shell/')
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
