# match.sh: matching alone, beside the same rules and rows in plain C
scale "matching: $MATCH_ROWS accounts"

load "$MATCH_ROWS"
floor_files
say "matching of $MATCH_ROWS accounts, $rules"
check_matches "$MATCH_ROWS"
for ((run = 1; run <= RUNS; run++)); do
  ours=$(matching account owner "$MATCH_ROWS") && least_possible=$(floor) || exit 1
  figure "P4 match alone, $rules, us a row / the same in plain C" "$(goal 2 2)" "$ours" "${least_possible%% *}" us
done
