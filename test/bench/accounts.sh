# accounts.sh: the accounts and rules of the cases copy and run, made once for both.
# Settings: COPY_ROWS (100000), N_ACCOUNTS (1000000), RULES (1000).
[ -z "${rules:-}" ] || return 0
COPY_ROWS=${COPY_ROWS:-100000} N_ACCOUNTS=${N_ACCOUNTS:-1000000} RULES=${RULES:-1000}
rules="$RULES rules"

# the goals are for 1,000 and 10,000 rules
goal() { case $RULES in 1000) echo "$1" ;; 10000) echo "$2" ;; *) echo - ;; esac; }

case " $CASES " in *' run '*) most=$N_ACCOUNTS ;; *) most=$COPY_ROWS ;; esac
[ "$most" -ge "$COPY_ROWS" ] || most=$COPY_ROWS
data "making $most accounts and $RULES rules" accounts.sql n="$most" rules="$RULES"
