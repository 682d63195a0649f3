#!/usr/bin/env bash
# run.sh [TARGET...]: builds the fuzz targets of src/path and limits.c and runs them (`make fuzz`); without arguments all.
#
# A target first replays its corpus and then makes inputs of its own for $FUZZ_SECONDS (600). Two targets run at a
# time where there are two processors. An input that fails is kept beside the programs, in a folder that is named at
# the end, and fails again by
#
#   FOLDER/TARGET FOLDER/TARGET-crash-...
#
# Inputs that reach something new are kept in $FUZZ_CORPUS/TARGET, if that is given, and read there the next time. Those
# worth having for good are found, with the programs kept by KEEP=1, by
#
#   FOLDER/TARGET -set_cover_merge=1 test/fuzz/corpus/TARGET $FUZZ_CORPUS/TARGET
#
# If $RESULTS is set, a line for each target is appended to that file, as check.sh wants it.
. "$(dirname "${BASH_SOURCE[0]}")/../run/lib.sh"
HERE=$REPO/test/fuzz
SECONDS_EACH=${FUZZ_SECONDS:-600}
targets=("$@")
[ $# -gt 0 ] || targets=(path_text path_binary pattern label_query census limits)

# -fwrapv, with which servers are built, is left out on purpose: src/path is not to need it. Of the group "integer",
# shifts that lose bits are no fault: they only happen to the numbers of a damaged list of subtrees.
SANITIZE='-fsanitize=address,undefined,integer -fno-sanitize=unsigned-shift-base -fno-sanitize-recover=all'
compile() {
  clang -O2 -g -fno-omit-frame-pointer -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -I"$REPO/src" $SANITIZE "$@"
}

# record LABEL PASSED FAILED SECONDS [NOTE]
record() { [ -z "${RESULTS:-}" ] || printf 'fuzz: %s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "${5:-}" >>"$RESULTS"; }

# can_fuzz: true when clang is there with libFuzzer; sets LEAKS, 0 where no leaks can be found (as in some containers)
can_fuzz() {
  local empty=$OUT/empty
  command -v clang >/dev/null || return 1
  echo 'int LLVMFuzzerTestOneInput(const char *data, long size) { return 0; }' >$empty.c
  compile -fsanitize=fuzzer $empty.c -o $empty >/dev/null 2>&1 || return 1
  LEAKS=1
  ASAN_OPTIONS=detect_leaks=1 $empty -runs=1 >/dev/null 2>&1 || LEAKS=0
}

# objects FOLDER ARGUMENT...: compile into a folder
objects() { (mkdir "$OUT/$1" && cd "$OUT/$1" && compile -c "${@:2}"); }

# build_all: only what src/path does leads libFuzzer to new inputs; the oracle's own branches would lead it astray
build_all() {
  local target
  objects path -fsanitize=fuzzer-no-link "$REPO"/src/path/*.c &&
    objects counted -fsanitize-coverage=trace-pc-guard "$REPO"/src/path/*.c &&
    objects own "$HERE"/*.c || return 1
  for target in "${targets[@]}"; do
    if [ "$target" = limits ]; then
      compile "$OUT"/counted/*.o "$OUT"/own/{fuzz,limits}.o -o "$OUT/limits"
    else
      compile -fsanitize=fuzzer "$OUT"/path/*.o "$OUT"/own/{fuzz,oracle,"$target"}.o -o "$OUT/$target"
    fi || return 1
  done
}

# start TARGET: run one target to its end
start() {
  local found=${FUZZ_CORPUS:-$OUT/found}/$1 size=300
  case $1 in
    limits) "$OUT/limits"; return ;;
    path_text) size=1200 ;;   # a label that is too long
  esac
  mkdir -p "$found"
  "$OUT/$1" -max_total_time="$SECONDS_EACH" -max_len=$size -timeout=10 -rss_limit_mb=1000 -dict="$HERE/tokens.dict" \
    -artifact_prefix="$OUT/$1-" -print_final_stats=1 "$found" "$HERE/corpus/$1"
}

# run TARGET: run it, say how it went and count it
run() {
  local t=$SECONDS log=$OUT/$1.log count
  if start "$1" >"$log" 2>&1 </dev/null; then
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    say "$1: no fault${count:+ in $count inputs} ($((SECONDS - t)) s)"
    record "$1" 1 0 $((SECONDS - t))
  else
    say "$1: FAILED ($((SECONDS - t)) s); $log has all of:"
    grep -aE 'does not hold|runtime error|ERROR|SUMMARY|Test unit written' "$log"
    record "$1" 0 1 $((SECONDS - t))
    touch "$OUT/failed"
  fi
}

OUT=$(mktemp -d "${TMPDIR:-/tmp}/territory-fuzz.XXXXXX") || die "no temporary folder can be made"
# each job is a process group, so that its end is the end of what it started too
set -m
at_exit() {
  local job
  for job in $(jobs -rp); do kill -- "-$job"; done
  if [ -n "${KEEP:-}" ]; then say "the programs are in $OUT"; elif [ ! -e "$OUT/failed" ]; then rm -rf "$OUT"; fi
}
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
if ! can_fuzz; then
  { need "for the fuzz targets" clang libclang-rt-dev || need "for the fuzz targets" clang; } && can_fuzz || {
    record "src/path" 0 0 0 "not run: clang with libFuzzer is missing"
    [ -n "${RESULTS:-}" ] || die "clang with libFuzzer is missing"
    exit 0
  }
fi
export ASAN_OPTIONS=detect_leaks=$LEAKS:malloc_context_size=5:quarantine_size_mb=16 UBSAN_OPTIONS=print_stacktrace=1
step "building the fuzz targets" "$OUT/build.log" build_all || {
  touch "$OUT/failed"
  record "build" 0 1 0
  die "the fuzz targets could not be built" "$OUT/build.log"
}
say "fuzzing for $SECONDS_EACH seconds each: ${targets[*]}"
if [ "$(nproc)" -ge 2 ]; then at_a_time=2; else at_a_time=1; fi
for target in "${targets[@]}"; do
  while [ "$(jobs -rp | wc -l)" -ge $at_a_time ]; do wait -n; done
  run "$target" &
done
wait
[ ! -e "$OUT/failed" ] || die "inputs that fail are in $OUT"
