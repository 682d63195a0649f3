# run.sh: territory.run over a large table, beside a scan of it and the INSERT of the same pairs
. "$BENCH/accounts.sh"
scale+="; run: $N_ACCOUNTS accounts"

rest='SET territory.defer_runs = on; UPDATE territory.rule SET active = false;'
wake='SET territory.defer_runs = on; UPDATE territory.rule SET active = true;'
scan='SELECT count(owner) FROM account;'   # the last column: every row is deformed whole
sql -c "$rest TRUNCATE account" -c "INSERT INTO account SELECT * FROM account_source WHERE id <= $N_ACCOUNTS" \
  -c 'VACUUM ANALYZE account'
sql -c "$wake" -c "SELECT territory.run('account')" -c 'DROP TABLE IF EXISTS pair' \
  -c 'CREATE UNLOGGED TABLE pair AS TABLE account_territory' -c 'VACUUM ANALYZE pair' >/dev/null
say "territory.run over $N_ACCOUNTS accounts gives $(sql -c 'SELECT count(*) FROM pair') pairs"
for ((run = 1; run <= RUNS; run++)); do
  against "P5 run, first time, $rules / scan + INSERT of the same pairs" "$(goal 1.5 -)" $run \
    "$rest SELECT territory.run('account'); VACUUM account_territory, territory.rule; $wake" "SELECT territory.run('account');" \
    'TRUNCATE bare_pair;' "$scan INSERT INTO bare_pair SELECT * FROM pair;"
  against "P6 run again with nothing to change, $rules / scan" "$(goal 6 15)" $run \
    '' "SELECT territory.run('account');" '' "$scan"
done
