#!/usr/bin/env bash
# A step of GitHub Actions: have a change reviewed, and put the answer on the summary page. The step fails where the run
# does; LETTA_BASE_URL, LETTA_API_KEY and LETTA_AGENT_ID come from the job's `env`.
#   git diff origin/main | github-step.sh
set -euo pipefail

review=$(agentctl send -m "Review this change:" -F - --reply --timeout 10m)

{
    echo "## Review"
    echo "$review"
} >> "$GITHUB_STEP_SUMMARY"
