# copy.sh: accounts are written to an attached table, beside the same table that nothing is attached to
scale "COPY and UPDATE: $COPY_ROWS accounts"

# the accounts, and the same with values that no rule names
sql -c "COPY (SELECT * FROM account_source WHERE id <= $COPY_ROWS) TO '$WORK/matching.copy'" \
  -c "COPY (SELECT id, name, 'X' || country, state, 'X' || city, postal_code, industry, employees, annual_revenue, segment, created_at, 'x' || owner
            FROM account_source WHERE id <= $COPY_ROWS) TO '$WORK/nowhere.copy'"
sql -c "$no_accounts" -c "COPY account FROM '$WORK/matching.copy'" -c 'DROP TABLE IF EXISTS pair' \
  -c 'CREATE UNLOGGED TABLE pair AS TABLE account_territory' -c 'VACUUM ANALYZE account, pair'
say "COPY of $COPY_ROWS accounts, $rules"
check_pairs
if [ "${rules% *}" -le 1000 ]; then
  wrong=$(sql -c "SELECT count(*) FROM territory.verify('account')")
  [ "$wrong" = 0 ] || die "verify() finds $wrong wrong pairs"
  say "  verify() finds no other than these"
fi
for ((run = 1; run <= RUNS; run++)); do
  against "$([ "${rules% *}" = 10000 ] && echo P2 || echo P1) COPY, $rules / bare COPY + INSERT of the same pairs" "$(goal 1.25 1.5)" $run \
    "$no_accounts" "COPY account FROM '$WORK/matching.copy';" \
    'TRUNCATE bare, bare_pair;' "COPY bare FROM '$WORK/matching.copy'; INSERT INTO bare_pair SELECT * FROM pair;"
  against "P3 UPDATE of a column that no rule reads, $rules / bare UPDATE" "$(goal 1.35 -)" $run \
    "$no_accounts COPY account FROM '$WORK/matching.copy'; VACUUM ANALYZE account;" "UPDATE account SET name = name || '.';" \
    "TRUNCATE bare; COPY bare FROM '$WORK/matching.copy'; VACUUM ANALYZE bare;" "UPDATE bare SET name = name || '.';"
  against "P3 COPY where no rule matches, $rules / bare COPY" "$(goal 1.35 -)" $run \
    "$no_accounts" "COPY account FROM '$WORK/nowhere.copy';" \
    'TRUNCATE bare;' "COPY bare FROM '$WORK/nowhere.copy';"
  left=$(sql -c 'SELECT count(*) FROM account_territory')
  [ "$left" = 0 ] || die "rules that should match nothing gave $left pairs"
done
