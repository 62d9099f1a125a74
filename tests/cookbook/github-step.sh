#!/usr/bin/env bash
# A step of GitHub Actions: an agent reviews a change, and the answer goes to the summary page. The step fails if the run
# fails; LETTA_BASE_URL, LETTA_API_KEY and LETTA_AGENT_ID come from the job's `env`.
#   git diff origin/main | github-step.sh
set -euo pipefail

review=$(agentctl send -m "Review this change:" -F - --reply --timeout 10m)

{
    echo "## Review"
    echo "$review"
} >> "$GITHUB_STEP_SUMMARY"
