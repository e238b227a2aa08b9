// The scripts' sentences in Korean, each under its English. The four lines of the described system
// (ready, connected, received, answer) are its own, word for word.

/** `--help`, by script. */
export const help: Record<string, string> = {
  hash: `사용법: hash.ts [옵션] [TEXT]
        hash.ts --file [옵션] [PATH...]
        hash.ts --check [옵션] [LIST...]

문자열(기본값 "Hello, world!")이나 파일의 다이제스트를 출력하거나, 체크섬 목록에 있는 파일을
검증합니다. "-" 이거나 경로가 없으면 표준 입력을 읽습니다.

  -f, --file            파일을 해시합니다
  -c, --check           sha256sum이나 openssl dgst가 만든 목록의 파일을 검증합니다
  -a, --algorithm NAME  이 런타임이 제공하는 고정 길이 다이제스트 (기본값 sha256)
  -e, --expect DIGEST   이 다이제스트와 비교해 OK 또는 FAILED를 출력합니다
      --key-file PATH   단순 다이제스트 대신 이 파일의 내용(바이트 그대로)을 키로 쓰는 HMAC
      --ignore-missing  --check에서 없는 파일은 건너뜁니다
  -q, --quiet           --check에서 실패만 출력합니다
  -h, --help            이 도움말을 출력합니다

예: npx tsx scripts/hash.ts --file package.json > list && npx tsx scripts/hash.ts --check list
`,
  server: `사용법: server.ts [옵션]

클라이언트가 보낸 데이터를 TLS 1.3으로 그대로 돌려보냅니다. Ctrl-C로 종료합니다.

      --host HOST             접속을 받을 주소 (기본값 127.0.0.1: 이 컴퓨터에서만)
      --port PORT             접속을 받을 포트 (기본값 5000, 0이면 비어 있는 포트)
      --plain                 TLS 대신 평문 TCP
      --cert FILE             개발용 인증서 대신 쓸 인증서(PEM)와
      --key FILE              그 개인 키
      --client-ca FILE        이 CA(PEM)가 발급한 인증서를 가진 클라이언트만 받습니다
      --once                  클라이언트 하나만 처리하고 종료합니다
      --max-connections N     이보다 많은 클라이언트는 받지 않습니다 (기본값 1000)
      --idle-timeout SECONDS  이 시간 동안 조용한 클라이언트는 끊습니다 (기본값 60)
      --quiet                 받은 데이터를 출력하지 않습니다
  -h, --help                  이 도움말을 출력합니다

예: npx tsx scripts/server.ts --port 5001
`,
  "tls-client": `사용법: tls-client.ts [옵션] [MESSAGE]

검증된 TLS 연결로 메시지(기본값 "Hello, server!")를 보내고 응답을 출력합니다. "-"를 주면 표준
입력을 서버로 보내고 서버의 응답을 표준 출력으로 내보냅니다.

      --host HOST        접속할 서버 (기본값 localhost)
      --port PORT        서버의 포트 (기본값 5000)
      --servername NAME  인증서에 있어야 하는 이름 (기본값: 호스트)
      --ca FILE          이 CA(PEM)만 신뢰합니다
      --cert FILE        서버가 요구할 때 제시할 클라이언트 인증서(PEM)와
      --key FILE         그 개인 키
      --timeout SECONDS  접속, 핸드셰이크, 서버의 응답을 각각 기다리는 시간 (기본값 10)
      --inspect          연결 정보와 인증서를 출력하고, 데이터는 보내지 않습니다
  -h, --help             이 도움말을 출력합니다

예: npx tsx scripts/tls-client.ts --port 5001 "Hello, server!"
`,
};

