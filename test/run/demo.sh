#!/usr/bin/env bash
# demo.sh: the story of the README on a server of its own (`make demo`). Leaves nothing behind.
. "$(dirname "$0")/lib.sh"

need_server
new_work demo
copy_tree
build || die "the build failed" "$WORK/logs/build.log"
stage || die "the installation failed" "$WORK/logs/install.log"
start_cluster demo 'fsync = off'
say "a private PostgreSQL $VERSION is running"
as_server psql -X -q -v ON_ERROR_STOP=1 -P pager=off -P null='-' -f "$WORK/tree/test/demo/demo.sql" 2>&1 </dev/null ||
  die "the demo stopped at the error above" "$WORK/logs/demo.log"
