#!/usr/bin/env bash
# The command of a container beside the server, as with docker compose: waits until the server answers, then asks.
# `LETTA_BASE_URL=http://letta:8283` is enough: a key goes over plain http to private addresses, and nowhere else.
set -euo pipefail

until agentctl api GET /v1/health/ > /dev/null 2>&1; do
    sleep 1
done

agentctl send -m "$1" --reply -q
