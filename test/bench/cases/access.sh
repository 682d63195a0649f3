# access: what people see of a protected table, against the same query on an unprotected one, with a filter written by hand
# where it counts (P13)
data "$N_ACCOUNTS accounts in 10,000 nodes, protected" access.sql n="$N_ACCOUNTS"
scale "access: $N_ACCOUNTS accounts in 10,000 nodes"

# loop STATEMENT: 1,000 of them within the server, $1 being the key of every 37th account
loop() {
  printf 'DO $do$ DECLARE n bigint; c bigint := 0; BEGIN FOR i IN 1..1000 LOOP EXECUTE %s INTO n USING i * 37::bigint; c := c + coalesce(n, 0); END LOOP; END $do$;' "'$1'"
}
# kept STATEMENT: the same, planned once
kept() {
  printf 'DO $do$ DECLARE n bigint; c bigint := 0; k bigint; BEGIN FOR i IN 1..1000 LOOP k := i * 37; %s; c := c + coalesce(n, 0); END LOOP; END $do$;' "$1"
}
# milliseconds per 1,000 are microseconds each
for person in rep boss crowd; do
  nodes=$(sql -c "SELECT array_agg(node_id) FROM territory.visible_nodes('$person')")
  seen=$(sql -c "SELECT count(*) FROM bare_territory WHERE node_id = ANY ('$nodes')")
  [ "$(sql -c "SET ROLE $person" -c 'SELECT count(*) FROM record')" = "$seen" ] || die "$person does not see what he must"
  say "  $person sees $seen accounts"
  role="SET ROLE $person;"
  for run in $(seq "$RUNS"); do
    read -r ours base < <(alternately 3 "$role" 'SELECT count(*) FROM record;' "SELECT count(*) FROM bare WHERE id IN (SELECT id FROM bare_territory WHERE node_id = ANY ('$nodes'));")
    figure "P13 count of what $person sees / the filter by hand" 1.2 "$ours" "$base" ms
    read -r ours base < <(alternately 3 "$role" "$(kept 'SELECT count(*) INTO n FROM record WHERE id = k')" "$(kept 'SELECT count(*) INTO n FROM bare WHERE id = k')")
    figure "P13 $person: one account by its key, planned once / unprotected" 1.5 "$ours" "$base" us
    read -r ours base < <(alternately 3 "$role" "$(loop 'SELECT count(*) FROM record WHERE id = $1')" "$(loop 'SELECT count(*) FROM bare WHERE id = $1')")
    figure "P13 $person: one account by its key, planned each time / unprotected" 1.5 "$ours" "$base" us
    read -r ours base < <(alternately 30 "$role" 'SELECT id, name FROM record ORDER BY id LIMIT 50;' 'SELECT id, name FROM bare ORDER BY id LIMIT 50;')
    figure "P13 $person: the first 50 by an index / unprotected" 1.5 "$ours" "$base" ms
    read -r ours base < <(alternately 10 "$role" 'SELECT id, name FROM record ORDER BY id LIMIT 50;' "SELECT id, name FROM bare WHERE id IN (SELECT id FROM bare_territory WHERE node_id = ANY ('$nodes')) ORDER BY id LIMIT 50;")
    figure "$person: the first 50 by an index / the filter by hand" - "$ours" "$base" ms
  done
done
