#!/usr/bin/perl
# pg_dump and pg_restore in all their ways give back the same state: every row of the extension's tables and of the
# assignment tables byte for byte, nothing evaluated on the way; and what was restored works on.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use lib dirname(__FILE__);
use Psql;
use Test::More;

my $source = 'territory_dump';
my $target = 'territory_restored';
my $folder = tempdir(CLEANUP => 1);

# run(COMMAND...): its output, and whether it ended well
sub run
{
	my @command = @_;
	my $pid = open my $out, '-|';
	die "fork: $!" unless defined $pid;
	if (!$pid)
	{
		open STDERR, '>&', \*STDOUT;
		exec @command or exit 127;
	}
	my $answer = do { local $/; <$out> } // '';
	return ($answer, close $out);
}

# run_ok(WHAT, COMMAND...): a test that the command ends well and says nothing
sub run_ok
{
	my ($what, @command) = @_;
	my ($answer, $ok) = run(@command);
	return ok($ok && $answer eq '', $what) || diag "@command\n$answer";
}

# reversed(ARCHIVE): a list for pg_restore -L with the data of the tables in reverse, as parallel workers may load them
sub reversed
{
	my ($archive) = @_;
	my @lines = map { "$_\n" } grep { !/^;/ } split /\n/, (run('pg_restore', '-l', $archive))[0];
	my @data = reverse grep { / TABLE DATA / } @lines;
	open my $list, '>', "$folder/list" or die $!;
	print $list map { / TABLE DATA / ? shift @data : $_ } @lines;
	close $list or die $!;
	return "$folder/list";
}

