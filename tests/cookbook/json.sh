#!/usr/bin/env bash
# JSON in, JSON out: one request per line on standard input, one array of results on standard output.
#   jq -c '.[]' requests.json | json.sh
set -euo pipefail

while read -r request; do
    agentctl send <<< "$request"
done | agentctl watch - | jq -s 'map({id, agent_id, outcome: ._agentctl.outcome, seconds: (._agentctl.duration_ns / 1e9)})'
