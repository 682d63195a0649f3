# sweep.sh: the growth table: matching alone, by the number of rules, of their criteria, of matches, and by their form
# Settings: SWEEP_ROWS (50000), SWEEP_RULES (10 100 1000 10000 100000).
SWEEP_ROWS=${SWEEP_ROWS:-50000} SWEEP_RULES=${SWEEP_RULES:-10 100 1000 10000 100000}
[ -n "$accounts" ] || use_rules 10
world=''   # the rules of other cases go

# cell RULES CRITERIA MATCHES ANY: microseconds a row and matches a row, or a dash where so few rules cannot match so often.
# Of n conditions, 0.95^n of the rows with a rule's key pass; the keys are as many as the matches ask for
cell() {
  local keys us pairs
  keys=$(awk -v r="$1" -v c="$2" -v m="$3" -v any="$4" 'BEGIN {
    half = int((c - 1) / 2)
    passed = any ? 0.95 ^ half + 0.95 ^ (c - 2 - half) : 0.95 ^ (c - 1)
    keys = r * passed / (m > 0 ? m : 1)
    print keys < 0.9 ? 0 : keys < 1 ? 1 : int(keys + 0.5) }')
  [ "$keys" != 0 ] || { echo -; return; }
  as_server psql -Xq -v ON_ERROR_STOP=1 -v n="$SWEEP_ROWS" -v rules="$1" -v criteria="$2" -v keys="$keys" -v any="$4" -v none="$(($3 == 0))" \
    -d bench -f "$WORK/tree/test/bench/sweep.sql" >"$WORK/logs/data.log" 2>&1 || die "the data could not be made" "$WORK/logs/data.log"
  pairs=$(sql -c "SELECT coalesce(sum(a.id * m.node_id), 0) || ' ' || count(*) / 1000.0 FROM wide AS a, territory.match('wide', a) AS m WHERE a.id <= 1000") || exit 1
  [ "$1" -gt 1000 ] || [ "${pairs% *}" = "$(sql -c 'SELECT right_pairs(1000)')" ] || die "match() is wrong with $1 rules of $2 criteria"
  us=$(matching wide n12 "$SWEEP_ROWS") || exit 1
  printf '%.2f (%.1f)' "$us" "${pairs#* }"
}

{
  say ''
  say "matching alone, us a row, and the territories that a row gets in brackets; $SWEEP_ROWS rows of 27 columns, by rules:"
  printf '%-36s' 'criteria a rule, matches a row'
  printf ' | %16s' $SWEEP_RULES
  say ''
} >>"$WORK/more"
while read -r criteria matches any; do
  kind="$criteria criteria"
  [ "$any" = 0 ] || kind+=' with OR and NOT'
  line=$(printf '%-36s' "$kind, $matches")
  for count in $SWEEP_RULES; do
    us=$(cell "$count" "$criteria" "$matches" "$any") || exit 1
    line+=$(printf ' | %16s' "$us")
    say "  $count rules of $kind, $matches matches a row: $us us, after $SECONDS s"
  done
  say "$line" >>"$WORK/more"
done <<'END'
1 1 0
3 1 0
10 1 0
25 1 0
3 0 0
3 10 0
3 50 0
4 1 1
10 1 1
25 1 1
END
sql -c 'SELECT territory.detach(object) FROM territory.object' -c 'DROP TABLE wide' >/dev/null
