# Children.pm: makes a random world for test/tap/children.pl: accounts in families, contacts and deals below them, a
# tree, rules, members, exclusions, pairs by hand, and random steps over all of them, as text for psql. The same seed
# makes the same text.
package Children;
use strict;
use warnings;

sub rnd { int rand $_[0] }
sub chance { rand() < $_[0] }
sub pick { $_[ rnd(scalar @_) ] }

my @people = qw(ann bob cy);
my @stages = qw(pipeline best_case commit closed omitted closed);

sub new
{
	my ($class, $seed, %option) = @_;
	srand($seed);
	my $self = bless { seed => $seed, nodes => 0, models => 1 }, $class;
	$self->{type} = pick('int', 'bigint', 'text', 'uuid');
	$self->{link} = $self->{type} eq 'int' ? pick('int', 'bigint') : $self->{type} eq 'bigint' ? pick('bigint', 'int') : $self->{type};
	$self->{family} = chance(0.6);
	$self->{deal_parent} = pick('w.contact', 'w.contact', 'w.account');
	$self->{foreign} = chance(0.4) ? pick('ON UPDATE CASCADE ON DELETE CASCADE', 'ON UPDATE SET NULL ON DELETE SET NULL', 'DEFERRABLE INITIALLY DEFERRED') : '';
	$self->{accounts} = pick(4, 8, 12);
	$self->{setup} = [ $self->setup ];
	$self->{steps} = [ map { $self->step } 1 .. $option{steps} || 100 ];
	return $self;
}

# the key of number N
sub key
{
	my ($self, $n) = @_;
	return $n if $n !~ /^\d+$/;
	return { int => $n, bigint => $n, text => "'k$n'", uuid => sprintf("'00000000-0000-4000-8000-%012d'", $n) }->{ $self->{type} };
}

sub account { my ($self) = @_; return $self->key(1 + rnd($self->{accounts} + 2)) }
sub account_or_null { my ($self) = @_; return chance(0.12) ? 'NULL' : $self->account }
sub contact { return 1 + rnd(10) }
sub deal { return 1 + rnd(10) }
sub deal_parent { my ($self) = @_; return 'NULL' if chance(0.08); return $self->{deal_parent} eq 'w.account' ? $self->account : $self->contact }
sub country { pick("'NL'", "'BE'", "'DE'", "'FR'", 'NULL') }
sub account_row { my ($self) = @_; return join ', ', $self->account, country(), rnd(5), $self->{family} && chance(0.6) ? $self->account : 'NULL' }
sub contact_row { my ($self) = @_; return contact() . ', ' . $self->account_or_null . ", 'x'" }
sub deal_row { my ($self) = @_; return join ', ', deal(), $self->deal_parent, "'" . pick(@people) . "'", rnd(4), "'" . pick(@stages) . "'" }

sub account_criteria { return pick("country = " . pick("'NL'", "'BE'"), 'size > ' . rnd(4), "country IN ('NL', 'DE') AND size > 1", 'true', "country IS NULL") }
sub deal_criteria { return pick('amount > ' . rnd(3), "person = '" . pick(@people) . "'", 'amount = 2', 'true', "stage <> 'commit'") }

