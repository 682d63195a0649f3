"""The checks with psqlODBC, through pyodbc."""
import os
import re
from pathlib import Path
from tempfile import gettempdir

import pyodbc

from checks import Driver, same


class Odbc(Driver):
  PARAMETER = '?'
  # ODBC has no arrays: they are their text
  WANTED = '{EMEA,EMEA.DACH,nowhere}'
  PATHS = r'{EMEA,NULL,"US.\"St. Louis\""}'
  POSITION = None     # the driver leaves it out of its errors

  def __init__(self, db):
    super().__init__(db)
    self.statement = db.cursor()

  def prepared(self, sql, parameter):
    # a statement stays prepared as long as its handle runs nothing else
    return [row[0] for row in self.statement.execute(sql, parameter)]

  def error_of(self, error):
    state, message = error.args
    detail = re.search(r'\nDETAIL: (.*);', message)
    return state, detail and detail[1], None

  def copy_out(self, source, form):
    file = str(Path(gettempdir()) / 'region')
    self.execute(f"COPY {source} TO '{file}' (FORMAT {form})")
    return file

  def copy_in(self, target, form, data):
    self.execute(f"COPY {target} FROM '{data}' (FORMAT {form})")

  def check_copy(self):
    super().check_copy()
    paths = self.values('SELECT path FROM region WHERE id < 5 ORDER BY id')
    cursor = self.db.cursor()
    cursor.fast_executemany = True
    cursor.executemany('INSERT INTO region (id, path) VALUES (?, ?)', list(enumerate(paths, 101)))
    same(self.values('SELECT path FROM region WHERE id BETWEEN 101 AND 104 ORDER BY id'), paths)
    return 'ODBC has no COPY protocol: by a file on the server; rows are inserted by arrays of parameters'

  def check_transfer(self):
    self.check_read()
    return 'text: psqlODBC has no binary results'

  def check_error(self):
    super().check_error()
    return 'psqlODBC drops the position'

  def check_metadata(self):
    columns = {column.column_name: column for column in self.db.cursor().columns(table='region')}
    same((columns['path'].type_name, columns['paths'].type_name), ('territory', '_territory'))
    same((columns['path'].data_type, columns['path'].column_size), (pyodbc.SQL_WVARCHAR, 255))
    return 'SQL_WVARCHAR of 255, whatever the length; the name'


db = pyodbc.connect('Driver={PostgreSQL Unicode};Servername=%(PGHOST)s;Port=%(PGPORT)s;'
                    'Database=%(PGDATABASE)s;Username=%(PGUSER)s' % os.environ)
Odbc(db).run()
db.close()
# psqlODBC leaves a log there, whether asked to or not
for log in Path('/tmp').glob(f'psqlodbc_*{os.getpid()}.log'):
  log.unlink()
