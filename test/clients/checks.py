"""What the Python programs have in common: their drivers follow the DB-API, so most checks are written once, here.

A program makes a subclass of Driver for its driver, with the checks and the habits that are its own, and runs it. Each
line of checks.txt is the name of a check, which is the method check_NAME, and what it says.
"""
import traceback
from pathlib import Path


def same(got, expected):
  assert got == expected, f'got {got!r}, expected {expected!r}'


class Driver:
  PARAMETER = '%s'                            # how the driver writes a parameter that the checks write as ?
  WANTED = ['EMEA', 'EMEA.DACH', 'nowhere']   # the array of check_any, as the driver takes it
  PATHS = ['EMEA', None, 'US."St. Louis"']    # the array that setup.sql stores, as the driver takes and gives it
  LISTS_ARE_TEXT = False                      # are arrays bound as text[]? No index of the type serves these
  POSITION = 13                               # that of the operator in the wrong statement of check_error

  def __init__(self, db):
    self.db = db

  def execute(self, sql, *parameters):
    """Runs a statement with the parameters, bound as the driver does by itself; returns the cursor."""
    cursor = self.db.cursor()
    cursor.execute(sql.replace('?', self.PARAMETER), parameters)
    return cursor

  def values(self, sql, *parameters):
    """The first column of a query's result."""
    return [row[0] for row in self.execute(sql, *parameters)]

  def found(self, ids, condition, parameter):
    """The condition on regions, with one parameter, finds the ids."""
    same(self.values(f'SELECT id FROM region WHERE {condition} ORDER BY id', parameter), ids)

  def found_in_index(self, ids, condition, parameter):
    self.found(ids, condition, parameter)
    self.plan_has_index(self.values(f'EXPLAIN SELECT id FROM region WHERE {condition}', parameter))

  @staticmethod
  def plan_has_index(plan):
    assert any('Index Cond: (' in line for line in plan), plan

  # ---------- the habits of the driver ----------

  def prepared(self, sql, parameter):
    """The first column of a query that the server is to prepare at the first call and to run from then on."""
    raise NotImplementedError

  def error_of(self, error):
    """SQLSTATE, detail and position of the driver's error."""
    raise NotImplementedError

  def copy_out(self, source, form):
    """COPY's output of the source in the form text or binary, as copy_in takes it."""
    raise NotImplementedError

  def copy_in(self, target, form, data):
    raise NotImplementedError

  # ---------- the checks ----------

  def check_read(self):
    same(self.values('SELECT path FROM region WHERE id = 2'), ['EMEA.Benelux'])

  def check_write(self):
    self.execute('INSERT INTO region (id, path) VALUES (9, ?)', 'EMEA.Nordics')
    same(self.values('SELECT path FROM region WHERE id = 9'), ['EMEA.Nordics'])
    for path in 'US."St. Louis"', '':
      self.execute('UPDATE region SET path = ? WHERE id = 9', path)
      same(self.values('SELECT path FROM region WHERE id = 9'), [path])

  def check_compare(self):
    self.found_in_index([3], 'path = ?', 'EMEA.DACH')
    self.found_in_index([1, 2, 3], 'path <@ ?', 'EMEA')
    self.found_in_index([1, 2], 'path @> ?', 'EMEA.Benelux.Brussels')

  def check_any(self):
    self.found_in_index([1, 3], 'path = any(?::territory[])', self.WANTED)
    if self.LISTS_ARE_TEXT:
      self.found([1, 3], 'path = any(?)', self.WANTED)
      return 'if cast: path = any(?::territory[])'
    self.found_in_index([1, 3], 'path = any(?)', self.WANTED)

  def check_array(self):
    same(self.values('SELECT paths FROM region WHERE id = 2'), [self.PATHS])
    self.execute('UPDATE region SET paths = ? WHERE id = 3', self.PATHS)
    same(self.values('SELECT paths FROM region WHERE id = 3'), [self.PATHS])

  def check_null(self):
    same(self.values('SELECT path FROM region WHERE id = 4'), [None])
    self.execute('UPDATE region SET path = ?, paths = ? WHERE id = 2', None, None)
    same(self.values('SELECT id FROM region WHERE id = 2 AND path IS NULL AND paths IS NULL'), [2])

  def check_prepare(self):
    self.execute('SET LOCAL plan_cache_mode = force_generic_plan')
    for path, count in ('EMEA', 3), ('EMEA.DACH', 1), ('nowhere', 0):
      same(self.prepared('SELECT count(*) FROM region WHERE path <@ ?', path), [count])
    [(name, plans)] = self.execute("SELECT name, generic_plans FROM pg_prepared_statements WHERE statement ~ 'count'")
    same(plans, 3)
    self.plan_has_index(self.values(f"EXPLAIN EXECUTE \"{name}\" ('EMEA')"))

  def check_error(self):
    same(self.failure('UPDATE region SET path = ? WHERE id = 1', 'A..B')[:2],
         ('22P02', 'Empty label at character 3.'))
    self.db.rollback()
    state, _, position = self.failure('SELECT path + 1 FROM region')
    same((state, position), ('42883', self.POSITION))

  def failure(self, sql, *parameters):
    try:
      self.execute(sql, *parameters)
    except Exception as error:
      return self.error_of(error)
    raise AssertionError(f'no error: {sql}')

  def check_copy(self):
    """What COPY writes it reads."""
    before = self.values('SELECT path FROM region WHERE id < 5 ORDER BY id')
    for form in 'text', 'binary':
      self.copy_in('region (id, path)', form, self.copy_out('(SELECT id + 100, path FROM region WHERE id < 5)', form))
      same(self.values('SELECT path FROM region WHERE id BETWEEN 101 AND 104 ORDER BY id'), before)
      self.execute('DELETE FROM region WHERE id BETWEEN 101 AND 104')

  def check_unusual(self):
    texts = dict(tuple(row) for row in self.execute('SELECT name, text FROM unusual'))
    same(texts['Unicode'], 'EMEA."St. Louis".Île-de-France.東京')
    same([len(label) for label in texts['long'].split('.')][998:], [4, 1000])
    for name, text in texts.items():
      same(self.values('SELECT path FROM unusual WHERE name = ?', name), [text])
      self.execute('UPDATE unusual SET path = ? WHERE name = ?', text + '.東京', name)
      same(self.values('SELECT path FROM unusual WHERE name = ?', name), [text + '.東京'])

  # ---------- all of them ----------

  def run(self):
    """Runs the checks of checks.txt and prints TAP; a check may return a note to be printed with its name."""
    checks = dict(line.split(None, 1) for line in Path('checks.txt').read_text().splitlines())
    own = {name[len('check_'):] for name in dir(self) if name.startswith('check_')}
    assert own == set(checks), f'checks.txt and the program differ: {own ^ set(checks)}'
    print(f'1..{len(checks)}')
    for number, (name, title) in enumerate(checks.items(), 1):
      try:
        note = getattr(self, 'check_' + name)()
        print(f'ok {number} - {title}' + (f' ({note})' if note else ''))
      except Exception:
        print(f'not ok {number} - {title}')
        print('# ' + traceback.format_exc().replace('\n', '\n# '))
      self.db.rollback()
