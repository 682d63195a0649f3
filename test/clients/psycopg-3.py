"""The checks with psycopg 3, which sends parameters apart from the statement, strings without a type."""
import psycopg
from psycopg.types import TypeInfo

from checks import Driver, same


class Psycopg3(Driver):
  def __init__(self, db):
    super().__init__(db)
    self.info = TypeInfo.fetch(db, 'territory')
    self.info.register(db)      # else arrays are read as their text

  def prepared(self, sql, parameter):
    return [row[0] for row in self.db.execute(sql.replace('?', '%s'), [parameter], prepare=True)]

  def error_of(self, error):
    position = error.diag.statement_position
    return error.sqlstate, error.diag.message_detail, position and int(position)

  def copy_out(self, source, form):
    with self.db.cursor().copy(f'COPY {source} TO STDOUT (FORMAT {form})') as copy:
      return b''.join(copy)

  def copy_in(self, target, form, data):
    with self.db.cursor().copy(f'COPY {target} FROM STDIN (FORMAT {form})') as copy:
      copy.write(data)

  def check_transfer(self):
    with self.db.cursor(binary=True) as cursor:
      row = cursor.execute('SELECT path, paths FROM region WHERE id = 2').fetchone()
    same(row, (b'\x01EMEA.Benelux', [b'\x01EMEA', None, b'\x01US."St. Louis"']))
    return 'binary: the version byte 1 and the text'

  def check_metadata(self):
    path, paths = self.execute('SELECT path, paths FROM region').description
    same((path.name, path.type_code, paths.type_code), ('path', self.info.oid, self.info.array_oid))
    same(self.db.adapters.types[path.type_code].name, 'territory')
    return 'the OID; the name, once registered'


Psycopg3(psycopg.connect('')).run()
