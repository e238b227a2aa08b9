#!/bin/sh
# Smoke test: the server, then the client, as two processes that meet on a free port. A line for
# each check, in the reader's language; the status is 0 if all hold. RUN is the runtime, by default tsx.
cd "$(dirname "$0")/.." || exit 1
: "${RUN:=node_modules/.bin/tsx}"
case "${LC_ALL:-${LC_MESSAGES:-$LANG}}" in
[kK][oO] | [kK][oO][!a-zA-Z]*) korean=yes ;;
*) korean= ;;
esac
export LC_ALL=C

unset tmp server
end() { # end PID: the process and all that it has started; a runtime may come as a chain (npx, sh, tsx)
  kill -STOP "$1" 2>/dev/null # or it starts another one meanwhile
  for child in $(ps -A -o ppid= -o pid= | awk -v parent="$1" '$1 == parent { print $2 }'); do
    end "$child"
  done
  kill "$1" 2>/dev/null
  kill -CONT "$1" 2>/dev/null
}
clean_up() {
  trap '' INT TERM HUP QUIT PIPE   # a second Ctrl-C would leave the rest of this undone
  server=${server-$!}              # a signal may come before the line that sets it
  [ -z "$server" ] || end "$server"
  wait
  rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 141' PIPE # nobody reads any more: make smoke | head -1
trap 'exit 143' TERM
tmp=$(trap '' INT TERM HUP QUIT && mktemp -d) || exit 1 # no signal comes between the folder and its name

failed=0
check() { # check WHAT 한국어 COMMAND...: prints a line that says whether the command held
  what=${korean:+$2}
  what=${what:-$1}
  shift 2
  if "$@"; then set -- "ok      $what"; else set -- "FAILED  $what" && failed=1; fi
  echo "$1" 2>/dev/null # a shell has words of its own for a reader that went away
}

# The digest of the document's own text.
$RUN scripts/hash.ts >"$tmp/digest"
check "hash prints the digest" "hash가 다이제스트를 출력합니다" \
  [ "$(cat "$tmp/digest")" = 315f5bdb76d078c43b8ac0064e4a0164612b1fce77c869345bfc94c75894edd3 ]

# The server, on a free port, which its ready line names. It serves one client and ends: so nobody has to
# find it below what started it.
: >"$tmp/server" # a shell in the background may not have made it yet
$RUN scripts/server.ts --once --port 0 >>"$tmp/server" 2>"$tmp/server.log" &
server=$!
tries=0
until grep -q '^Server started' "$tmp/server" || [ $tries -ge 200 ]; do
  kill -0 $server 2>/dev/null || break
  tries=$((tries + 1))
  sleep 0.1
done
port=$(sed -n 's/^Server started on .*:\([0-9]*\) (TLS).*/\1/p' "$tmp/server")
check "server is ready, over TLS" "서버가 TLS로 접속을 기다립니다" [ -n "$port" ]
[ -n "$port" ] || { cat "$tmp/server.log" >&2 && exit 1; }

# A client that trusts somebody else must refuse this server: so verification really is on.
$RUN scripts/tls-client.ts --port "$port" --ca "${DEV_CERTS_DIR:-.certs}/client.crt" >"$tmp/refused" 2>&1
check "client refuses a server that it has no reason to trust" "클라이언트가 신뢰할 이유가 없는 서버를 거부합니다" [ $? -eq 1 ]
check "and says why" "그 이유를 알려 줍니다" grep -q 'not in --ca' "$tmp/refused"

# The client, with everything verified.
$RUN scripts/tls-client.ts --port "$port" >"$tmp/client" 2>"$tmp/client.log"
check "client ends with status 0" "클라이언트가 상태 0으로 끝납니다" [ $? -eq 0 ]
check "client has the answer" "클라이언트가 응답을 받았습니다" grep -qx 'Response from server: Hello, server!' "$tmp/client"
check "client verified the server" "클라이언트가 서버를 검증했습니다" grep -q 'TLSv1.3.*Verified: localhost' "$tmp/client.log"

[ $failed -eq 0 ] || end "$server" # it would wait for the client that failed
wait "$server"
status=$?
server=
check "server has served its client, and ends with status 0" "서버가 클라이언트를 처리하고 상태 0으로 끝납니다" [ $status -eq 0 ]
check "server received the message, once" "서버가 메시지를 한 번 받았습니다" \
  [ "$(grep -cx 'Received: Hello, server!' "$tmp/server")" -eq 1 ]

[ $failed -eq 0 ] || cat "$tmp"/*.log >&2
exit $failed
