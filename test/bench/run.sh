#!/usr/bin/env bash
# run.sh: the performance table, as ratios of two things measured in the same run (`make bench`); see README.md here.
# Settings: CASES (copy match start run change growth history type forecast; beside them access, sweep and rivals), RUNS (3), KEEP; those of rules and
# accounts stand in accounts.sh, those of a case in its file.
. "$(dirname "$0")/../run/lib.sh"
RUNS=${RUNS:-3} CASES=${CASES:-copy match start run change growth history type forecast}
BENCH=$REPO/test/bench
. "$BENCH/measure.sh"
. "$BENCH/accounts.sh"
for case in $CASES; do
  [ -e "$BENCH/cases/$case.sh" ] || [ -e "$BENCH/cases/rules/$case.sh" ] || die "there is no case $case in $BENCH/cases"
done

need_server
new_work bench
copy_tree
build || die "the build failed" "$WORK/logs/build.log"
stage || die "the installation failed" "$WORK/logs/install.log"
buffers=$(awk '/^MemTotal/ { mb = int($2 / 4096); print (mb > 1024 ? 1024 : mb) }' /proc/meminfo 2>/dev/null)
start_cluster bench "shared_buffers = ${buffers:-256}MB" 'work_mem = 256MB' 'maintenance_work_mem = 256MB' 'max_wal_size = 8GB' \
  'checkpoint_timeout = 1h' 'fsync = on' 'jit = off' 'max_parallel_workers_per_gather = 0' 'max_parallel_maintenance_workers = 0' \
  'autovacuum = off'
as_server psql -Xq -c 'CREATE DATABASE bench' -c 'ALTER DATABASE bench SET search_path = public, territory' || die "no database"
sql -f "$WORK/tree/test/bench/common.sql"
machine

: >"$WORK/figures"
: >"$WORK/more"   # what a case prints in a form of its own, below the table
scales=''
# at LABEL FILE: a case, with the seconds that have passed
at() { say '' && say "== $1, after $SECONDS s" && . "$2"; }
for count in $RULES; do
  for case in $CASES; do
    [ -e "$BENCH/cases/rules/$case.sh" ] || continue
    use_rules "$count"
    at "$case, $rules" "$BENCH/cases/rules/$case.sh"
  done
done
for case in $CASES; do
  [ ! -e "$BENCH/cases/$case.sh" ] || at "$case" "$BENCH/cases/$case.sh"
done

say ''
machine
say "medians of $RUNS runs$scales; $SECONDS s in all"
[ ! -s "$WORK/figures" ] || table
cat "$WORK/more"
