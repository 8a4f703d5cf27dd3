# shellcheck shell=bash
# Installing what is missing, on Debian and Ubuntu. Sourced by lab.sh and quickstart.sh.

readonly start_policy=/usr/sbin/policy-rc.d

# missing_packages COMMAND:PACKAGE...: the packages whose command isn't there.
missing_packages() {
  local entry
  for entry in "$@"; do
    command -v "${entry%%:*}" >/dev/null || echo "${entry##*:}"
  done | sort -u
}

# install_packages COMMAND:PACKAGE...: the services in them are not started.
install_packages() {
  local policy_is_ours=no code=0
  local -a missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "missing: ${missing[*]}. Install them by hand: only Debian's apt-get is used by this script"
  echo "installing ${missing[*]}"
  if [ ! -e "$start_policy" ]; then
    policy_is_ours=yes
    printf '#!/bin/sh\nexit 101\n' >"$start_policy"
    chmod 755 "$start_policy"
  fi
  apt_install "${missing[@]}" || code=$?
  if [ "$policy_is_ours" = yes ]; then rm -f "$start_policy"; fi
  [ "$code" -eq 0 ] || fail "installing ${missing[*]} failed with exit code $code"
}

apt_install() {
  local -a apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "$@" ca-certificates
}
