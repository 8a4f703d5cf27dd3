#!/usr/bin/env bash
# Builds one version of the sample application as a Docker image; nothing is pulled.
#
#   build-image.sh [--push] REFERENCE VERSION [KEY=VALUE ...]
#
#   REFERENCE  name:tag of the image, such as localhost:8080/sample:v1
#   VERSION    what the application answers with
#   KEY=VALUE  further environment variables of the image: the knobs in Settings.cs
#   --push     pushes the image to the registry that REFERENCE names
#
#   build-image.sh --prepare      only builds the program and the root file system
#
# The engine is the one at DOCKER_HOST, else unix:///var/run/docker.sock. Every version is an empty layer on one base image: the
# program, the machine's own .NET runtime and the libraries it is linked to. The base is built once per source digest and kept in out/.
set -eEuo pipefail
shopt -s inherit_errexit
trap 'echo "build-image.sh: line $LINENO: failed: $BASH_COMMAND" >&2' ERR
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$here/out
engine_socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
port=9292

fail() {
  echo "build-image.sh: $*" >&2
  exit 1
}

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
  exit 2
}

# --- the root file system ----------------------------------------------------------------------------------------------------

# newest_runtime FRAMEWORK: its newest version 10 on this machine.
newest_runtime() {
  dotnet --list-runtimes | awk -v name="$1" '$1 == name && $2 ~ /^10\./ {print $2}' | sort -V | tail -n 1
}

source_digest() {
  (
    cd "$here"
    sha256sum -- *.cs *.csproj build-image.sh ../../Directory.Build.props ../../Directory.Packages.props
    dotnet --list-runtimes
  ) | sha256sum | cut -c 1-16
}

# linked_libraries FILE...: absolute paths of the shared libraries that the files need.
linked_libraries() {
  ldd "$@" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// {print $3} $1 ~ /^\// && $2 ~ /^\(/ {print $1}' | sort -u
}

# library_path NAME: where the dynamic linker finds it. All that ldconfig says is read, for it fails where nobody listens to its end.
library_path() {
  ldconfig -p | awk -v name="$1" '$1 == name && !found {found = $NF} END {if (found) print found}'
}

copy_runtime() {
  local root=$1 dotnet_root runtime aspnet fxr
  dotnet_root=$(dirname "$(readlink -f "$(command -v dotnet)")")
  runtime=$(newest_runtime Microsoft.NETCore.App)
  aspnet=$(newest_runtime Microsoft.AspNetCore.App)
  fxr=$(find "$dotnet_root/host/fxr" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -V | tail -n 1)
  [[ -n $runtime && -n $aspnet && -n $fxr ]] || fail "no .NET 10 runtime with ASP.NET Core under $dotnet_root"
  mkdir -p "$root"/dotnet/{host/fxr,shared/Microsoft.NETCore.App,shared/Microsoft.AspNetCore.App}
  cp "$dotnet_root/dotnet" "$root/dotnet/"
  cp -r "$dotnet_root/host/fxr/$fxr" "$root/dotnet/host/fxr/"
  cp -r "$dotnet_root/shared/Microsoft.NETCore.App/$runtime" "$root/dotnet/shared/Microsoft.NETCore.App/"
  cp -r "$dotnet_root/shared/Microsoft.AspNetCore.App/$aspnet" "$root/dotnet/shared/Microsoft.AspNetCore.App/"
  # Tracing and debugging support needs further libraries and is not needed here.
  find "$root/dotnet" \( -name 'libcoreclrtraceptprovider.so' -o -name 'libmscordbi.so' -o -name 'libmscordaccore.so' -o -name 'createdump' \) -delete
}

copy_libraries() {
  local root=$1 name path
  local -a natives
  mapfile -t natives < <(find "$root/dotnet" -name '*.so')
  {
    linked_libraries "$root/dotnet/dotnet" "${natives[@]}"
    for name in libssl.so.3 libcrypto.so.3 libnss_files.so.2 libnss_dns.so.2; do library_path "$name"; done
  } | sort -u | while read -r path; do
    mkdir -p "$root$(dirname "$path")"
    cp -L "$path" "$root$path"
  done
  [ -n "$(find "$root" -name 'libssl.so.3')" ] || fail "libssl.so.3 is missing on this machine: apt-get install libssl3"
}

write_accounts() {
  local root=$1
  mkdir -p "$root/etc" "$root/tmp"
  chmod 1777 "$root/tmp"
  printf 'root:x:0:0:root:/:/none\napp:x:1654:1654:app:/app:/none\n' >"$root/etc/passwd"
  printf 'root:x:0:\napp:x:1654:\n' >"$root/etc/group"
  printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
}

