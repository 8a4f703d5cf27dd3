#!/usr/bin/env bash
# Builds wunderproxy and installs it on this host: two binaries that need no .NET, two users, two systemd units.
#
#   deploy/install.sh [--prefix DIR] [--dry-run]              may be repeated: an upgrade is the same command
#   deploy/install.sh uninstall [--prefix DIR] [--dry-run]    leaves /etc/wunderproxy, the state below /var/lib, and all containers
#
#   --prefix DIR   everything below DIR instead of /, for a package or an image: no users are made and no service is touched
#   --dry-run      only says what would be done
#
# Needs the .NET SDK 10, gcc or clang, and root unless there is a --prefix. Nothing is started the first time; after an upgrade the running Controllers are
# restarted (no request notices), the Proxy is not: "systemctl restart wunderproxy-proxy" when it suits, for connections end then.
set -euo pipefail
shopt -s inherit_errexit nullglob
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/..
action=install
prefix=
dry=no
work=

binaries=(wunderproxy wunderproxy-proxy)
units=(wunderproxy-proxy.service wunderproxy@.service)
binary_folder=/usr/local/bin
unit_folder=/etc/systemd/system
settings_folder=/etc/wunderproxy
document_folder=/usr/local/share/doc/wunderproxy

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
}

# do_it COMMAND...: does it, or only says so.
do_it() {
  if [ "$dry" = yes ]; then echo "would run: $*"; else "$@"; fi
}

read_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      uninstall) action=uninstall ;;
      --dry-run) dry=yes ;;
      --prefix)
        [ -n "${2:-}" ] || fail "--prefix needs a directory"
        prefix=$(realpath -m "$2")
        shift
        ;;
      -h | --help) usage; exit ;;
      *) usage >&2; exit 2 ;;
    esac
    shift
  done
  [ -n "$prefix" ] || [ "$dry" = yes ] || [ "$(id -u)" -eq 0 ] || fail "root is needed: sudo $0"
}

# --- building ----------------------------------------------------------------------------------------------------------------

runtime_identifier() {
  case $(uname -m) in
    x86_64) echo linux-x64 ;;
    aarch64) echo linux-arm64 ;;
    *) fail "$(uname -m) is not supported: x86_64 and aarch64 are" ;;
  esac
}

# In a copy: publishing for one platform would change the checkout's lock files and what its next build finds in obj.
copy_sources() {
  tar -C "$root" --exclude=bin --exclude=obj -cf - Contracts Proxy Controller .editorconfig Directory.Build.props Directory.Packages.props BannedSymbols.txt global.json |
    tar -C "$work" -xf -
}

require_tools() {
  command -v dotnet >/dev/null || fail "the .NET SDK 10 is missing: https://dotnet.microsoft.com/download/dotnet/10.0"
  command -v clang >/dev/null || command -v gcc >/dev/null || fail "a linker is missing: apt-get install gcc libc6-dev"
}

# publish PROJECT OPTION...
publish() {
  echo "building $1 for $platform"
  dotnet publish "$work/$1" -c Release -r "$platform" --self-contained -o "$work/out" -v quiet --nologo -p:DebugType=none -p:RunAnalyzers=false "${@:2}" ||
    fail "$1 was not built"
}

# The Controller becomes native code: Controller/Controller.csproj says why, and Proxy/Proxy.csproj why the Proxy doesn't. Of the Proxy all is compiled beforehand, too, together with the framework
# (composite): that halves the time from a crash until it is back.
publish_all() {
  local platform
  local -a compiler
  require_tools
  platform=$(runtime_identifier)
  copy_sources
  publish Controller
  compiler=(-p:PublishSingleFile=true -p:PublishReadyToRun=true -p:PublishReadyToRunComposite=true)
  # Of processors since 2013; an older one compiles at each start what it can't run.
  [ "$platform" != linux-x64 ] || compiler+=(-p:PublishReadyToRunCrossgen2ExtraArgs=--instruction-set:x86-64-v3)
  publish Proxy "${compiler[@]}"
}

# --- installing --------------------------------------------------------------------------------------------------------------

make_users() {
  getent group wunderproxy >/dev/null || do_it groupadd --system wunderproxy
  id -u wunderproxy >/dev/null 2>&1 ||
    do_it useradd --system --gid wunderproxy --home-dir /var/lib/wunderproxy --no-create-home --shell /usr/sbin/nologin wunderproxy
  id -u wunderproxy-proxy >/dev/null 2>&1 ||
    do_it useradd --system --gid wunderproxy --home-dir /var/lib/wunderproxy-proxy --no-create-home --shell /usr/sbin/nologin wunderproxy-proxy
  # The Controllers' unit names it; the engine's package makes it, but may come later.
  getent group docker >/dev/null || do_it groupadd --system docker
}

# "install" replaces a file by a new one, so a running binary goes on undisturbed.
install_files() {
  local name
  do_it install -d -m 755 "$prefix$binary_folder" "$prefix$unit_folder" "$prefix$document_folder"
  do_it install -d -m 750 "$prefix$settings_folder"
  for name in "${binaries[@]}"; do do_it install -m 755 "$work/out/$name" "$prefix$binary_folder/$name"; done
  for name in "${units[@]}"; do do_it install -m 644 "$here/systemd/$name" "$prefix$unit_folder/$name"; done
  do_it install -m 644 "$here/README.md" "$prefix$document_folder/README.md"
  do_it install -m 640 "$here/application.env.example" "$here/proxy.env.example" "$prefix$settings_folder/"
}

service_manager_runs() {
  [ -z "$prefix" ] && [ -d /run/systemd/system ]
}

reload_units() {
  service_manager_runs || return 0
  do_it systemctl daemon-reload
}

say_what_next() {
  cat <<TEXT
Installed. Next, for an application named shop:
  cp $settings_folder/application.env.example $settings_folder/shop.env     and edit it
  systemctl enable --now wunderproxy-proxy wunderproxy@shop
  journalctl -fu wunderproxy@shop
TEXT
}

install_all() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  if [ "$dry" = yes ]; then echo "would build Controller and Proxy for $(runtime_identifier)"; else publish_all; fi
  if [ -z "$prefix" ]; then make_users; fi
  install_files
  reload_units
  if service_manager_runs; then do_it systemctl try-restart 'wunderproxy@*.service'; fi
  [ "$dry" = yes ] || [ -n "$prefix" ] || say_what_next
}

uninstall_all() {
  local name
  if service_manager_runs; then
    do_it systemctl stop 'wunderproxy@*.service' wunderproxy-proxy.service
    do_it systemctl disable wunderproxy-proxy.service
    for name in /etc/systemd/system/*.wants/wunderproxy@*.service; do do_it rm -f "$name"; done
  fi
  for name in "${binaries[@]}"; do do_it rm -f "$prefix$binary_folder/$name"; done
  for name in "${units[@]}"; do do_it rm -f "$prefix$unit_folder/$name"; done
  do_it rm -rf "$prefix$document_folder"
  do_it rm -f "$prefix$settings_folder/application.env.example" "$prefix$settings_folder/proxy.env.example"
  reload_units
  echo "Left: your settings in $prefix$settings_folder, the state below /var/lib, the users, and every container."
}

read_arguments "$@"
case $action in
  install) install_all ;;
  uninstall) uninstall_all ;;
esac
