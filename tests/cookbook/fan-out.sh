#!/usr/bin/env bash
# Send the same message to all agents, then wait for all runs: one request per poll, however many runs there are.
#   fan-out.sh MESSAGE
set -euo pipefail

agentctl agents list -o id | while read -r agent; do
    agentctl send --agent "$agent" -m "$1" -o id
done | agentctl watch - --jq '[.agent_id, ._agentctl.outcome] | @tsv'
