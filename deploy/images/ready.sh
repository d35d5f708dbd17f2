#!/bin/bash
# ready.sh PORT - healthy: the service's admin listener says it is ready.
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
read -r -t 5 _ code _ <&3
[ "$code" = 200 ]
