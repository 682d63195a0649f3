# accounts.sh: the accounts and rules that the cases of rules work on. Sourced by run.sh.
# Settings: COPY_ROWS (100000), N_ACCOUNTS (1000000), MATCH_ROWS (200000), RULES (1000 10000).
COPY_ROWS=${COPY_ROWS:-100000} N_ACCOUNTS=${N_ACCOUNTS:-1000000} MATCH_ROWS=${MATCH_ROWS:-200000} RULES=${RULES:-1000 10000}
CHECKED=10000   # as many of the first accounts are compared where comparing all would take longer than what is measured
accounts=''     # there are sources for so many accounts
world=''        # the rules that are there, and their number of worlds
columns='country, state, city, postal_code, industry, employees, annual_revenue, segment, created_at, owner'   # that rules read

most() { printf '%s\n' "$@" | sort -n | tail -n 1; }
least() { printf '%s\n' "$@" | sort -n | sed 1q; }

# use_rules COUNT [WORLDS]: makes these rules, if they are not there; the table of accounts is then empty
use_rules() {
  if [ -z "$accounts" ]; then
    accounts=$(most "$COPY_ROWS" "$N_ACCOUNTS" "$MATCH_ROWS")
    data "making $accounts accounts" accounts.sql n="$accounts"
  fi
  [ "$world" != "$1 ${2:-1}" ] || return 0
  data "making $1 rules" rules.sql rules="$1" worlds="${2:-1}"
  world="$1 ${2:-1}" rules="$1 rules"
}

# goal OF_1000 OF_10000: goals are set for 1,000 and 10,000 rules
goal() { case $rules in '1000 rules') echo "$1" ;; '10000 rules') echo "$2" ;; *) echo - ;; esac; }

# SQL: the table of accounts or of pairs is emptied or filled behind the triggers' back, so without pairs and at once
no_accounts='SET session_replication_role = replica; TRUNCATE account, account_territory; RESET session_replication_role;'
no_pairs='SET session_replication_role = replica; TRUNCATE account_territory; RESET session_replication_role;'
load() {
  sql -c "$no_accounts" -c 'SET session_replication_role = replica' \
    -c "INSERT INTO account SELECT * FROM account_of_world WHERE id <= $1 ORDER BY id" -c 'VACUUM ANALYZE account'
}

# check_pairs: the pairs that stand, beside plain SQL
check_pairs() {
  local stood right
  stood=$(sql -c 'SELECT count(*), sum(p.id * l.rule) FROM account_territory AS p JOIN leaf AS l USING (node_id)') || exit 1
  right=$(sql -c 'SELECT count(*), sum(id * rule) FROM matching') || exit 1
  [ "$stood" = "$right" ] || die "the pairs are not those of the rules as plain SQL: number and sum $stood, not $right"
  say "  ${stood%|*} pairs, those of the rules as plain SQL"
}

# matching TABLE COLUMN ROWS: microseconds a row of matching all rows, and writing nothing, beyond a scan that reads the last column
matching() {
  local both
  both=$(alternately 2 '' "SELECT count(*) FROM territory.rule_stats('$1', timing => false);" "SELECT count($2) FROM $1;") || exit 1
  awk "{ print (\$1 - \$2) * 1000 / $3 }" <<<"$both"
}

# floor_files, floor: microseconds a row of matching the same rules with the same rows in plain C (floor.c)
floor_files() {
  [ -x "$WORK/floor" ] || cc -O3 -o "$WORK/floor" "$BENCH/floor.c" -lm || die "the floor could not be compiled"
  sql -c "SELECT concat_ws(E'\t', rule, field, operator, array_to_string(CASE field WHEN 'created_at'
                   THEN ARRAY[extract(epoch FROM operands[1]::timestamptz)::text] ELSE operands END, E'\t'))
            FROM criterion ORDER BY rule, position" >"$WORK/rules.floor"
  sql -c "COPY (SELECT ${columns/created_at/extract(epoch FROM created_at)::bigint AS created_at} FROM account ORDER BY id)
            TO '$WORK/rows.floor' (HEADER)"
}
floor() { "$WORK/floor" "$WORK/rules.floor" "$WORK/rows.floor" 5 $CHECKED || die "the floor ended with an error"; }

# check_matches: what match() and the floor say of the first accounts, beside plain SQL
check_matches() {
  local right found
  right=$(sql -F ' ' -c "SELECT count(*), sum(id * rule) FROM matching WHERE id <= $CHECKED") || exit 1
  found=$(sql -F ' ' -c "SELECT count(*), sum(a.id * l.rule) FROM account AS a, territory.match('account', a) AS m JOIN leaf AS l USING (node_id)
                          WHERE a.id <= $CHECKED") || exit 1
  [ "$found" = "$right" ] || die "match() finds $found (number and sum), not $right"
  found=$(floor | cut -d ' ' -f 3-) || exit 1
  [ "$found" = "$right" ] || die "the floor finds $found (number and sum), not $right"
  say "  $(awk "{ print \$1 / $(least $CHECKED "$1") }" <<<"$right") matches a row; match(), the floor and plain SQL agree on $(least $CHECKED "$1") rows"
}
