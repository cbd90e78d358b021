#!/bin/sh
# install.sh [--root FOLDER] HOST: puts a release on a Debian 13 machine, from the folder that holds it.
# Run it as root, from an unpacked release or a clone; run it again to install a newer one. What exists in
# /etc/portal is kept. --root puts all files below a folder and starts nothing: for packagers and tests.
set -eu

root=""
if [ "${1:-}" = "--root" ]; then
  root=${2:?"--root needs a folder"}
  shift 2
fi
host=${1:?"install.sh [--root FOLDER] HOST: name the host that people open, such as learning.example.police.uk"}
case $host in
  *[!A-Za-z0-9.-]*) echo "$host is no host name: give it without https:// and without a path." >&2; exit 2 ;;
esac
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
say() { printf '%s\n' "$*"; }

if [ -z "$root" ]; then
  [ "$(id -u)" -eq 0 ] || { echo "Run this as root: it makes a user, and files below /etc and /opt." >&2; exit 1; }
  say "Packages: Python, PostgreSQL, nginx, Node for the build"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    python3 python3-venv postgresql nginx make nodejs npm openssl xmlsec1 >/dev/null
  id portal >/dev/null 2>&1 || useradd --system --home-dir /var/lib/portal --shell /usr/sbin/nologin portal
fi

say "Program: $root/opt/portal"
install -d -m 755 "$root/opt/portal" "$root/etc/systemd/system" "$root/etc/nginx/sites-available"
install -d -m 750 "$root/etc/portal"
install -d -m 700 "$root/var/backups/portal"
(cd "$here" && tar -cf - --exclude=__pycache__ config.py wsgi.py serve.py pyproject.toml CHANGELOG.md \
  deploy docs migrations modules portal requirements package.json package-lock.json Makefile) |
  tar -xf - --no-same-owner -C "$root/opt/portal"

say "Settings: $root/etc/portal"
umask 077
if [ ! -e "$root/etc/portal/secret-key" ]; then
  openssl rand -hex 32 >"$root/etc/portal/secret-key"
fi
if [ ! -e "$root/etc/portal/portal.conf" ]; then
  sed "s/learning\.example\.police\.uk/$host/" "$here/deploy/systemd/portal.conf" >"$root/etc/portal/portal.conf"
fi
if ! grep -q '^#*BACKUP_DIR=' "$root/etc/portal/portal.conf"; then
  # Of a release whose backups a timer made: from now on the worker does.
  say "BACKUP_DIR=/var/backups/portal" >>"$root/etc/portal/portal.conf"
fi
if [ ! -e "$root/etc/portal/database-url" ]; then
  # By the socket, as the system's user of the same name: no password to keep.
  say "postgresql:///portal?host=/var/run/postgresql" >"$root/etc/portal/database-url"
fi

say "Units and site"
umask 022
for unit in portal.socket portal.service portal-worker.service; do
  install -m 644 "$here/deploy/systemd/$unit" "$root/etc/systemd/system/$unit"
done
if [ ! -e "$root/etc/nginx/sites-available/portal" ]; then
  sed "s/learning\.example\.police\.uk/$host/" "$here/deploy/nginx/portal.conf" \
    >"$root/etc/nginx/sites-available/portal"
fi
[ -z "$root" ] || { say "Nothing was started: all files are below $root."; exit 0; }

chown portal:portal /var/backups/portal
say "Build: packages of Python, style sheets"
make -s -C /opt/portal setup PYTHON=python3
/opt/portal/.venv/bin/python -m compileall -q /opt/portal/portal /opt/portal/config.py /opt/portal/wsgi.py
say "Database"
runuser -u postgres -- psql -qtAc "SELECT 1 FROM pg_roles WHERE rolname = 'portal'" | grep -q 1 ||
  runuser -u postgres -- createuser --createdb portal
runuser -u postgres -- psql -qtAc "SELECT 1 FROM pg_database WHERE datname = 'portal'" | grep -q 1 ||
  runuser -u postgres -- createdb -O portal portal
install -d -o portal -g portal -m 700 /var/lib/portal
/opt/portal/deploy/portalctl db upgrade
say "Services"
if [ -e /etc/systemd/system/portal-backup.timer ]; then
  systemctl disable --quiet --now portal-backup.timer
  rm -f /etc/systemd/system/portal-backup.timer /etc/systemd/system/portal-backup.service
fi
systemctl daemon-reload
systemctl enable --quiet --now portal.socket portal.service portal-worker.service
systemctl restart portal.service portal-worker.service
ln -sf /etc/nginx/sites-available/portal /etc/nginx/sites-enabled/portal
if nginx -tq; then
  systemctl reload nginx
else
  say "Put the certificate and its key where /etc/nginx/sites-available/portal names them, then: systemctl reload nginx"
fi
/opt/portal/deploy/portalctl doctor || say "The doctor names what is left to do: docs/operating/install.md"
