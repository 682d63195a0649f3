# rivals.sh: the extension beside what one writes by hand for the same rules (rivals.sql), both over the bare COPY or the scan
scale "rivals: COPY of $COPY_ROWS accounts, bulk of $N_ACCOUNTS"

data "writing $rules by hand" rivals.sql
sql -c "COPY (SELECT * FROM account_source WHERE id <= $COPY_ROWS) TO '$WORK/matching.copy'"
fields=$(sql -c "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'account'::regclass AND attnum > 0")

# per_row ROWS SETUP STATEMENT: microseconds a row, of a session that has done the same with three rows before
per_row() { timed "$2" "$3" | awk "{ print \$1 * 1000 / $1 }"; }

# sample COST: as many accounts as take about 1.5 seconds, at so many nanoseconds a row and rule; 0: all
sample() { if [ "$1" = 0 ]; then echo "$COPY_ROWS"; else least "$COPY_ROWS" $((20 + 1500000000 / ($1 * ${rules% *}))); fi; }

# agree WHAT QUERY ROWS: the pairs of the first accounts are those that plain SQL finds
agree() {
  local right found
  right=$(sql -c "SELECT count(*), sum(id * rule) FROM matching WHERE id <= $3") && found=$(sql -c "SELECT count(*), sum(id * rule) FROM ($2) AS f") || exit 1
  [ "$found" = "$right" ] || die "$1 finds $found (number and sum), not $right"
}

triggered='BEFORE INSERT ON rival FOR EACH ROW'
for ((run = 1; run <= RUNS; run++)); do
  bare=$(per_row "$COPY_ROWS" "TRUNCATE bare; INSERT INTO bare SELECT * FROM account_source WHERE id <= 3; TRUNCATE bare;" \
    "COPY bare FROM '$WORK/matching.copy';") || exit 1
  ours=$(per_row "$COPY_ROWS" "$no_accounts INSERT INTO account SELECT * FROM account_source WHERE id <= 3; TRUNCATE account;" \
    "COPY account FROM '$WORK/matching.copy';") || exit 1
  figure "COPY, $rules, territory, us a row / bare COPY" - "$ours" "$bare" us
  [ $run -gt 1 ] || check_pairs

  # name, nanoseconds a row and rule if it is sampled, trigger, where the pairs are
  while IFS='|' read -r name cost trigger function pairs; do
    rows=$(sample "$cost")
    head -n "$rows" "$WORK/matching.copy" >"$WORK/sample.copy"
    sql -c 'DROP TRIGGER IF EXISTS rival ON rival' -c "CREATE TRIGGER rival $trigger EXECUTE FUNCTION $function()"
    theirs=$(per_row "$rows" "TRUNCATE rival, rival_pair; INSERT INTO rival SELECT * FROM account_source WHERE id <= 3; TRUNCATE rival, rival_pair;" \
      "COPY rival ($fields) FROM '$WORK/sample.copy';") || exit 1
    figure "COPY, $rules, $name$([ "$rows" = "$COPY_ROWS" ] || echo ", $rows rows") / bare COPY" - "$theirs" "$bare" us
    [ $run -gt 1 ] || agree "$name" "SELECT id, rule FROM $pairs JOIN leaf USING (node_id)" "$rows"
  done <<<"hash joins in a statement trigger|0|AFTER INSERT ON rival REFERENCING NEW TABLE AS written FOR EACH STATEMENT|rival_joined|rival_pair
composite keys in a row trigger|0|$triggered|rival_keyed|rival CROSS JOIN unnest(nodes) AS n (node_id)
generated PL/pgSQL array|100|$triggered|rival_array|rival CROSS JOIN unnest(nodes) AS n (node_id)
nullable columns|110|$triggered|rival_nullable|rival CROSS JOIN unnest(nodes) AS n (node_id)
table of criteria|1100|$triggered|rival_criteria|rival CROSS JOIN unnest(nodes) AS n (node_id)
EXECUTE a rule|8000|$triggered|rival_execute|rival CROSS JOIN unnest(nodes) AS n (node_id)"
  theirs=$(per_row "$COPY_ROWS" 'TRUNCATE indexed;' "COPY indexed FROM '$WORK/matching.copy';") || exit 1
  figure "COPY, five indexes for a nightly job, no trigger, us a row / bare COPY" - "$theirs" "$bare" us
done

load "$N_ACCOUNTS"
sql -c 'TRUNCATE indexed' -c 'INSERT INTO indexed TABLE account' -c 'VACUUM ANALYZE indexed'
some=$(least 20 "${rules% *}")   # rules of the job that reads the whole table for each
for ((run = 1; run <= RUNS; run++)); do
  bare=$(per_row "$N_ACCOUNTS" '' 'SELECT count(owner) FROM account;') || exit 1
  ours=$(per_row "$N_ACCOUNTS" "$no_pairs" "SELECT territory.run('account');") || exit 1
  figure "all pairs, $rules, territory.run, us a row / scan" - "$ours" "$bare" us
  [ $run -gt 1 ] || check_pairs
  theirs=$(per_row "$N_ACCOUNTS" 'TRUNCATE rival_pair;' 'INSERT INTO rival_pair (id, node_id) SELECT id, node_id FROM matching JOIN leaf USING (rule);') || exit 1
  figure "all pairs, $rules, five hash joins, us a row / scan" - "$theirs" "$bare" us
  theirs=$(per_row "$N_ACCOUNTS" 'TRUNCATE rival_pair;' "CALL rival_job('indexed', ${rules% *});") || exit 1
  figure "all pairs, $rules, a query a rule by five indexes, us a row / scan" - "$theirs" "$bare" us
  [ $run -gt 1 ] || agree 'the job' 'SELECT id, rule FROM rival_pair JOIN leaf USING (node_id)' "$N_ACCOUNTS"
  [ $run -gt 1 ] || theirs=$(per_row "$N_ACCOUNTS" 'TRUNCATE rival_pair;' "CALL rival_job('account', $some);" | awk "{ print \$1 * ${rules% *} / $some }") || exit 1
  [ $run -gt 1 ] || figure "all pairs, $rules, a query a rule, no index, $some rules / scan" - "$theirs" "$bare" us
done
sql -c 'DROP TABLE rival, rival_pair, indexed CASCADE'