sub setup
{
	my ($self) = @_;
	my ($type, $link, $parent) = @{$self}{qw(type link deal_parent)};
	my $up = $parent eq 'w.account' ? $link : pick('int', 'bigint', 'smallint');
	my $references = $self->{foreign} ? " REFERENCES w.account $self->{foreign}" : '';
	my $partition = chance(0.25) ? ' PARTITION BY HASH (k)' : '';
	my @sql = ('CREATE SCHEMA w', "CREATE TABLE w.account (k $type PRIMARY KEY, country text, size int, up $type, uid serial)",
		"CREATE TABLE w.contact (k int PRIMARY KEY, account $link$references, note text)$partition",
		"CREATE TABLE w.deal (k int PRIMARY KEY, up $up, person text, amount int, stage text, uid serial)$partition");
	if ($partition)
	{
		push @sql, "CREATE TABLE w.contact_0 PARTITION OF w.contact FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
		  "CREATE TABLE w.contact_1 (note text, account $link, k int NOT NULL)", "ALTER TABLE w.contact ATTACH PARTITION w.contact_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
		  "CREATE TABLE w.deal_0 PARTITION OF w.deal FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
		  "CREATE TABLE w.deal_1 (uid int NOT NULL, stage text, amount int, person text, up $up, k int NOT NULL)", "ALTER TABLE w.deal ATTACH PARTITION w.deal_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1)";
	}
	push @sql, "CREATE INDEX ON w.contact (account)" if chance(0.7);
	my $family = $self->{family} ? ", family => 'up', family_mode => '" . pick('unmatched', 'unmatched', 'all', 'none') . "'" : '';
	my $closed = pick('freeze', 'freeze', 'follow');
	my $mode = pick('deepest', 'deepest', 'all', 'first');
	my @attach = ("SELECT 1 FROM territory.attach('w.account', mode => '$mode'$family)",
		"SELECT 1 FROM territory.attach('w.contact', 'contact', parent => 'w.account', parent_key => 'account')",
		"SELECT 1 FROM territory.attach('w.deal', 'deal', parent => '$parent', parent_key => 'up', owner => 'person', amount => 'amount', category => 'stage', closed => '$closed')");
	my @tree = map { $self->step_node_insert } 1 .. 3 + rnd(5);
	my @rules = map { $self->step_rule_insert } 1 .. 3 + rnd(4);
	my $account = sub { return $self->{foreign} ? $self->key(1 + rnd($self->{accounts} - 2)) : $self->account_or_null };
	my @rows = ('INSERT INTO w.account VALUES ' . join(', ', map { '(' . join(', ', $self->key($_), country(), rnd(5), 'NULL') . ')' } 1 .. $self->{accounts} - 2),
		'INSERT INTO w.contact VALUES ' . join(', ', map { "($_, " . $account->() . ", 'x')" } 1 .. 8),
		'INSERT INTO w.deal VALUES ' . join(', ', map { "($_, " . $self->deal_parent . ", '" . pick(@people) . "', " . rnd(4) . ", '" . pick(@stages) . "')" } 1 .. 8));
	push @sql, map {
		my $table = $_;
		"CREATE TRIGGER by_hand_d AFTER DELETE ON $table FOR EACH ROW EXECUTE FUNCTION oracle.forget_by_hand('$table')",
		  "CREATE TRIGGER by_hand_u BEFORE UPDATE OF k ON $table FOR EACH ROW WHEN (OLD.k <> NEW.k) EXECUTE FUNCTION oracle.forget_by_hand('$table')"
	} qw(w.account w.contact w.deal);
	# records may be there before they are attached
	push @sql, chance(0.3) ? (@rows, @attach, @tree, @rules) : (@attach, @tree, @rules, @rows);
	return @sql;
}

# some node; NULL where there is none
sub node { return '(SELECT id FROM territory.node ORDER BY model_id, path OFFSET ' . rnd(50) . ' % (SELECT greatest(count(*), 1) FROM territory.node) LIMIT 1)' }

sub step_node_insert
{
	my ($self) = @_;
	my $name = "n" . $self->{nodes}++;
	my $parent = $self->{nodes} > 1 && chance(0.75) ? $self->node : 'NULL';
	return "INSERT INTO territory.node (parent_id, name, priority, cascade) VALUES ($parent, '$name', " . pick(0, 0, 0, 1, 2) . ', ' . pick('true', 'true', 'false') . ')';
}

sub step_rule_insert
{
	my ($self) = @_;
	my $deal = chance(0.4);
	return 'INSERT INTO territory.rule (node_id, object, criteria) SELECT ' . $self->node . ", 'w." . ($deal ? 'deal' : 'account') . "', \$\$" . ($deal ? deal_criteria() : account_criteria()) . '$$';
}

sub some_rule { my ($self) = @_; return '(SELECT id FROM territory.rule ORDER BY id OFFSET ' . rnd(8) . ' LIMIT 1)' }
sub some_member { return '(SELECT id FROM territory.member ORDER BY id OFFSET ' . rnd(5) . ' LIMIT 1)' }

