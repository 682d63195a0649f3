-- forecast.sql: n deals of a year, evenly in the territories of a tree of m nodes of which each has up to b children; for the
-- case forecast. The pairs are put in past the rules, which are not what is measured.
SELECT territory.detach(object) FROM territory.object WHERE object::text = 'booking';
SELECT territory.detach(object) FROM territory.object WHERE object::text = 'booker';
DROP TABLE IF EXISTS booking, booker, booked;
DELETE FROM territory.rule;
DELETE FROM territory.node;
DELETE FROM territory.period;
CREATE TABLE booker (id int PRIMARY KEY);
CREATE TABLE booking (id bigint PRIMARY KEY, booker int, seller text, amount numeric(12,2), closes date, stage text, chance numeric);
CREATE INDEX ON booking (booker);
SELECT territory.attach('booker');
SELECT territory.attach('booking', 'deal', parent => 'booker', parent_key => 'booker', owner => 'seller', amount => 'amount', close_date => 'closes', category => 'stage', probability => 'chance');
SELECT territory.make_periods('month', '2026-01-01', '2026-12-31');
-- the number of a node is that of its place by levels: the children of k are b * (k - 1) + 2 to b * k + 1
WITH RECURSIVE tree (number, path) AS (
    SELECT 1, 'n1'::territory.territory
    UNION ALL
    SELECT c, territory.child(t.path, 'n' || c) FROM tree t, generate_series(:b * (t.number - 1) + 2, least(:b * t.number + 1, :m)) c)
INSERT INTO territory.node (path) SELECT path FROM tree ORDER BY number;
SET session_replication_role = replica;
INSERT INTO booking SELECT i, 1, 'seller ' || even(i, 1, 500), even(i, 2, 10000000) / 100.0, date '2026-01-01' + even(i, 3, 365)::int,
       (ARRAY['closed', 'commit', 'best_case', 'pipeline', 'omitted'])[1 + even(i, 4, 5)::int], even(i, 5, 11) / 10.0 FROM generate_series(1, :n) i;
INSERT INTO booking_territory (id, node_id)
    SELECT i, n.id FROM generate_series(1, :n) i JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS number FROM territory.node) n ON n.number = even(i, 6, :m);
RESET session_replication_role;
-- the same with the path in the row, for the aggregate alone
CREATE UNLOGGED TABLE booked AS
    SELECT t.node_id, n.path, date_trunc('month', b.closes)::date AS month, b.amount FROM booking b JOIN booking_territory t USING (id) JOIN territory.node n ON n.id = t.node_id;
VACUUM ANALYZE booking, booking_territory, booked, territory.node;
