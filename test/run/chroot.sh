# chroot.sh: other PostgreSQL versions, each in a small Debian system in a folder (needs root and mmdebstrap).
#
# Sourced by check.sh. A system is made once and kept in $TERRITORY_CACHE; it is made anew when the recipe below
# changes; remove the folder to have newer packages. TERRITORY_MIRROR: the Debian mirror (default: this machine's).

CACHE=${TERRITORY_CACHE:-${XDG_CACHE_HOME:-/var/cache}/territory-chroots}

# version:suite of every PostgreSQL that a Debian suite has
CHROOT_VERSIONS='15:bookworm 17:trixie 18:forky'

debian_mirror() {
  local uri
  uri=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -nE '/^(deb |URIs:)/ s!^.*[[:space:]](https?://[^[:space:]]*/debian)/?([[:space:]].*)?$!\1!p' | head -n 1)
  echo "${TERRITORY_MIRROR:-${uri:-http://deb.debian.org/debian}}"
}

# make_chroot MAJOR SUITE FOLDER MIRROR: the server with what PGXS needs. The package of the headers is unpacked
# without its dependencies, which are a gigabyte of compiler for bitcode that nothing here uses.
make_chroot() {
  local proxy=
  eval "$(apt-config shell proxy Acquire::http::Proxy 2>/dev/null)"
  timeout 900 mmdebstrap --variant=minbase --skip=check/empty \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' \
    ${proxy:+--aptopt="Acquire::http::Proxy \"$proxy\""} \
    --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --setup-hook='mkdir -p "$1/etc/postgresql-common"; echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
    --include="postgresql-$1,make,gcc,libc6-dev,libpq-dev" \
    --customize-hook="chroot \"\$1\" sh -ec 'cd /tmp; apt-get download postgresql-server-dev-$1; dpkg-deb -x postgresql-server-dev-$1_*.deb /; rm *.deb; apt-get clean; chmod 1777 /dev/shm'" \
    "$2" "$3" "$4"
}

# chroot_for MAJOR SUITE: makes the system unless it is there already; sets ROOT; false with $REASON when it cannot be had
chroot_for() {
  local major=$1 suite=$2 recipe log=$WORK/logs/chroot-$1.log
  ROOT=$CACHE/pg$major
  recipe=$(declare -f make_chroot | cksum)
  if [ "$(cat "$ROOT/.recipe" 2>/dev/null)" = "$recipe" ]; then return 0; fi
  if ! command -v mmdebstrap >/dev/null && ! need "for the systems of other PostgreSQL versions" mmdebstrap debian-archive-keyring; then
    REASON="mmdebstrap is missing and cannot be installed"
    return 1
  fi
  rm -rf "$ROOT" "$ROOT.new"
  if ! step "making a Debian $suite with PostgreSQL $major in $ROOT" "$log" make_chroot "$major" "$suite" "$ROOT.new" "$(debian_mirror)"; then
    tail -n 8 "$log"
    rm -rf "$ROOT.new"
    REASON="a Debian $suite could not be made from $(debian_mirror)"
    return 1
  fi
  echo "$recipe" >"$ROOT.new/.recipe"
  mv "$ROOT.new" "$ROOT"
}

# run_version MAJOR SUITE: regression tests and isolation specs there
run_version() {
  local major=$1 suite=$2 inside status=0
  REASON=
  mkdir -p "$CACHE" || REASON="$CACHE cannot be made"
  exec 9>"$CACHE/lock" && flock 9     # two checks must not make the same system
  if [ -n "$REASON" ] || ! chroot_for "$major" "$suite"; then
    exec 9>&-
    printf 'PostgreSQL %s\t0\t0\t0\tnot run: %s\n' "$major" "$REASON" >>"$RESULTS"
    return
  fi
  exec 9>&-
  SCRATCH=$(mktemp -d "$ROOT/tmp/t.XXXXXX")
  chmod 755 "$SCRATCH"
  inside=${SCRATCH#"$ROOT"}
  SERVER_USER='' copy_tree "$SCRATCH/tree"
  mkdir -m 1777 "$SCRATCH/w"
  chroot "$ROOT" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    TMPDIR="$inside/w" RESULTS="$inside/results" COPT="${COPT:-}" TERRITORY_TIMEOUT="${TERRITORY_TIMEOUT:-900}" QUIET=1 \
    bash "$inside/tree/test/run/suite.sh" regression isolation </dev/null || status=$?
  cat "$SCRATCH/results" >>"$RESULTS" 2>/dev/null
  ended $status "PostgreSQL $major"
  if [ $status != 0 ]; then
    mv "$SCRATCH/w" "$WORK/postgresql-$major"
    say "PostgreSQL $major: what was $inside/w there is now $WORK/postgresql-$major"
  fi
  rm -rf "$SCRATCH"
  SCRATCH=
}