build_root() {
  local digest=$1 root=$out/root
  rm -rf "$out"
  mkdir -p "$root/app"
  dotnet build "$here/SampleApplication.csproj" -c Release -o "$out/app" -v quiet --nologo >"$out/build.log" 2>&1 ||
    { cat "$out/build.log" >&2; fail "the sample application does not build"; }
  cp "$out"/app/sample.{dll,deps.json,runtimeconfig.json} "$root/app/"
  copy_runtime "$root"
  copy_libraries "$root"
  write_accounts "$root"
  # Names sorted and times fixed: the same sources give the same layer.
  tar -C "$root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$out/root.tar" .
  rm -rf "$root"
  echo "$digest" >"$out/digest"
}

# prepare: builds the root file system unless the sources are those of the last build; prints its digest.
prepare() {
  local digest
  command -v dotnet >/dev/null || fail "the .NET SDK is missing: https://dotnet.microsoft.com/download"
  digest=$(source_digest)
  (
    flock 9
    if [ "$(cat "$out/digest" 2>/dev/null)" != "$digest" ] || [ ! -e "$out/root.tar" ]; then build_root "$digest"; fi
  ) 9>"$here/obj/.image.lock"
  echo "$digest"
}

# --- the engine --------------------------------------------------------------------------------------------------------------

# engine METHOD PATH [CURL ARGUMENT ...]: one call of the Engine API; fails with the engine's own words.
engine() {
  local method=$1 path=$2 answer status
  shift 2
  answer=$(curl -sS --max-time 120 --unix-socket "$socket" -X "$method" -w '\n%{http_code}' "$@" "http://engine$path") ||
    fail "the Docker Engine at $socket does not answer"
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
  [ "$status" -lt 400 ] || fail "$method $path: the Docker Engine answered $status: $answer"
  # Import and push report an error inside a successful stream.
  case $answer in *'"errorDetail"'*) fail "$method $path: ${answer##*$'\n'}" ;; esac
  printf '%s' "$answer"
}

image_exists() {
  [ "$(curl -sS --max-time 30 --unix-socket "$socket" -o /dev/null -w '%{http_code}' "http://engine/images/$1/json")" = 200 ]
}

# A body and encoded parameters exclude each other in curl, so these few are encoded by hand.
import_base() {
  local query="fromSrc=-&repo=${1%:*}&tag=${1##*:}"
  query+='&changes=ENV%20DOTNET_RUNNING_IN_CONTAINER=true%20DOTNET_EnableDiagnostics=0'
  query+="&changes=EXPOSE%20$port"
  query+='&changes=WORKDIR%20/app'
  query+='&changes=ENTRYPOINT%20%5B%22/dotnet/dotnet%22,%22/app/sample.dll%22%5D'
  engine POST "/images/create?$query" -H 'Content-Type: application/x-tar' -T "$out/root.tar" >/dev/null
}

# quoted VALUE: as a value of ENV, which would else expand variables and split at spaces.
quoted() {
  local value=${1//\\/\\\\}
  value=${value//\"/\\\"}
  printf '"%s"' "${value//\$/\\\$}"
}

# commit BASE REFERENCE KEY=VALUE...: the base with further environment variables; its container is never started.
commit() {
  local base=$1 reference=$2 container variable
  local -a changes=()
  shift 2
  for variable in "$@"; do
    case $variable in [A-Za-z_]*=*) ;; *) fail "'$variable' is not KEY=VALUE" ;; esac
    changes+=(--data-urlencode "changes=ENV ${variable%%=*}=$(quoted "${variable#*=}")")
  done
  container=$(engine POST /containers/create -H 'Content-Type: application/json' -d "{\"Image\":\"$base\"}" | sed -n 's/.*"Id":"\([0-9a-f]*\)".*/\1/p')
  engine POST /commit -G --data-urlencode "container=$container" --data-urlencode "repo=${reference%:*}" \
    --data-urlencode "tag=${reference##*:}" "${changes[@]}" >/dev/null
  engine DELETE "/containers/$container" >/dev/null
}

push() {
  engine POST "/images/${1%:*}/push?tag=${1##*:}" -H 'X-Registry-Auth: e30=' >/dev/null
}

main() {
  local pushed=no reference version digest base
  mkdir -p "$here/obj"
  case ${1:-} in
    --prepare) prepare; return ;;
    --push) pushed=yes; shift ;;
  esac
  [ $# -ge 2 ] || usage
  reference=$1 version=$2
  shift 2
  [[ $reference =~ :[A-Za-z0-9_][A-Za-z0-9_.-]*$ ]] || fail "'$reference' has no tag: name the image like localhost:8080/sample:v1"
  [[ $engine_socket == unix://* ]] || fail "DOCKER_HOST is '$engine_socket': only unix:// addresses are supported"
  socket=${engine_socket#unix://}

  digest=$(prepare)
  base=wunderproxy-sample-base:$digest
  image_exists "$base" || import_base "$base"
  commit "$base" "$reference" "VERSION=$version" "$@"
  if [ "$pushed" = yes ]; then push "$reference"; fi
  echo "$reference"
}

main "$@"
