#!/usr/bin/env bash
# suite.sh PART...: builds with -Werror and runs the named parts of the tests (regression, isolation, tap, long, clients)
# against one PostgreSQL, on a server of its own. check.sh calls it for this machine and for every other version.
#
# Each count is appended to the file $RESULTS: label, passed, failed, seconds, note; separated by tabs.
# Regression tests, isolation specs, TAP assertions and a driver's checks count as one each; so do the build and the
# search of the logs.
#
# What a TAP test finds in its environment: PGHOST, PGPORT, PGUSER of the running server; PG_BINDIR; TEMP_CONFIG, a
# file of settings that a server of its own needs to find the extension (PostgreSQL::Test::Cluster adds it by itself);
# TMPDIR, for such servers, and TERRITORY_LOGS, a folder for their logs, whose names end in .log, to be searched too;
# TERRITORY_SHARED_DATA, a folder of larger sample data beside the repository, if there is one.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/clients.sh"
: "${RESULTS:?}"
LIMIT=${TERRITORY_TIMEOUT:-900}   # seconds for one part

# record LABEL PASSED FAILED SECONDS [NOTE]
record() {
  printf 'PostgreSQL %s: %s\t%s\t%s\t%s\t%s\n' "$MAJOR" "$1" "$2" "$3" "$4" "${5:-}" >>"$RESULTS"
  [ "$3" = 0 ] || status=1
}

# count_pg_regress LOG: "passed failed", from the output of pg_regress and pg_isolation_regress 15 (words) or 16 and later (TAP)
count_pg_regress() {
  awk '/^ok [0-9]/ || /^(test| ) .* \.\.\. +ok/ { passed++ }
       /^not ok [0-9]/ || /^(test| ) .* \.\.\. +(FAILED|failed)/ { failed++ }
       END { print passed + 0, failed + 0 }' "$1"
}

# pg_regress LABEL FILES DIFFS TARGET-VARIABLE...: a kind of test that PGXS's own installcheck runs
pg_regress() {
  local label=$1 files=$2 diffs=$3 log=$WORK/logs/$1.out t=$SECONDS passed failed ran
  shift 3
  ran=0
  step "PostgreSQL $VERSION: $label, $files files" "$log" pgxs_in_time installcheck TAP_TESTS= "$@" || ran=$?
  read -r passed failed <<<"$(count_pg_regress "$log")"
  # what did not come to run has failed; so has a run that ended badly for another reason
  [ $((passed + failed)) -ge "$files" ] || failed=$((files - passed))
  [ $ran = 0 ] || [ "$failed" -gt 0 ] || failed=1
  record "$label" "$passed" "$failed" $((SECONDS - t))
  [ "$failed" = 0 ] && return
  grep -E '^not ok|\.\.\. +(FAILED|failed)|Bail out|rror|Stop\.' "$log" | head -n 20
  if [ -s "$diffs" ]; then
    say "--- the beginning of $diffs:"
    head -n 60 "$diffs"
  fi
}
pgxs_in_time() { as_server timeout "$LIMIT" make -C "$WORK/tree" --no-print-directory with_llvm=no PG_CONFIG="$PG_CONFIG" "$@"; }

# run_programs LABEL NOTE FOLDER FILE...: programs that print TAP, run in their folder
run_programs() {
  local label=$1 note=$2 folder=$3 output t=$SECONDS passed=0 failed=1 skipped=0
  shift 3
  output=$WORK/${label%% *}-output
  as_server mkdir "$output"
  say "PostgreSQL $VERSION: $label, $# files"
  (cd "$folder" && as_server perl "$WORK/tree/test/run/tap.pl" "$LIMIT" "$output" "$@") </dev/null
  [ ! -s "$output/counts" ] || read -r passed failed skipped <"$output/counts"
  [ "$skipped" = 0 ] || note="${note:+$note; }not run: $skipped, skipped by the tests themselves"
  record "$label" "$passed" "$failed" $((SECONDS - t)) "$note"
}

# run_tap LABEL FILE...: files of test/tap
run_tap() {
  local label=$1 pgxs_src
  shift
  [ -e "$1" ] || { say "PostgreSQL $VERSION: there are no TAP tests"; return; }
  if ! perl -MIPC::Run -MTAP::Parser -e 1 2>/dev/null; then
    record "$label" 0 0 0 "not run: the Perl modules IPC::Run and TAP::Parser are missing"
    return
  fi
  pgxs_src=$(dirname "$(dirname "$("$PG_CONFIG" --pgxs)")")
  as_server mkdir -p "$WORK/tap/data" "$WORK/tap/log"
  local -x PG_BINDIR=$BINDIR TEMP_CONFIG=$WORK/server.conf TERRITORY_LOGS=$WORK/logs
  local -x TESTDIR=$WORK/tap TESTDATADIR=$WORK/tap/data TESTLOGDIR=$WORK/tap/log
  local -x PG_REGRESS=$pgxs_src/test/regress/pg_regress
  local -x PERL5LIB=$WORK/tree/test/tap:$pgxs_src/test/perl${PERL5LIB:+:$PERL5LIB}
  run_programs "$label" '' "$WORK/tree" "${@#"$WORK/tree/"}"
}

# search_logs: nothing in a server's log may tell of a crash, an internal error or a leaked resource, whatever the tests saw
search_logs() {
  local found
  found=$(find "$WORK/logs" "$WORK"/tap* -name '*.log' ! -name 'regress_log_*' -exec grep -aEH \
    '^TRAP: |PANIC:  |\] XX[0-9A-Z]{3} |terminated by signal|WARNING:.*(leak|not closed)|AddressSanitizer|runtime error: ' {} + 2>/dev/null | head -n 30)
  if [ -z "$found" ]; then
    record "server logs" 1 0 0
  else
    say "PostgreSQL $VERSION: lines of the servers' logs that must not be there:"
    say "$found"
    record "server logs" 0 1 0
  fi
}

status=0
need_server
new_work "pg$MAJOR"
copy_tree
t=$SECONDS
if ! COPT="-Werror ${COPT:-}" build; then
  record "build with -Werror" 0 1 $((SECONDS - t))
  die "the build for PostgreSQL $VERSION failed" "$WORK/logs/build.log"
fi
record "build with -Werror" 1 0 $((SECONDS - t))
stage || { record "install" 0 1 0; die "the installation for PostgreSQL $VERSION failed" "$WORK/logs/install.log"; }
settings=('fsync = off' 'max_prepared_transactions = 10' 'wal_level = logical')
# one driver knows no Unix sockets
case " $* " in *' clients '*) settings+=("listen_addresses = '127.0.0.1'") ;; esac
start_cluster suite "${settings[@]}"

for part in "$@"; do
  case $part in
    regression)
      pg_regress regression "$(find "$WORK/tree/test/sql" -name '*.sql' | wc -l)" "$WORK/tree/regression.diffs" ISOLATION= ;;
    isolation)
      specs=$(find "$WORK/tree/test/isolation/specs" -name '*.spec' 2>/dev/null | wc -l)
      if [ "$specs" = 0 ]; then
        say "PostgreSQL $VERSION: there are no isolation specs"
      else
        pg_regress isolation "$specs" "$WORK/tree/test/isolation/regression.diffs" REGRESS=
      fi ;;
    tap) run_tap "TAP tests" "$WORK"/tree/test/tap/*.pl ;;
    long) run_tap "TAP tests, long" "$WORK"/tree/test/tap/{shapes,oracle,children,forecast,soak}.pl ;;
    clients) run_clients ;;
    *) die "no such part of the tests: $part" ;;
  esac
done
stop_cluster
search_logs
exit $status
