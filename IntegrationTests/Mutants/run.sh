#!/usr/bin/env bash
# Puts small faults into the rules of Controller/Releases, one at a time, and looks what catches each: MUTANTS.md says it.
#
#   run.sh [--only FILE] [--from N] [--to M] [--minutes M] [--again] [--list] [--fresh]
#
#   --only     mutants of the files whose name has this in it
#   --from     number of the first mutant, --to of the last one
#   --minutes  begins no further mutant then; the next run goes on there
#   --again    tries those that nothing caught so far once more, after tests were written
#   --list     lists the mutants and tries none
#   --fresh    forgets what former runs found
#
# Needs no root and no Docker; takes about half an hour on two processors. What is found is kept in TestResults/mutants.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/TestResults/mutants
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_TieredPGO=0
export WUNDERPROXY_SIMULATION_SEEDS=${WUNDERPROXY_SIMULATION_SEEDS:-100}

arguments=()
mkdir -p "$work"
for argument; do
  case $argument in
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit ;;
    --fresh) rm -f "$work/findings.jsonl" ;;
    *) arguments+=("$argument") ;;
  esac
done

{
  dotnet build "$root/IntegrationTests/IntegrationTests.csproj" -p:RunAnalyzers=false -v quiet --nologo
  dotnet build "$here/Mutants.csproj" -p:RunAnalyzers=false -v quiet --nologo
} >&2
# What the build gives to the compiler.
dotnet build "$root/Controller/Controller.csproj" --no-restore -t:Compile -p:BuildProjectReferences=false -p:SkipCompilerExecution=true \
  -p:ProvideCommandLineArgs=true -p:NonExistentFile=none/none -getItem:CscCommandLineArgs >"$work/compiler.json"
dotnet "$here/bin/Debug/net10.0/Wunderproxy.Mutants.dll" "$root" "${arguments[@]}"
