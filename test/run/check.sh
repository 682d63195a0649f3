#!/usr/bin/env bash
# check.sh [PART...]: all tests in one command (`make check`). Parts: repository, fuzz (src/path, for some seconds), here
# (this machine's PostgreSQL: regression, isolation, TAP, clients), versions (the other PostgreSQL versions in chroots,
# as root). Without arguments these. One more, by itself: long (`make check-long`), the random tests for much longer.
#
# The last line is "N passed, N failed"; the status is 1 when anything failed or no test ran. What could not be run
# is said in the summary and counted neither way.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/chroot.sh"
parts=" ${*:-repository fuzz here versions} "

# lone TESTS ENDING OUTPUTS: tests without expected output and outputs (NAME.out, NAME_1.out) without a test
lone() {
  local f name
  for f in "$1"/*."$2"; do
    [ ! -e "$f" ] || [ -e "$3/$(basename "$f" ".$2").out" ] || echo "$f"
  done
  for f in "$3"/*.out; do
    name=$(basename "$f" .out)
    [ ! -e "$f" ] || [ -e "$1/$name.$2" ] || [ -e "$1/${name%_[0-9]}.$2" ] || echo "$f"
  done
}

# include_circles: folders of src that include each other, if only by way of others
include_circles() {
  (cd "$REPO/src" && grep -o '^#include "[a-z]*/[a-z_]*\.h"' */*.[ch]) | while IFS=: read -r file line; do
    header=${line#*\"}; header=${header%\"}
    [ ! -e "$REPO/src/$header" ] || echo "${file%%/*} ${header%%/*}"
  done | sort -u | awk '$1 != $2' | tsort 2>&1 >/dev/null | sed 's/^tsort: //'
}

# repository: what has to agree in the sources themselves
check_repository() {
  local control meta provided lone circles failed=0
  control=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$REPO/territory.control")
  read -r meta provided <<<"$(perl -MJSON::PP -0777 -ne '
    my $m = decode_json($_); my $p = $m->{provides}{territory};
    print "$m->{version}/$p->{version} $p->{file}\n"' "$REPO/META.json")"
  if [ "$meta $provided" != "$control/$control sql/territory--$control.sql" ]; then
    say "META.json says $meta and $provided, territory.control says $control"
    failed=$((failed + 1))
  fi
  lone=$(cd "$REPO" && { lone test/sql sql expected; lone test/isolation/specs spec test/isolation/expected; })
  if [ -n "$lone" ]; then
    say "tests without expected output, or the other way round:" $lone
    failed=$((failed + 1))
  fi
  circles=$(include_circles)
  if [ -n "$circles" ]; then
    say "folders of src include each other:" $circles
    failed=$((failed + 1))
  fi
  printf 'repository: versions agree, tests and outputs pair up, no circles\t%s\t%s\t0\t\n' $((3 - failed)) $failed >>"$RESULTS"
}

# ended STATUS LABEL: a suite that ended badly without saying what failed is a failure
ended() {
  if [ "$1" != 0 ] && ! awk -F '\t' -v label="$2:" 'index($1, label) == 1 && $3 > 0 { found = 1 } END { exit !found }' "$RESULTS"; then
    printf '%s: did not come to its end\t0\t1\t0\t\n' "$2" >>"$RESULTS"
  fi
}

check_versions() {
  local entry
  for entry in $CHROOT_VERSIONS; do
    [ "${entry%:*}" != "$MAJOR" ] || continue
    if is_root; then
      run_version "${entry%:*}" "${entry#*:}"
    else
      printf 'PostgreSQL %s\t0\t0\t0\tnot run: other versions need root (sudo make check)\n' "${entry%:*}" >>"$RESULTS"
    fi
  done
}

# summary: the table, and true when something ran and nothing failed
summary() {
  printf '\n%-56s %7s %7s %8s\n' "what ran" passed failed seconds
  awk -F '\t' -v logs="$WORK" '$2 + $3 > 0 { printf "%-56s %7d %7d %8d\n", $1, $2, $3, $4; passed += $2; failed += $3 }
       $2 + $3 > 0 && $1 ~ /fuzz|regression|isolation|TAP|clients/ { tests += $2 + $3 }
       $5 != "" { notes = notes $1 ": " $5 "\n" }
       END { if (notes) printf "\n%s", notes
             if (!tests) print "no test ran"
             if (failed || !tests) print "\nlogs are kept in " logs
             printf "\n%d passed, %d failed\n", passed, failed
             exit !(tests && !failed) }' "$RESULTS"
}

need_server
if [ -n "$(find "$REPO/test/tap" -name '*.pl' 2>/dev/null | head -n 1)" ] && ! perl -MIPC::Run -e 1 2>/dev/null; then
  need "for the TAP tests" libipc-run-perl || say "the TAP tests will not run"
fi
new_work check
export RESULTS=$WORK/results
: >"$RESULTS"
if [ -z "${TERRITORY_SHARED_DATA:-}" ] && [ -d "$REPO/../shared/data" ]; then
  TERRITORY_SHARED_DATA=$(cd "$REPO/../shared/data" && pwd)
  export TERRITORY_SHARED_DATA
fi

case $parts in *' repository '*) check_repository ;; esac
case $parts in *' fuzz '*)
  FUZZ_SECONDS=${FUZZ_SECONDS:-12} bash "$REPO/test/fuzz/run.sh" </dev/null
  ended $? fuzz ;;
esac
case $parts in *' here '*)
  QUIET=1 bash "$REPO/test/run/suite.sh" regression isolation tap clients </dev/null
  ended $? "PostgreSQL $MAJOR" ;;
esac
case $parts in *' long '*)
  TERRITORY_PROGRESS=1 TERRITORY_TIMEOUT=${TERRITORY_TIMEOUT:-14400} SHAPES_CASES=${SHAPES_CASES:-200000} \
    ORACLE_CASES=${ORACLE_CASES:-200000} CHILDREN_CASES=${CHILDREN_CASES:-200000} FORECAST_CASES=${FORECAST_CASES:-60000} SOAK_SECONDS=${SOAK_SECONDS:-150} \
    QUIET=1 bash "$REPO/test/run/suite.sh" long </dev/null
  ended $? "PostgreSQL $MAJOR" ;;
esac
case $parts in *' versions '*) check_versions ;; esac

QUIET=1
summary
