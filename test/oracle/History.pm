# History.pm: makes a random world for test/tap/history.pl: an attached table, a tree, rules, and random transactions, as
# text for psql. The same seed makes the same text. After each transaction the pairs are remembered (test/oracle/history.sql).
package History;
use strict;
use warnings;

sub rnd { int rand $_[0] }
sub chance { rand() < $_[0] }
sub pick { $_[ rnd(scalar @_) ] }

my @conditions = (
	(map { "country = '$_'" } qw(NL BE DE FR)), "country IN ('NL', 'BE')", "country IN ('DE', 'FR', 'BE')", 'size > 5', 'size > 2 AND country <> \'NL\'',
	'size BETWEEN 3 AND 6', 'id % 2 = 0', 'id < 20', 'true', 'size IS NULL', "country LIKE 'N%' OR size = 1");

sub new
{
	my ($class, $seed, $steps) = @_;
	srand $seed;
	my $self = bless { seed => $seed, node => [], rule => 0, text => '', step => 0 }, $class;
	$self->setup;
	$self->transaction for 1 .. $steps;
	return $self;
}

sub say { my ($self, @sql) = @_; $self->{text} .= "$_;\n" for @sql }

sub setup
{
	my ($self) = @_;
	my $mode = pick('deepest', 'deepest', 'all', 'first');
	$self->say("CREATE TABLE h.acc (id int PRIMARY KEY, ident serial UNIQUE, country text, size int)" ,
		"CREATE TRIGGER zz_key AFTER INSERT OR UPDATE OF id ON h.acc FOR EACH ROW EXECUTE FUNCTION h.note_key()",
		"SELECT territory.attach('h.acc', mode => '$mode')");
	# where the engine may not write past the executor
	$self->say("CREATE FUNCTION h.nothing() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN RETURN coalesce(NEW, OLD); END\$\$",
		"CREATE TRIGGER nothing BEFORE INSERT OR UPDATE OR DELETE ON h." . pick('acc_territory', 'acc_territory_history') . ' FOR EACH ROW EXECUTE FUNCTION h.nothing()') if chance(0.3);
	$self->say('CREATE INDEX ON h.acc_territory_history (node_id, until)') if chance(0.3);
	$self->say("ALTER TABLE h.acc_territory_history ADD COLUMN remark text") if chance(0.1);
	for my $id (1 .. 6 + rnd(6))
	{
		my @above = @{ $self->{node} };
		$self->say("INSERT INTO territory.node (id, parent_id, name, cascade) VALUES ($id, " . (@above && chance(0.8) ? pick(@above) : 'NULL') . ", 'n$id', " . pick('true', 'true', 'false') . ')');
		push @{ $self->{node} }, $id;
	}
	$self->say($self->rule) for 1 .. 5 + rnd(12);
}

