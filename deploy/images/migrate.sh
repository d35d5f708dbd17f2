#!/bin/sh
# The migrate container: roles, schemas and tables, then done.
set -eu
exec momentctl migrate --wait 120
