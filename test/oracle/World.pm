# World.pm: makes a random world for the oracle test (test/tap/oracle.pl): an attached table or two, a tree, rules,
# and a list of random steps, all as text for psql. The same seed makes the same text.
#
# A step is { sql, check, ... }: its text, and whether a comparison follows. Errors of a step are expected (a key that is
# there already); the comparison after it still has to hold.
package World;
use strict;
use warnings;
use Manual;

my @columns = qw(i b t n f d a v h x z c j w g parent);
my %type = (
	i => 'int', b => 'bigint', t => 'text', n => 'numeric', f => 'bool', d => 'date', a => 'text[]', v => 'varchar(10)',
	h => 'char(4)', x => 'float8', z => 'timestamptz', c => 'text COLLATE oracle.nocase', j => 'jsonb',
	w => 'territory.territory', g => 'int GENERATED ALWAYS AS (i * 2) STORED', parent => 'int', note => 'text', part => 'int');
my %values = (
	i => [qw(0 1 2 3 4 5 6 -1 1073741823 NULL NULL)],
	b => [qw(0 1 2 3 4 5 9007199254740993 -5 NULL)],
	t => ["'NL'", "'BE'", "'DE'", "'nl'", "'NL '", "''", "'a b'", "'Île'", "'N%'", "'O''x'", 'NULL'],
	n => [qw(0 1 1.0 1.00 2.5 2 3 'NaN' 'Infinity' NULL)],
	f => [qw(true true false NULL)],
	d => [qw('2024-01-01' '2024-01-02' '2024-01-03' '2024-01-04' 'infinity' NULL)],
	a => [ "'{}'", "'{x}'", "'{x,y}'", "'{NULL}'", "'{y,x}'", "'{NULL,x}'", 'NULL' ],
	v => ["'NL'", "'BE'", "'nl'", "'NL '", "''", 'NULL'],
	h => ["'NL'", "'BE'", "'NL  '", "''", "'a'", 'NULL'],
	x => [qw(0 '-0' 1 1.5 2 'NaN' 'Infinity' NULL)],
	z => ["'2024-02-29 22:30+00'", "'2024-03-01 00:00+00'", "'2024-03-01 12:00+00'", "'2024-03-01 23:30+00'", "'infinity'", 'NULL'],
	c => ["'nl'", "'NL'", "'Nl'", "'be'", "'BE'", 'NULL'],
	j => [ map { $_ eq 'NULL' ? $_ : "'$_'" } '{"s":"x"}', '{"s":"y","n":1}', '{"n":2}', '{}', 'null', '[1,2]', 'NULL' ],
	w => [qw('A' 'A.B' 'A.B.C' 'B' 'A.D' '' NULL)],
	parent => [qw(1 2 3 4 NULL)],
	note => [qw('' '' '' NULL NULL 'bump' 'skip' 'echo' 'drop' 'rule')],
	part => [qw(1 2 3 4)],
);
$values{g} = [qw(0 2 4 6 8 NULL)];
my %cast = (i => 'int', b => 'bigint', t => 'text', n => 'numeric', f => 'bool', d => 'date', a => 'text[]', v => 'varchar',
	h => 'char(4)', x => 'float8', z => 'timestamptz', c => 'text', j => 'jsonb', w => 'territory.territory', g => 'int',
	parent => 'int', note => 'text', part => 'int');
# the key of number N, as a SQL expression
my %key = (
	bigint => sub { "(($_[0]) * 1000000007::bigint)" },
	int => sub { "($_[0])::int" },
	uuid => sub { "(lpad(to_hex(($_[0])::int * 7919 % 1000), 8, 'e') || '-0000-4000-8000-00000000abcd')::uuid" },
	text => sub { "('k ''é ' || ($_[0]))::text" });

