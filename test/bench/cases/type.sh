# type.sh: the path type beside the same paths as text, and beside contrib's ltree where the server has it
# Settings: N_PATHS (1000000).
N_PATHS=${N_PATHS:-1000000}
scale "type: $N_PATHS paths"

ltree=$(sql -c "SELECT count(*) FROM pg_available_extensions WHERE name = 'ltree'")
[ "$ltree" = 1 ] || say "this server has no ltree: its lines are left out"
with_ltree() { [ "$ltree" = 0 ] || "$@"; }
data "making $N_PATHS paths" paths.sql n="$N_PATHS" ltree="$ltree"
say "  $(sql -c "SELECT format('%s levels and %s bytes of text on average', avg(nlevel(path))::numeric(4, 1), avg(octet_length(text))::numeric(4, 1))
                   FROM place")"

# ---------- how the lines below are measured ----------

# beside_text NAME GOAL STATEMENT: ours over the same on text, and ltree's too; COLUMN stands for theirs
beside_text() {
  local both
  both=$(alternately 2 '' "${3//COLUMN/path}" "${3//COLUMN/text}") || exit 1
  figure "$1 / the same of text" "$2" $both ms
  [ "$ltree" = 1 ] || return 0
  both=$(alternately 1 '' "${3//COLUMN/ltree}" "${3//COLUMN/text}") || exit 1
  figure "$1, ltree / the same of text" - $both ms
}

