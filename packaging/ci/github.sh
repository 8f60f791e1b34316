#!/usr/bin/env bash
# The last step of action.yml: wraps the command. sudo is for portbind; the command runs as the user of the job.
set -euo pipefail
program=${PORTBIND_PROGRAM:-$RUNNER_TEMP/portbind/release/portbind}
options=(--ci github --optional --record "$PORTBIND_RECORD" --report "$PORTBIND_REPORT")
[[ -z $PORTBIND_FAIL_ON ]] || options+=(--fail-on "$PORTBIND_FAIL_ON")
# As GitHub runs a step of bash.
exec sudo "$program" run "${options[@]}" -- bash --noprofile --norc -eo pipefail -c "$PORTBIND_RUN"