sub rnd { int rand $_[0] }
sub chance { rand() < $_[0] }
sub pick { $_[ rnd(scalar @_) ] }
sub shuffle { my @l = @_; for my $i (reverse 1 .. $#l) { my $k = rnd($i + 1); @l[ $i, $k ] = @l[ $k, $i ] } @l }
sub some { my ($n, @l) = @_; @l = shuffle(@l); @l[ 0 .. ($n < @l ? $n : scalar @l) - 1 ] }

# ---------- criteria ----------

sub value { my ($col) = @_; pick(@{ $values{$col} }) }
sub known { my ($col) = @_; my $v; do { $v = value($col) } while $v eq 'NULL'; $v }

# conditions that only make sense for one type
my %special = (
	i => ['i = 2::bigint', 'i = 2.0', 'i = 2.5', 'i IN (1, 2.5, 3)', 'i % 2 = 0', 'i + b > 3', 'i < b', 'i = b', 'abs(i) = 1', 'i = ANY (\'{1,2,NULL}\'::int[])',
		'i <> ALL (\'{1,2}\'::int[])', 'i <> ALL (\'{1,NULL}\'::int[])', 'i > ANY (ARRAY[2, NULL])', '2 < i', '(i, b) = (1, 2)', '(i, b) IN ((1, 2), (2, 3), (3, NULL))', '(i, b) < (2, 3)',
		'(i, b) IS NULL', '(i, b) IS NOT NULL', 'NOT ((i, b) IS NOT NULL)', '(i, b) IS DISTINCT FROM (1, 2)', 'greatest(i, b) > 2', 'i BETWEEN b AND 5', 'i = i', 'i <> i',
		'i = 1::smallint', 'i > 1.5::float8', 'num_nulls(i, b, t) = 1', 'i IN (i, 3)', '-i = 1', 'i < 2147483647', 'i::text = \'2\'', 'i::text LIKE \'2%\'', 'i & 1 = 1',
		'i > 1 AND i <= 4', 'i >= 5 AND i < 2', 'i > 0 AND i > 2 AND i < 6', 'NOT (i < 2 OR i >= 5)', 'i < 2 OR i > 4', 'i NOT BETWEEN 2 AND 4', '4 >= i AND 1 < i', 'i BETWEEN 1 AND 3 AND b > 2', 'i > 2 AND i <> 4', "i >= 3 AND t LIKE 'N%'"],
	b => ['b = 2::smallint', 'b = 2::numeric', 'b < 2.5::float8', 'b = 9007199254740993', 'b = 9007199254740992::float8', 'b > 2147483648', 'b IN (1::int, 2::bigint)', 'b = ANY (ARRAY[1, 2, 3])',
		'b > 1 AND b <= 4', 'b BETWEEN 2 AND 9007199254740993', 'b > 4 OR b < 1'],
	t => ["t LIKE 'N%'", "t LIKE '%L'", "t LIKE 'N_'", "t LIKE 'NL'", "t NOT LIKE 'N%'", "t ILIKE 'n%'", "t NOT ILIKE 'n%'", "t LIKE 'N\\%'", "t LIKE ''", "t LIKE '%'",
		"t SIMILAR TO '(NL|BE)%'", "t ~ '^N'", "t ~ '^(NL|BE)\$'", "t !~ '^N'", "t ~* '^n'", "starts_with(t, 'N')", "t ^\@ 'N'", "left(t, 1) = 'N'", "lower(t) IN ('nl', 'be')", "upper(t) = 'NL'",
		"length(t) = 2", "t || v = 'NLNL'", "t COLLATE \"C\" < 'a'", "t COLLATE \"POSIX\" >= 'N'", "t >= 'N' AND t < 'O'", "position('L' in t) > 0", "t = 'NL'::varchar", "t = 'NL'::bpchar", "t = h", "t = v",
		"t = ANY ('{NL,BE}')", "t = ANY ('{NL,NULL}')", "t <> ALL ('{NL,BE}')", "t <> ALL ('{}')", "t = ANY ('{}')", "t LIKE ANY ('{N%,B%}')", "t LIKE ALL ('{N%,%L}')", "t > 'NL'", "trim(t) = 'NL'", "t < 'Île'",
		"concat_x(t)", "t LIKE 'N!%' ESCAPE '!'", "t LIKE t", "'NL' LIKE t", "t ~~ 'B%' IS NOT TRUE", "t COLLATE oracle.nocase = 'NL'", "t LIKE v || '%'",
		"t LIKE 'NL%'", "t ^\@ ''", "NOT t ^\@ 'N'", "t LIKE 'Î%'", "t LIKE 'N%' OR t LIKE 'B%'", "t LIKE 'N%' AND t <> 'NL'", "t LIKE 'N%' AND t LIKE 'NL%'", "NOT (t < 'B' OR t >= 'C')"],
	n => ['n = 1::int', 'n = 1.00', 'n = 1e0::float8', 'n > 1', "n = 'NaN'", "n < 'NaN'", 'n IN (1.0, 2.50)', 'round(n) = 2', 'scale(n) = 2', 'n::text = \'1.0\'', 'n = i', 'n % 2 = 1',
		'n > 0 AND n <= 2', 'n BETWEEN 1 AND 2.5', 'NOT n BETWEEN 1.0 AND 2'],
	f => ['f', 'f', 'NOT f', 'f = true', 'f <> true', 'f IS TRUE', 'f IS NOT TRUE', 'f IS FALSE', 'f IS NOT FALSE', 'f IS UNKNOWN', 'f IS NOT UNKNOWN', 'f = (i > 2)', 'f <> false', 'f IN (true)', 'f = ANY (ARRAY[true, NULL])',
		'f AND f', 'f OR NULL', 'NULL AND f', 'f = false', 'NOT (f = false)', 'f > false', 'coalesce(f, false)', 'coalesce(f, true)', 'f IS DISTINCT FROM true'],
	d => ["d = timestamp '2024-01-02 00:00'", "d < timestamptz '2024-01-03 00:00+00'", 'd < now()', 'd > current_date', "d <= '2024-01-02'::timestamp", "extract(day from d) = 2", "d + 1 = '2024-01-03'", "d IN ('2024-01-01', '01/02/2024')", "isfinite(d)",
		"d BETWEEN '2024-01-02' AND '2024-01-03'", "d::text = '2024-01-02'", "to_char(d, 'DD') = '02'",
		"d > '2024-01-01' AND d < '2024-01-04'", "d < '2024-01-02' OR d > '2024-01-03'"],
	a => ["'x' = ANY (a)", "'x' <> ALL (a)", "a \@> '{x}'", "a <@ '{x,y}'", "a && '{y}'", "a = '{x}'", "a <> '{}'", "cardinality(a) > 1", "array_length(a, 1) IS NULL", "a[1] = 'x'", "a IS NULL", "array_position(a, 'x') = 1", "a < ARRAY['y']",
		"a = ARRAY['x', 'y']", "t = ANY (a)", "a IN ('{x}', '{}')", "a \@> ARRAY[NULL]::text[]", "'y' LIKE ANY (a)"],
	v => ["v::text LIKE 'N%'", "v = 'NL'::text", "v LIKE 'N%'", "v = t", "v IN ('NL'::text, 'BE')", "lower(v) = 'nl'", "v > 'B'"],
	h => ["h = 'NL'", "h = 'NL'::text", "h LIKE 'NL'", "h LIKE 'NL%'", "h IN ('NL', 'BE ')", "h::text = 'NL'", "length(h) = 2", "h = ''", "h < 'C'", "h = t::bpchar", "h >= 'BE'"],
	x => ["x = 0", "x = '-0'", "x = 'NaN'", "x < 'NaN'", "x = 1::numeric", "x = 1.5", "x IN (0, 1.5, 'NaN')", "x = i", "x > 1e300", "x BETWEEN 0 AND 1.5", "x::text = '-0'", "x < 1::int"],
	z => ["z::date = '2024-03-01'", "z < '2024-03-01 12:00'", "z >= date '2024-03-01'", "extract(hour from z) = 23", "date_trunc('day', z) = '2024-03-01'", "z = '03/01/2024 12:00'", "z < now()", "z BETWEEN '2024-03-01' AND '2024-03-01 12:00'",
		"z IN ('2024-03-01 00:00', '2024-03-01 12:00')", "z = timestamp '2024-03-01 12:00'", "z::text LIKE '%12:00%'", "z > current_timestamp - interval '1 day'", "z::time < '12:00'", "d < z"],
	c => ["c = 'nl'", "c IN ('nl', 'be')", "c <> 'nl'", "c IS DISTINCT FROM 'nl'", "c COLLATE \"C\" = 'nl'", "c < 'c'", "c > 'BE'", "c = 'NL' COLLATE \"C\"", "c BETWEEN 'a' AND 'c'", "c = ANY ('{nl}')", "upper(c) = 'NL'", "c NOT IN ('nl')", "c = c"],
	j => ["j->>'s' = 'x'", "j \@> '{\"n\":1}'", "j ? 's'", "j IS NULL", "(j->>'n')::int = 1", "j = '{}'", "j->'n' = '2'", "j->>'s' IS NULL", "jsonb_typeof(j) = 'object'", "j #>> '{s}' IN ('x', 'y')", "j ?| '{s,n}'", "j <> 'null'"],
	w => ["w <\@ 'A'", "w = 'A.B'", "w \@> 'A.B.C'", "nlevel(w) = 2", "w <\@ 'A.B' AND w <> 'A.B'", "w < 'A.B.C'", "w IN ('A', 'B')", "w <\@ ''", "w IS NULL", "w <\@ 'A' OR w <\@ 'B'", "w BETWEEN 'A' AND 'A.B'", "parent(w) = 'A'",
		"NOT w <\@ 'A'", "w <\@ 'A' AND i > 2", "w \@> 'A' AND w <> ''", "w ~ 'A.*'::territory.pattern", "w <\@ 'A.B' OR w IS NULL", "w <\@ 'A' AND NOT w <\@ 'A.B'"],
	g => ["g = 4", "g IN (2, 6)", "g > 3", "g IS NULL", "g = i", "g = 2 * i"],
	parent => ["parent = 1", "parent IN (1, 2)", "parent IS NULL", "parent > 2", "parent <> 3"],
);
@{ $special{t} } = grep { !/concat_x/ } @{ $special{t} };

sub atom
{
	my ($cols) = @_;
	my $col = pick(@$cols);
	return pick('true', 'false', '1 = 1', '1 = 2', 'NULL::bool', "'a' = 'a'", 'NULL IS NULL', 'true IS NOT NULL') if chance(0.03);
	return pick(@{ $special{$col} }) if $col =~ /^[fajwg]$/ || chance(0.35);
	my ($v, $w, $u) = (value($col), known($col), known($col));
	my $k = known($col);
	return pick(
		"$col = $k", "$col = $k", "$col = $k", "$col = $v", "$col <> $k", "$col < $k", "$col <= $k", "$col > $k", "$col >= $k", "$k = $col", "$k > $col",
		"$col IN ($k, $w)", "$col IN ($k, $w, $u)", "$col IN ($k, $v)", "$col IN ($k)", "$col NOT IN ($k, $w)", "$col NOT IN ($k, $v)", "NOT $col IN ($k, $w, $v)",
		"$col BETWEEN $k AND $w", "$col NOT BETWEEN $k AND $w", "$col BETWEEN SYMMETRIC $k AND $w", "$col IS NULL", "$col IS NOT NULL", "$col IS DISTINCT FROM $v", "$col IS NOT DISTINCT FROM $v",
		"$col = ANY (ARRAY[$k, $v]::$cast{$col}\[])", "$col <> ALL (ARRAY[$k, $w]::$cast{$col}\[])", "$col < ANY (ARRAY[$k, $w]::$cast{$col}\[])",
		"nullif($col, $k) IS NULL", "coalesce($col, $w) = $k", "($col = $k) IS NOT TRUE", "($col = $k) IS UNKNOWN", "($col > $k) IS NOT FALSE", "($col = $k) IS TRUE", "($col = $k) IS FALSE",
		"CASE WHEN $col = $k THEN true ELSE NULL END", "CASE $col WHEN $k THEN false WHEN $w THEN true END", "NOT $col = $k", "$col = $k AND $col = $w", "$col >= $k AND $col < $w", "$col = $k OR $col = $w",
		"$col = $k OR $col IS NULL", "NOT ($col < $k OR $col > $w)", "($col = $k) = ($col = $w)", "(ARRAY[$k, $w]::$cast{$col}\[])[1] = $col", "greatest($col, $k) = $k", "$col = $k IS NOT DISTINCT FROM true");
}

sub criteria
{
	my ($cols, $depth) = @_;
	return atom($cols) if $depth <= 0 || chance(0.4);
	my $what = rnd(14);
	my @args = map { '(' . criteria($cols, $depth - 1) . ')' } 1 .. 2 + rnd(3);
	return join ' AND ', @args[ 0 .. 1 ] if $what < 4;
	return join ' OR ', @args if $what < 9;
	return "NOT $args[0]" if $what == 9;
	return 'NOT (' . join(pick(' AND ', ' OR '), @args) . ')' if $what == 10;
	return "$args[0] " . pick('IS TRUE', 'IS NOT TRUE', 'IS NOT FALSE', 'IS FALSE', 'IS UNKNOWN', 'IS NOT UNKNOWN', '= true', '<> false') if $what == 11;
	return "CASE WHEN $args[0] THEN $args[1] ELSE " . pick('true', 'false', 'NULL', "$args[-1]") . ' END' if $what == 12;
	return pick("coalesce($args[0], $args[1])", "$args[0] = $args[1]", "$args[0] IS DISTINCT FROM $args[1]", "$args[0] -- a remark\n AND $args[1]", "nullif($args[0], true) IS NULL");
}

# ---------- the world ----------

sub new
{
	my ($class, $seed, %option) = @_;
	srand($seed);
	my $self = bless { seed => $seed, steps => [], setup => [], option => \%option }, $class;
	$self->{two} = chance(0.2);
	$self->{cols} = [ some(3 + rnd(5), @columns) ];
	$self->{triggers} = chance(0.25);
	$self->{ordinary} = chance(0.25);
	$self->{dblink} = $option{dblink} && !$self->{ordinary} && chance(0.3);
	$self->{second_model} = chance(0.2);
	$self->{parallel} = chance(0.3);    # run with workers
	$self->{checks} = chance(0.3);
	$self->{domain} = pick(20, 30, 60);
	$self->make_tables;
	$self->make_tree;
	$self->add_setup($self->rule_insert($_)) for 1 .. rnd(3 + @{ $self->{node} });
	$self->add_setup($self->fill($_)) for @{ $self->{table} };
	$self->make_steps($option{steps} || 100);
	return $self;
}

sub add_setup { my ($self, @sql) = @_; push @{ $self->{setup} }, map { "$_;\n" } @sql }

# what the world's statements run under
sub preamble
{
	my ($self) = @_;
	my $zone = pick('UTC', 'Asia/Tokyo', 'America/Los_Angeles');
	my $style = pick('ISO, MDY', 'SQL, DMY', 'German');
	my $text = "SET search_path = public, territory;\nSET TimeZone = '$zone';\nSET DateStyle = '$style';\nSET statement_timeout = '60s';\nSET jit = off;\nSET territory.check_shapes = on;\n";
	$text .= "SET plan_cache_mode = " . pick('auto', 'force_generic_plan') . ";\n";
	$text .= "SET enable_seqscan = off;\n" if chance(0.1);
	$text .= "SET enable_partitionwise_join = on;\n" if chance(0.1);
	$text .= "SET parallel_leader_participation = off;\n" if $self->{parallel} && chance(0.5);
	return $text;
}

sub make_tables
{
	my ($self) = @_;
	my $pre = $self->preamble;
	$self->{preamble} = $pre;
	push @{ $self->{setup} }, $pre . "CREATE SCHEMA w;\n";
	push @{ $self->{setup} }, "GRANT USAGE, CREATE ON SCHEMA w TO oracle_writer;\nSET SESSION AUTHORIZATION oracle_writer;\n$pre" if $self->{ordinary};
	$self->add_setup('CREATE SEQUENCE w.uid', "CREATE TABLE w.parent (id int PRIMARY KEY)", "INSERT INTO w.parent VALUES (1), (2), (3), (4)");
	for my $number (0 .. ($self->{two} ? 1 : 0))
	{
		my $table = { name => pick('w.acc', 'w."Acc ount"', 'w."é.x"') . ($number ? '2' : '') };
		$table->{name} =~ s/"2$/2"/;
		$table->{key_type} = pick(qw(bigint int uuid text));
		$table->{key} = pick('k', 'k', '"Key Col"');
		$table->{keyof} = $key{ $table->{key_type} };
		$table->{partitioned} = chance(0.35) ? pick('list', 'hash', 'sub') : '';
		$self->make_table($table);
		push @{ $self->{table} }, $table;
	}
}

sub make_table
{
	my ($self, $table) = @_;
	my $name = $table->{name};
	my @c = ([ $table->{key}, "$table->{key_type} NOT NULL" ], [ 'uid', "bigint NOT NULL DEFAULT nextval('w.uid')" ], map { [ $_, $type{$_} ] } @{ $self->{cols} }, 'note', 'part');
	for my $c (@c) { $c->[1] = 'int DEFAULT 1' if $c->[0] eq 'part'; }
	# criteria compare columns with one another, so all must be there
	push @c, map { my $n = $_; [ $n, $type{$n} ] } grep { my $n = $_; !grep { $_->[0] eq $n } @c } @columns;
	for my $c (@c) { $c->[1] = 'int REFERENCES w.parent ON UPDATE CASCADE ON DELETE ' . pick('SET NULL', 'CASCADE') if $c->[0] eq 'parent'; }
	my $definition = sub {
		my ($parted) = @_;
		my @all = shuffle(@c);
		my @junk;
		for (1 .. rnd(3))
		{
			my $junk = "junk$_";
			splice @all, rnd(@all + 1), 0, [ $junk, pick('int', 'text', 'bool') ];
			push @junk, $junk;
		}
		return ('(' . join(', ', map { "$_->[0] " . ($parted ? $_->[1] =~ s/ REFERENCES.*//r : $_->[1]) } @all) . ')', @junk);
	};
	my ($text, @junk) = $definition->(0);
	my $by = { list => ' PARTITION BY LIST (part)', hash => " PARTITION BY HASH ($table->{key})", sub => ' PARTITION BY LIST (part)', '' => '' }->{ $table->{partitioned} };
	$text =~ s/int DEFAULT 1/int NOT NULL DEFAULT 1/ if $by;
	$self->add_setup("CREATE TABLE $name $text$by", map { "ALTER TABLE $name DROP COLUMN $_" } @junk);
	my $primary = $table->{partitioned} =~ /list|sub/ ? "($table->{key}, part)" : "($table->{key})";
	$self->add_setup("ALTER TABLE $name ADD PRIMARY KEY $primary");
	my $part = sub {
		my ($partition, $of, $bound, $further) = @_;
		my ($text, @junk) = $definition->(1);
		$text =~ s/int DEFAULT 1/int NOT NULL DEFAULT 1/;
		$self->add_setup("CREATE TABLE w.$partition $text" . ($further || ''), (map { "ALTER TABLE w.$partition DROP COLUMN $_" } @junk), "ALTER TABLE $of ATTACH PARTITION w.$partition $bound");
		push @{ $table->{parts} }, "w.$partition";
	};
	my $n = $name =~ /2/ ? 'q' : 'p';
	if ($table->{partitioned} eq 'hash')
	{
		$part->("$n$_", $name, "FOR VALUES WITH (MODULUS 3, REMAINDER $_)") for 0 .. 2;
	}
	elsif ($table->{partitioned})
	{
		$part->("$n$_", $name, "FOR VALUES IN ($_)") for 1 .. 2;
		$part->("${n}3", $name, 'FOR VALUES IN (3)', $table->{partitioned} eq 'sub' ? ' PARTITION BY LIST (part)' : '');
		$part->("${n}3a", "w.${n}3", 'DEFAULT') if $table->{partitioned} eq 'sub';
		$part->("${n}4", $name, 'DEFAULT') if chance(0.5);
	}
	if ($self->{parallel})
	{
		my @leaves = grep { !($table->{partitioned} eq 'sub' && /3$/) } @{ $table->{parts} || [$name] };
		$self->add_setup("ALTER TABLE $_ SET (parallel_workers = 2)") for @leaves;
	}
	$self->add_setup("CREATE INDEX ON $name ($_)") for some(rnd(4), grep { !/^[ajz]$/ } @{ $self->{cols} });
	my $mode = pick('deepest', 'deepest', 'all', 'first');
	$table->{attach} = "SELECT territory.attach('$name', " . (chance(0.3) && $table->{partitioned} !~ /list|sub/ ? '' : "key => '" . $table->{key} =~ s/"//gr . "', ") . "mode => '$mode', kind => '" . pick('account', 'lead') . "')";
	# attach takes the user's word that a key that is not the partition key is unique
	$self->add_setup(
		"CREATE FUNCTION w.once$n() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN"
		. " IF TG_OP = 'UPDATE' THEN IF NEW.$table->{key} = OLD.$table->{key} THEN RETURN NEW; END IF; END IF;"
		. " IF EXISTS (SELECT FROM $name o WHERE o.$table->{key} = NEW.$table->{key} AND o.part <> NEW.part) THEN " . pick('RETURN NULL;', "RAISE unique_violation USING MESSAGE = 'the key is there';") . " END IF;"
		. " RETURN NEW; END\$\$",
		"CREATE TRIGGER once BEFORE INSERT OR UPDATE ON $name FOR EACH ROW EXECUTE FUNCTION w.once$n()") if $table->{partitioned} =~ /list|sub/;
	if ($self->{triggers})
	{
		my $f = "w.trigger$n";
		my $key = $table->{keyof};
		$self->add_setup(
			"CREATE FUNCTION ${f}_before() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN"
			. " IF NEW.note = 'skip' THEN RETURN NULL; END IF;"
			. " IF NEW.note = 'bump' THEN NEW.i := (coalesce(NEW.i, 0) % 100 + 1) % 7; NEW.t := 'NL'; END IF; RETURN NEW; END\$\$",
			"CREATE FUNCTION ${f}_after() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN"
			. " IF NEW.note = 'echo' THEN UPDATE $name SET t = NEW.t, i = NEW.i, b = 2 WHERE $table->{key} IN (" . $key->(3) . ', ' . $key->(7) . ") AND note IS DISTINCT FROM 'echo'; END IF;"
			. " IF NEW.note = 'rule' THEN UPDATE territory.rule SET active = NOT active WHERE id % 4 = 1; END IF;"
			. " IF NEW.note = 'drop' THEN DELETE FROM $name WHERE $table->{key} = " . $key->(5) . "; END IF; RETURN NULL; END\$\$",
			"CREATE FUNCTION ${f}_statement() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN"
			. " IF pg_trigger_depth() < 2 THEN UPDATE $name SET n = 2, note = '' WHERE note = 'drop'; END IF; RETURN NULL; END\$\$",
			"CREATE TRIGGER " . pick('"!early"', 'zz_late') . " BEFORE INSERT OR UPDATE ON $name FOR EACH ROW EXECUTE FUNCTION ${f}_before()",
			"CREATE TRIGGER " . pick('"!after"', 'zz_after') . " AFTER INSERT OR UPDATE ON $name FOR EACH ROW EXECUTE FUNCTION ${f}_after()",
			"CREATE TRIGGER " . pick('"!end"', 'zz_end') . " AFTER UPDATE ON $name FOR EACH STATEMENT EXECUTE FUNCTION ${f}_statement()");
	}
	$self->add_setup($table->{attach}, "CREATE TRIGGER zzz_settle AFTER INSERT OR UPDATE ON $name FOR EACH STATEMENT EXECUTE FUNCTION oracle.settle_table()");
}

my @names = ('a', 'A', 'b', 'a b', 'a.b', 'é', 'z', 'Z', '"', '1', '10', '9', 'ab', '-', '_x', 'ö', '日', ' ', 'a!', '~');

sub make_tree
{
	my ($self) = @_;
	my $count = pick(3 + rnd(8), 3 + rnd(8), 3 + rnd(38));
	$self->{next_node} = 1000 + rnd(100);
	$self->{node} = [];
	$self->{next_rule} = 5000;
	$self->add_setup("INSERT INTO territory.model (id, name) VALUES (77, 'second')") if $self->{second_model};
	my %depth;
	for (1 .. $count)
	{
		my $id = $self->{next_node} += pick(1, 1, 7);
		my @above = grep { $depth{$_} < 6 } @{ $self->{node} };
		my $parent = @above && chance(0.85) ? pick(@above) : 'NULL';
		$depth{$id} = $parent eq 'NULL' ? 1 : $depth{$parent} + 1;
		my $model = $self->{second_model} && $parent eq 'NULL' && chance(0.3) ? 77 : undef;
		$self->add_setup($self->node_insert($id, $parent, $model));
		push @{ $self->{node} }, $id;
	}
	$self->{node} = [ shuffle(@{ $self->{node} }) ];
}

sub node_insert
{
	my ($self, $id, $parent, $model) = @_;
	my $name = quote(pick(@names) . (chance(0.8) ? $id : ''));
	my $cascade = chance(0.75) ? 'true' : 'false';
	my $priority = pick(0, 0, 0, 1, 2, -1);
	$model = defined $model ? $model : $parent eq 'NULL' ? 'territory.active_model()' : "(SELECT model_id FROM territory.node WHERE id = $parent)";
	return "INSERT INTO territory.node (id, model_id, parent_id, name, priority, cascade) VALUES ($id, $model, $parent, $name, $priority, $cascade)";
}

sub quote { my ($s) = @_; $s =~ s/'/''/g; "'$s'" }
sub new_node { my ($self) = @_; my $id = ++$self->{next_node}; push @{ $self->{node} }, $id; $id }
sub any_node { my ($self) = @_; pick(@{ $self->{node} }) }
sub any_table { my ($self) = @_; pick(@{ $self->{table} }) }
sub any_rule { my ($self) = @_; 5001 + rnd($self->{next_rule} - 5000 + 1) }

sub any_criteria
{
	my ($self) = @_;
	my $old = $self->{old} ||= [];
	return pick(@$old) if @$old && chance(0.2);
	my $text = chance(0.01) ? 'NULL' : criteria($self->{cols}, 2);
	push @$old, $text;
	return $text;
}

# rule ids go up and down, so that the lowest is not always the oldest
sub rule_values
{
	my ($self) = @_;
	my $id = ++$self->{next_rule};
	$id = 100000 - $id if chance(0.2);
	return "($id, " . $self->any_node . ", '" . $self->any_table->{name} . "', " . quote($self->any_criteria) . ', ' . (chance(0.85) ? 'true' : 'false') . ')';
}

sub rule_insert
{
	my ($self, $many) = @_;
	return 'INSERT INTO territory.rule (id, node_id, object, criteria, active) VALUES ' . join(",\n  ", map { $self->rule_values } 1 .. ($many && $many > 0 ? 1 : 1 + rnd(4)));
}

# ---------- statements on an attached table ----------

sub row_columns { my ($self, $table) = @_; my @c = grep { $_ ne 'g' } some(2 + rnd(6), @{ $self->{cols} }, 'note', 'part'); @c = grep { $_ ne 'part' || $table->{partitioned} || 1 } @c; return @c }
sub row { my ($self, $table, $number, @c) = @_; return '(' . join(', ', $table->{keyof}->($number), map { value($_) } @c) . ')' }
sub any_number { my ($self) = @_; 1 + rnd($self->{domain}) }

# the list of a random choice of values, as an array to pick from by row
sub expression_of { my ($col, $g) = @_; my @v = map { value($col) } 1 .. 5; return "(ARRAY[" . join(', ', @v) . "]::$cast{$col}\[])[1 + ($g * " . pick(1, 2, 3, 7) . ' + ' . rnd(5) . ') % 5]' . ($col eq 'a' ? '' : '') }
sub from_list
{
	my ($col, $g) = @_;
	my @v = map { value($col) } 1 .. 4;
	my $m = pick(1, 2, 3, 7);
	return 'CASE (' . "$g * $m" . ' + ' . rnd(4) . ') % 4 ' . join(' ', map { "WHEN $_ THEN $v[$_]::$cast{$col}" } 0 .. 3) . ' END';
}

sub fill
{
	my ($self, $table) = @_;
	my @c = grep { $_ ne 'g' } @{ $self->{cols} }, 'part';
	my $n = int($self->{domain} * (0.4 + rand(0.5)));
	return "INSERT INTO $table->{name} ($table->{key}, " . join(', ', @c) . ') SELECT ' . join(', ', $table->{keyof}->('num'), map { from_list($_, "(num * 31 + num / 5)") } @c) . " FROM generate_series(1, $n) num";
}

sub target
{
	my ($self, $table) = @_;
	return pick(@{ $table->{parts} }) if $table->{partitioned} && chance(0.15);
	return $table->{name};
}

sub where
{
	my ($self, $table) = @_;
	my $k = $table->{key};
	my $what = rnd(10);
	return "$k = " . $table->{keyof}->($self->any_number) if $what < 4;
	return "$k IN (" . join(', ', map { $table->{keyof}->($self->any_number) } 1 .. 4) . ')' if $what < 6;
	return "$k IN (SELECT $k FROM $table->{name} ORDER BY md5($k\::text || '" . rnd(100) . "') LIMIT " . (1 + rnd(8)) . ')' if $what < 8;
	my $c = criteria($self->{cols}, 0);
	return $c if $what == 8;
	return pick('true', 'true', 'false', "$k IS NOT NULL");
}

sub assignments
{
	my ($self, $table) = @_;
	my @c = grep { $_ ne 'g' } some(1 + rnd(3), @{ $self->{cols} }, 'note', $table->{partitioned} ? 'part' : ());
	return join ', ', map { my $c = $_; "$c = " . ($c =~ /^[ib]$/ && chance(0.2) ? "$c % 1000 + 1" : $c eq 't' && chance(0.2) ? 'v' : value($c)) } @c ? @c : ('note');
}

sub insert
{
	my ($self, $table) = @_;
	my @c = $self->row_columns($table);
	my $into = 'INSERT INTO ' . $self->target($table) . " ($table->{key}" . join('', map { ", $_" } @c) . ')';
	my $what = rnd(8);
	return "$into VALUES " . $self->row($table, $self->any_number, @c) if $what < 3;
	return "$into VALUES " . join(', ', map { $self->row($table, $_, @c) } some(2 + rnd(6), 1 .. $self->{domain})) if $what < 5;
	my $from = $self->any_number;
	return "$into SELECT " . join(', ', $table->{keyof}->('num'), map { from_list($_, 'num') } @c) . " FROM generate_series($from, " . ($from + rnd(12)) . ") num WHERE NOT EXISTS (SELECT FROM $table->{name} o WHERE o.$table->{key} = " . $table->{keyof}->('num') . ')';
}

sub copy
{
	my ($self, $table) = @_;
	# keys outside the domain of the other statements, of a form that COPY reads
	my @c = grep { /^[itbnf]$/ } @{ $self->{cols} };
	my %shown = (bigint => sub { $_[0] * 1000000007 }, int => sub { $_[0] }, text => sub { "k 'é $_[0]" },
		uuid => sub { my $h = sprintf '%x', $_[0] * 7919 % 1000; 'e' x (8 - length $h) . "$h-0000-4000-8000-00000000abcd" });
	my @lines = map { my $n = $_; join "\t", $shown{ $table->{key_type} }->($n), map { my $v = value($_); $v = $v eq 'NULL' ? '\\N' : $v =~ s/^'(.*)'$/$1/r =~ s/''/'/gr; $v } @c } some(1 + rnd(6), 1 .. $self->{domain});
	return 'COPY ' . $self->target($table) . " ($table->{key}" . join('', map { ", $_" } @c) . ") FROM STDIN;\n" . join("\n", @lines) . "\n\\.\n";
}

sub on_conflict
{
	my ($self, $table) = @_;
	my @c = $self->row_columns($table);
	my $target = $table->{partitioned} =~ /list|sub/ ? "($table->{key}, part)" : "($table->{key})";
	my $action = chance(0.3) ? 'DO NOTHING' : 'DO UPDATE SET ' . join(', ', map { chance(0.7) ? "$_ = excluded.$_" : "$_ = " . value($_) } @c ? @c : 'note') . (chance(0.3) ? " WHERE t.note IS DISTINCT FROM 'drop'" : '');
	return "INSERT INTO $table->{name} AS t ($table->{key}" . join('', map { ", $_" } @c) . ') VALUES ' . join(', ', map { $self->row($table, $_, @c) } some(1 + rnd(8), 1 .. $self->{domain})) . " ON CONFLICT $target $action";
}

sub update
{
	my ($self, $table) = @_;
	my $name = $self->target($table);
	my $what = rnd(20);
	my $where = $self->where($table);
	return "UPDATE $name SET $table->{key} = " . $table->{keyof}->($self->any_number) . (chance(0.4) ? ', ' . $self->assignments($table) : '') . " WHERE $table->{key} = " . $table->{keyof}->($self->any_number) if $what < 3;
	if ($what == 3)
	{
		my ($from, $to) = ($self->any_number, $self->any_number);
		my ($x, $y) = ($table->{keyof}->($from), $table->{keyof}->($to));
		return "UPDATE $name SET $table->{key} = CASE WHEN $table->{key} = $x THEN $y ELSE $x END WHERE $table->{key} IN ($x, $y)";
	}
	return "UPDATE $name SET $table->{key} = $table->{key} + " . pick(1, 500, '1000') . " WHERE $where" if $what == 4 && $table->{key_type} eq 'int';
	return "UPDATE $name SET $table->{key} = $table->{key} || 'x' WHERE $where" if $what == 4 && $table->{key_type} eq 'text';
	return "UPDATE $name SET " . join(', ', map { "$_ = $_" } $table->{key}, grep { $_ ne 'g' } @{ $self->{cols} }) . " WHERE $where" if $what == 5;
	return "UPDATE $name SET part = " . value('part') . ($what == 6 ? ', ' . ($self->assignments($table) =~ s/, part = [^,]*|^part = [^,]*(, )?//gr || 'note = note') : '') . " WHERE $where" if $what < 9 && $table->{partitioned} =~ /list|sub/;
	return "UPDATE $name AS u SET i = s.i, t = s.t FROM $table->{name} s WHERE s.i = u.b" if $what == 9;
	return "UPDATE $name SET " . $self->assignments($table) . " WHERE $where";
}

sub delete { my ($self, $table) = @_; return 'DELETE FROM ' . $self->target($table) . ' WHERE ' . $self->where($table) }

sub merge
{
	my ($self, $table) = @_;
	my $from = $self->any_number;
	my @c = $self->row_columns($table);
	@c = ('note') unless @c;
	my @when = (shuffle(
		'WHEN MATCHED AND t.i = 2 THEN DELETE',
		'WHEN MATCHED AND s.number % 3 = 0 THEN DO NOTHING',), 'WHEN MATCHED THEN UPDATE SET ' . join(', ', map { "$_ = s.$_" } @c));
	return "MERGE INTO $table->{name} t USING (SELECT num AS number, " . join(', ', $table->{keyof}->('num') . ' AS key', map { from_list($_, 'num') . " AS $_" } @c)
	  . ' FROM generate_series(' . $from . ', ' . ($from + rnd(15)) . ") num) s ON t.$table->{key} = s.key\n  "
	  . join("\n  ", @when, "WHEN NOT MATCHED AND s.number % 5 = 1 THEN DO NOTHING", "WHEN NOT MATCHED THEN INSERT ($table->{key}" . join('', map { ", $_" } @c) . ') VALUES (s.key' . join('', map { ", s.$_" } @c) . ')');
}

sub returning { my ($self, $table) = @_; " RETURNING $table->{key}" }

# several writes in one statement, of the table, of another, of rules
sub cte
{
	my ($self, $table) = @_;
	my @with;
	my $other = $self->any_table;
	push @with, pick($self->update($table), $self->delete($table), $self->insert($table), $self->on_conflict($table)) . ' RETURNING 1';
	push @with, pick($self->update($other), $self->delete($other)) . ' RETURNING 1' if chance(0.4);
	push @with, $self->rule_change . ' RETURNING 1' if chance(0.25);
	push @with, $self->exclusion_change . ' RETURNING 1' if chance(0.15);
	my $last = pick($self->update($table), $self->delete($table), $self->insert($table), 'SELECT 1', $self->rule_change, $self->node_change);
	$last = 'SELECT 1' if $last =~ /^WITH/;
	@with = grep { !/^WITH/ } @with;
	return 'WITH ' . join(",\n  ", map { "c$_ AS (" . $with[$_] . ')' } 0 .. $#with) . "\n$last";
}

sub table_step
{
	my ($self) = @_;
	my $table = $self->any_table;
	my $what = rnd(100);
	return $self->insert($table) if $what < 20;
	return $self->on_conflict($table) if $what < 30;
	return $self->update($table) if $what < 60;
	return $self->delete($table) if $what < 68;
	return $self->merge($table) if $what < 76;
	return $self->cte($table) if $what < 86;
	return $self->copy($table) if $what < 89;
	return 'TRUNCATE ' . (chance(0.5) ? $table->{name} : $self->target($table)) . (chance(0.2) ? ' CASCADE' : '') if $what < 90;
	return $self->fill($table) . " ON CONFLICT DO NOTHING" if $what < 92;
	return pick('UPDATE w.parent SET id = (id + 1) % 9 + 10 * (id / 9) WHERE id = ' . (1 + rnd(8)), 'DELETE FROM w.parent WHERE id = ' . (1 + rnd(4)), 'INSERT INTO w.parent SELECT g FROM generate_series(1, 4) g ON CONFLICT DO NOTHING', 'UPDATE w.parent SET id = id + 4') if $what < 95;
	# subtransactions of plpgsql
	my @s = map { pick($self->update($table), $self->insert($table), $self->delete($table), $self->rule_change) } 1 .. 3;
	return "DO \$do\$BEGIN\n  $s[0];\n  BEGIN\n    $s[1];\n    " . (chance(0.6) ? "RAISE 'no';" : '') . "\n  EXCEPTION WHEN raise_exception OR integrity_constraint_violation THEN NULL;\n  END;\n  $s[2];\nEND\$do\$";
}

# ---------- statements on rules, nodes, exclusions ----------

sub rule_where { my ($self) = @_; pick('id = ' . $self->any_rule, 'id = ' . $self->any_rule, 'node_id = ' . $self->any_node, 'id % 3 = ' . rnd(3), 'id % 7 = ' . rnd(7), "object = '" . $self->any_table->{name} . "'::regclass", 'NOT active') }

sub rule_change
{
	my ($self) = @_;
	my $what = rnd(20);
	return $self->rule_insert if $what < 6;
	return 'UPDATE territory.rule SET active = ' . pick('NOT active', 'NOT active', 'true', 'false') . ' WHERE ' . $self->rule_where if $what < 10;
	return 'UPDATE territory.rule SET criteria = ' . quote($self->any_criteria) . ' WHERE ' . pick($self->rule_where, 'id = ' . $self->any_rule) if $what < 13;
	return 'UPDATE territory.rule SET node_id = ' . $self->any_node . ' WHERE ' . $self->rule_where if $what < 15;
	return 'UPDATE territory.rule SET id = id + ' . pick(20000, -20000) . ' WHERE ' . $self->rule_where if $what == 15;
	return "UPDATE territory.rule SET name = 'x' || id, active = true, node_id = " . $self->any_node . ', criteria = ' . quote($self->any_criteria) . ' WHERE id = ' . $self->any_rule if $what == 16;
	return "UPDATE territory.rule SET object = '" . $self->any_table->{name} . "' WHERE " . $self->rule_where if $what == 17;
	return 'DELETE FROM territory.rule WHERE ' . $self->rule_where;
}

sub node_where { my ($self) = @_; pick(('id = ' . $self->any_node) x 4, 'id % 3 = ' . rnd(3), 'parent_id = ' . $self->any_node, 'id IN (' . join(', ', $self->any_node, $self->any_node, $self->any_node) . ')', 'true') }

sub node_change
{
	my ($self) = @_;
	my $what = rnd(22);
	my $id = $self->any_node;
	return $self->node_insert($self->new_node, chance(0.85) ? $id : 'NULL') if $what < 3;
	return 'UPDATE territory.node SET name = ' . quote(pick(@names) . pick('', rnd(1000))) . ' WHERE id = ' . $self->any_node if $what < 5;
	return 'UPDATE territory.node SET parent_id = ' . (chance(0.85) ? $self->any_node : 'NULL') . (chance(0.2) ? ', cascade = NOT cascade' : '') . (chance(0.1) ? ", name = 'moved$id'" : '') . ' WHERE ' . (chance(0.8) ? "id = $id" : $self->node_where) if $what < 10;
	return "UPDATE territory.node SET path = (SELECT path FROM territory.node WHERE id = " . $self->any_node . ") || name WHERE id = $id" if $what == 10;
	return 'UPDATE territory.node SET cascade = ' . pick('NOT cascade', 'NOT cascade', 'true', 'false') . ' WHERE ' . $self->node_where if $what < 14;
	return 'UPDATE territory.node SET priority = ' . pick('priority + 1', '-priority', rnd(4), 'id % 5') . ' WHERE ' . $self->node_where if $what < 17;
	return "UPDATE territory.node SET description = 'x' WHERE " . $self->node_where if $what == 17;
	return 'WITH r AS (DELETE FROM territory.rule WHERE node_id = ' . $id . " RETURNING 1) DELETE FROM territory.node WHERE id = $id" if $what == 18;
	return 'DELETE FROM territory.node WHERE path <@ (SELECT path FROM territory.node n WHERE id = ' . $id . ") AND model_id = (SELECT model_id FROM territory.node n WHERE id = $id)" if $what == 19;
	return 'DELETE FROM territory.node WHERE ' . $self->node_where =~ s/^true$/id = $id/r;
}

sub exclusion_change
{
	my ($self) = @_;
	my $table = $self->any_table;
	my $node = chance(0.75) ? $self->any_node : 'NULL';
	my $key = $table->{keyof}->($self->any_number) . '::text';
	my $what = rnd(10);
	return "INSERT INTO territory.exclusion (object, key, node_id) VALUES ('$table->{name}', " . pick($key, $key, $table->{key_type} eq 'uuid' ? "upper($key)" : $table->{key_type} eq 'text' ? $key : "' 0' || $key") . ", $node)" if $what < 4;
	return "INSERT INTO territory.exclusion (object, key, node_id) SELECT '$table->{name}', $table->{key}\::text, $node FROM $table->{name} ORDER BY md5($table->{key}\::text || 'x') LIMIT 3 ON CONFLICT DO NOTHING" if $what < 6;
	return "UPDATE territory.exclusion SET node_id = $node WHERE " . pick("key = $key", 'id % 2 = 0', 'id % 3 = 1') if $what == 6;
	return "UPDATE territory.exclusion SET key = $key WHERE id % 5 = " . rnd(5) if $what == 7 && @{ $self->{table} } == 1;
	# what stands in a pair that was assigned by a rule
	return "INSERT INTO territory.exclusion (object, key, node_id) SELECT a.object, a.key, a.node_id FROM territory.assignment a WHERE a.object = '$table->{name}'::regclass ORDER BY md5(a.key || a.node_id) LIMIT " . (1 + rnd(4)) . ' ON CONFLICT DO NOTHING' if $what == 8;
	return 'DELETE FROM territory.exclusion WHERE ' . pick("key = $key", 'id % 2 = 0', 'id % 3 = 1', 'node_id IS NULL', 'true');
}

sub mode_change { my ($self) = @_; return "UPDATE territory.object SET mode = '" . pick('deepest', 'all', 'first') . "'" . (chance(0.8) ? " WHERE object = '" . $self->any_table->{name} . "'::regclass" : '') }

sub ddl
{
	my ($self) = @_;
	my $table = $self->any_table;
	my $name = $table->{name};
	my $what = rnd(9);
	my $extra = $self->{extra} = ($self->{extra} || 0) + 1;
	return "ALTER TABLE $name ADD COLUMN extra$extra " . pick('int', "text DEFAULT 'x'", 'int NOT NULL DEFAULT 5') if $what < 2;
	return "ALTER TABLE $name DROP COLUMN IF EXISTS extra" . (1 + rnd($extra)) if $what == 2;
	if ($what == 3 || $what == 7)
	{
		my $c = pick(@{ $self->{cols} });
		$self->add("ALTER TABLE $name RENAME COLUMN $c TO ${c}_renamed");
		return "ALTER TABLE $name RENAME COLUMN ${c}_renamed TO $c";
	}
	return "ALTER TABLE $name ALTER COLUMN v TYPE text" if $what == 4;
	if ($what =~ /5|6/ && $table->{partitioned})
	{
		my $bound = $table->{partitioned} eq 'hash' ? 'FOR VALUES WITH (MODULUS 3, REMAINDER 0)' : 'FOR VALUES IN (1)';
		my $between = pick("UPDATE $table->{parts}[0] SET i = 2, t = 'NL', note = ''", "DELETE FROM $table->{parts}[0] WHERE i = 2", "TRUNCATE $table->{parts}[0]", 'SELECT 1');
		$self->add("ALTER TABLE $name DETACH PARTITION $table->{parts}[0]");
		$self->add($between);
		return "ALTER TABLE $name ATTACH PARTITION $table->{parts}[0] $bound";
	}
	return "CREATE INDEX ON $name (" . pick(grep { !/^[aj]$/ } @{ $self->{cols} }, 'i') . ')';
}

sub one_step
{
	my ($self) = @_;
	my $what = rnd(100);
	return Manual::change($self) if $what < 9;
	return Manual::check_change($self) if $what < 15 && $self->{checks};
	return $self->table_step if $what < 55;
	return $self->rule_change if $what < 75;
	return $self->node_change if $what < 87;
	return $self->exclusion_change if $what < 94;
	return $self->mode_change if $what < 96;
	return "SELECT * FROM territory.run('" . $self->any_table->{name} . "'" . pick('', ', under => (SELECT path FROM territory.node WHERE model_id = territory.active_model() ORDER BY id LIMIT 1)', ', "only" => ' . quote(criteria($self->{cols}, 1))) . ')' if $what < 97;
	return "UPDATE territory.model SET state = CASE state WHEN 'active' THEN 'planning' ELSE 'active' END" if $what == 97 && $self->{second_model};
	return $self->ddl if $what == 98;
	return 'UPDATE ' . $self->any_table->{name} . ' SET note = note';
}

# ---------- steps and transactions ----------

sub add
{
	my ($self, $sql, %more) = @_;
	$sql .= ';' unless $sql =~ /^\\|\n\\\.\n$/;
	push @{ $self->{steps} }, { sql => $sql, check => 1, %more };
}

sub make_steps
{
	my ($self, $count) = @_;
	while (@{ $self->{steps} } < $count)
	{
		my $what = rnd(100);
		if ($what < 45) { $self->add($self->one_step) for 1 .. 1 + rnd(3) }
		elsif ($what < 85) { $self->transaction }
		# a run that a check stops leaves what was deferred as it is
		elsif ($what < 92 && !$self->{checks}) { $self->deferred }
		elsif ($self->{dblink}) { $self->add("SELECT dblink_exec('other', " . quote($self->one_step =~ s/;?\s*$//r) . ')', elsewhere => 1) }
		else { $self->add($self->one_step) }
	}
	for my $step (@{ $self->{steps} })
	{
		# a COPY or a SELECT cannot go through dblink_exec
		$step->{sql} = 'SELECT 1;' if $step->{elsewhere} && $step->{sql} =~ /FROM STDIN|'SELECT|\nSELECT 1'/;
		$step->{also} = join '', map { chance(0.08) ? $_ : () } qw(m v p h);
	}
}

sub transaction
{
	my ($self) = @_;
	my @stack;
	my $rollback = chance(0.5) ? 'on' : 'off';
	$self->add("\\set ON_ERROR_ROLLBACK $rollback", check => 0);
	$self->add('BEGIN' . pick('', '', ' ISOLATION LEVEL REPEATABLE READ', ' ISOLATION LEVEL SERIALIZABLE'), check => 0);
	$self->add('SET CONSTRAINTS ALL DEFERRED', check => 0) if chance(0.1);
	for (1 .. 2 + rnd(7))
	{
		my $what = rnd(10);
		if ($what < 2) { push @stack, my $name = 's' . rnd(3); $self->add("SAVEPOINT $name", check => 0) }
		elsif ($what == 2 && @stack)
		{
			my $at = rnd(scalar @stack);
			$self->add("ROLLBACK TO $stack[$at]");
			# the name means its latest savepoint
			my ($last) = grep { $stack[$_] eq $stack[$at] } reverse 0 .. $#stack;
			$#stack = $last;
		}
		elsif ($what == 3 && @stack)
		{
			my $name = $stack[-1];
			$self->add("RELEASE $name");
			pop @stack;
		}
		else { $self->add($self->one_step) }
	}
	$self->add(chance(0.65) ? 'COMMIT' : 'ROLLBACK');
}

# changes that wait for territory.run
sub deferred
{
	my ($self) = @_;
	$self->add('SET territory.defer_runs = on', check => 0);
	for (1 .. 1 + rnd(5))
	{
		# whether a manual pair outlives an exclusion that comes and goes depends on who is evaluated meanwhile
		my $exclusion;
		do { $exclusion = $self->exclusion_change } until $exclusion =~ /^INSERT/;
		my $sql = pick($self->rule_change, $self->node_change, $exclusion, $self->mode_change, $self->table_step);
		$self->add($sql, check => 0);
	}
	$self->add('RESET territory.defer_runs', check => 0);
	if (chance(0.2))
	{
		my $table = $self->any_table;
		# one that means the same whatever the session's TimeZone and DateStyle are
		my $only;
		do { $only = criteria($self->{cols}, 1) } while $only =~ m{\d/\d|:00'|\d\d'|\bz(::| [<>])|from z|, z\)|now|current};
		$self->add("SELECT * FROM territory.run('$table->{name}', \"only\" => " . quote($only) . ')', check => 0);
		$self->{steps}[-1]{only} = [ $table->{name}, $only ];
	}
	# the messages tell of workers
	$self->add('SET client_min_messages = debug1', check => 0) if $self->{parallel};
	$self->add("SELECT * FROM territory.run('$_->{name}')", check => 0) for @{ $self->{table} };
	$self->add('SET client_min_messages = warning');
}

# the text for psql: the setup and the steps, or only those of them whose numbers are given
sub script
{
	my ($self, $setup, $steps) = @_;
	my @setup = $setup ? @{ $self->{setup} }[@$setup] : @{ $self->{setup} };
	my @numbers = $steps ? @$steps : 0 .. $#{ $self->{steps} };
	my $text = "\\set VERBOSITY verbose\n\\set ON_ERROR_ROLLBACK off\nRESET SESSION AUTHORIZATION;\nSET client_min_messages = warning;\n"
	  . "\\echo -- world $self->{seed}\nSELECT oracle.clean();\n";
	$text .= join '', @setup, $self->compare(-1, 'vpmh');
	$text .= "SELECT dblink_disconnect(n) FROM unnest(dblink_get_connections()) n;\nSELECT dblink_connect('other', format('host=%s port=%s user=%s dbname=%s options=-csearch_path=public,territory', current_setting('unix_socket_directories'), current_setting('port'), current_user, current_database()));\n" if $self->{dblink};
	for my $number (@numbers)
	{
		my $step = $self->{steps}[$number];
		$text .= "\\echo -- step $number\n$step->{sql}\n";
		$text .= $self->compare($number, $step->{also}) if $step->{check};
		$text .= "SELECT 'C$number ' || oracle.compare('$step->{only}[0]', '', " . quote($step->{only}[1]) . ");\n" if $step->{only};
	}
	return $text . "\\echo -- end\n";
}

sub compare
{
	my ($self, $number, $also) = @_;
	return join '', map { "SELECT 'C$number ' || oracle.compare('$_->{name}', '$also');\n" } @{ $self->{table} };
}

1;
