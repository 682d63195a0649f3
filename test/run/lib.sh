# lib.sh: what the scripts behind `make demo`, `make check` and `make bench` share.
#
# Sourced, never run. A script calls, in this order:
#   need_server            install what is missing to build and to run a server
#   new_work NAME          a private folder $WORK, removed at exit (kept, without data, on failure)
#   copy_tree              the repository's sources in $WORK/tree, without anybody's object files
#   build; stage           compile there; install under $WORK/stage; $WORK/server.conf finds it
#   start_cluster NAME     a server of its own on a Unix socket in $WORK; exports PGHOST, PGPORT, PGUSER
#   stop_cluster           (also done at exit)
#
# As root, everything but package installation is done as the user $SERVER_USER,
# because a server refuses to run as root. Settings from outside: PG_CONFIG, TMPDIR,
# COPT (more compiler flags), KEEP=1 (keep $WORK).

set -u -o pipefail
umask 022
REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
WORK='' SCRATCH='' DATA='' SERVER_USER=''   # SCRATCH: one more folder to remove at exit
# no make of an outer call, no server of the user's, and no language but English in what is parsed
unset MAKEFLAGS MFLAGS MAKELEVEL CDPATH PGHOST PGPORT PGUSER PGDATABASE PGSERVICE PGOPTIONS PGPASSWORD PGSSLMODE
export LC_ALL=C.UTF-8

say() { printf '%s\n' "$*"; }
# die MESSAGE [LOG]: say what failed, show the compiler's errors or the end of its log, and end
die() {
  printf '\nFAILED: %s\n' "$1" >&2
  if [ -s "${2:-}" ]; then
    if grep -q ' error: ' "$2"; then
      printf -- '--- the errors in %s:\n' "$2" >&2
      grep ' error: ' "$2" | cut -c 1-400 | head -n 30 >&2
    else
      printf -- '--- the end of %s:\n' "$2" >&2
      tail -n 30 "$2" | cut -c 1-400 >&2
    fi
  fi
  exit 1
}

# step LABEL LOG COMMAND...: one line of progress for a command, with its seconds; false when it failed
step() {
  local label=$1 log=$2 t=$SECONDS status=0
  shift 2
  printf '%s ... ' "$label"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ $status = 0 ]; then printf 'done (%d s)\n' $((SECONDS - t)); else printf 'FAILED (%d s)\n' $((SECONDS - t)); fi
  return $status
}

# ---------- packages ----------

is_root() { [ "$(id -u)" = 0 ]; }
# sudo may ask for the password where there is a terminal
as_root() { if is_root; then "$@"; elif { : </dev/tty; } 2>/dev/null; then sudo "$@"; else sudo -n "$@"; fi; }
can_install() { command -v apt-get >/dev/null && { is_root || command -v sudo >/dev/null; }; }

APT_UPDATED=
apt_update() {
  [ -z "$APT_UPDATED" ] || return 0
  APT_UPDATED=1
  say "reading the package lists ..."
  as_root apt-get -q update >/dev/null 2>&1 </dev/null || say "  (not all of them could be read)"
}

# need WHY PACKAGE...: install Debian or Ubuntu packages; false when that is impossible or fails
need() {
  local why=$1 log status=0 conf=/etc/postgresql-common/createcluster.conf
  shift
  if ! can_install; then
    say "cannot install $* ($why): that needs apt-get, and root or sudo"
    return 1
  fi
  apt_update
  say "installing $* ($why) ..."
  # the server's package would make and start a cluster of its own: not because of us
  local guard=
  if [ ! -e $conf ] && [ ! -e /usr/share/postgresql-common ]; then
    guard=1
    as_root mkdir -p "$(dirname $conf)"
    echo 'create_main_cluster = false' | as_root tee $conf >/dev/null
  fi
  log=$(mktemp)
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold install "$@" >"$log" 2>&1 </dev/null || status=$?
  # put the package's own settings in place of ours
  if [ -n "$guard" ]; then
    if [ -e $conf.ucf-dist ]; then as_root mv $conf.ucf-dist $conf; else as_root rm -f $conf; fi
  fi
  if [ $status != 0 ]; then
    say "could not install $*:"
    tail -n 15 "$log"
  fi
  rm -f "$log"
  return $status
}

# complete PG_CONFIG: true when that installation has a server, its tools and what extensions are built with
complete() {
  local bin
  bin=$("$1" --bindir 2>/dev/null) || return 1
  [ -e "$("$1" --pgxs)" ] && [ -e "$("$1" --includedir-server)/postgres.h" ] &&
    [ -x "$bin/postgres" ] && [ -x "$bin/initdb" ] && [ -x "$bin/psql" ]
}

