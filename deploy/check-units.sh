#!/usr/bin/env bash
# Checks the systemd units that install.sh has put below a prefix: they are understood, and how far they are exposed.
#
#   deploy/check-units.sh PREFIX
#
# Needs systemd-analyze, but no running systemd. Without it nothing is checked, and that is said.
set -euo pipefail
shopt -s inherit_errexit
prefix=$(realpath "${1:?check-units.sh PREFIX}")

# Tenths of systemd's exposure level, which ends at 10.0: both units have to stay below 2.0.
threshold=20

if ! command -v systemd-analyze >/dev/null; then
  echo "systemd-analyze is not installed (Debian package systemd): the units were not checked"
  exit
fi

# Copies that name the binaries where they are; the template is checked as an instance of it.
copies=$(mktemp -d)
trap 'rm -rf "$copies"' EXIT
for unit in wunderproxy-proxy.service wunderproxy@.service; do
  sed "s|^ExecStart=|&$prefix|" "$prefix/etc/systemd/system/$unit" >"$copies/${unit/@/@check}"
done

for unit in "$copies"/*.service; do
  complaints=$(SYSTEMD_UNIT_PATH=$copies: systemd-analyze verify --man=no "$unit" 2>&1 | grep -F "${unit##*/}") || true
  if [ -n "$complaints" ]; then
    echo "not accepted: $complaints"
    exit 1
  fi
  systemd-analyze security --no-pager --offline=true --threshold="$threshold" "$unit" | tail -n 1
done
