#!/usr/bin/env bash
# A check before a commit: the agent reviews the staged changes, and the commit proceeds if the answer contains OK.
#   ln -s ../../check-commit.sh .git/hooks/pre-commit
set -euo pipefail

git diff --cached --quiet && exit 0
answer=$(git diff --cached --no-color | agentctl send -F - --reply --timeout 2m -q)

case $answer in
    *OK*) ;;
    *)
        echo "$answer" >&2
        exit 1
        ;;
esac
