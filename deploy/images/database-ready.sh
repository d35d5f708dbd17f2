#!/bin/sh
# Healthy: the database accepts connections.
exec "$(find /usr/lib/postgresql/*/bin/pg_isready | tail -1)" -q -h /run/moment -d postgres -U postgres
