"""The checks with psycopg2, which puts parameters into the statement as literals."""
from io import BytesIO

import psycopg2
from psycopg2.extensions import new_array_type, register_type

from checks import Driver, same


class Psycopg2(Driver):
  LISTS_ARE_TEXT = True

  def __init__(self, db):
    super().__init__(db)
    [(self.oid, array)] = self.execute("SELECT oid, typarray FROM pg_type WHERE oid = 'territory'::regtype")
    register_type(new_array_type((array,), 'territory[]', psycopg2.STRING), db)    # else arrays are read as their text

  def prepared(self, sql, parameter):
    if not self.values("SELECT name FROM pg_prepared_statements WHERE name = 'subtree'"):
      self.execute('PREPARE subtree AS ' + sql.replace('?', '$1'))
    return self.values('EXECUTE subtree (?)', parameter)

  def error_of(self, error):
    position = error.diag.statement_position
    return error.pgcode, error.diag.message_detail, position and int(position)

  def copy_out(self, source, form):
    out = BytesIO()
    self.db.cursor().copy_expert(f'COPY {source} TO STDOUT (FORMAT {form})', out)
    return out.getvalue()

  def copy_in(self, target, form, data):
    self.db.cursor().copy_expert(f'COPY {target} FROM STDIN (FORMAT {form})', BytesIO(data))

  def check_transfer(self):
    self.check_read()
    return 'text: psycopg2 has no binary results'

  def check_metadata(self):
    path, paths = self.execute('SELECT path, paths FROM region').description
    same((path.name, path.type_code), ('path', self.oid))
    same(self.values('SELECT ?::oid::regtype::text', paths.type_code), ['territory[]'])
    return 'the OID'


Psycopg2(psycopg2.connect('')).run()
