#!/usr/bin/env bash
# Checks the systemd units that install.sh has put below a prefix: they are understood, and how far they are exposed.
#
#   deploy/check-units.sh PREFIX
#
# Needs systemd-analyze, but no running systemd. Without it nothing is checked, and that is said.
set -euo pipefail
shopt -s inherit_errexit
prefix=${1:?check-units.sh PREFIX}

# Tenths of systemd's exposure level, which ends at 10.0: both units have to stay below 2.0.
threshold=20

if ! command -v systemd-analyze >/dev/null; then
  echo "systemd-analyze is not installed (Debian package systemd): the units were not checked"
  exit
fi

# A template is checked as an instance. Units of other packages aren't below the prefix, and that is all that may be missing.
instance=$prefix/etc/systemd/system/wunderproxy@check.service
cp "$prefix/etc/systemd/system/wunderproxy@.service" "$instance"
trap 'rm -f "$instance"' EXIT

for unit in wunderproxy-proxy.service wunderproxy@check.service; do
  complaints=$(systemd-analyze verify --man=no --root="$prefix" "$unit" 2>&1) || true
  if [ -n "$complaints" ]; then
    echo "$unit is not accepted: $complaints"
    exit 1
  fi
  systemd-analyze security --no-pager --offline=true --root="$prefix" --threshold="$threshold" "$unit" | tail -n 1
done
