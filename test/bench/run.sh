#!/usr/bin/env bash
# run.sh: the performance table, as ratios of two things measured in the same run (`make bench`); see README.md here.
# Settings: COPY_ROWS (100000), N_ACCOUNTS (1000000), RULES (1000), RUNS (3), CASES (copy run), KEEP.
. "$(dirname "$0")/../run/lib.sh"
COPY_ROWS=${COPY_ROWS:-100000} N_ACCOUNTS=${N_ACCOUNTS:-1000000} RULES=${RULES:-1000} RUNS=${RUNS:-3} CASES=${CASES:-copy run}

sql() { as_server psql -XqAt -v ON_ERROR_STOP=1 -d bench "$@" 2>"$WORK/logs/psql.err" || die "psql $*" "$WORK/logs/psql.err"; }

# timed SETUP STATEMENTS: milliseconds of the statements in a session of their own, after a setup and a checkpoint
timed() {
  printf '%s\n' "$1" 'CHECKPOINT;' '\timing on' "$2" |
    as_server psql -XqAt -v ON_ERROR_STOP=1 -d bench >"$WORK/logs/timed.log" 2>&1 || die "$2" "$WORK/logs/timed.log"
  awk '/^Time: / { ms += $2 } END { print ms }' "$WORK/logs/timed.log"
}

# against NAME GOAL RUN SETUP OURS BASE_SETUP BASE: measures both, in turn the one or the other first
against() {
  local ours base
  if [ $(($3 % 2)) = 1 ]; then
    ours=$(timed "$4" "$5") && base=$(timed "$6" "$7") || exit 1
  else
    base=$(timed "$6" "$7") && ours=$(timed "$4" "$5") || exit 1
  fi
  printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$ours" "$base" >>"$WORK/figures"
  printf '  run %s: %-62s %10.1f ms %10.1f ms\n' "$3" "$1" "$ours" "$base"
}

# table: medians of both sides, and the median, least and greatest of the ratios of each run
table() {
  awk -F '\t' '
    function median(list, n,   i, j, t) {
      for (i = 2; i <= n; i++) for (j = i; j > 1 && list[j] < list[j-1]; j--) { t = list[j]; list[j] = list[j-1]; list[j-1] = t }
      return n % 2 ? list[(n + 1) / 2] : (list[n/2] + list[n/2+1]) / 2
    }
    !($1 in goal) { name[++names] = $1; goal[$1] = $2 }
    { n[$1]++; ours[$1, n[$1]] = $3; base[$1, n[$1]] = $4 }
    END {
      printf "%-66s | %10s | %11s | %-20s | %s\n", "name", "ours", "denominator", "ratio (min to max)", "goal"
      for (k = 1; k <= names; k++) {
        m = name[k]; c = n[m]
        for (i = 1; i <= c; i++) { o[i] = ours[m, i]; b[i] = base[m, i]; r[i] = o[i] / b[i] }
        ratio = median(r, c)
        range = sprintf("%.2f (%.2f to %.2f)", ratio, r[1], r[c])
        verdict = goal[m] == "-" ? "" : ratio <= goal[m] ? " met" : " missed"
        printf "%-66s | %7.0f ms | %8.0f ms | %-20s | %s%s\n", m, median(o, c), median(b, c), range, goal[m], verdict
      }
    }' "$WORK/figures"
}

# the goals are for 1,000 and 10,000 rules
goal() { case $RULES in 1000) echo "$1" ;; 10000) echo "$2" ;; *) echo - ;; esac; }

need_server
new_work bench
copy_tree
build || die "the build failed" "$WORK/logs/build.log"
stage || die "the installation failed" "$WORK/logs/install.log"
buffers=$(awk '/^MemTotal/ { mb = int($2 / 4096); print mb > 1024 ? 1024 : mb }' /proc/meminfo 2>/dev/null)
start_cluster bench "shared_buffers = ${buffers:-256}MB" 'work_mem = 256MB' 'maintenance_work_mem = 256MB' 'max_wal_size = 8GB' \
  'checkpoint_timeout = 1h' 'fsync = on' 'jit = off' 'max_parallel_workers_per_gather = 0' 'autovacuum = off'
as_server psql -Xq -c 'CREATE DATABASE bench' || die "no database"

case " $CASES " in *' run '*) most=$N_ACCOUNTS ;; *) most=$COPY_ROWS ;; esac
[ "$most" -ge "$COPY_ROWS" ] || most=$COPY_ROWS
step "making $most accounts and $RULES rules" "$WORK/logs/data.log" \
  as_server psql -Xq -v ON_ERROR_STOP=1 -v n="$most" -v rules="$RULES" -d bench -f "$WORK/tree/test/bench/data.sql" ||
  die "the data could not be made" "$WORK/logs/data.log"
