# measure.sh: how the cases measure, and the table of what they found. Sourced by run.sh.

sql() { as_server psql -XqAt -v ON_ERROR_STOP=1 -d bench "$@" 2>"$WORK/logs/psql.err" || die "psql $*" "$WORK/logs/psql.err"; }

# data LABEL FILE [VARIABLE=VALUE...]: makes a case's tables
data() {
  local variables=() v
  for v in "${@:3}"; do variables+=(-v "$v"); done
  step "$1" "$WORK/logs/data.log" as_server psql -Xq -v ON_ERROR_STOP=1 "${variables[@]}" -d bench -f "$WORK/tree/test/bench/$2" ||
    die "the data could not be made" "$WORK/logs/data.log"
}

# session NAME: runs a script from standard input in a session, and prints the milliseconds of what follows \timing on
session() {
  as_server psql -XqAt -v ON_ERROR_STOP=1 -d bench >"$WORK/logs/timed.log" 2>&1 || die "$1" "$WORK/logs/timed.log"
  awk '/^Time: / { print $2 }' "$WORK/logs/timed.log"
}

# timed SETUP STATEMENTS: milliseconds of the statements in a session of their own, after a setup and a checkpoint
timed() { printf '%s\n' "$1" 'CHECKPOINT;' '\timing on' "$2" | session "$2" | awk '{ ms += $1 } END { print ms }'; }

# scale TEXT: what a case measures on, once for the heading of the table
scale() { case $scales in *"; $1"*) ;; *) scales+="; $1" ;; esac; }

# figure NAME GOAL OURS DENOMINATOR UNIT: a line for the table. The goal is what the ratio may be at most,
# or at least where it begins with ">=", or "-"
figure() {
  printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$WORK/figures"
  printf '  %-74s %12.2f %-2s %12.2f %s\n' "$1" "$3" "$5" "$4" "$5"
}

# against NAME GOAL RUN SETUP OURS BASE_SETUP BASE: measures both, in turn the one or the other first
against() {
  local ours base
  if [ $(($3 % 2)) = 1 ]; then
    ours=$(timed "$4" "$5") && base=$(timed "$6" "$7") || exit 1
  else
    base=$(timed "$6" "$7") && ours=$(timed "$4" "$5") || exit 1
  fi
  figure "$1" "$2" "$ours" "$base" ms
}

# alternately COUNT SETUP OURS BASE [BEFORE]: the least milliseconds of two statements that are measured in turn within one
# session, each twice COUNT times. What else the machine does only adds to a time, and meets not all of many short ones.
# BEFORE comes before each of OURS and is not measured
alternately() {
  local i times ours="$3"
  [ -z "${5:-}" ] || ours=$(printf '%s\n' '\timing off' "$5" '\timing on' "$3")
  times=$({
    printf '%s\n' "$2" "$ours" '\timing off' "$4" '\timing on'
    for ((i = 1; i <= $1; i++)); do printf '%s\n' "$ours" "$4" "$4" "$ours"; done
  } | session "$3") || return 1
  [ -z "${5:-}" ] || times=$(sed 1d <<<"$times")   # the first one had switched the timing on
  echo "$(awk 'NR % 4 < 2' <<<"$times" | sort -n | sed 1q) $(awk 'NR % 4 > 1' <<<"$times" | sort -n | sed 1q)"
}

# duel NAME GOAL TIMES SETUP OURS BASE: microseconds of two short things, each of which its statement does TIMES times
duel() {
  local both
  both=$(alternately 25 "$4" "$5" "$6") || exit 1
  figure "$1" "$2" $(awk "{ print \$1 * 1000 / $3, \$2 * 1000 / $3 }" <<<"$both") us
}

# machine: what the figures were measured on
machine() {
  local model memory
  model=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo 2>/dev/null | sed 1q)
  memory=$(awk '/^MemTotal/ { printf "%.0f GB of memory", $2 / 1048576 }' /proc/meminfo 2>/dev/null)
  say "${model:-$(uname -m)}, $(nproc 2>/dev/null || echo '?') cores, ${memory:-memory unknown}, $(uname -sr)"
  say "PostgreSQL $VERSION: $(sql -c "SELECT string_agg(format('%s %s', name, current_setting(name)), ', ' ORDER BY name) FROM pg_settings
    WHERE name IN ('shared_buffers', 'work_mem', 'max_wal_size', 'fsync', 'synchronous_commit', 'jit', 'max_parallel_workers_per_gather', 'autovacuum')")"
}

# table: medians of both sides, and the median, least and greatest of the ratios of each run; by the number of the goal
table() {
  awk '{ print match($0, /^P[0-9]+ /) ? substr($1, 2) : 1000, $0 }' "$WORK/figures" | sort -s -n -k 1,1 | cut -d ' ' -f 2- | awk -F '\t' '
    function median(list, n,   i, j, t) {
      for (i = 2; i <= n; i++) for (j = i; j > 1 && list[j] < list[j-1]; j--) { t = list[j]; list[j] = list[j-1]; list[j-1] = t }
      return n % 2 ? list[(n + 1) / 2] : (list[n/2] + list[n/2+1]) / 2
    }
    function shown(x) { return sprintf(x < 100 ? "%.2f" : "%.0f", x) }
    function verdict(ratio, goal,   limit) {
      limit = goal
      if (goal == "-") return ""
      if (sub(/^>= */, "", limit)) return ratio >= limit + 0 ? " met" : " missed"
      return ratio <= limit + 0 ? " met" : " missed"
    }
    !($1 in goal) { name[++names] = $1; goal[$1] = $2; unit[$1] = $5 }
    { n[$1]++; ours[$1, n[$1]] = $3; base[$1, n[$1]] = $4 }
    END {
      printf "%-74s | %12s | %12s | %-22s | %s\n", "name", "ours", "denominator", "ratio (min to max)", "goal"
      for (k = 1; k <= names; k++) {
        m = name[k]; c = n[m]
        for (i = 1; i <= c; i++) { o[i] = ours[m, i]; b[i] = base[m, i]; r[i] = o[i] / b[i] }
        ratio = median(r, c)
        range = shown(ratio) (c > 1 ? sprintf(" (%s to %s)", shown(r[1]), shown(r[c])) : "")
        printf "%-74s | %9s %-2s | %9s %-2s | %-22s | %s%s\n",
               m, shown(median(o, c)), unit[m], shown(median(b, c)), unit[m], range, goal[m], verdict(ratio, goal[m])
      }
    }'
}
