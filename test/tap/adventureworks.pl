#!/usr/bin/env perl
# adventureworks.pl: 19,820 real customers in the ten sales territories of AdventureWorks. The data names the territory
# of every customer; rules over country and state have to find the same ones. Then its orders are rolled up the tree.
#
# The data is not part of this repository: $TERRITORY_SHARED_DATA/adventureworks (see check.sh). Without that folder there is
# nothing to test; in it, all files have to be there.
use strict;
use warnings;
use File::Temp qw(tempdir);
use Test::More;

my $data = ($ENV{TERRITORY_SHARED_DATA} || '') . '/adventureworks';
my @files = qw(sales_territory country_region state_province customer address business_entity_address store
  sales_order_sample internet_sales_line internet_product sales_person_quota_history);
if (!$ENV{TERRITORY_SHARED_DATA}) { plan skip_all => 'TERRITORY_SHARED_DATA does not say where the AdventureWorks data is' }
if (!-d $data) { plan skip_all => "there is no $data" }
if (my @missing = grep { !-r "$data/$_.csv" } @files) { die "$data lacks ", join(', ', map { "$_.csv" } @missing), "\n" }

my $folder = tempdir('adventureworks-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $psql = ($ENV{PG_BINDIR} ? "$ENV{PG_BINDIR}/" : '') . 'psql';
my $database = "adventureworks_$$";
my $in = $database;

# sql TEXT: runs it, returns what it prints
sub sql
{
	my ($text) = @_;
	open my $file, '>', "$folder/script.sql" or die "$folder/script.sql: $!";
	print $file $text;
	close $file;
	my $out = `$psql -XqAt -v ON_ERROR_STOP=1 -d '$in' -f '$folder/script.sql' 2>&1 </dev/null`;
	chomp $out;
	return $? ? "psql failed: $out" : $out;
}

sub says { my ($text, $expected, $name) = @_; local $Test::Builder::Level = $Test::Builder::Level + 1; is(sql($text), $expected, $name) }

$in = 'postgres';
sql("DROP DATABASE IF EXISTS $database;\nCREATE DATABASE $database;\n");
$in = $database;
END { $in = 'postgres'; my $status = $?; sql("DROP DATABASE IF EXISTS $database;\n") if defined $database && defined $folder; $? = $status }

# ---------- the data ----------

my %columns = (
	sales_territory => 'territory_id int PRIMARY KEY, name text, country_region_code text, territory_group text, sales_ytd numeric, sales_last_year numeric, cost_ytd numeric, cost_last_year numeric',
	country_region => 'country_region_code text PRIMARY KEY, name text',
	state_province => 'state_province_id int PRIMARY KEY, state_province_code text, country_region_code text, is_only_state_province int, name text, territory_id int',
	customer => 'customer_id int PRIMARY KEY, person_id int, store_id int, territory_id int, account_number text',
	address => 'address_id int PRIMARY KEY, address_line1 text, address_line2 text, city text, state_province_id int, postal_code text, lat float8, lon float8',
	business_entity_address => 'business_entity_id int, address_id int, address_type_id int',
	store => 'business_entity_id int PRIMARY KEY, name text, sales_person_id int, annual_sales numeric, annual_revenue numeric, bank_name text, business_type text, year_opened int, specialty text, square_feet int, brands text, internet text, number_employees int',
	sales_order_sample => 'sales_order_id int PRIMARY KEY, order_date date, due_date date, ship_date date, status int, online_order bool, customer_id int, sales_person_id int, territory_id int, bill_to_address_id int, ship_to_address_id int, subtotal numeric, tax_amt numeric, freight numeric, total_due numeric',
	internet_sales_line => 'order_number text, order_line int, order_date date, product_id int, customer_id int, territory_id int, quantity int',
	sales_person_quota_history => 'business_entity_id int, quota_date date, sales_quota numeric',
	internet_product => 'product_id int PRIMARY KEY, subcategory_id int, sku text, name text, cost numeric, price numeric');
says(join('', "CREATE SCHEMA aw;\n", map { "CREATE TABLE aw.$_ ($columns{$_});\n\\copy aw.$_ from '$data/$_.csv' with (format csv, header)\n" } @files)
	. "SELECT count(*) FROM aw.customer;\n", '19820', 'the customers are loaded');

my $account = <<'SQL';
    SELECT c.customer_id, coalesce(s.name, 'person ' || c.person_id) AS name, a.address_line1, a.city, a.postal_code,
           p.state_province_code, p.country_region_code, c.store_id IS NOT NULL AS reseller
      FROM aw.customer c
      JOIN aw.business_entity_address b ON b.business_entity_id = coalesce(c.store_id, c.person_id) AND b.address_type_id IN (2, 3)
      JOIN aw.address a USING (address_id)
      JOIN aw.state_province p USING (state_province_id)
      LEFT JOIN aw.store s ON s.business_entity_id = c.store_id
SQL
my $columns = 'customer_id int PRIMARY KEY, name text NOT NULL, address_line1 text, city text, postal_code text, state_province_code text, country_region_code text, reseller bool';
says(<<SQL, '19820', 'each of them has one address');
CREATE EXTENSION territory;
CREATE TABLE account ($columns);
INSERT INTO account $account;
SELECT count(*) FROM account;
SQL

# ---------- the tree and the rules ----------

says(<<'SQL', "1|1\n2|3\n3|6\n4|10", 'the tree: the world, three groups, six countries, ten territories');
SET search_path = public, territory;
CREATE TABLE place (level int, name text, parent text, grp text, country text, territory_id int, node_id int);
INSERT INTO node (parent_id, name) VALUES (NULL, 'World');
INSERT INTO node (parent_id, name) SELECT node_id('World'), g FROM (SELECT DISTINCT territory_group AS g FROM aw.sales_territory) s ORDER BY g;
INSERT INTO node (parent_id, name)
    SELECT DISTINCT n.id, c.name FROM aw.sales_territory t JOIN aw.country_region c USING (country_region_code)
      JOIN node n ON n.name = t.territory_group AND nlevel(n.path) = 2;
INSERT INTO node (parent_id, name)
    SELECT n.id, t.name FROM aw.sales_territory t JOIN aw.country_region c USING (country_region_code)
      JOIN node n ON n.name = c.name AND nlevel(n.path) = 3;
-- which node stands for which territory of the data
CREATE VIEW answer AS
    SELECT t.territory_id, n.id AS node_id FROM aw.sales_territory t JOIN territory.node n ON n.name = t.name AND territory.nlevel(n.path) = 4;
SELECT nlevel(path), count(*) FROM node GROUP BY 1 ORDER BY 1;
SQL

# Territories of a country with several are told apart by their states; the one territory of a country takes whom the
# country's gate lets through: its criteria are just true.
my $rules = <<'SQL';
INSERT INTO rule (object, node_id, name, criteria)
    SELECT 'OBJECT', n.id, 'group ' || n.name, format('country_region_code IN (%s)', string_agg(DISTINCT quote_literal(t.country_region_code), ', '))
      FROM aw.sales_territory t JOIN node n ON n.name = t.territory_group AND nlevel(n.path) = 2 GROUP BY n.id, n.name;
INSERT INTO rule (object, node_id, name, criteria)
    SELECT DISTINCT 'OBJECT'::regclass, n.id, 'country ' || n.name, format('country_region_code = %L', c.country_region_code)
      FROM aw.sales_territory t JOIN aw.country_region c USING (country_region_code) JOIN node n ON n.name = c.name AND nlevel(n.path) = 3;
INSERT INTO rule (object, node_id, name, criteria)
    SELECT 'OBJECT', a.node_id, 'states of ' || t.name,
           CASE WHEN count(*) OVER (PARTITION BY t.country_region_code) = 1 THEN 'true'
                ELSE (SELECT format('state_province_code IN (%s)', string_agg(quote_literal(p.state_province_code), ', ' ORDER BY p.state_province_code))
                        FROM aw.state_province p WHERE p.territory_id = t.territory_id AND p.country_region_code = t.country_region_code) END
      FROM aw.sales_territory t JOIN answer a USING (territory_id);
SQL
my $right = <<'SQL';
SELECT count(*) FILTER (WHERE node_id = right_one), count(*), count(DISTINCT key)
  FROM (SELECT s.customer_id AS key, s.node_id, a.node_id AS right_one
          FROM OBJECT_territory s JOIN aw.customer c USING (customer_id) JOIN answer a USING (territory_id)) x;
SQL
my $verify = "SELECT count(*) FROM territory.verify('OBJECT');\n";
sub on { my ($object, @text) = @_; return "SET search_path = public, territory;\n" . join('', map { s/OBJECT/$object/gr } @text) }

says("SELECT territory.attach('account');" . on('account', $rules, $right, $verify), "account_territory\n19820|19820|19820\n0",
	'rules after the customers: all 19,820 stand where the data says, and nowhere else');

says(on('account_late', "CREATE TABLE account_late ($columns);\nSELECT attach('account_late');\n", $rules,
		"\\copy (SELECT * FROM public.account ORDER BY md5(customer_id::text)) to '$folder/account.csv' with (format csv, header)\n",
		"\\copy account_late from '$folder/account.csv' with (format csv, header)\n", $right, $verify),
	"account_late_territory\n19820|19820|19820\n0", 'customers after the rules, by COPY: the same');

# ---------- changes ----------

# Europe has the territories 7, 8 and 10; with France's gate open all of them stand in France (7), and in their own
says(on('account', "UPDATE node SET cascade = false WHERE path = 'World.Europe.France';\n", <<'SQL', $verify, "UPDATE node SET cascade = true WHERE NOT cascade;\n", $right, $verify),
SELECT count(*) FILTER (WHERE s.node_id = a.node_id), count(*) FILTER (WHERE s.node_id <> a.node_id),
       string_agg(DISTINCT n.path::text, ',') FILTER (WHERE s.node_id <> a.node_id), string_agg(DISTINCT c.territory_id::text, ',') FILTER (WHERE s.node_id <> a.node_id)
  FROM account_territory s JOIN aw.customer c USING (customer_id) JOIN answer a USING (territory_id) JOIN node n ON n.id = s.node_id;
SQL
	"19820|" . sql('SELECT count(*) FROM aw.customer WHERE territory_id IN (8, 10)') . "|World.Europe.France.France|10,8\n0\n19820|19820|19820\n0",
	"with France's gate open all Europe stands in France too; with the gate shut all is right again");

says(on('account_late', "UPDATE account_late l SET state_province_code = p.state_province_code, country_region_code = p.country_region_code\n",
		"  FROM (SELECT row_number() OVER (ORDER BY state_province_id) AS n, p.* FROM aw.state_province p JOIN aw.sales_territory t ON t.territory_id = p.territory_id AND t.country_region_code = p.country_region_code) p\n",
		" WHERE p.n = 1 + l.customer_id % (SELECT count(*) FROM aw.state_province p JOIN aw.sales_territory t ON t.territory_id = p.territory_id AND t.country_region_code = p.country_region_code);\n",
		"SELECT count(*), count(*) FILTER (WHERE s.node_id = a.node_id) FROM account_late l JOIN aw.state_province p USING (country_region_code, state_province_code)\n",
		"  JOIN answer a USING (territory_id) JOIN account_late_territory s USING (customer_id);\n", $verify),
	"19820|19820\n0", 'all customers move to another state: every one comes to the territory of that state');

# ---------- orders ----------

# the totals of the type territory.rollup, and those of plain SQL, which walks up the tree by parent_id
sub rolled_up
{
	my ($sales, $count, $name) = @_;
	says(<<SQL, "$count\n0\n0\n20", $name);
SET search_path = public, territory;
CREATE TEMP VIEW sale AS $sales;
CREATE TEMP TABLE rolled AS
    SELECT e.* FROM (SELECT rollup(n.path, s.amount) AS r FROM sale s JOIN account_territory t USING (customer_id) JOIN node n ON n.id = t.node_id) x, each(x.r) e;
CREATE TEMP TABLE plain AS
    WITH RECURSIVE above AS (
        SELECT id AS node_id, id AS above_id FROM node
        UNION ALL
        SELECT a.node_id, n.parent_id FROM above a JOIN node n ON n.id = a.above_id WHERE n.parent_id IS NOT NULL),
    own AS (
        SELECT a.node_id, count(*) AS own_count, sum(s.amount) AS own_sum
          FROM sale s JOIN aw.customer c USING (customer_id) JOIN answer a USING (territory_id) GROUP BY 1)
    SELECT n.path, coalesce(max(o.own_count), 0) AS own_count, coalesce(max(o.own_sum), 0) AS own_sum, t.total_count, t.total_sum
      FROM (SELECT a.above_id, sum(w.own_count)::bigint AS total_count, sum(w.own_sum) AS total_sum FROM above a JOIN own w USING (node_id) GROUP BY 1) t
      JOIN node n ON n.id = t.above_id LEFT JOIN own o ON o.node_id = n.id GROUP BY n.path, t.total_count, t.total_sum;
SELECT total_count FROM rolled WHERE path = '';
SELECT count(*) FROM (SELECT path, own_count, own_sum, total_count, total_sum FROM rolled WHERE path <> '' EXCEPT SELECT * FROM plain) x;
SELECT count(*) FROM (SELECT * FROM plain EXCEPT SELECT path, own_count, own_sum, total_count, total_sum FROM rolled) x;
CREATE TEMP TABLE whole AS SELECT rollup(n.path, s.amount) AS r FROM sale s JOIN account_territory t USING (customer_id) JOIN node n ON n.id = t.node_id;
SELECT count(*) FROM rolled r, whole w WHERE r.path <> '' AND r.total_sum = w.r -> r.path
    AND r.total_sum = r.own_sum + (SELECT coalesce(sum(c.total_sum), 0) FROM rolled c WHERE c.path <> '' AND parent(c.path) = r.path);
SQL
}
rolled_up('SELECT customer_id, subtotal AS amount FROM aw.sales_order_sample', 1566, '1,566 orders rolled up: every level has the sum of plain SQL');
rolled_up('SELECT l.customer_id, l.quantity * p.price AS amount FROM aw.internet_sales_line l JOIN aw.internet_product p USING (product_id)',
	56046, '56,046 order lines rolled up: every level has the sum of plain SQL');


# ---------- forecasts ----------

# The orders are deals of their customers. They are of 2011, the quotas of 2022 on: eleven years are added to the former.
# A quota is for the time until the next one; these times are periods of a kind of their own.
says(<<'SQL', "1566|1566\n12|4|12", 'orders are deals, in the territories of their customers; periods from the dates of the quotas');
SET search_path = public, territory;
CREATE TABLE sales_order AS
    SELECT sales_order_id, customer_id, sales_person_id, (order_date + interval '11 years')::date AS ordered, subtotal, online_order FROM aw.sales_order_sample;
ALTER TABLE sales_order ADD PRIMARY KEY (sales_order_id);
CREATE INDEX ON sales_order (customer_id);
DO $$BEGIN
    PERFORM attach('sales_order', 'deal', parent => 'account', parent_key => 'customer_id', owner => 'sales_person_id', amount => 'subtotal',
                   close_date => 'ordered', category => $q$'closed'$q$);
    PERFORM make_periods('quarter', '2022-01-01', '2022-12-31');
    PERFORM make_periods('month', '2022-01-01', '2022-12-31');
END$$;
INSERT INTO period (name, kind, starts, ends)
    SELECT 'quota ' || quota_date, 'quota', quota_date, coalesce(lead(quota_date) OVER (ORDER BY quota_date), quota_date + 90)
      FROM (SELECT DISTINCT quota_date FROM aw.sales_person_quota_history) q;
INSERT INTO target (node_id, period_id, member, amount)
    SELECT node_id('World'), p.id, q.business_entity_id, q.sales_quota FROM aw.sales_person_quota_history q JOIN period p ON p.kind = 'quota' AND p.starts = q.quota_date;
SELECT count(*), count(*) FILTER (WHERE t.node_id = a.node_id)
  FROM sales_order o JOIN sales_order_territory t USING (sales_order_id) JOIN aw.customer c USING (customer_id) JOIN answer a USING (territory_id);
SELECT count(*) FILTER (WHERE kind = 'month'), count(*) FILTER (WHERE kind = 'quarter'), count(*) FILTER (WHERE kind = 'quota') FROM period;
SQL

my $plain = <<'SQL';
SET search_path = public, territory;
CREATE TEMP TABLE plain AS
    WITH RECURSIVE above AS (
        SELECT id AS node_id, id AS above_id FROM node
        UNION ALL
        SELECT a.node_id, n.parent_id FROM above a JOIN node n ON n.id = a.above_id WHERE n.parent_id IS NOT NULL)
    SELECT n.path, p.name AS period, nlevel(n.path) AS depth, coalesce(sum(o.subtotal), 0) AS closed, count(o.*) AS deals,
           coalesce(sum(o.subtotal) FILTER (WHERE w.node_id = n.id), 0) AS own_closed
      FROM node n
     CROSS JOIN period p
      LEFT JOIN (above a JOIN answer w ON w.node_id = a.node_id JOIN aw.customer c USING (territory_id) JOIN sales_order o USING (customer_id))
             ON a.above_id = n.id AND o.ordered >= p.starts AND o.ordered < p.ends
     GROUP BY n.id, n.path, p.name;
SQL
says($plain . <<'SQL', "1|24|24\n2|72|72\n3|144|144\n4|240|240", 'closed, deals and own_closed are those of GROUP BY at every level of the tree');
SELECT depth, count(*), count(*) FILTER (WHERE f.closed = p.closed AND f.deals = p.deals AND f.own_closed = p.own_closed)
  FROM plain p LEFT JOIN forecast f USING (path, period, depth) JOIN period q ON q.name = p.period AND q.kind IN ('month', 'quarter', 'quota') AND (q.kind <> 'month' OR q.starts >= '2022-05-01')
 GROUP BY 1 ORDER BY 1;
SQL

says(<<'SQL', "163|163|t", 'attainment per sales person and quota is the plain computation');
SET search_path = public, territory;
CREATE TEMP TABLE attained AS
    SELECT q.business_entity_id::text AS member, p.name AS period, q.sales_quota AS target, coalesce(sum(o.subtotal), 0) AS closed
      FROM aw.sales_person_quota_history q
      JOIN period p ON p.starts = q.quota_date AND p.kind = 'quota'
      LEFT JOIN sales_order o ON o.sales_person_id = q.business_entity_id AND o.ordered >= p.starts AND o.ordered < p.ends
     GROUP BY 1, 2, 3;
SELECT count(*), count(*) FILTER (WHERE l.target = a.target AND l.closed = a.closed AND l.achieved_pct = round(100 * a.closed / a.target, 2)
                                    AND l.at_target = (a.closed >= a.target) AND l.gap = a.target - a.closed),
       bool_or(a.closed > 0)
  FROM attained a LEFT JOIN leaderboard l USING (member, period);
SQL

says(<<'SQL', "t\n0", 'top performers are those at or above their quota; every order has a territory');
SET search_path = public, territory;
SELECT (SELECT count(*) FROM report_performer WHERE period_kind = 'quota')
     = (SELECT count(*) FROM (SELECT q.business_entity_id FROM aw.sales_person_quota_history q JOIN period p ON p.starts = q.quota_date AND p.kind = 'quota'
                                LEFT JOIN sales_order o ON o.sales_person_id = q.business_entity_id AND o.ordered >= p.starts AND o.ordered < p.ends
                               GROUP BY q.business_entity_id, p.name, q.sales_quota HAVING coalesce(sum(o.subtotal), 0) >= q.sales_quota) x);
SELECT count(*) FROM report_issue WHERE issue ~ 'no territory';
SQL

done_testing();
