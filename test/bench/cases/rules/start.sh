# start.sh: a new backend's first row, with all that has to be read and compiled before, and the memory that this keeps

# first_row TABLE: milliseconds of the first UPDATE of a row in a new backend
first_row() { printf '%s\n' 'BEGIN;' '\timing on' "UPDATE $1 SET employees = employees + 1 WHERE id = 1;" | session "the first row of $1"; }

load 1
sql -c 'TRUNCATE bare' -c 'INSERT INTO bare TABLE account' -c 'ANALYZE bare'
for ((run = 1; run <= 3 * RUNS; run++)); do
  ours=$(first_row account) && base=$(first_row bare) || exit 1
  figure "P14 first row of a new backend, $rules / 1 ms" "$(goal - 50)" "$ours" 1 ms
  figure "first row of a new backend, unattached table / 1 ms" - "$base" 1 ms
done
megabytes=$(sql -c 'BEGIN' -c 'UPDATE account SET employees = employees + 1 WHERE id = 1' \
  -c "SELECT sum(total_bytes) / 1e6 FROM pg_backend_memory_contexts WHERE 'territory rule set' IN (name, parent)") || exit 1
[ -n "$megabytes" ] || die "there is no memory context of rules"
figure "P14 memory of the compiled rules, $rules / 1 MB" "$(goal - 32)" "$megabytes" 1 MB
