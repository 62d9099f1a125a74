#!/usr/bin/env bash
# The command of a container next to the server, as with docker compose: waits for the server, then sends a message.
# `LETTA_BASE_URL=http://letta:8283` is enough: a key may go over plain HTTP to private addresses.
set -euo pipefail

until agentctl api GET /v1/health/ > /dev/null 2>&1; do
    sleep 1
done

agentctl send -m "$1" --reply -q
