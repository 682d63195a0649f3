# change.sh: one rule is changed over a large table, beside a SELECT of the rows that its old or new criteria match
scale "change of a rule: $N_ACCOUNTS accounts"

# the case run has left what is needed here: all accounts, and their pairs
standing=$(sql -c "SELECT count(*) = $N_ACCOUNTS AND EXISTS (SELECT FROM account_territory) FROM account") || exit 1
if [ "$standing" = f ]; then
  load "$N_ACCOUNTS"
  sql -c "$no_pairs" -c "SELECT territory.run('account')" -c 'VACUUM ANALYZE account_territory' >/dev/null
fi

# a rule with about as many matches as one has on average, and the same for twice as many employees
one=$(sql -c "SELECT r.id || '|' || r.node_id || '|' || replace(r.criteria, '''', '''''') || '|' ||
                     replace(regexp_replace(r.criteria, 'employees .*', format('employees BETWEEN %s AND %s', 2 * employees_from, 2 * employees_to)), '''', '''''')
                FROM flat JOIN leaf USING (rule) JOIN territory.rule AS r USING (node_id)
                JOIN (SELECT rule, count(*) AS matches FROM matching GROUP BY rule) AS m USING (rule)
               WHERE shape = 0 AND employees_to >= 10
               ORDER BY abs(matches - (SELECT count(*) FROM account_territory) / ${rules% *}), rule LIMIT 1") || exit 1
IFS='|' read -r id node old new <<<"$one"
[ -n "$new" ] || die "there is no rule to change"
old=${old//"''"/"'"} new=${new//"''"/"'"}

toggle="UPDATE territory.rule SET criteria = CASE criteria WHEN \$q\$$old\$q\$ THEN \$q\$$new\$q\$ ELSE \$q\$$old\$q\$ END WHERE id = $id;"
found="SELECT count(owner) FROM account WHERE ($old) OR ($new);"
# a long-lived session: it writes a row now and then, and so has its rules compiled
touch="UPDATE account SET employees = employees + 1 WHERE id = 1; UPDATE account SET employees = employees - 1 WHERE id = 1;"

say "change of $old to $new, $rules: $(sql -c "$found") of $N_ACCOUNTS accounts match one of them"
for index in 'no index' 'an index'; do
  [ "$index" = 'no index' ] || sql -c 'CREATE INDEX account_place ON account (country, state)' -c 'VACUUM ANALYZE account'
  for ((run = 1; run <= RUNS; run++)); do
    both=$(alternately 2 '' "$toggle" "$found" "$touch") || exit 1
    figure "P7 change of one of $rules, $index / SELECT of what it concerns" "$(goal - 3)" $both ms
  done
  wrong=$(sql -c "SELECT count(*) FROM (SELECT id FROM account_territory WHERE node_id = $node) AS p
                    FULL JOIN (SELECT id FROM account WHERE ($old AND (SELECT criteria = \$q\$$old\$q\$ FROM territory.rule WHERE id = $id))
                                  OR ($new AND (SELECT criteria = \$q\$$new\$q\$ FROM territory.rule WHERE id = $id))) AS m USING (id)
                   WHERE p.id IS NULL OR m.id IS NULL") || exit 1
  [ "$wrong" = 0 ] || die "after the change, $wrong pairs of the rule are wrong"
done
sql -c 'DROP INDEX account_place' -c "UPDATE territory.rule SET criteria = \$q\$$old\$q\$ WHERE id = $id"
