#!/usr/bin/env bash
# For cron: one message per night, sent when the agent is idle, with one line in the log.
#   0 6 * * * LETTA_AGENT_ID=agent-… nightly.sh >> "$HOME/nightly.log" 2>&1
set -euo pipefail

agentctl send -m "Write the report of the day." --when-idle --wait --timeout 30m -q \
    --jq '[.created_at, .id, ._agentctl.outcome, ._agentctl.duration_ns] | @tsv'