my $crm = q{"Sales Team"."Client's accounts"};
my $schema = <<'SQL';
CREATE SCHEMA "Sales Team";
CREATE TABLE "Sales Team"."Client's accounts" ("Key" text PRIMARY KEY, "Country ""code""" text, size int, joined date, seen timestamptz, note text DEFAULT 'a\b');
CREATE TABLE lead (id bigint, region int, amount numeric(12,2), tags text[], person varchar(20), PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE lead_1 PARTITION OF lead FOR VALUES IN (1);
CREATE TABLE lead_2 (person varchar(20), tags text[], amount numeric(12,2), gone int, region int NOT NULL, id bigint NOT NULL);
ALTER TABLE lead_2 DROP COLUMN gone;
ALTER TABLE lead ATTACH PARTITION lead_2 FOR VALUES IN (2);
SELECT territory.attach('"Sales Team"."Client''s accounts"');
SELECT territory.attach('lead', kind => 'lead', key => 'id', mode => 'all', owner => 'person');
INSERT INTO territory.node (path, description, priority, cascade) VALUES
    ('World', 'all', 0, true), ('World."St. Louis"', 'it''s quoted', 1, true), ('World.Île-de-France', NULL, 2, false),
    ('World.Île-de-France."say ""hi"""', E'tab\there', 3, true), ('Top', NULL, 0, true), ('Top.Down', NULL, 0, true);
SET DateStyle = 'SQL, DMY';
INSERT INTO territory.rule (node_id, object, name, criteria, active) VALUES
    (territory.node_id('World'), '"Sales Team"."Client''s accounts"', 'gate', 'size > 3', true),
    (territory.node_id('World."St. Louis"'), '"Sales Team"."Client''s accounts"', E'o''x\ny', $$"Country ""code""" = 'U''S' OR note LIKE '%\\%'$$, true),
    (territory.node_id('World.Île-de-France'), '"Sales Team"."Client''s accounts"', NULL, $$joined >= '01/02/2026' AND "Country ""code""" <> 'NL'$$, true),
    (territory.node_id('World.Île-de-France."say ""hi"""'), '"Sales Team"."Client''s accounts"', NULL, $$seen > '2026-03-01 12:00'$$, true),
    (territory.node_id('Top'), '"Sales Team"."Client''s accounts"', NULL, 'size < 100', false),
    (territory.node_id('Top'), 'lead', NULL, 'amount > 10', true),
    (territory.node_id('Top.Down'), 'lead', NULL, $$'a' = ANY (tags)$$, true);
INSERT INTO "Sales Team"."Client's accounts" SELECT 'key ' || i, (ARRAY['U''S', 'NL', 'FR'])[1 + i % 3], i % 8, date '2026-01-15' + i, timestamptz '2026-02-20 00:00+00' + i * interval '7 hours'
  FROM generate_series(1, 60) i;
INSERT INTO lead SELECT i, 1 + i % 2, i, CASE WHEN i % 3 = 0 THEN '{a,b}'::text[] END FROM generate_series(1, 40) i;
CREATE TABLE "Contact" (id int PRIMARY KEY, account text);
CREATE INDEX ON "Contact" (account);
CREATE TABLE deal (id int PRIMARY KEY, contact bigint, seller text, stage text);
CREATE INDEX ON deal (contact);
SELECT territory.attach('"Contact"', 'contact', parent => '"Sales Team"."Client''s accounts"', parent_key => 'account');
ALTER TABLE deal ADD amount numeric DEFAULT 10, ADD closes date DEFAULT '2026-05-05', ADD currency text DEFAULT 'EUR';
SELECT territory.attach('deal', 'deal', parent => '"Contact"', parent_key => 'contact', owner => 'seller', category => 'stage', amount => 'amount', close_date => 'closes', currency => 'currency');
INSERT INTO "Contact" SELECT i, 'key ' || i FROM generate_series(1, 60) i;
INSERT INTO deal SELECT i, i, 'ann', CASE WHEN i % 2 = 0 THEN 'closed' ELSE 'commit' END FROM generate_series(1, 60) i;
-- what closed deals keep
UPDATE "Sales Team"."Client's accounts" SET size = 0 WHERE "Key" LIKE '%4';
INSERT INTO territory.exclusion (object, key, node_id, note) VALUES
    ('"Sales Team"."Client''s accounts"', 'key 7', NULL, 'not "him"'),
    ('"Sales Team"."Client''s accounts"', 'key 8', territory.node_id('World.Île-de-France'), NULL), ('lead', '12', NULL, NULL);
INSERT INTO territory.distribution (object, node_id) VALUES ('lead', territory.node_id('Top'));
INSERT INTO territory.distribution_log (object, key, node_id, path, member, reason, at) VALUES ('lead', '1', 1, 'Top', 'ann', E'a\tb', '2026-01-01 00:00+00');
INSERT INTO territory.pair_check (name, object, kind, bound, amount) VALUES
    ('a "few"', 'lead', 'records_per_node', 39, NULL), ('much', '"Sales Team"."Client''s accounts"', 'amount_per_node', 1000, 'size + 0.5');
INSERT INTO territory.member (node_id, member, role, access, weight, capacity, starts, ends) VALUES
    (territory.node_id('World'), 'o''neill "x"', 'manager', 'write', 0.5, 7, '01/02/2026', '01/03/2026'), (territory.node_id('Top.Down'), 'ann', 'member', 'read', 1, NULL, NULL, NULL);
-- forecasts
SELECT territory.make_periods('quarter', '2026-01-01', '2026-12-31');
SELECT territory.make_periods('month', '2026-04-01', '2026-06-30');
INSERT INTO territory.forecast_def (name, object, measure, filter, currency) VALUES ('amount', NULL, 'amount', NULL, 'EUR'), ('a "few"', 'deal', 'count', 'seller = ''ann'' AND closes > ''01/02/2026''', NULL);
INSERT INTO territory.forecast_def (name, object, measure, quantity) VALUES ('pieces', 'deal', 'quantity', 'amount / 3');
INSERT INTO territory.exchange_rate (currency, reporting, starts, rate) VALUES ('USD', 'EUR', '01/02/2026', 0.925);
INSERT INTO territory.target (node_id, period_id, member, metric, amount) SELECT territory.node_id('World'), id, m, 'amount', 12.50 FROM territory.period, (VALUES (NULL), ('o''neill "x"')) v(m);
INSERT INTO territory.adjustment (node_id, period_id, amount, note) SELECT territory.node_id('World'), id, -1.5, E'why\\not' FROM territory.period;
INSERT INTO territory.deal_share (object, key, member, kind, share) VALUES ('deal', '3', 'ann', 'revenue', 0.25), ('deal', '3', 'bob', 'revenue', 0.75), ('deal', '4', 'cy', 'overlay', 1);
SELECT territory.snapshot_forecast('amount', 'before "it"');
SELECT territory.assign('lead', ARRAY['3', '5'], 'Top.Down'), territory.assign('"Sales Team"."Client''s accounts"', 'key 9', 'Top');
SELECT territory.run('lead');
SELECT territory.run('"Sales Team"."Client''s accounts"', "only" => 'size > 5');
-- history
UPDATE lead SET amount = 5, tags = '{a}' WHERE id < 10;
DELETE FROM lead WHERE id = 20;
INSERT INTO territory.node (path) VALUES ('World.Gone');
INSERT INTO territory.rule (node_id, object, name, criteria) VALUES (territory.node_id('World.Gone'), 'lead', 'gone', 'id = 21');
DELETE FROM territory.rule WHERE name = 'gone';
DELETE FROM territory.node WHERE name = 'Gone';
-- children before parents in the table
UPDATE territory.node SET description = coalesce(description, '') || '!' WHERE parent_id IS NULL;
-- what a re-evaluation would change: nobody may evaluate on the way
SET territory.defer_runs = on;
UPDATE territory.rule SET criteria = 'amount > 20' WHERE criteria = 'amount > 10';
RESET territory.defer_runs;
SELECT territory.run('lead', "only" => 'amount < 15');
SQL

# state(SESSION, ATTACHED TABLE...): everything, as text
sub state
{
	my ($session, @tables) = @_;
	my $text = '';
	for my $query ('SELECT * FROM territory.model ORDER BY id', 'SELECT * FROM territory.node ORDER BY id',
		'SELECT * FROM territory.object ORDER BY object::text', 'SELECT * FROM territory.rule ORDER BY id',
		'SELECT * FROM territory.exclusion ORDER BY id', 'SELECT * FROM territory.run_log ORDER BY id',
		(map { "SELECT * FROM territory.$_ ORDER BY id" } qw(member pair_check distribution distribution_log period target adjustment forecast_def exchange_rate deal_share snapshot)),
		'SELECT * FROM territory.snapshot_node ORDER BY 1, 2', 'SELECT * FROM territory.snapshot_figure ORDER BY 1, 2, 3', 'SELECT * FROM territory.snapshot_deal ORDER BY 1, 2, 3',
		'SELECT * FROM territory.forecast_all ORDER BY forecast, path, period', 'SELECT * FROM territory.forecast_member_all ORDER BY forecast, path, member, period',
		'SELECT * FROM territory.change ORDER BY at', 'SELECT * FROM territory.former_node ORDER BY id', 'SELECT * FROM territory.audit ORDER BY id',
		'SELECT * FROM territory.history ORDER BY object::text, key, node_id, during',
		(map { "SELECT * FROM $_ ORDER BY 1, 2" } @tables, map { s/("?)$/_territory$1/r } @tables),
		(map { "SELECT * FROM $_ ORDER BY 1, 2, since, until" } map { s/("?)$/_territory_history$1/r } @tables),
		(map { "SELECT '$_', last_value, is_called FROM territory.${_}_id_seq" } qw(model node rule exclusion member pair_check distribution distribution_log run_log audit period target adjustment forecast_def exchange_rate deal_share snapshot)))
	{
		my $answer = $session->query("SET search_path = public; SET DateStyle = ISO; SET TimeZone = UTC; $query");
		die "$query: $answer" if $answer =~ /ERROR/;
		$text .= "-- $query\n$answer\n";
	}
	return $text;
}
sub triggers
{
	my ($session) = @_;
	return $session->query("SELECT tgrelid::regclass || ' ' || tgname || ' ' || tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgrelid::regclass::text, tgname");
}

# works(WHAT, DATABASE): the restored database works on
sub works
{
	my ($what, $database, %known) = @_;
	my $session = Psql->new($database);
	my @wrong = map { $session->query("SELECT count(*) FROM territory.verify('$_')") } $crm =~ s/'/''/gr, 'lead', '"Contact"', 'deal';
	is("@wrong", $known{wrong} // '0 0 0 0', "$what: verify finds what it found in the source");
	like($session->query("SELECT territory.run('lead'); SELECT count(*) FROM territory.verify('lead')"), qr/^0\z/m, "$what: a run settles it");
	is($session->query("INSERT INTO $crm VALUES ('new', 'U''S', 5); SELECT string_agg(path::text, ' ') FROM territory.assignment WHERE key = 'new'"),
		'World."St. Louis"', "$what: a new record finds its territory");
	is($session->query("INSERT INTO lead VALUES (100, 2, 50, '{a}'); SELECT string_agg(path::text, ' ' ORDER BY path) FROM territory.assignment WHERE key = '100'"),
		'Top Top.Down', "$what: a new record of a partition");
	is($session->query("INSERT INTO \"Contact\" VALUES (100, 'new'); INSERT INTO deal VALUES (100, 100, 'x', 'commit'); SELECT string_agg(path::text, ' ') FROM territory.assignment WHERE object = 'deal'::regclass AND key = '100'"),
		'World."St. Louis"', "$what: a new deal has the territory of its account");
	like($session->query("UPDATE territory.target SET amount = 13 WHERE member IS NULL; SELECT deals > 0 AND target = 13 FROM territory.forecast WHERE path_text = 'World' AND period = '2026-Q2'"), qr/^t\z/m, "$what: the forecast works");
	like($session->query("UPDATE territory.rule SET criteria = 'size > 6' WHERE name = 'gate'; SELECT count(*) FROM territory.assignment WHERE key = 'new'"),
		qr/^0$/, "$what: a changed rule re-assigns");
	is($session->query("SELECT count(*) FROM territory.verify('" . ($crm =~ s/'/''/gr) . "')"), 0, "$what: nothing wrong then");
	is($session->query('INSERT INTO territory.node (path) VALUES (\'World.Later\') RETURNING id > (SELECT max(id) FROM territory.node) AND parent_id = territory.node_id(\'World\')'),
		't', "$what: sequences go on");
	is($session->query("UPDATE territory.node SET name = 'Earth' WHERE id = territory.node_id('World'); SELECT count(*) FROM territory.node WHERE path::text LIKE 'Earth%'"),
		5, "$what: the tree moves");
	is($session->query("TRUNCATE lead; SELECT count(*) FROM lead_territory"), 0, "$what: TRUNCATE is followed");
	unlike($session->query("SELECT territory.detach('lead')"), qr/ERROR/, "$what: detach works");
	$session->close;
	return;
}

# same(WHAT, STATE, TRIGGERS): the target is as the source was
sub same
{
	my ($what, $state, $triggers) = @_;
	my $session = Psql->new($target);
	my $now = eval { state($session, $crm, 'lead', '"Contact"', 'deal') } // "failed: $@";
	if (!ok($now eq $state, "$what: the same state"))
	{
		my %was = map { $_ => 1 } split /\n/, $state;
		my %is = map { $_ => 1 } split /\n/, $now;
		diag join "\n", (map { "- $_" } grep { !$is{$_} } sort keys %was), (map { "+ $_" } grep { !$was{$_} } sort keys %is);
	}
	is(triggers($session), $triggers, "$what: the same triggers") if defined $triggers;
	$session->close;
	return;
}

sub fresh { return Psql::fresh_database($target, 1) }

Psql::fresh_database($source);
my $one = Psql->new($source);
for my $statement (split /;\n/, $schema) { $one->do($statement) }
my $wrong = join ' ', map { $one->query("SELECT count(*) FROM territory.verify('$_')") } $crm =~ s/'/''/gr, 'lead', '"Contact"', 'deal';
like($wrong, qr/^0 [1-9]\d* 0 0$/, 'the source has what a re-evaluation would change');
my $state = state($one, $crm, 'lead', '"Contact"', 'deal');
cmp_ok($one->query('SELECT count(*) FROM deal_territory'), '>', 10, 'deals have territories');
my $triggers = triggers($one);
like($state, qr/"Client's accounts"/, 'the state is there');
cmp_ok($one->query("SELECT count(*) FROM territory.history WHERE upper(during) IS NOT NULL AND end_cause IS NOT NULL"), '>', 5, 'pairs that ended among it');
is($one->query("SELECT count(*) FROM territory.history WHERE path::text = 'World.Gone'"), 1, 'one of them was in a node that is gone');

sub dumped { return "$folder/$_[0]" }
run_ok('dump: plain', 'pg_dump', '-f', dumped('plain'), $source);
run_ok('dump: inserts', 'pg_dump', '--column-inserts', '--rows-per-insert=3', '-f', dumped('inserts'), $source);
run_ok('dump: custom', 'pg_dump', '-Fc', '-f', dumped('custom'), $source);
run_ok('dump: directory, two jobs', 'pg_dump', '-Fd', '-j2', '-f', dumped('directory'), $source);
run_ok('dump: schema only', 'pg_dump', '--schema-only', '-f', dumped('schema'), $source);
run_ok('dump: data only', 'pg_dump', '--data-only', '-f', dumped('data'), $source);
my ($warned, $ok) = run('pg_dump', '--data-only', '--disable-triggers', '-f', dumped('data_disabled'), $source);
ok($ok, 'dump: data only, --disable-triggers') or diag $warned;

my @psql = ('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', $target, '-f');
my @restore = ('pg_restore', '--exit-on-error', '-d', $target);
my @ways = (
	['psql', [@psql, dumped('plain')]],
	['psql in one transaction', [@psql, dumped('plain'), '-1']],
	['psql, inserts', [@psql, dumped('inserts')]],
	['pg_restore', [@restore, dumped('custom')]],
	['pg_restore in one transaction', [@restore, '-1', dumped('custom')]],
	['pg_restore, four jobs', [@restore, '-j4', dumped('directory')]],
	['pg_restore by sections', [@restore, '--section=pre-data', dumped('custom')], [@restore, '-j2', '--section=data', dumped('custom')], [@restore, '-j2', '--section=post-data', dumped('custom')]],
	['pg_restore, tables in reverse', [@restore, '-L', reversed(dumped('custom')), dumped('custom')]],
	['schema, then data', [@psql, dumped('schema')], [@psql, dumped('data')]],
	['schema, then data by pg_restore -j4', [@restore, '--schema-only', dumped('directory')], [@restore, '--data-only', '-j4', dumped('directory')]],
);
for (@ways)
{
	my ($what, @commands) = @$_;
	fresh();
	run_ok("$what: restored", @$_) for @commands;
	same($what, $state, $triggers);
	works($what, $target, wrong => $wrong);
}

# --disable-triggers, which the README advises against: the row of the default model is there already and is not replaced,
# and PostgreSQL enables triggers otherwise than they were. The rest comes back.
for (['schema, then data, --disable-triggers', [@psql, dumped('schema')], ['psql', '-Xq', '-o', '/dev/null', '-d', $target, '-f', dumped('data_disabled')]],
	['schema, then data by pg_restore -j4 --disable-triggers', [@restore, '--schema-only', dumped('directory')], ['pg_restore', '-d', $target, '--data-only', '--disable-triggers', '-j4', dumped('directory')]])
{
	my ($what, $schema_only, $data_only) = @$_;
	fresh();
	run_ok("$what: restored", @$schema_only);
	my ($answer) = run(@$data_only);
	is(scalar(() = $answer =~ /ERROR: /g), 1, "$what: one error") or diag $answer;
	like($answer, qr/model_pkey/, "$what: it is about the default model");
	same($what, $state);
	works($what, $target, wrong => $wrong);
}

# a dump of what was restored is the same dump
fresh();
run_ok('again: restored', @psql, dumped('plain'));
run_ok('again: dumped', 'pg_dump', '-f', dumped('again'), $target);
my ($first, $second) = map { open my $f, '<', $_ or die; join '', grep { !/^\\(un)?restrict / } <$f> } dumped('plain'), dumped('again');
ok($first eq $second, 'a dump of what was restored is the same dump');

# the default model renamed, deleted, its name given to another; another one active; many models
my $more = "INSERT INTO territory.model (name, state, description) VALUES ('next''s', 'planning', E'x\\ty');"
  . " INSERT INTO territory.node (model_id, path) SELECT id, 'N' FROM territory.model WHERE name = 'next''s';"
  . " INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('N', 'next''s'), 'account', 'country = ''NL''');";
my $activate = " UPDATE territory.model SET state = CASE name WHEN 'next''s' THEN 'active' ELSE 'archived' END;";
my %models = (
	'renamed' => "UPDATE territory.model SET name = 'old', description = 'x', time_zone = 'Asia/Tokyo';",
	'another active' => $more . $activate,
	'another active, then touched' => "$more$activate UPDATE territory.model SET description = 'touched' WHERE id = 1;",
	'another has the name' => "$more UPDATE territory.model SET name = 'old' WHERE id = 1; UPDATE territory.model SET name = 'default' WHERE name = 'next''s'; UPDATE territory.model SET description = 'moved to the end' WHERE id = 1;",
	'two names exchanged, active' => "$more$activate UPDATE territory.model SET name = 'old' WHERE id = 1; UPDATE territory.model SET name = 'default' WHERE name = 'next''s'; UPDATE territory.model SET description = 'moved to the end' WHERE id = 1;",
	'deleted' => "$more$activate DELETE FROM territory.rule WHERE node_id IN (SELECT id FROM territory.node WHERE model_id = 1); DELETE FROM territory.node WHERE model_id = 1; DELETE FROM territory.model WHERE id = 1;",
	'none but the default' => '');
for my $case (sort keys %models)
{
	Psql::fresh_database($source);
	my $session = Psql->new($source);
	$session->do(q{CREATE TABLE account (id int PRIMARY KEY, country text); DO $$BEGIN PERFORM territory.attach('account'); END$$;
		INSERT INTO territory.node (path) VALUES ('A'), ('A.B'); INSERT INTO account VALUES (1, 'NL'), (2, 'BE');
		INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('A'), 'account', 'country <> ''BE''');});
	$session->do($models{$case}) if $models{$case};
	my $before = state($session, 'account');
	$session->close;
	unlink map { dumped($_) } qw(m_plain m_custom);
	run_ok("model $case: dumped", 'pg_dump', '-f', dumped('m_plain'), $source);
	run_ok("model $case: dumped", 'pg_dump', '-Fc', '-f', dumped('m_custom'), $source);
	for (['psql', [@psql, dumped('m_plain')]], ['tables in reverse', [@restore, '-L', reversed(dumped('m_custom')), dumped('m_custom')]], ['pg_restore -j2', [@restore, '-j2', dumped('m_custom')]],
		['--clean over what is there', [@restore, dumped('m_custom')], [@restore, '--clean', '--if-exists', dumped('m_custom')]],
		['data only', [@restore, '--schema-only', dumped('m_custom')], [@restore, '--data-only', dumped('m_custom')]])
	{
		my ($way, @commands) = @$_;
		fresh();
		run_ok("model $case, $way: restored", @$_) for @commands;
		my $restored = Psql->new($target);
		is(eval { state($restored, 'account') } // $@, $before, "model $case, $way: the same");
		is($restored->query("SELECT count(*) FROM territory.verify('account')"), 0, "model $case, $way: nothing wrong");
		unlike($restored->query("INSERT INTO territory.model (name) VALUES ('one more'); INSERT INTO account VALUES (3, 'NL')"), qr/ERROR/, "model $case, $way: works on");
		$restored->close;
	}
}

# who is no superuser: the owner of the database and of the tables, who was given the extension's tables
$one->close;
my $super = Psql->new('postgres');
$super->do('SET client_min_messages = error', "DROP DATABASE IF EXISTS $source WITH (FORCE)", "DROP DATABASE IF EXISTS $target WITH (FORCE)",
	'DROP ROLE IF EXISTS territory_dump_owner', 'CREATE ROLE territory_dump_owner LOGIN',
	map { "CREATE DATABASE $_ OWNER territory_dump_owner TEMPLATE template0" } $source, $target);
my $grants = <<'SQL';
CREATE EXTENSION territory;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA territory TO territory_dump_owner;
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA territory TO territory_dump_owner;
SQL
Psql->new($source)->do($grants);
{
	local $ENV{PGUSER} = 'territory_dump_owner';
	my $session = Psql->new($source);
	for my $statement (split /;\n/, $schema) { $session->do($statement) }
	$state = state($session, $crm, 'lead', '"Contact"', 'deal');
	$triggers = triggers($session);
	$session->close;
	run_ok('no superuser: dumped, custom', 'pg_dump', '-Fc', '-f', dumped('owner_custom'), $source);
	run_ok('no superuser: dumped, two jobs', 'pg_dump', '-Fd', '-j2', '-f', dumped('owner_directory'), $source);
}
run_ok('no superuser: a superuser restores it', @restore, '-j4', dumped('owner_directory'));
same('no superuser', $state, $triggers);
my $session = Psql->new($target);
is($session->query("SELECT count(*) FROM pg_tables WHERE tableowner = 'territory_dump_owner'"), 14, 'no superuser: tables have their owner');
is($session->query("SET ROLE territory_dump_owner; INSERT INTO $crm VALUES ('new', 'U''S', 5); SELECT string_agg(path::text, ' ') FROM territory.assignment WHERE key = 'new'"),
	'World."St. Louis"', 'no superuser: a new record finds its territory');
like($session->query("UPDATE territory.rule SET criteria = 'size > 6' WHERE name = 'gate'; SELECT count(*) FROM territory.assignment WHERE key = 'new'"),
	qr/^0$/, 'no superuser: a changed rule re-assigns');
$session->close;

$super->do("DROP DATABASE $source", "DROP DATABASE $target", 'DROP ROLE territory_dump_owner');
$super->close;
done_testing();
