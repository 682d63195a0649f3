# growth.sh: matching with very many rules: as they are, and where a row matches no more of them than of 1,000
# Settings: MOST_RULES (100000).
MOST_RULES=${MOST_RULES:-100000}
few=$((MOST_RULES / 100))
scale "growth: $MATCH_ROWS accounts"

# grown WORLDS NAME GOAL: measures what there are rules for, into the array times
grown() {
  local run ours least_possible
  load "$MATCH_ROWS"
  floor_files
  say "matching of $MATCH_ROWS accounts, $rules, $1 world(s)"
  check_matches "$MATCH_ROWS"
  times=()
  for ((run = 1; run <= RUNS; run++)); do
    ours=$(matching account owner "$MATCH_ROWS") && least_possible=$(floor) || exit 1
    times+=("$ours")
    [ -z "$2" ] || figure "$2 / 1 us a row" "$3" "$ours" 1 us
    [ -z "$2" ] || figure "$2, us a row / the same in plain C" - "$ours" "${least_possible%% *}" us
  done
}

goal_most=$([ "$MOST_RULES" = 100000 ] && echo 4 || echo -)
use_rules "$MOST_RULES"
grown 1 "P4 match alone, $rules" "$goal_most"
use_rules $few
grown 1 ''
times_few=("${times[@]}")
# a hundred worlds, and a hundred times as many rules
use_rules "$MOST_RULES" 100
grown 100 "P4 match alone, $rules of 100 worlds" "$goal_most"
for ((run = 0; run < RUNS; run++)); do
  figure "P15 match alone, $rules of 100 worlds / $few rules of one" 3 "${times[run]}" "${times_few[run]}" us
done