# size NAME GOAL UNIT QUERY: the same for what a query gives
size() {
  local text
  text=$(sql -c "${4//COLUMN/text}") || exit 1
  figure "$1 / the same of text" "$2" "$(sql -c "${4//COLUMN/path}")" "$text" "$3"
  with_ltree figure "$1, ltree / the same of text" - "$(sql -c "${4//COLUMN/ltree}")" "$text" "$3"
}

# net EXPRESSION COLUMN: microseconds a row of an expression of the column, beyond those of reading the column
net() {
  local both
  both=$(alternately 3 '' "SELECT count($1) FROM place;" "SELECT count($2) FROM place;") || exit 1
  awk "{ print (\$1 - \$2) * 1000 / $N_PATHS }" <<<"$both"
}

# cast NAME GOAL OURS COLUMN LTREE LTREE_COLUMN: the net time of two expressions of columns, of which the goal is for ours
cast() {
  local ours theirs
  ours=$(net "$3" "$4") || exit 1
  figure "$1, net of the scan / 1 us a path" "$2" "$ours" 1 us
  [ "$ltree" = 1 ] || return 0
  theirs=$(net "$5" "$6") || exit 1
  figure "$1, net of the scan, ltree / 1 us a path" - "$theirs" 1 us
  figure "$1, net of the scan / the same of ltree" - "$ours" "$theirs" us
}

# adhoc CONDITION, prepared CONDITION: counts the rows $times times, planned each time for the path $quoted in place of NODE,
# or planned once for any; within the server, because a client's round trip takes as long as a small look-up
adhoc() {
  echo "DO \$\$BEGIN FOR i IN 1 .. $times LOOP
    EXECUTE \$q\$SELECT count(*) FROM place WHERE ${1//NODE/$quoted}\$q\$; END LOOP; END\$\$;"
}
prepared() {
  echo "DO \$\$DECLARE NODE territory := $quoted; BEGIN FOR i IN 1 .. $times LOOP
    PERFORM count(*) FROM place WHERE $1; END LOOP; END\$\$;"
}

# lookup NAME GOAL HOW OURS BASE: two conditions, by their indexes
lookup() {
  duel "$1" "$2" $times 'SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan;' "$($3 "$4")" "$($3 "$5")"
}

# beside_ltree NAME COUNT SETTINGS QUERY: a query about paths and the same one about ltree's, which have to find as much; the
# least of each measured in turn, twice COUNT times
beside_ltree() {
  local found both
  found=$(sql -c "$3" -c "SELECT (SELECT count(*) FROM place WHERE path $4), (SELECT count(*) FROM place WHERE ltree $4)") || exit 1
  [ "${found%|*}" = "${found#*|}" ] || die "$4 finds $found"
  both=$(alternately "$2" "$3" "SELECT count(*) FROM place WHERE path $4;" "SELECT count(*) FROM place WHERE ltree $4;") || exit 1
  figure "$1" - $both ms
}

# ---------- what is measured ----------

under='path <@ NODE' range='path >= NODE AND path < subtree_end(NODE)' gist='ltree <@ NODE'

size 'P8 stored bytes of a value' 1.1 B 'SELECT avg(pg_column_size(COLUMN)) FROM place'
size 'btree, size' - MB \
  "CREATE INDEX built ON place (COLUMN); SELECT pg_relation_size('built') / 1e6; DROP INDEX built"
for ((run = 1; run <= RUNS; run++)); do
  beside_text 'P8 sort' 1.1 "SELECT COLUMN FROM place ORDER BY COLUMN OFFSET $N_PATHS - 1;"
  beside_text 'P8 btree, build' 1.1 'CREATE INDEX built ON place (COLUMN)\; DROP INDEX built;'   # one query, timed as one
  cast 'P10 text to path' 0.2 'text::territory' text 'text::ltree' text
  cast 'path to text' - 'path::text' path 'ltree::text' ltree
done

sql -c 'CREATE INDEX place_path ON place (path)'
with_ltree sql -c 'CREATE INDEX place_gist ON place USING gist (ltree)'
conditions=("$under" "$range")
[ "$ltree" = 0 ] || conditions+=("$gist")

for subtree in $(sql -c 'SELECT part, quote_literal(path), rows FROM subtree ORDER BY part'); do
  IFS='|' read -r part quoted rows <<<"$subtree"
  # every way finds the same rows; and this brings them into memory
  for condition in "${conditions[@]}"; do
    found=$(sql -c 'SET enable_seqscan = off' -c "SELECT count(*) FROM place WHERE ${condition//NODE/$quoted}")
    [ "$found" = "$rows" ] || die "$condition, with $quoted, finds $found paths and not $rows"
  done
  times=$((rows < 200 ? 200 : 40000 / rows + 1))
  for ((run = 1; run <= RUNS; run++)); do
    lookup "P9 <@, $rows rows, ad hoc / range by hand" 1.05 adhoc "$under" "$range"
    lookup "P9 <@, $rows rows, prepared / range by hand" 1.05 prepared "$under" "$range"
    # what is faster stands below the line
    with_ltree lookup "P9 <@, $rows rows, ad hoc, ltree by GiST / ours" "$([ "$part" = 0.04 ] && echo '>= 4' || echo -)" \
      adhoc "$gist" "$under"
  done
done

# labels inside of paths, which no order finds: of every row, and by GIN here and GiST there
if [ "$ltree" = 1 ]; then
  label=$(sql -c 'SELECT label(path) FROM subtree WHERE part = 0.001') parent=$(sql -c 'SELECT label(parent(path)) FROM subtree WHERE part = 0.001')
  child=$(sql -c "SELECT level(path, nlevel((SELECT path FROM subtree WHERE part = 0.001)) + 1) FROM place
                   WHERE path <@ (SELECT path FROM subtree WHERE part = 0.001) ORDER BY id LIMIT 1")
  sql -c 'CREATE INDEX place_labels ON place USING gin (path)'
  queries=("~ '*.$label.*'" "~ '*.$label.*{1}'" "~ '*.${label^}@.*'" "~ '*.$parent|$label.*.a1*'" "@ '$label & !$child'" "? '{*.$label.*,*.$child.*}'")
  for query in "${queries[@]}"; do
    for ((run = 1; run <= RUNS; run++)); do
      beside_ltree "scan of all rows, $query / the same of ltree" 1 \
        'SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;' "$query"
      # a label in any case alone is in no index of ours
      [[ $query = *@.* ]] || beside_ltree "GIN, $query / GiST of ltree" 5 'SET enable_seqscan = off;' "$query"
    done
  done
fi
