#!/usr/bin/env bash
# Runs continue on the server when this machine stops. Keep their ids in a file, and resume watching after a reboot.
#   agentctl send -m … -o id >> pending;  resume.sh pending
set -euo pipefail
pending=$1

if [ -s "$pending" ]; then
    agentctl watch - -o id < "$pending" > "$pending.done"
    mv "$pending.done" "$pending.ended"
    rm "$pending"
fi