/** Every other sentence. */
export const sentences: Record<string, string> = {
  // The described system's own lines.
  "Server started on {0} ({1}). Waiting for clients.":
    "서버가 시작되었습니다. 클라이언트의 접속을 기다립니다. {0} ({1})",
  "Client connected: {0}": "클라이언트가 접속되었습니다: {0}",
  "Received: {0}": "수신한 데이터: {0}",
  "Response from server: {0}": "서버로부터 받은 응답: {0}",

  // The command line.
  "{0} (see --help)": "{0} (--help 참고)",
  "unknown option {0}": "알 수 없는 옵션입니다: {0}",
  'unexpected argument "{0}"': '필요 없는 인자입니다: "{0}"',
  "{0} needs a value": "{0} 옵션에는 값이 필요합니다",
  "--{0} needs a value": "--{0} 옵션에는 값이 필요합니다",
  "{0} takes no value": "{0} 옵션에는 값을 줄 수 없습니다",
  '{0} must be a whole number from {1} to {2}, not "{3}"':
    '{0} 값은 {1}부터 {2}까지의 정수여야 합니다. 받은 값: "{3}"',
  '{0} must be a number of seconds greater than 0, not "{1}"':
    '{0} 값은 0보다 큰 초 단위 숫자여야 합니다. 받은 값: "{1}"',
  'more than one text; quote it: "{0}"': '문자열이 여러 개입니다. 따옴표로 묶으십시오: "{0}"',
  'more than one message; quote it: "{0}"': '메시지가 여러 개입니다. 따옴표로 묶으십시오: "{0}"',
  "--cert and --key go together": "--cert와 --key는 함께 써야 합니다",
  "--plain uses no certificates: leave out --cert, --key and --client-ca":
    "--plain은 인증서를 쓰지 않습니다. --cert, --key, --client-ca를 빼십시오",
  'there is no algorithm "{0}" here; common ones: {1}':
    '"{0}" 알고리즘은 여기에 없습니다. 자주 쓰는 알고리즘: {1}',
  "{0} has no fixed length; use one that has: {1}":
    "{0}의 다이제스트는 길이가 고정되어 있지 않습니다. 고정 길이 알고리즘: {1}",
  "--file and --check exclude each other": "--file과 --check는 함께 쓸 수 없습니다",
  "--expect and --check exclude each other": "--expect와 --check는 함께 쓸 수 없습니다",
  "--quiet and --ignore-missing are for --check":
    "--quiet와 --ignore-missing은 --check와 함께 쓰는 옵션입니다",
  "--expect takes one file": "--expect는 파일 하나에만 쓸 수 있습니다",
  '--expect must be {0} hex digits, as {1} has, not "{2}"':
    '--expect 값은 {1} 다이제스트와 같은 16진수 {0}자리여야 합니다. 받은 값: "{2}"',

  // Digests and checksum lists.
  "{0} no longer proves anything against an attacker; use it for old lists only":
    "{0}은(는) 공격자 앞에서는 아무것도 보장하지 못합니다. 오래된 목록에만 쓰십시오",
  "--key-file {0} is empty": "--key-file {0} 파일이 비어 있습니다",
  "its name is not UTF-8, and was lost on the way here; use: hash.ts --file < NAME":
    "이름이 UTF-8이 아니어서 제대로 전달되지 않았습니다. hash.ts --file < NAME 처럼 쓰십시오",
  "the process that was to hash it is gone": "해시를 맡은 프로세스가 사라졌습니다",
  "standard input": "표준 입력",
  "{0}: files that do not match: {1}": "{0}: 일치하지 않는 파일 {1}개",
  "{0}: files that could not be read: {1}": "{0}: 읽을 수 없는 파일 {1}개",
  "{0}: lines that are not checksums: {1}": "{0}: 체크섬이 아닌 줄 {1}개",
  "{0}: no line is a {1} checksum; see --algorithm":
    "{0}: {1} 체크섬이 한 줄도 없습니다. --algorithm을 확인하십시오",
  "{0}: none of its files is there": "{0}: 목록에 있는 파일이 하나도 없습니다",

  // Files.
  "{0}: {1}": "{0}: {1}",
  "no such file or directory": "파일이나 디렉터리가 없습니다",
  "permission denied": "권한이 없습니다",
  "is a directory": "디렉터리입니다",
  "no space left on device": "디스크에 남은 공간이 없습니다",
  "cannot write the output: {0}": "출력할 수 없습니다: {0}",
  "cannot read {0} {1}: {2}": "{0} {1} 파일을 읽을 수 없습니다: {2}",
  "{0} {1} holds no certificate in PEM form": "{0} {1} 파일에 PEM 형식의 인증서가 없습니다",
  "--key {0} holds no private key in PEM form": "--key {0} 파일에 PEM 형식의 개인 키가 없습니다",
  "--key {0} is encrypted; decrypt it with: openssl pkey -in FILE -out NEW":
    "--key {0} 파일이 암호화되어 있습니다. 다음 명령으로 푸십시오: openssl pkey -in FILE -out NEW",
  "--key {0} is not the key of --cert {1}": "--key {0} 파일은 --cert {1} 인증서의 키가 아닙니다",

  // Development certificates.
  "Made a development certificate for localhost, 127.0.0.1 and ::1 in {0},":
    "localhost, 127.0.0.1, ::1에 쓸 개발용 인증서를 {0}에 만들었습니다.",
  "valid until {0}. tls-client.ts on this machine finds and trusts it.":
    "{0}까지 유효하며, 이 컴퓨터의 tls-client.ts가 자동으로 찾아 신뢰합니다.",
  "cannot make a development certificate in {0}: {1}":
    "{0}에 개발용 인증서를 만들 수 없습니다: {1}",
  "there is no openssl command. Install it, or use --cert and --key, or --plain":
    "openssl 명령이 없습니다. 설치하거나 --cert와 --key 또는 --plain을 쓰십시오",
  'openssl says "{0}". Remove the folder to start afresh':
    'openssl 오류: "{0}". 이 디렉터리를 지우고 다시 시작하십시오',
  "the new certificate is not valid now; is the clock right?":
    "새 인증서가 지금 유효하지 않습니다. 시스템 시계를 확인하십시오",

  "development certificate": "개발용 인증서",

  // The server.
  "Client refused: {0}: {1}": "클라이언트를 거절했습니다: {0}: {1}",
  "Client lost: {0}: {1}": "클라이언트와의 연결이 끊어졌습니다: {0}: {1}",
  "Client cut off: {0}: it did not finish within 5 seconds":
    "클라이언트를 끊었습니다: {0}: 5초 안에 끝내지 못했습니다",
  "Client disconnected: {0}, {1} bytes": "클라이언트 접속이 종료되었습니다: {0}, {1}바이트",
  "Client turned away: {0}: {1} are connected; see --max-connections":
    "클라이언트를 받지 않았습니다: {0}: 이미 {1}개가 접속해 있습니다. --max-connections를 참고하십시오",
  "Client turned away: {0}: the server is stopping":
    "클라이언트를 받지 않았습니다: {0}: 서버를 종료하는 중입니다",
  "Server stopped. Clients: {0}, turned away: {1}, bytes: {2}.":
    "서버를 종료했습니다. 클라이언트 {0}개, 받지 않은 클라이언트 {1}개, {2}바이트.",
  "Client lost: {0}: it was silent for too long":
    "클라이언트와의 연결을 끊었습니다: {0}: 너무 오래 아무것도 보내지 않았습니다",
  "it has no certificate, and --client-ca asks for one":
    "인증서가 없습니다. --client-ca는 인증서를 요구합니다",
  "its certificate is not from --client-ca, or not valid: {0}":
    "인증서를 --client-ca의 CA가 발급하지 않았거나 유효하지 않습니다: {0}",
  "port {0} is taken. Use --port for another, or --port 0 for any that is free":
    "{0}번 포트는 이미 사용 중입니다. --port로 다른 포트를, --port 0으로 비어 있는 포트를 고르십시오",
  "port 5000 is taken; on macOS by the AirPlay Receiver, perhaps. Use --port for another":
    "5000번 포트는 이미 사용 중입니다. macOS라면 AirPlay 수신 모드일 수 있습니다. --port로 다른 포트를 고르십시오",
  "port {0} is for the administrator only. Use --port for one above 1023":
    "{0}번 포트는 관리자만 쓸 수 있습니다. --port로 1023보다 큰 포트를 고르십시오",
  "{0} is not an address of this machine. Use --host for one that is":
    "{0}은(는) 이 컴퓨터의 주소가 아닙니다. --host로 이 컴퓨터의 주소를 지정하십시오",
  "there is no host named {0}. Use --host for an address of this machine":
    "{0}(이)라는 호스트가 없습니다. --host로 이 컴퓨터의 주소를 지정하십시오",
  "cannot listen on {0}: {1}": "{0}에서 접속을 받을 수 없습니다: {1}",
  "it did not finish the handshake in time": "제한 시간 안에 핸드셰이크를 마치지 않았습니다",
  "it closed the connection abruptly": "연결을 갑자기 끊었습니다",
  "it does not speak TLS": "TLS 통신이 아닙니다",
  "it does not offer TLS 1.3": "TLS 1.3을 지원하지 않습니다",
  "it ended the handshake: {0}": "핸드셰이크를 중단했습니다: {0}",

  // The client.
  "--inspect sends no message": "--inspect는 메시지를 보내지 않습니다",
  "{0}. Verified: {1}, until {2}.": "{0}. 검증됨: {1}, {2}까지 유효.",
  "Trusted: {0}, until {1}.": "신뢰함: {0}, {1}까지 유효.",
  "Refused: {0}": "거절함: {0}",
  "the server ended before the input did": "입력이 끝나기 전에 서버가 연결을 끝냈습니다",
  "Protocol:     {0}": "프로토콜: {0}",
  "Cipher:       {0}": "암호 스위트: {0}",
  "Key exchange: {0}": "키 교환: {0}",
  "Certificate {0}": "인증서 {0}",
  "  Subject:     {0}": "  주체: {0}",
  "  Issuer:      {0}": "  발급자: {0}",
  "  Names:       {0}": "  이름: {0}",
  "  Valid from:  {0}": "  유효 기간 시작: {0}",
  "  Valid until: {0}": "  유효 기간 끝: {0}",
  "  SHA-256:     {0}": "  SHA-256: {0}",
  "  Key:         {0}": "  키: {0}",
  "{0}, {1} bits": "{0}, {1}비트",
  "{0} bits": "{0}비트",
  "nothing listens on {0}. Start the server first: npx tsx scripts/server.ts":
    "{0}에서 기다리는 서버가 없습니다. 먼저 서버를 시작하십시오: npx tsx scripts/server.ts",
  "there is no host named {0}. Check --host":
    "{0}(이)라는 호스트가 없습니다. --host를 확인하십시오",
  "no answer from {0} in time; see --timeout":
    "{0}에서 제한 시간 안에 응답이 없습니다. --timeout을 참고하십시오",
  "{0} did not finish the handshake in time. Does it speak TLS? See --timeout":
    "{0}에서 제한 시간 안에 핸드셰이크를 마치지 않았습니다. TLS 서버가 맞습니까? --timeout을 참고하십시오",
  "the answer of {0} did not come in time; see --timeout":
    "{0}의 응답이 제한 시간 안에 오지 않았습니다. --timeout을 참고하십시오",
  "{0} broke off before its answer was complete": "{0}에서 응답을 마치기 전에 연결을 끊었습니다",
  "{0} closed the connection during the handshake. Does it speak TLS?":
    "{0}에서 핸드셰이크 도중 연결을 닫았습니다. TLS 서버가 맞습니까?",
  "{0} reset the connection during the handshake":
    "{0}에서 핸드셰이크 도중 연결을 강제로 끊었습니다",
  "the certificate of {0} is not for {1}, but for: {2}. See --servername":
    "{0}의 인증서는 {1}의 것이 아닙니다. 인증서에 있는 이름: {2}. --servername을 참고하십시오",
  "the certificate of {0} is not for {1}: it has no alternative names (SAN)":
    "{0}의 인증서는 {1}의 것이 아닙니다. 주체 대체 이름(SAN)이 없습니다",
  "the certificate of {0} is self-signed, and not trusted here. To trust it, use --ca":
    "{0}의 인증서는 자체 서명된 것이라 신뢰할 수 없습니다. 신뢰하려면 --ca로 지정하십시오",
  "the certificate of {0} comes from an issuer that is not trusted here. To trust it, use --ca":
    "{0}의 인증서를 발급한 곳을 신뢰할 수 없습니다. 신뢰하려면 --ca로 지정하십시오",
  "the certificate of {0} is not for servers, or its issuer's not for issuing (no CA)":
    "{0}의 인증서가 서버용이 아니거나, 발급에 쓰인 인증서가 CA 인증서가 아닙니다",
  "the certificate of {0} has expired. Its owner must renew it; is the clock right?":
    "{0}의 인증서가 만료되었습니다. 서버 쪽에서 갱신해야 합니다. 시스템 시계도 확인하십시오",
  "the certificate of {0} is not valid yet; is the clock right?":
    "{0}의 인증서는 아직 유효하지 않습니다. 시스템 시계를 확인하십시오",
  "the certificate of {0} is not signed by the issuer that it names":
    "{0}의 인증서는 거기에 적힌 발급자가 서명한 것이 아닙니다",
  "the certificate of {0}, or its issuer's, has too weak a key or signature":
    "{0}의 인증서나 그 발급자의 인증서에 쓰인 키 또는 서명이 너무 약합니다",
  "{0} does not speak TLS": "{0}에서는 TLS로 통신하지 않습니다",
  "{0} speaks only a version of TLS that is too old to be safe (before 1.2)":
    "{0}에서는 너무 오래되어 안전하지 않은 TLS 버전(1.2 이전)만 지원합니다",
  "{0} broke off the handshake: it may want a client certificate. Use --cert and --key":
    "{0}에서 핸드셰이크를 중단했습니다. 클라이언트 인증서가 필요할 수 있습니다. --cert와 --key를 쓰십시오",
  "{0} refuses this client certificate: {1}. See --cert":
    "{0}에서 이 클라이언트 인증서를 거절했습니다: {1}. --cert를 확인하십시오",
  "no connection to {0}: {1}": "{0}에 연결할 수 없습니다: {1}",
};
