# forecast.sh: deals rolled up a tree by month, beside a plain hash aggregate of them. Settings: N_DEALS (1000000).
N_DEALS=${N_DEALS:-1000000}
scale "forecast: $N_DEALS deals, 12 months"

plain='SELECT count(*), sum(s) FROM (SELECT node_id, month, sum(amount) AS s FROM booked GROUP BY 1, 2) x;'
rolled='SELECT count(*), sum(e.total_sum) FROM (SELECT month, rollup(path, amount) AS r FROM booked GROUP BY 1) x, each(x.r) e;'
joined="SELECT count(*), sum(s) FROM (SELECT t.node_id, date_trunc('month', b.closes) AS month, sum(b.amount) AS s FROM booking b JOIN booking_territory t USING (id) GROUP BY 1, 2) x;"
view='SELECT count(*), sum(closed), sum(commit), sum(pipeline), sum(weighted), sum(deals), sum(target), sum(gap) FROM territory.forecast;'

# rolled_up NODES CHILDREN: the aggregate alone, and the view with all its columns
rolled_up() {
  local run both wrong
  data "making $N_DEALS deals in $1 territories" forecast.sql n="$N_DEALS" m="$1" b="$2"
  # every total is right: the aggregate and the view agree with a join on paths
  wrong=$(sql -c "WITH own AS (SELECT path, month, sum(amount) AS s, count(*) AS deals FROM booked GROUP BY 1, 2), total AS MATERIALIZED (
      SELECT a.path, o.month, sum(o.s) AS s, sum(o.deals) AS deals FROM own o, LATERAL territory.ancestors(o.path) AS a(path) GROUP BY 1, 2)
    SELECT (SELECT count(*) FROM total t FULL JOIN (SELECT x.month, e.* FROM (SELECT month, rollup(path, amount) AS r FROM booked GROUP BY 1) x, each(x.r) e WHERE e.path <> '') e
                ON e.path = t.path AND e.month = t.month WHERE e.total_sum IS DISTINCT FROM t.s OR e.total_count IS DISTINCT FROM t.deals)
         + (SELECT count(*) FROM total t FULL JOIN territory.forecast f ON f.path = t.path AND f.starts = t.month
             WHERE f.closed + f.commit + f.best_case + f.pipeline + f.omitted IS DISTINCT FROM coalesce(t.s, 0) OR f.deals + f.omitted_deals IS DISTINCT FROM coalesce(t.deals, 0))") || exit 1
  [ "$wrong" = 0 ] || die "$wrong totals are wrong"
  for ((run = 1; run <= RUNS; run++)); do
    both=$(alternately 2 '' "$rolled" "$plain") || exit 1
    figure "P11 full roll-up, $1 territories / hash aggregate by own territory" 1.05 $both ms
  done
  for ((run = 1; run <= RUNS; run++)); do
    both=$(alternately 1 '' "$view" "$joined") || exit 1
    figure "view forecast, all columns, $1 territories / join and hash aggregate" - $both ms
  done
}
rolled_up 1000 4
rolled_up 10000 6
sql -c "SELECT territory.detach('booking')" -c "SELECT territory.detach('booker')" -c 'DROP TABLE booking, booker, booked' -c 'DELETE FROM territory.node' >/dev/null
