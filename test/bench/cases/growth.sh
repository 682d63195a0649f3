# growth.sh: matching with very many rules: as they are, and where a row matches no more of them than of 1,000
# Settings: MOST_RULES (100000).
MOST_RULES=${MOST_RULES:-100000}
few=$((MOST_RULES / 100))
goal_at_most() { [ "$MOST_RULES" = 100000 ] && echo "$1" || echo -; }
scale "growth: $MATCH_ROWS accounts"

# grown WORLDS: microseconds a row with the rules that are there, into the arrays ours and floors
grown() {
  local run
  load "$MATCH_ROWS"
  floor_files
  say "matching of $MATCH_ROWS accounts, $rules of $1 world(s)"
  check_matches "$MATCH_ROWS"
  ours=() floors=()
  for ((run = 0; run < RUNS; run++)); do
    ours[run]=$(matching account owner "$MATCH_ROWS") && floors[run]=$(floor) || exit 1
    floors[run]=${floors[run]%% *}
    say "  $(printf '%.2f us a row, %.2f in plain C' "${ours[run]}" "${floors[run]}")"
  done
}

use_rules $few
grown 1
few_ours=("${ours[@]}") few_floors=("${floors[@]}")
use_rules "$MOST_RULES"
grown 1
for ((run = 0; run < RUNS; run++)); do
  figure "P4 match alone, $rules / 1 us a row" "$(goal_at_most 4)" "${ours[run]}" 1 us
  figure "P4 match alone, $rules, us a row / the same in plain C" - "${ours[run]}" "${floors[run]}" us
done
# a hundred worlds, and a hundred times as many rules
use_rules "$MOST_RULES" 100
grown 100
for ((run = 0; run < RUNS; run++)); do
  figure "P4 match alone, $rules of 100 worlds, us a row / the same in plain C" - "${ours[run]}" "${floors[run]}" us
  figure "P15 match alone, $rules of 100 worlds / $few rules of one" "$(goal_at_most 3)" "${ours[run]}" "${few_ours[run]}" us
  figure "P15 the same in plain C, $rules of 100 worlds / $few rules of one" - "${floors[run]}" "${few_floors[run]}" us
done
