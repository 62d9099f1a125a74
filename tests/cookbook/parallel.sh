#!/usr/bin/env bash
# Ask many agents the same question, four at a time. Each agent gets one message: concurrent messages would interfere.
#   agentctl agents list -o id | parallel.sh QUESTION
set -euo pipefail

xargs -P 4 -I AGENT agentctl send --agent AGENT -m "$1" --wait -q \
    --jq '[.agent_id, ._agentctl.outcome] | @tsv'