# an excluded or given record: (table, key as text)
sub record
{
	my ($self) = @_;
	my $table = pick(qw(w.account w.contact w.deal));
	my $key = $table eq 'w.account' ? $self->account : 1 + rnd(10);
	return ($table, "'" . ($key =~ s/'//gr) . "'");
}

sub write_step
{
	my ($self) = @_;
	my $what = rnd(26);
	my ($a, $b, $c, $d) = ($self->account, $self->account, contact(), deal());
	return "INSERT INTO w.account VALUES (" . $self->account_row . ")" if $what == 0;
	return "INSERT INTO w.account VALUES (" . $self->account_row . ") ON CONFLICT (k) DO UPDATE SET country = EXCLUDED.country, up = EXCLUDED.up" if $what == 1;
	return "UPDATE w.account SET country = " . country() . " WHERE k = $a" if $what <= 3;
	return "UPDATE w.account SET country = " . country() . ", size = " . rnd(5) . " WHERE size > " . rnd(4) if $what == 4;
	return "UPDATE w.account SET up = " . ($self->{family} ? pick('NULL', $b, $b, $b) : 'NULL') . " WHERE k = $a" if $what <= 6;
	return "DELETE FROM w.account WHERE k = $a" if $what == 7;
	return "UPDATE w.account SET k = $b WHERE k = $a" if $what == 8;
	return "INSERT INTO w.contact VALUES (" . $self->contact_row . ")" if $what == 9;
	return "INSERT INTO w.contact VALUES (" . $self->contact_row . "), (" . $self->contact_row . ") ON CONFLICT (k) DO UPDATE SET account = EXCLUDED.account" if $what == 10;
	return "UPDATE w.contact SET account = " . $self->account_or_null . " WHERE k " . pick('=', '<') . " $c" if $what <= 12;
	return "DELETE FROM w.contact WHERE k = $c" if $what == 13;
	return "UPDATE w.contact SET k = " . contact() . " WHERE k = $c" if $what == 14;
	return "INSERT INTO w.deal VALUES (" . $self->deal_row . ")" if $what <= 16;
	return "UPDATE w.deal SET up = " . $self->deal_parent . " WHERE k " . pick('=', '=', '>') . " $d" if $what == 17;
	return "UPDATE w.deal SET " . pick("person = '" . pick(@people) . "'", 'amount = ' . rnd(4), 'amount = amount + 1') . " WHERE k " . pick('=', '>') . " $d" if $what == 18;
	return "UPDATE w.deal SET stage = '" . pick(@stages) . "' WHERE k " . pick('=', '=', '<') . " $d" if $what <= 20;
	return "DELETE FROM w.deal WHERE k = $d" if $what == 21;
	# where one statement writes several tables, it is open which of them a deal that closes meanwhile has seen
	my $open = "UPDATE w.deal SET stage = 'commit' WHERE stage IN ('closed', 'omitted');\n";
	return $open . "WITH one AS (UPDATE w.account SET country = " . country() . " WHERE k = $a RETURNING k) UPDATE w.contact SET account = $b WHERE k = $c" if $what == 22;
	return $open . "WITH one AS (DELETE FROM w.deal WHERE k = $d), two AS (UPDATE w.account SET country = " . country() . ") INSERT INTO w.contact VALUES (" . $self->contact_row . ")" if $what == 23;
	return "INSERT INTO w.contact SELECT 20 + i, $a, 'bulk' FROM generate_series(1, 3) i ON CONFLICT DO NOTHING" if $what == 24;
	return chance(0.2) ? "TRUNCATE " . pick('w.deal', 'w.contact CASCADE') : "DELETE FROM w.contact WHERE k > 20";
}

sub model_step
{
	my ($self) = @_;
	my $what = rnd(22);
	return $self->step_rule_insert if $what <= 2;
	return "DELETE FROM territory.rule WHERE id = " . $self->some_rule if $what == 3;
	return "UPDATE territory.rule SET active = NOT active WHERE id = " . $self->some_rule if $what == 4;
	return "UPDATE territory.rule SET node_id = " . $self->node . " WHERE id = " . $self->some_rule if $what == 5;
	return $self->step_node_insert if $what == 6;
	return "UPDATE territory.node SET priority = " . rnd(3) . " WHERE id = " . $self->node if $what <= 8;
	return "UPDATE territory.node SET parent_id = " . pick('NULL', $self->node, $self->node) . " WHERE id = " . $self->node if $what <= 10;
	return "UPDATE territory.node SET cascade = NOT cascade WHERE id = " . $self->node if $what == 11;
	return "DELETE FROM territory.node WHERE id = " . $self->node if $what == 12;
	return "INSERT INTO territory.member (node_id, member, starts, ends) SELECT " . $self->node . ", '" . pick(@people) . "', " . pick('NULL, NULL', 'NULL, NULL', 'current_date - 2, current_date', 'current_date, NULL', 'NULL, current_date + 1', 'current_date + 1, NULL') if $what <= 14;
	return pick("DELETE FROM territory.member WHERE id = ", "UPDATE territory.member SET member = '" . pick(@people) . "' WHERE id = ", "UPDATE territory.member SET node_id = " . $self->node . " WHERE id = ") . some_member() if $what == 15;
	if ($what <= 18)
	{
		my ($table, $key) = $self->record;
		return "DELETE FROM territory.exclusion WHERE id IN (SELECT id FROM territory.exclusion ORDER BY id LIMIT 1)" if chance(0.3);
		return "INSERT INTO territory.exclusion (object, key, node_id) SELECT '$table', $key, " . pick('NULL', $self->node, $self->node);
	}
	return "UPDATE territory.object SET family_mode = '" . pick('unmatched', 'all', 'none') . "' WHERE kind = 'account'" if $what == 19;
	return "UPDATE territory.object SET closed = '" . pick('freeze', 'follow') . "' WHERE kind = 'deal'" if $what == 20;
	return "SELECT 1 FROM territory.run('" . pick(qw(w.account w.contact w.deal)) . "'" . pick('', ", \"only\" => 'k IS NOT NULL'") . ')';
}

# rules that wait for runs; rows that were written past the engine
sub mend_step
{
	my ($self) = @_;
	my @run = map { "SELECT 1 FROM territory.run('$_')" } qw(w.account w.contact w.deal);
	return join ";\n", 'SET territory.defer_runs = on', $self->step_rule_insert, $self->model_step, 'RESET territory.defer_runs', @run if chance(0.5);
	return join ";\n", 'SET session_replication_role = replica', "INSERT INTO w.contact VALUES (" . (30 + rnd(5)) . ", " . $self->account_or_null . ", 'y') ON CONFLICT DO NOTHING",
	  "DELETE FROM w.deal WHERE k = " . deal(), 'RESET session_replication_role', "DELETE FROM oracle.by_hand h WHERE object = 'w.deal' AND NOT EXISTS (SELECT FROM w.deal d WHERE d.k::text = h.key)", @run;
}

sub model_swap
{
	my ($self) = @_;
	return "UPDATE territory.model SET state = 'active' WHERE name = 'default' AND state <> 'active'" if chance(0.5) && $self->{models} > 1;
	if ($self->{models}++ == 1)
	{
		my $name = 'm' . $self->{models};
		return "INSERT INTO territory.model (name) VALUES ('$name')";
	}
	return 'SELECT 1';
}

sub step
{
	my ($self) = @_;
	my $draw = rand();
	my $sql;
	if ($draw < 0.62) { $sql = $self->write_step }
	elsif ($draw < 0.88) { $sql = $self->model_step }
	elsif ($draw < 0.91) { $sql = $self->mend_step }
	elsif ($draw < 0.98)
	{
		my ($table, $key) = $self->record;
		$sql = "SELECT oracle.decide('assign', '$table', $key, " . $self->node . ')';
		$sql = "SELECT oracle.decide('" . pick(qw(unassign unassign exclude)) . "', object, key, node_id) FROM oracle.by_hand ORDER BY md5(object || key || " . rnd(100) . ") LIMIT 1" if chance(0.35);
	}
	else { $sql = join ";\nSELECT 'C -1 ' || oracle.compare_children('');\n", 'BEGIN', $self->write_step, 'SAVEPOINT s', $self->write_step, $self->model_step, pick('ROLLBACK TO s', 'RELEASE s'), $self->write_step, pick('COMMIT', 'ROLLBACK') }
	return $sql;
}

# script(SETUP, STEPS): the text for psql, or that of the statements and steps with these numbers; after each of the steps a
# line "C number answer"
sub script
{
	my ($self, $setup, $steps) = @_;
	srand($self->{seed});
	my @also = map { pick('', '', '', '', '', 'v', 'm', 'r', 'h', 'e') } @{ $self->{steps} };
	my $text = "SET search_path = public, territory;\nSET client_min_messages = warning;\nSET statement_timeout = '60s';\nSELECT oracle.clean_children() \\g /dev/null\n";
	my $attached = 0;
	for my $sql (@{ $self->{setup} }[ $setup ? @$setup : 0 .. $#{ $self->{setup} } ])
	{
		$text .= "$sql \\g /dev/null\n";
		# what closed deals keep is known from here on
		$attached ||= $sql =~ /attach\('w\.deal'/;
		$text .= "SELECT 'C -1 ' || oracle.compare_children('');\n" if $attached;
	}
	for my $number ($steps ? @$steps : 0 .. $#{ $self->{steps} })
	{
		$text .= "\\echo -- step $number\n$self->{steps}[$number];\n";
		$text .= "SELECT 'C $number ' || oracle.compare_children('$also[$number]');\n";
	}
	return "$text\\echo -- end\n";
}

1;
