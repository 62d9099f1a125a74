#!/usr/bin/env bash
# Ask several agents, print the first answer and cancel the other runs; then print the p95 of the time to first token.
#   race.sh QUESTION AGENT…
set -euo pipefail
question=$1
shift

runs=()
for agent in "$@"; do
    runs+=("$(agentctl send --agent "$agent" -m "$question" -o id)")
done

first=$(agentctl watch "${runs[@]}" --any -o id)
agentctl messages "$first" --reply

for run in "${runs[@]}"; do
    if [ "$run" != "$first" ]; then
        agentctl cancel "$run" -o none -q
    fi
done

agentctl list --since 1h --all --stats --jq '
    select(.stop_reason == "end_turn") | "p95 ttft: \(.ttft_ns.p95 / 1e6 | floor) ms"'