find_server() {
  local candidate
  for candidate in "${PG_CONFIG:-pg_config}" ${PG_CONFIG:+/nowhere} /usr/lib/postgresql/1[5678]/bin/pg_config; do
    [ "$candidate" != /nowhere ] || return 1    # a PG_CONFIG given from outside is taken, or none
    if complete "$candidate"; then
      PG_CONFIG=$(command -v "$candidate")
      return 0
    fi
  done
  return 1
}

# server_major_to_install: the major of a server that is there without headers, else the distribution's default
server_major_to_install() {
  local there
  there=$(ls -d /usr/lib/postgresql/1[5678]/bin/postgres 2>/dev/null | tail -n 1)
  if [ -n "$there" ]; then
    echo "$there" | cut -d/ -f5
  else
    apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1
  fi
}

# need_server: make, a C compiler and a PostgreSQL with headers; sets PG_CONFIG, BINDIR, MAJOR, VERSION, SERVER_USER
need_server() {
  local major missing=()
  command -v make >/dev/null || missing+=(make)
  command -v gcc >/dev/null || command -v cc >/dev/null || missing+=(gcc libc6-dev)
  command -v perl >/dev/null || missing+=(perl)
  if ! find_server; then
    [ -z "${PG_CONFIG:-}" ] || die "PG_CONFIG=$PG_CONFIG has no server with its headers beside it"
    can_install || die "no PostgreSQL server with headers found, and nothing can be installed here: install PostgreSQL 15 to 18 with its development files, or set PG_CONFIG"
    apt_update
    major=$(server_major_to_install)
    [ -n "$major" ] || die "the package lists have no PostgreSQL server"
    missing+=("postgresql-$major" "postgresql-server-dev-$major")
  fi
  if [ ${#missing[@]} -gt 0 ]; then
    need "to build the extension and run a server" "${missing[@]}" || die "packages are missing: ${missing[*]}"
    find_server || die "PostgreSQL was installed, but no complete installation is found"
  fi
  export PG_CONFIG
  BINDIR=$("$PG_CONFIG" --bindir)
  VERSION=$("$PG_CONFIG" --version | sed 's/^PostgreSQL \([0-9a-z.]*\).*/\1/')
  MAJOR=${VERSION%%[!0-9]*}
  if [ "$MAJOR" -lt 15 ]; then die "PostgreSQL $VERSION is too old: 15 or newer is needed"; fi
  if is_root; then
    SERVER_USER=postgres
    id $SERVER_USER >/dev/null 2>&1 || SERVER_USER=nobody
  fi
}

# ---------- a private folder, built and installed into ----------

# as_server COMMAND...: as the user that servers run as
as_server() { if is_root; then runuser -u "$SERVER_USER" -- "$@"; else "$@"; fi; }

new_work() {
  WORK=$(as_server mktemp -d "${TMPDIR:-/tmp}/territory-$1.XXXXXX" 2>/dev/null) ||
    WORK=$(as_server mktemp -d "/tmp/territory-$1.XXXXXX") || die "no temporary folder can be made"
  # a socket's path has a limit of about 100 bytes
  if [ ${#WORK} -gt 70 ]; then
    rmdir "$WORK"
    WORK=$(as_server mktemp -d "/tmp/territory-$1.XXXXXX") || die "no temporary folder can be made"
  fi
  chmod 755 "$WORK"
  cd "$WORK" || exit 1
  export HOME=$WORK TMPDIR=$WORK
  as_server mkdir "$WORK/logs"
  trap at_exit EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

at_exit() {
  local status=$?
  trap - EXIT
  stop_cluster
  cd /
  [ -z "$SCRATCH" ] || rm -rf "$SCRATCH"
  if [ -n "${KEEP:-}" ] || [ $status != 0 ]; then
    rm -rf "$WORK"/data-*
    [ -n "${QUIET:-}" ] || say "logs are kept in $WORK" >&2
  else
    rm -rf "$WORK"
  fi
  exit $status
}

# copy_tree [FOLDER]: the sources, owned by the server's user; object files of another major must never be reused
copy_tree() {
  local to=${1:-$WORK/tree}
  mkdir -p "$to"
  tar -C "$REPO" -cf - --exclude=./.git --exclude='*.o' --exclude='*.so' --exclude='*.bc' --exclude='./sql/territory--*.sql' \
    --exclude=./results --exclude=./test/isolation/results --exclude=./tmp_check --exclude='./regression.*' . |
    tar -C "$to" --no-same-owner -xf -
  [ -e "$to/Makefile" ] || die "the sources could not be copied to $to"
  if is_root && [ -n "$SERVER_USER" ]; then chown -R "$SERVER_USER" "$to"; fi
}

# pgxs TARGET...: make in the private copy. Without bitcode: the matching clang is not everywhere.
pgxs() { as_server make -C "$WORK/tree" --no-print-directory with_llvm=no PG_CONFIG="$PG_CONFIG" "$@"; }

build() {
  step "building for PostgreSQL $VERSION" "$WORK/logs/build.log" pgxs -s -k -j"$(nproc 2>/dev/null || echo 2)" COPT="${COPT:-}" all
}

# stage: install under $WORK/stage where the server can be told to look there, else into the server's own folders.
# $WORK/server.conf then holds the settings that every server under test needs.
stage() {
  local settings libdir sharedir
  settings=$("$BINDIR/postgres" --describe-config 2>/dev/null | cut -f1)
  libdir=$("$PG_CONFIG" --pkglibdir) sharedir=$("$PG_CONFIG" --sharedir)
  {
    # a SQLSTATE on every line of the log, for those who search it
    echo "log_line_prefix = '%m [%p] %e %q%d '"
    if grep -qx extension_control_path <<<"$settings"; then
      echo "extension_control_path = '$WORK/stage$sharedir:\$system'"
      echo "dynamic_library_path = '$WORK/stage$libdir:\$libdir'"
    elif grep -qx extension_destdir <<<"$settings"; then
      echo "extension_destdir = '$WORK/stage'"
    fi
  } >"$WORK/server.conf"
  chmod 644 "$WORK/server.conf"
  if grep -q '^extension_' "$WORK/server.conf"; then
    step "installing into a private folder" "$WORK/logs/install.log" pgxs -s install DESTDIR="$WORK/stage"
  else
    say "this server finds extensions in its own folders only: installing into $libdir and $sharedir"
    if [ -w "$libdir" ]; then
      step "installing" "$WORK/logs/install.log" make -C "$WORK/tree" with_llvm=no PG_CONFIG="$PG_CONFIG" install
    else
      step "installing" "$WORK/logs/install.log" as_root make -C "$WORK/tree" with_llvm=no PG_CONFIG="$PG_CONFIG" install
    fi
  fi
}

# ---------- a server of its own ----------

# start_cluster NAME [SETTING...]: data in $WORK/data-NAME, log in $WORK/logs/NAME.log
start_cluster() {
  local name=$1 log=$WORK/logs/$1.log
  shift
  DATA=$WORK/data-$name
  export PATH=$BINDIR:$PATH PGHOST=$WORK PGUSER=postgres PGDATABASE=postgres
  # Nothing listens on TCP if the settings don't say so: then the number is only a part of the socket's name in our own
  # folder. It is below those that outgoing connections get.
  export PGPORT=$((20000 + RANDOM % 10000))
  while (: </dev/tcp/127.0.0.1/$PGPORT) 2>/dev/null; do PGPORT=$((20000 + RANDOM % 10000)); done
  as_server initdb -D "$DATA" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$WORK/logs/initdb.log" 2>&1 || {
    rm -rf "$DATA"
    as_server initdb -D "$DATA" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$WORK/logs/initdb.log" 2>&1
  } || die "initdb failed" "$WORK/logs/initdb.log"
  {
    cat "$WORK/server.conf"
    echo "listen_addresses = ''"
    echo "unix_socket_directories = '$WORK'"
    echo "port = $PGPORT"
    printf '%s\n' "$@"
  } >>"$DATA/postgresql.conf"
  as_server pg_ctl -D "$DATA" -l "$log" -w -t 120 start >"$WORK/logs/start.log" 2>&1 </dev/null || die "the server did not start" "$log"
}

stop_cluster() {
  [ -n "$DATA" ] || return 0
  if [ -e "$DATA/postmaster.pid" ]; then
    as_server "$BINDIR/pg_ctl" -D "$DATA" -m fast -w -t 60 stop >/dev/null 2>&1 </dev/null ||
      as_server "$BINDIR/pg_ctl" -D "$DATA" -m immediate -w -t 60 stop >/dev/null 2>&1 </dev/null
  fi
  rm -rf "$DATA"
  DATA=
}
