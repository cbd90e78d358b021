#!/bin/sh
# backup.sh FOLDER: one backup into FOLDER, and the oldest go: KEEP stay (30 by default).
# Copy them to another machine as well: a backup beside its database is lost with it.
set -eu
folder=$1
keep=${KEEP:-30}
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
umask 077
cd "$here"
"$here/.venv/bin/flask" --app wsgi backup "$folder/portal-$(date -u +%Y-%m-%dT%H%M%SZ).backup"
# Names sort by time. Nothing is removed before the new one stands, or when it failed.
ls -1 "$folder" | grep '^portal-.*\.backup$' | sort -r | tail -n +$((keep + 1)) | while read -r old; do
  rm -- "$folder/$old"
done
