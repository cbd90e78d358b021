#!/bin/sh
# install.sh [--root FOLDER] [--keep-database] HOST: puts a release on a Debian 13 machine, from the folder that
# holds it. Run it as root, from an unpacked release (a wheel beside deploy/, which needs no Node) or a clone; run
# it again to install a newer one. What exists in /etc/portal is kept. --root puts all files below a folder and
# starts nothing: for packagers and tests. --keep-database neither upgrades nor starts: a restore is to follow.
set -eu

usage="install.sh [--root FOLDER] [--keep-database] HOST"
root=""
keep_database=""
while :; do
  case ${1:-} in
    --root) root=${2:?"--root needs a folder"}; shift 2 ;;
    --keep-database) keep_database=yes; shift ;;
    *) break ;;
  esac
done
host=${1:?"$usage: name the host that people open, such as learning.example.police.uk"}
case $host in
  *[!A-Za-z0-9.-]*) echo "$host is no host name: give it without https:// and without a path." >&2; exit 2 ;;
esac
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
wheel=""
for file in "$here"/portal-*.whl; do
  [ -e "$file" ] && wheel=$file
done
say() { printf '%s\n' "$*"; }

if [ -z "$root" ]; then
  [ "$(id -u)" -eq 0 ] || { echo "Run this as root: it makes a user, and files below /etc and /opt." >&2; exit 1; }
  say "Packages: Python, PostgreSQL, nginx$([ -n "$wheel" ] || echo ", Node for the build")"
  apt-get update -qq
  # shellcheck disable=SC2046 # several words
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    python3 python3-venv postgresql nginx openssl xmlsec1 fonts-noto-cjk fonts-symbola \
    gcc libc6-dev libpq-dev python3-dev $([ -n "$wheel" ] || echo make nodejs npm) >/dev/null
  if [ -x /opt/portal/deploy/portalctl ] && [ -d /var/lib/portal ]; then  # which is made after the database
    before=/var/backups/portal/before-upgrade-$(date -u +%Y%m%dT%H%M%SZ).backup
    say "Backup, with the release that is installed: $before"
    /opt/portal/deploy/portalctl backup "$before"
    systemctl stop portal.socket portal.service portal-worker.service
  fi
  id portal >/dev/null 2>&1 || useradd --system --home-dir /var/lib/portal --shell /usr/sbin/nologin portal
fi

say "Program: $root/opt/portal"
install -d -m 755 "$root/opt/portal" "$root/etc/systemd/system" "$root/etc/nginx/sites-available"
install -d -m 750 "$root/etc/portal"
install -d -m 700 "$root/var/backups/portal"
drop="$root/srv/portal-imports" # below incoming, folders belong to root: sshd shuts other systems in there
install -d -m 755 "$drop" "$drop/incoming" "$drop/incoming/roster" "$drop/incoming/completions"
install -d -m 700 "$drop/waiting" "$drop/quarantine" "$drop/done"
for old in portal migrations modules event_types exercises recommendations requirements docs deploy portal-*.dist-info pyproject.toml Makefile \
  package.json package-lock.json requirements.txt; do
  rm -rf "$root/opt/portal/"$old  # what an earlier release had and this one has not
done
program="CHANGELOG.md deploy docs requirements"
[ -n "$wheel" ] || program="$program config.py wsgi.py serve.py pyproject.toml migrations modules event_types exercises recommendations \
  portal package.json package-lock.json Makefile"
# shellcheck disable=SC2086 # several names
(cd "$here" && tar -cf - --exclude=__pycache__ $program) | tar -xf - --no-same-owner -C "$root/opt/portal"
[ -z "$wheel" ] || python3 -m zipfile -e "$wheel" "$root/opt/portal"

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

chown portal:portal /var/backups/portal "$drop/waiting" "$drop/quarantine" "$drop/done"
if [ -z "$wheel" ]; then
  say "Build: style sheets"
  make -s -C /opt/portal portal/pages/layout/static/manifest.json
fi
say "Packages of Python, as the release locks them; the driver of PostgreSQL is built against Debian's libpq"
[ -x /opt/portal/.venv/bin/python ] || python3 -m venv /opt/portal/.venv
pip() { /opt/portal/.venv/bin/python -m pip --disable-pip-version-check "$@"; }
pip install --quiet --require-hashes -r /opt/portal/requirements/production.txt
pip install --quiet --no-build-isolation --require-hashes -r /opt/portal/requirements/postgresql.txt
locked=$(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' /opt/portal/requirements/production.txt /opt/portal/requirements/postgresql.txt)
for old in $(pip list --format=freeze | sed 's/==.*//' | tr 'A-Z_.' 'a-z--'); do
  printf 'pip\n%s\n' "$locked" | grep -qxF "$old" || pip uninstall --quiet --yes "$old"  # of an earlier release
done
/opt/portal/.venv/bin/python -m compileall -q /opt/portal/portal /opt/portal/config.py /opt/portal/wsgi.py
runuser -u postgres -- psql -qtAc "SELECT 1 FROM pg_roles WHERE rolname = 'portal'" | grep -q 1 ||
  runuser -u postgres -- createuser --createdb portal
runuser -u postgres -- psql -qtAc "SELECT 1 FROM pg_database WHERE datname = 'portal'" | grep -q 1 ||
  runuser -u postgres -- createdb -O portal portal
install -d -o portal -g portal -m 700 /var/lib/portal
if [ -e /etc/systemd/system/portal-backup.timer ]; then  # of an earlier release: the worker makes backups now
  systemctl disable --quiet --now portal-backup.timer
  rm -f /etc/systemd/system/portal-backup.timer /etc/systemd/system/portal-backup.service
fi
systemctl daemon-reload
if [ -n "$keep_database" ]; then
  say "Nothing was started. Now: /opt/portal/deploy/portalctl restore FILE --replace, then"
  say "systemctl start portal.socket portal portal-worker"
  exit 0
fi
say "Services and database"
systemctl enable --quiet --now portal.socket portal.service  # says that the portal is being upgraded, until it is
/opt/portal/deploy/portalctl db upgrade
systemctl enable --quiet --now portal-worker.service
systemctl restart portal-worker.service
ln -sf /etc/nginx/sites-available/portal /etc/nginx/sites-enabled/portal
if nginx -tq; then
  systemctl reload nginx
else
  say "Put the certificate and its key where /etc/nginx/sites-available/portal names them, then: systemctl reload nginx"
fi
/opt/portal/deploy/portalctl doctor || say "The doctor names what is left to do, such as people import and content publish:" \
  "docs/operating/install.md, from step 5"
