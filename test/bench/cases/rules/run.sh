# run.sh: territory.run over a large table, beside a scan of it and the INSERT of the same pairs
scale "run: $N_ACCOUNTS accounts"

whole='SELECT count(owner) FROM account;'   # the last column: every row is deformed whole
load "$N_ACCOUNTS"
say "territory.run over $N_ACCOUNTS accounts, $rules"
sql -c "SELECT territory.run('account')" -c 'VACUUM ANALYZE account_territory' -c 'DROP TABLE IF EXISTS pair' \
  -c 'CREATE UNLOGGED TABLE pair AS TABLE account_territory' -c 'VACUUM ANALYZE pair' >/dev/null
check_pairs
# the goal of writing pairs is for 1,000 rules; where 10,000 write ten times as many, once is enough
first_runs=$([ "${rules% *}" -le 1000 ] && echo "$RUNS" || echo 1)
for ((run = 1; run <= RUNS; run++)); do
  [ $run -gt "$first_runs" ] || against "P5 run, first time, $rules / scan + INSERT of the same pairs" "$(goal 1.5 -)" $run \
    "$no_pairs" "SELECT territory.run('account');" \
    'TRUNCATE bare_pair;' "$whole INSERT INTO bare_pair SELECT * FROM pair;"
  against "P6 run again with nothing to change, $rules / scan" "$(goal 6 15)" $run \
    '' "SELECT territory.run('account');" '' "$whole"
  for workers in 1 2; do
    against "the same with $workers parallel worker(s), $rules / with none" - $run \
      "SET max_parallel_maintenance_workers = $workers;" "SELECT territory.run('account');" '' "SELECT territory.run('account');"
  done
done
sql -c 'TRUNCATE bare_pair' -c 'DROP TABLE pair'
