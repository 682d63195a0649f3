# history.sh: what writes pairs, with history kept and without. Settings: HELD_ROWS (300000), HELD_STATEMENTS (20000).
HELD_ROWS=${HELD_ROWS:-300000} HELD_STATEMENTS=${HELD_STATEMENTS:-20000}
scale "history: $HELD_ROWS accounts of one territory each, $HELD_STATEMENTS statements of one account"
data "making $HELD_ROWS accounts of one territory each" history.sql n="$HELD_ROWS"
sql -c "COPY held_source TO '$WORK/held.copy'"
for ((i = 1; i <= HELD_STATEMENTS; i++)); do echo "INSERT INTO held VALUES ($((HELD_ROWS + i)), 'one', $((1 + i % 200)), 5, 10.5, 'city');"; done >"$WORK/held_insert"
for ((i = 1; i <= HELD_STATEMENTS; i++)); do echo "UPDATE held SET country = 1 + (country + $i) % 200 WHERE id = $((1 + i * 7 % HELD_ROWS));"; done >"$WORK/held_update"

# The disk's time to commit is not what is measured.
# before BOOL [STATEMENTS]: all accounts with their pairs, and no history; then history on or off, and more
before() {
  echo "SET session_replication_role = replica; TRUNCATE held, held_territory, held_territory_history; RESET session_replication_role;
    UPDATE territory.object SET history = false WHERE object = 'held'::regclass;
    ${2:-} VACUUM ANALYZE held, held_territory; UPDATE territory.object SET history = $1 WHERE object = 'held'::regclass; SET synchronous_commit = off; ${3:-}"
}
# kept NAME GOAL STATEMENTS [LOADED [MORE]]
kept() {
  local run
  for ((run = 1; run <= RUNS; run++)); do
    against "history: $1, kept / not kept" "$2" $run "$(before true "${4:-}" "${5:-}")" "$3" "$(before false "${4:-}" "${5:-}")" "$3"
  done
}
loaded="COPY held FROM '$WORK/held.copy';"
kept "COPY of $HELD_ROWS" 1.2 "$loaded"
kept 'INSERT, one account a statement' 1.2 "\\i $WORK/held_insert" "$loaded"
kept 'UPDATE that moves one account, a statement each' 1.2 "\\i $WORK/held_update" "$loaded"
kept 'UPDATE that moves a third' 1.2 'UPDATE held SET country = 1 + country % 200 WHERE id % 3 = 0;' "$loaded"
kept 'run that adds the pairs of a third' 1.2 "SELECT territory.run('held');" "$loaded" \
  'SET session_replication_role = replica; DELETE FROM held_territory WHERE id % 3 = 0; RESET session_replication_role;'
kept 'run that moves a third' 1.2 "SELECT territory.run('held');" "$loaded" \
  'SET session_replication_role = replica; UPDATE held SET country = 1 + country % 200 WHERE id % 3 = 0; RESET session_replication_role;'
kept 'DELETE of a tenth' 1.2 'DELETE FROM held WHERE id % 10 = 0;' "$loaded"
wrong=$(sql -c "SELECT count(*) FROM (SELECT key, node_id FROM territory.as_of('held', clock_timestamp()) EXCEPT SELECT key, node_id FROM territory.assignments('held')) AS x") || exit 1
[ "$wrong" = 0 ] || die "history says that $wrong pairs stand that do not"
sql -c "SELECT territory.detach('held')" -c 'DROP TABLE held, held_source' >/dev/null
