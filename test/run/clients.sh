# clients.sh: the part "clients" of suite.sh, which sources it: the type as five drivers see it. Each program in
# test/clients runs the same checks, those of checks.txt there, on the database that setup.sql makes. A driver that
# cannot be had here is named as not run.
#
# Nothing is left behind: what is no package of the system's is installed in the private copy of the sources.

JDBC_DRIVER=/usr/share/java/postgresql.jar

# has_X: is the driver X there?
has_npm() { node --version && npm --version; }
has_psycopg2() { /usr/bin/python3 -c 'import psycopg2'; }
has_psycopg3() { /usr/bin/python3 -c 'import psycopg'; }
has_odbc() { /usr/bin/python3 -c 'import pyodbc; assert "PostgreSQL Unicode" in pyodbc.drivers()'; }
has_jdbc() { [ -e $JDBC_DRIVER ] && java -XX:-UsePerfData --list-modules | grep '^jdk.compiler@'; }

# provide TEST PACKAGE...: true when the test passes, if need be with the packages installed first
provide() {
  local test=$1
  shift
  $test >/dev/null 2>&1 || { need "for the drivers' tests" "$@" && $test >/dev/null 2>&1; }
}

provide_node_pg() {
  provide has_npm nodejs npm &&
    step "installing node-pg from the npm registry" "$WORK/logs/npm.log" \
      as_server timeout "$LIMIT" npm ci --prefix "$WORK/tree/test/clients" --cache "$WORK/npm"
}

# client PROGRAM COMMAND...: one more of run_clients's programs if the command, which provides its driver, succeeds
client() {
  local program=$1
  shift
  if "$@"; then programs+=("$program"); else missing+=" $program"; fi
}

run_clients() {
  local folder=$WORK/tree/test/clients programs=() missing=''
  client node-pg.js provide_node_pg
  client psycopg-2.py provide has_psycopg2 python3-psycopg2
  client psycopg-3.py provide has_psycopg3 python3-psycopg
  client odbc.py provide has_odbc python3-pyodbc odbc-postgresql
  client Jdbc.java provide has_jdbc libpostgresql-jdbc-java default-jdk-headless
  [ -z "$missing" ] || missing="not run:$missing, for want of the driver"
  if [ ${#programs[@]} = 0 ]; then
    record clients 0 0 0 "$missing"
    return
  fi

  local -x PGDATABASE=clients CLASSPATH=$JDBC_DRIVER
  if ! { createdb clients && psql -Xq -v ON_ERROR_STOP=1 -f "$folder/setup.sql"; } >"$WORK/logs/clients.out" 2>&1; then
    cat "$WORK/logs/clients.out"
    record clients 0 1 0 "$missing"
    return
  fi
  run_programs clients "$missing" "$folder" "${programs[@]}"
}
