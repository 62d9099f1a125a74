#!/usr/bin/env bash
# Runs outlive the machine that sent them. Keep their ids in a file, and go on after a reboot.
#   agentctl send -m … -o id >> pending;  resume.sh pending
set -euo pipefail
pending=$1

if [ -s "$pending" ]; then
    agentctl watch - -o id < "$pending" > "$pending.done"
    mv "$pending.done" "$pending.ended"
    rm "$pending"
fi