sub any_node { my ($self) = @_; pick(@{ $self->{node} }) }
sub quote { my ($s) = @_; $s =~ s/'/''/g; "'$s'" }
sub condition { my $c = pick(@conditions); chance(0.2) ? "$c AND " . pick(@conditions) : $c }
sub rule { my ($self) = @_; my $id = ++$self->{rule}; $id = 1000 - $id if chance(0.3); "INSERT INTO territory.rule (id, node_id, object, criteria) VALUES ($id, " . $self->any_node . ", 'h.acc', " . quote(condition()) . ')' }
sub values_ { '(' . join(', ', $_[0], pick(qw('NL' 'BE' 'DE' 'FR' NULL)), pick(0 .. 9, 'NULL')) . ')' }
sub number { 1 + rnd(40) }
sub where { pick('id = ' . number(), 'id = ' . number(), 'id IN (' . join(', ', map { number() } 1 .. 4) . ')', 'id % 5 = ' . rnd(5), 'size = ' . rnd(9), 'id >= 1000 AND id % 3 = ' . rnd(3), 'true') }
sub set { join ', ', pick('size = ' . rnd(10), 'size = size + 1', 'country = ' . pick(qw('NL' 'BE' 'DE' 'FR' NULL)), "country = 'NL', size = 7", 'size = NULL') }

sub record_step
{
	my ($self) = @_;
	my $what = rnd(20);
	return 'INSERT INTO h.acc (id, country, size) VALUES ' . values_(number()) if $what < 4;
	return 'INSERT INTO h.acc (id, country, size) SELECT i, ' . pick("'NL'", "(ARRAY['NL', 'BE', 'DE'])[1 + i % 3]") . ', i % 8 FROM generate_series(' . number() . ', 40) i ON CONFLICT DO NOTHING' if $what < 6;
	return 'INSERT INTO h.acc (id, country, size) VALUES ' . join(', ', map { values_($_) } 1 + rnd(10), 11 + rnd(10)) . ' ON CONFLICT (id) DO UPDATE SET country = EXCLUDED.country, size = EXCLUDED.size' if $what < 8;
	return 'UPDATE h.acc SET id = nextval(\'h.fresh\')' . (chance(0.4) ? ', ' . set() : '') . ' WHERE ' . where() if $what < 10;
	return 'DELETE FROM h.acc WHERE ' . where() if $what < 13;
	return 'TRUNCATE h.acc' if $what == 13 && chance(0.15);
	return 'WITH d AS (DELETE FROM h.acc WHERE ' . where() . ') UPDATE h.acc SET ' . set() . ' WHERE ' . where() if $what == 14;
	return 'UPDATE h.acc SET ' . set() . ' WHERE ' . where();
}

sub other_step
{
	my ($self) = @_;
	my $what = rnd(20);
	my $node = $self->any_node;
	return $self->rule if $what < 4;
	return 'UPDATE territory.rule SET criteria = ' . quote(condition()) . ' WHERE id % 4 = ' . rnd(4) if $what < 6;
	return 'UPDATE territory.rule SET active = NOT active WHERE id % 3 = ' . rnd(3) if $what < 8;
	return 'DELETE FROM territory.rule WHERE id % 7 = ' . rnd(7) if $what < 10;
	return 'UPDATE territory.node SET parent_id = ' . $self->any_node . ' WHERE id = ' . $self->any_node if $what < 12;
	return 'UPDATE territory.node SET name = ' . quote('x' . rnd(1000)) . ' WHERE id = ' . $self->any_node if $what == 12;
	return 'UPDATE territory.node SET cascade = NOT cascade, priority = id % ' . (1 + rnd(4)) . ' WHERE id % 2 = ' . rnd(2) if $what == 13;
	return "DELETE FROM territory.rule WHERE node_id = $node;\nDELETE FROM territory.node WHERE id = $node" if $what == 14;
	return "INSERT INTO territory.exclusion (object, key, node_id) VALUES ('h.acc', '" . number() . "', " . pick('NULL', $self->any_node) . ')' if $what < 17;
	return 'DELETE FROM territory.exclusion WHERE id % 2 = ' . rnd(2) if $what == 17;
	return "UPDATE territory.object SET mode = '" . pick('deepest', 'all', 'first') . "'" if $what == 18;
	return "SET territory.defer_runs = on;\n" . $self->rule . ";\nUPDATE territory.rule SET active = NOT active WHERE id % 5 = 1;\nRESET territory.defer_runs;\nSELECT added + removed >= 0 FROM territory.run('h.acc')";
}

sub one_step { my ($self) = @_; chance(0.7) ? $self->record_step : $self->other_step }

# a statement by itself, or several in one transaction, some of it or all of it rolled back
sub transaction
{
	my ($self) = @_;
	my $step = ++$self->{step};
	$self->{text} .= "\\echo -- step $step\n";
	if (chance(0.6)) { $self->say($self->one_step) }
	else
	{
		$self->say('BEGIN' . pick('', '', ' ISOLATION LEVEL REPEATABLE READ'));
		my $savepoint = 0;
		for (1 .. 2 + rnd(5))
		{
			my $what = rnd(8);
			if ($what == 0) { $self->say('SAVEPOINT s'); $savepoint = 1 }
			elsif ($what == 1 && $savepoint) { $self->say('ROLLBACK TO s') }
			else { $self->say($self->one_step) }
		}
		$self->say(chance(0.75) ? 'COMMIT' : 'ROLLBACK');
	}
	$self->say("CALL h.remember($step)");
	$self->say("SELECT h.flaws()") if $step % 10 == 0;
}

# the text for psql; what it must answer is told by test/tap/history.pl
sub script
{
	my ($self) = @_;
	my $middle = "(SELECT at FROM h.times ORDER BY at OFFSET (SELECT count(*) / 2 FROM h.times) LIMIT 1)";
	return "\\set VERBOSITY verbose\nSET client_min_messages = warning;\n\\set ON_ERROR_ROLLBACK on\n$self->{text}"
	  . "SELECT 'A ' || h.compare();\nSELECT h.flaws();\n"
	  # prune what is older than the middle: the rest is as right as before
	  . "SELECT $middle AS middle \\gset\n"
	  . "SELECT 'P ' || pairs FROM territory.prune_history(clock_timestamp() - :'middle');\nSELECT 'B ' || h.compare(:'middle');\nSELECT h.flaws();\n"
	  # a sabotage: a pair that ended after a time in question is taken out of history, or put in
	  . "ALTER TABLE h.acc_territory_history DISABLE TRIGGER ALL;\n"
	  . "BEGIN;\nDELETE FROM h.acc_territory_history WHERE ctid = (SELECT p.ctid FROM h.acc_territory_history p JOIN h.times t ON t.at >= p.since AND t.at < p.until AND t.at >= :'middle' WHERE NOT p.held AND NOT EXISTS (SELECT FROM h.acc_territory_history v WHERE v.held AND v.id = p.id AND v.node_id = p.node_id AND v.since = p.since AND v.until > t.at) LIMIT 1) RETURNING 'sabotage';\n"
	  . "SELECT 'S ' || h.compare(:'middle');\nROLLBACK;\n"
	  . "BEGIN;\nUPDATE h.acc_territory_history SET since = since - interval '1 hour' WHERE id IN (SELECT id FROM h.acc_territory_history GROUP BY id, node_id HAVING count(*) FILTER (WHERE NOT held) > 1) RETURNING 'sabotage';\n"
	  . "SELECT 'F ' || coalesce(h.flaws(), 'none');\nROLLBACK;\n"
	  . "\\echo -- end\n";
}

1;