# the same accounts with values that no rule names
sql -c "COPY (SELECT * FROM account_source WHERE id <= $COPY_ROWS) TO '$WORK/matching.copy'" \
  -c "COPY (SELECT id, name, 'X' || country, state, 'X' || city, postal_code, industry, employees, annual_revenue, segment, created_at, 'x' || owner
            FROM account_source WHERE id <= $COPY_ROWS) TO '$WORK/nowhere.copy'"
: >"$WORK/figures"
rules="$RULES rules"

case " $CASES " in *' copy '*)
  sql -c "COPY account FROM '$WORK/matching.copy'" -c 'CREATE UNLOGGED TABLE pair AS TABLE account_territory' -c 'VACUUM ANALYZE account, pair'
  say "COPY of $COPY_ROWS accounts gives $(sql -c 'SELECT count(*) FROM pair') pairs"
  if [ "$RULES" -le 1000 ]; then
    wrong=$(sql -c "SELECT count(*) FROM territory.verify('account')")
    [ "$wrong" = 0 ] || die "$wrong pairs are wrong"
    say "  compared with the rules as plain SQL: none is wrong or missing"
  fi
  for ((run = 1; run <= RUNS; run++)); do
    against "$([ "$RULES" = 10000 ] && echo P2 || echo P1) COPY, $rules / bare COPY + INSERT of the same pairs" "$(goal 1.25 1.5)" $run \
      'TRUNCATE account;' "COPY account FROM '$WORK/matching.copy';" \
      'TRUNCATE bare, bare_pair;' "COPY bare FROM '$WORK/matching.copy'; INSERT INTO bare_pair SELECT * FROM pair;"
    against "P3 UPDATE of a column that no rule reads, $rules / bare UPDATE" "$(goal 1.35 -)" $run \
      "TRUNCATE account; COPY account FROM '$WORK/matching.copy'; VACUUM ANALYZE account;" "UPDATE account SET name = name || '.';" \
      "TRUNCATE bare; COPY bare FROM '$WORK/matching.copy'; VACUUM ANALYZE bare;" "UPDATE bare SET name = name || '.';"
    against "P3 COPY where no rule matches, $rules / bare COPY" "$(goal 1.35 -)" $run \
      'TRUNCATE account;' "COPY account FROM '$WORK/nowhere.copy';" \
      'TRUNCATE bare;' "COPY bare FROM '$WORK/nowhere.copy';"
    left=$(sql -c 'SELECT count(*) FROM account_territory')
    [ "$left" = 0 ] || die "rules that should match nothing gave $left pairs"
  done ;;
esac

case " $CASES " in *' run '*)
  rest='SET territory.defer_runs = on; UPDATE territory.rule SET active = false;'
  wake='SET territory.defer_runs = on; UPDATE territory.rule SET active = true;'
  scan='SELECT count(owner) FROM account;'   # the last column: every row is deformed whole
  sql -c "$rest TRUNCATE account" -c "INSERT INTO account SELECT * FROM account_source WHERE id <= $N_ACCOUNTS" \
    -c 'DROP TABLE account_source' -c 'VACUUM ANALYZE account'
  sql -c "$wake" -c "SELECT territory.run('account')" -c 'DROP TABLE IF EXISTS pair' \
    -c 'CREATE UNLOGGED TABLE pair AS TABLE account_territory' -c 'VACUUM ANALYZE pair' >/dev/null
  say "territory.run over $N_ACCOUNTS accounts gives $(sql -c 'SELECT count(*) FROM pair') pairs"
  for ((run = 1; run <= RUNS; run++)); do
    against "P5 run, first time, $rules / scan + INSERT of the same pairs" "$(goal 1.5 -)" $run \
      "$rest SELECT territory.run('account'); VACUUM account_territory, territory.rule; $wake" "SELECT territory.run('account');" \
      'TRUNCATE bare_pair;' "$scan INSERT INTO bare_pair SELECT * FROM pair;"
    against "P6 run again with nothing to change, $rules / scan" "$(goal 6 15)" $run \
      '' "SELECT territory.run('account');" '' "$scan"
  done ;;
esac

say ''
say "PostgreSQL $VERSION; COPY and UPDATE: $COPY_ROWS accounts, run: $N_ACCOUNTS; medians of $RUNS runs"
table
