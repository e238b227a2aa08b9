// The scripts' sentences in Korean, each under its English. The four lines of the described system
// (ready, connected, received, answer) are its own, word for word.
export const sentences: Record<string, string> = {
  // The described system's own lines.
  "Server started on {0} ({1}). Waiting for clients.":
    "서버가 시작되었습니다. 클라이언트의 접속을 기다립니다. {0} ({1})",
  "Client connected: {0}": "클라이언트가 접속되었습니다: {0}",
  "Received: {0}": "수신한 데이터: {0}",
  "Response from server: {0}": "서버로부터 받은 응답: {0}",

  // --help.
  "Usage:": "사용법:",
  "[options]": "[옵션]",
  "Example: {0}": "예: {0}",
  "{0} (default {1})": "{0} (기본값: {1})",
  "print this help": "이 도움말을 출력합니다",
  'Prints the digest of a text (default "Hello, world!") or of files, or verifies\nthe files that checksum lists name. "-", or no PATH or LIST, is standard input.':
    '문자열(기본값: "Hello, world!")이나 파일의 다이제스트를 출력하거나,\n체크섬 목록에 있는 파일을 검증합니다. "-"를 쓰거나 PATH, LIST를 생략하면\n표준 입력을 읽습니다.',
  "hash files": "파일을 해시합니다",
  "verify files by lists of sha256sum's or openssl's form":
    "sha256sum이나 openssl dgst 목록의 파일을 검증합니다",
  "any fixed-length digest of this runtime": "해시 알고리즘(길이가 고정된 것)",
  "compare with this digest: prints OK or FAILED":
    "이 다이제스트와 비교해 OK 또는 FAILED를 출력합니다",
  "HMAC with the key in this file (its exact bytes)":
    "이 파일의 바이트를 그대로 키로 써서 HMAC을 계산합니다",
  "with --check: skip files that are not there": "--check에서 없는 파일은 건너뜁니다",
  "with --check: a malformed line fails as well":
    "--check에서 형식이 잘못된 줄도 실패로 처리합니다",
  "with --check: print only failures": "--check에서 실패만 출력합니다",
  "Echoes what clients send, over TLS 1.3. Ctrl-C stops it.\nDEV_CERTS_DIR: folder for the development certificates (default .certs).":
    "클라이언트가 보낸 데이터를 TLS 1.3으로 그대로 돌려줍니다. Ctrl-C로 종료합니다.\nDEV_CERTS_DIR: 개발용 인증서를 두는 디렉터리(기본값: .certs)",
  "address to listen on": "접속을 받을 주소",
  "its port; 0 takes any free one": "포트. 0이면 비어 있는 아무 포트",
  "plain TCP instead of TLS": "TLS 대신 평문 TCP를 씁니다",
  "certificate (PEM), not a development one": "개발용 인증서 대신 쓸 인증서(PEM)",
  "the key (PEM) of --cert": "--cert의 개인 키(PEM)",
  "admit only clients certified by this CA (PEM)": "이 CA(PEM)가 인증한 클라이언트만 받습니다",
  "serve one client, then stop": "클라이언트 하나만 처리하고 종료합니다",
  "turn further clients away": "동시에 접속할 수 있는 클라이언트 수",
  "disconnect who is silent for so long": "이 시간(초) 동안 조용하면 끊습니다",
  "do not print what clients send": "받은 데이터를 출력하지 않습니다",
  'Sends the message (default "Hello, server!") over verified TLS, and prints the\nanswer. "-" streams standard input to the server, and the answer back.\nDEV_CERTS_DIR: folder for the development certificates (default .certs).':
    '검증된 TLS 연결로 메시지(기본값: "Hello, server!")를 보내고 응답을\n출력합니다. "-"를 쓰면 표준 입력을 보내고 응답을 표준 출력으로 내보냅니다.\nDEV_CERTS_DIR: 개발용 인증서를 두는 디렉터리(기본값: .certs)',
  "server to connect to": "접속할 서버",
  "its port": "서버의 포트",
  "name the certificate must be for (default: HOST)": "인증서에 있어야 하는 이름 (기본값: 호스트)",
  "trust this CA (PEM), and no other": "이 파일의 CA 인증서(PEM)만 신뢰합니다",
  "client certificate (PEM), for a server that asks":
    "서버가 요구할 때 제시할 클라이언트 인증서(PEM)",
  "for connecting, handshake and each wait": "접속, 핸드셰이크, 응답 대기 시간(초)",
  "server's silence until our own side ends": "이만큼(초) 서버가 조용하면 송신 종료",
  "print connection and certificates; send nothing": "연결 정보와 인증서만 출력합니다",

  // The command line.
  "{0} (see --help)": "{0} (--help 참고)",
  "unknown option {0}": "알 수 없는 옵션입니다: {0}",
  'unexpected argument "{0}"': '알 수 없는 인자입니다: "{0}"',
  "{0} needs a value": "{0} 옵션에는 값이 필요합니다",
  "{0} takes no value": "{0} 옵션에는 값을 줄 수 없습니다",
  '{0} must be a whole number from {1} to {2}, not "{3}"':
    '{0} 값은 {1}부터 {2}까지의 정수여야 합니다. 입력한 값: "{3}"',
  '{0} must be a number of seconds greater than 0, not "{1}"':
    '{0} 값은 0보다 큰 초 단위 숫자여야 합니다. 입력한 값: "{1}"',
  "this has U+FFFD in it, as has all that was not UTF-8 on its way here. Use standard input instead: - < NAME":
    "깨진 문자(U+FFFD)가 들어 있습니다. UTF-8이 아닌 인자는 이렇게 깨진 채 전달됩니다. 대신 표준 입력을 쓰세요: - < NAME",
  'more than one text; quote it: "{0}"': '문자열이 여러 개입니다. 따옴표로 묶으세요: "{0}"',
  'more than one message; quote it: "{0}"': '메시지가 여러 개입니다. 따옴표로 묶으세요: "{0}"',
  "--cert and --key go together": "--cert와 --key는 함께 써야 합니다",
  "--plain uses no certificates: leave out --cert, --key and --client-ca":
    "--plain은 인증서를 쓰지 않습니다. --cert, --key, --client-ca를 빼세요",
  'there is no algorithm "{0}" here; common ones: {1}':
    '이 런타임은 "{0}" 알고리즘을 지원하지 않습니다. 자주 쓰는 알고리즘: {1}',
  "{0} has no fixed length; use one that has: {1}":
    "{0}의 다이제스트는 길이가 고정되어 있지 않습니다. 고정 길이 알고리즘: {1}",
  "--file and --check exclude each other": "--file과 --check는 함께 쓸 수 없습니다",
  "--expect and --check exclude each other": "--expect와 --check는 함께 쓸 수 없습니다",
  "--quiet, --strict and --ignore-missing are for --check":
    "--quiet, --strict, --ignore-missing은 --check와 함께 쓰는 옵션입니다",
  "--expect takes one file": "--expect는 파일 하나에만 쓸 수 있습니다",
  '--expect must be {0} hex digits, as {1} has, not "{2}"':
    '--expect 값은 {1} 다이제스트와 같은 16진수 {0}자리여야 합니다. 입력한 값: "{2}"',
  "--expect is for {0}, not for {1}; see --algorithm":
    "--expect 값은 {0} 다이제스트인데 알고리즘은 {1}입니다. --algorithm을 확인하세요",

  // Digests and checksum lists.
  "{0} no longer proves anything against an attacker; use it for old lists only":
    "{0} 알고리즘으로는 더 이상 공격자의 위조를 가려낼 수 없습니다. 예전 목록에만 쓰세요",
  "there is a file {0} as well; for its digest, use --file":
    '문자열 "{0}"의 다이제스트입니다. 이름이 같은 파일의 다이제스트를 구하려면 --file을 쓰세요',
  "--key-file {0} is empty": "--key-file {0} 파일이 비어 있습니다",
  "standard input": "표준 입력",
  "{0}: files that do not match: {1}": "{0}: 일치하지 않는 파일 {1}개",
  "{0}: files that could not be read: {1}": "{0}: 읽을 수 없는 파일 {1}개",
  "{0}: lines that are not checksums: {1}": "{0}: 체크섬이 아닌 줄 {1}개",
  "{0}: none of its files is there": "{0}: 목록에 적힌 파일이 실제로는 하나도 없습니다",
  "it has no checksum in it": "체크섬이 하나도 없습니다",
  "no line is a {0} checksum": "{0} 체크섬이 한 줄도 없습니다",
  "it is a bare digest, with no name; use --expect":
    "파일 이름이 없는 다이제스트입니다. --expect를 쓰세요",
  "its digests are as long as those of {0}; see --algorithm":
    "다이제스트 길이가 {0} 알고리즘과 같습니다. --algorithm을 확인하세요",
  "its digests are base64; hexadecimal digits are needed":
    "다이제스트가 base64입니다. 16진수여야 합니다",
  "its lines are HMACs; give their key as --key-file":
    "HMAC 목록입니다. --key-file로 키를 지정하세요",
  "its lines are digests, not HMACs; leave out --key-file":
    "HMAC이 아니라 다이제스트 목록입니다. --key-file을 빼세요",
  'there is no algorithm "{0}" here': '이 런타임은 "{0}" 알고리즘을 지원하지 않습니다',
  "its lines are {0}, and --algorithm asks for {1}": "{0} 목록인데 --algorithm은 {1}입니다",
  "it is UTF-16 without its mark; convert it to UTF-8":
    "BOM이 없는 UTF-16입니다. UTF-8로 변환하세요",
  "it is UTF-32; convert it to UTF-8": "UTF-32입니다. UTF-8로 변환하세요",
  "it begins like UTF-16, and is none; convert it to UTF-8":
    "UTF-16처럼 시작하지만 UTF-16이 아닙니다. UTF-8로 변환하세요",
  "it is a binary file, not a checksum list": "체크섬 목록이 아니라 바이너리 파일입니다",

  // Files. The runtime's own words (libuv) are the keys of those that begin in lower case.
  "{0}: {1}": "{0}: {1}",
  "no such file or directory": "파일이나 디렉터리가 없습니다",
  "permission denied": "권한이 없습니다",
  "is a directory": "디렉터리입니다",
  "not a directory": "디렉터리가 아닙니다",
  "too many symbolic links encountered": "심볼릭 링크가 너무 많이 이어집니다",
  "name too long": "이름이 너무 깁니다",
  "i/o error": "입출력 오류입니다",
  "no such device": "장치가 없습니다",
  "no such device or address": "장치나 주소가 없습니다",
  "too many open files": "열린 파일이 너무 많습니다",
  "file table overflow": "시스템 전체에 열린 파일이 너무 많습니다",
  "not enough memory": "메모리가 부족합니다",
  "invalid argument": "잘못된 인자입니다",
  "resource busy or locked": "다른 곳에서 쓰는 중입니다",
  "read-only file system": "읽기 전용 파일 시스템입니다",
  "no space left on device": "디스크에 남은 공간이 없습니다",
  "text file is busy": "실행 중인 파일입니다",
  "file too large": "파일이 너무 큽니다",
  "value too large for defined data type": "값이 너무 커서 다룰 수 없습니다",
  "connection timed out": "제한 시간을 넘겼습니다",
  "bad file descriptor": "잘못된 파일 디스크립터입니다",
  "file already exists": "파일이 이미 있습니다",
  "directory not empty": "디렉터리가 비어 있지 않습니다",
  "cross-device link not permitted": "다른 파일 시스템으로는 옮길 수 없습니다",
  "it closed the connection abruptly": "상대가 연결을 갑자기 끊었습니다",
  "it is not open for reading": "읽을 수 있게 열려 있지 않습니다",
  "cannot write the output: {0}": "출력할 수 없습니다: {0}",
  "cannot read {0} {1}: {2}": "{0} {1} 파일을 읽을 수 없습니다: {2}",
  "{0} {1} holds no certificate in PEM form": "{0} {1} 파일에 PEM 형식의 인증서가 없습니다",
  "certificate {0} in {1} {2} is damaged": "{1} {2} 파일의 {0}번째 인증서가 손상되었습니다",
  "--key {0} holds no private key in PEM form": "--key {0} 파일에 PEM 형식의 개인 키가 없습니다",
  "--key {0} is encrypted; decrypt it with: openssl pkey -in FILE -out NEW":
    "--key {0} 파일이 암호화되어 있습니다. 다음 명령으로 복호화하세요: openssl pkey -in FILE -out NEW",
  "--key {0} is not the key of --cert {1} (of the first certificate in it, where there are more)":
    "--key {0} 파일은 --cert {1} 인증서의 키가 아닙니다. 파일에 인증서가 여러 개면 맨 앞 인증서의 키여야 합니다",

  "--cert {0} can't be used: {1}. An RSA key needs 2048 bits, and a signature SHA-256":
    "--cert {0} 인증서를 쓸 수 없습니다: {1}. RSA 키는 2048비트 이상, 서명은 SHA-256 이상이어야 합니다",

  // Development certificates.
  "development certificate": "개발용 인증서",
  "Made a development certificate for localhost, 127.0.0.1 and ::1 in {0},":
    "localhost, 127.0.0.1, ::1에 쓸 개발용 인증서를 {0}에 만들었습니다.",
  "valid until {0}. tls-client.ts on this machine finds and trusts it.":
    "{0}까지 유효하며, 이 컴퓨터의 tls-client.ts가 자동으로 찾아 신뢰합니다.",
  "no development certificate in {0}: {1}. DEV_CERTS_DIR names another folder":
    "{0}의 개발용 인증서를 쓸 수 없습니다: {1}. 다른 디렉터리는 DEV_CERTS_DIR로 지정하세요",
  "no development certificate in {0}: there is no openssl command. Install it, or use --cert and --key, or --plain":
    "{0}에 개발용 인증서를 만들 수 없습니다: openssl 명령이 없습니다. 설치하거나 --cert와 --key 또는 --plain을 쓰세요",
  'openssl says "{0}"': 'openssl 오류 "{0}"',
  "{0} belongs to another user": "{0}의 소유자가 다른 사용자입니다",
  "others may read {0}; remove {1}, and a new one is made":
    "다른 사용자가 {0} 파일을 읽을 수 있습니다. {1} 디렉터리를 지우면 서버가 새로 만듭니다",
  "others may write {0}; remove {1}, and a new one is made":
    "다른 사용자가 {0}에 쓸 수 있습니다. {1} 디렉터리를 지우면 서버가 새로 만듭니다",
  "there are other files in it, such as {0}": "{0} 같은 다른 파일이 들어 있습니다",
  "the new certificate is not valid now; is the clock right?":
    "새 인증서가 지금 유효하지 않습니다. 시스템 시계를 확인하세요",

  // The server.
  "Client lost: {0}: {1}": "클라이언트와의 연결이 끊어졌습니다: {0}: {1}",
  "it was silent for too long": "너무 오래 아무것도 보내지 않았습니다",
  "it takes no more": "응답을 더 받아 가지 않습니다",
  "Client cut off: {0}: it did not finish within {1} seconds":
    "클라이언트와의 연결을 끊었습니다: {0}: {1}초 안에 통신을 마치지 않았습니다",
  "Client disconnected: {0}, {1} bytes": "클라이언트 접속이 종료되었습니다: {0}, {1}바이트",
  "Client turned away: {0}: {1}": "클라이언트의 접속을 받지 않았습니다: {0}: {1}",
  "{0} are connected; see --max-connections":
    "클라이언트 {0}개가 이미 접속해 있습니다. 더 받으려면 --max-connections를 늘리세요",
  "the server is stopping": "서버를 종료하는 중입니다",
  "Server stopped. Clients: {0}, turned away: {1}, bytes: {2}.":
    "서버를 종료했습니다. 처리한 클라이언트 {0}개, 받지 않은 클라이언트 {1}개, {2}바이트.",
  "Client refused: {0}: {1}": "클라이언트를 거부했습니다: {0}: {1}",
  "it has no certificate, and --client-ca asks for one":
    "클라이언트 인증서가 없습니다. --client-ca를 쓰는 서버는 인증서를 요구합니다",
  "its certificate is not from --client-ca, or not valid: {0}":
    "--client-ca의 CA가 발급한 인증서가 아니거나 유효하지 않은 인증서입니다: {0}",
  "it did not finish the handshake in time": "제한 시간 안에 핸드셰이크를 마치지 않았습니다",
  "it does not speak TLS": "TLS 통신이 아닙니다",
  "it does not offer TLS 1.3": "TLS 1.3을 지원하지 않습니다",
  "it had sent nothing": "아무것도 보내지 않았습니다",
  "it may not trust this certificate":
    "클라이언트가 이 서버의 인증서를 신뢰하지 않은 것일 수 있습니다",
  "Client left during the handshake: {0}: {1}":
    "클라이언트가 핸드셰이크 도중 연결을 끊었습니다: {0}: {1}",
  "port {0} is taken. Use --port for another, or --port 0 for any that is free":
    "{0}번 포트는 이미 사용 중입니다. --port로 다른 포트를, --port 0으로 비어 있는 포트를 고르세요",
  "port 5000 is taken; on macOS by the AirPlay Receiver, perhaps. Use --port for another":
    "5000번 포트는 이미 사용 중입니다. macOS라면 AirPlay 수신 모드가 쓰는 것일 수 있습니다. --port로 다른 포트를 고르세요",
  "port {0} is for the administrator only. Use --port for one above 1023":
    "{0}번 포트는 관리자만 쓸 수 있습니다. --port로 1023보다 큰 포트를 고르세요",
  "{0} is not an address of this machine. Use --host for one that is":
    "{0} 주소는 이 컴퓨터의 것이 아닙니다. --host로 이 컴퓨터의 주소를 지정하세요",
  "there is no host named {0}. Use --host for an address of this machine":
    "{0} 호스트를 찾을 수 없습니다. --host로 이 컴퓨터의 주소를 지정하세요",
  "cannot listen on {0}: {1}": "{0}에서 접속을 받을 수 없습니다: {1}",

  // The client.
  "--inspect sends no message": "--inspect는 메시지를 보내지 않습니다",
  '{0} takes a name or an address alone, not "{1}"; a port goes into --port':
    '{0} 값에는 이름이나 주소만 쓸 수 있습니다. 포트는 --port로 지정하세요. 입력한 값: "{1}"',
  "{0}, {1}. Verified: {2}, until {3}.": "{0}, {1}. 검증됨: {2}, {3}까지 유효.",
  "{0}, {1}. NOT verified: {2}": "{0}, {1}. 검증되지 않음: {2}",
  "Trusted: {0}, until {1}.": "신뢰함: {0}, {1}까지 유효.",
  "Refused: {0}": "거부함: {0}",
  "the server ended before the input did": "입력이 끝나기 전에 서버가 연결을 끝냈습니다",
  "{0} ended without an answer: it broke off, or refuses this client or its certificate":
    "{0} 서버가 응답 없이 연결을 끝냈습니다. 도중에 끊겼거나, 이 클라이언트나 그 인증서를 거부한 것입니다",
  "Protocol:     {0}": "프로토콜:     {0}",
  "Cipher:       {0}": "암호 스위트:  {0}",
  "Key exchange: {0}": "키 교환:      {0}",
  "Certificate {0}, which is trusted here; the server did not send it":
    "인증서 {0} (여기서 신뢰하는 것으로, 서버가 보낸 것은 아닙니다)",
  "of a kind that this runtime does not know": "이 런타임이 모르는 종류",
  "Certificate {0}": "인증서 {0}",
  "  Subject:     {0}": "  주체:        {0}",
  "  Issuer:      {0}": "  발급자:      {0}",
  "  Names:       {0}": "  이름:        {0}",
  "  Valid from:  {0}": "  유효 시작:   {0}",
  "  Valid until: {0}": "  유효 종료:   {0}",
  "  SHA-256:     {0}": "  SHA-256:     {0}",
  "  Key:         {0}": "  공개 키:     {0}",
  ", {0} bits": ", {0}비트",
  "{0} bits": "{0}비트",
  "nothing listens on {0}. Start the server first: npx tsx scripts/server.ts":
    "{0}에서 접속을 기다리는 서버가 없습니다. 먼저 서버를 시작하세요: npx tsx scripts/server.ts",
  "there is no host named {0}. Check --host": "{0} 호스트를 찾을 수 없습니다. --host를 확인하세요",
  "there is no host named {0}, or no name server that answers. Check --host, and the network":
    "{0} 호스트가 없거나 응답하는 DNS 서버가 없습니다. --host와 네트워크를 확인하세요",
  "cannot read standard input: {0}": "표준 입력을 읽을 수 없습니다: {0}",
  "there is no way from here to {0}. Check --host, and the network":
    "{0}까지 가는 네트워크 경로가 없습니다. --host와 네트워크 연결을 확인하세요",
  "no answer from {0} in time; see --timeout":
    "{0}에 제한 시간 안에 접속하지 못했습니다. 더 기다리려면 --timeout을 늘리세요",
  "{0} did not finish the handshake in time. Does it speak TLS? See --timeout":
    "{0} 서버가 제한 시간 안에 핸드셰이크를 마치지 않았습니다. TLS 서버가 맞는지 확인하거나 --timeout을 늘리세요",
  "the answer of {0} did not come in time; see --timeout":
    "{0} 서버의 응답이 제한 시간 안에 오지 않았습니다. 더 기다리려면 --timeout을 늘리세요",
  "{0} broke off before its answer was complete": "{0} 서버가 응답을 마치기 전에 연결을 끊었습니다",
  "{0} closed the connection during the handshake. Does it speak TLS?":
    "{0} 서버가 핸드셰이크 도중 연결을 닫았습니다. TLS 서버가 맞는지 확인하세요",
  "{0} reset the connection during the handshake":
    "{0} 서버가 핸드셰이크 도중 연결을 강제로 끊었습니다",
  "the certificate of {0} is not for {1}, but for: {2}. See --servername":
    "{0} 서버의 인증서는 {1}용이 아닙니다. 인증서에 있는 이름: {2}. --servername을 확인하세요",
  "the certificate of {0} is not for {1}: it has no alternative names (SAN)":
    "{0} 서버의 인증서는 {1}용이 아닙니다. 주체 대체 이름(SAN)이 없습니다",
  "the certificate of {0} is self-signed, and not trusted here. To trust it, use --ca":
    "{0} 서버의 인증서는 신뢰 목록에 없는 자체 서명 인증서입니다. 신뢰하려면 --ca로 지정하세요",
  "the certificate of {0} is self-signed, and not in --ca":
    "{0} 서버의 인증서는 --ca에 없는 자체 서명 인증서입니다",
  "the certificate of {0} comes from a root that is not in --ca":
    "{0} 서버의 인증서 체인이 --ca에 없는 루트 인증서로 끝납니다",
  "the certificate of {0} comes from an issuer that is not in --ca, or one between was not sent: see --inspect":
    "{0} 서버의 인증서를 발급한 곳이 --ca에 없거나, 서버가 중간 인증서를 보내지 않았습니다. --inspect로 확인하세요",
  "the certificate of {0} comes from a root that is not trusted here. To trust it, use --ca":
    "{0} 서버의 인증서 체인이 신뢰 목록에 없는 루트 인증서로 끝납니다. 신뢰하려면 그 루트를 --ca로 지정하세요",
  "the certificate of {0} comes from an issuer that is not trusted here. To trust it, use --ca; or the server did not send it: see --inspect":
    "{0} 서버의 인증서를 발급한 곳이 신뢰 목록에 없습니다. 신뢰하려면 그 CA의 인증서를 --ca로 지정하세요. 서버가 중간 인증서를 보내지 않았을 수도 있으니 --inspect로 확인하세요",
  "the certificate of {0} is not for servers, or its issuer's not for issuing (no CA)":
    "{0} 서버의 인증서가 서버용이 아니거나, 발급에 쓰인 인증서가 CA 인증서가 아닙니다",
  "a certificate of {0}, its own or one above it, has expired. Its owner must renew it; is the clock right? --inspect shows which":
    "{0} 서버의 인증서나 상위 인증서가 만료되었습니다. 어느 인증서인지는 --inspect로 알 수 있습니다. 시스템 시계가 맞다면 소유자가 갱신해야 합니다",
  "a certificate of {0}, its own or one above it, is not valid yet; is the clock right? --inspect shows which":
    "{0} 서버의 인증서나 상위 인증서가 아직 유효하지 않습니다. 어느 인증서인지는 --inspect로 알 수 있습니다. 시스템 시계를 확인하세요",
  "a certificate of {0}, its own or one above it, has too weak a key or signature":
    "{0} 서버의 인증서나 상위 인증서에 쓰인 키 또는 서명이 너무 약합니다",
  "the certificates of {0} do not pass the verification: {1}. See --inspect":
    "{0} 서버의 인증서가 검증을 통과하지 못했습니다: {1}. --inspect로 확인하세요",
  "{0} has no version of TLS in common with us: here it is {1} to {2}":
    "{0} 서버와 함께 쓸 수 있는 TLS 버전이 없습니다. 여기서 허용하는 버전: {1}부터 {2}까지",
  "the key exchange of {0} is too weak: it uses a DH key that is too short":
    "{0} 서버의 키 교환이 너무 약합니다. DH 키가 너무 짧습니다",
  "the handshake with {0} failed: {1}": "{0} 서버와의 핸드셰이크가 실패했습니다: {1}",
  "{0} does not speak TLS": "{0} 서버는 TLS를 쓰지 않습니다",
  "what comes from {0} is no longer TLS: {1}":
    "{0} 서버가 보낸 데이터가 도중부터 TLS가 아닙니다: {1}",
  "{0} speaks only a version of TLS that is too old to be safe (before {1})":
    "{0} 서버는 너무 오래되어 안전하지 않은 TLS 버전({1} 이전)만 지원합니다",
  "{0} has nothing for the name {1}, or failed: {2}. See --servername":
    "{0} 서버에 {1} 이름의 인증서가 없거나 서버에 문제가 생겼습니다: {2}. --servername을 확인하세요",
  "{0} broke off the handshake: it may want a client certificate. Use --cert and --key":
    "{0} 서버가 핸드셰이크를 중단했습니다. 클라이언트 인증서를 요구하는 서버라면 --cert와 --key를 쓰세요",
  "{0} broke off the handshake: it may want a client certificate. Use --cert and --key; or it has no version or cipher in common with us":
    "{0} 서버가 핸드셰이크를 중단했습니다. 클라이언트 인증서를 요구하거나(--cert와 --key를 쓰세요), 양쪽이 함께 지원하는 TLS 버전이나 암호 스위트가 없는 것입니다",
  "{0} refuses this client certificate: {1}. See --cert":
    "{0} 서버가 이 클라이언트 인증서를 거부했습니다: {1}. --cert를 확인하세요",
  "{0} ended the connection: {1}": "{0} 서버가 연결을 끝냈습니다: {1}",
  "no connection to {0}: {1}": "{0}에 연결할 수 없습니다: {1}",
};

// What OpenSSL says: of alerts (what the other side says of us, RFC 8446, 6.2), of its own failures, and of
// certificates (openssl-verification-options(1)), as codes in words and as sentences.
export const reasons: Record<string, string> = {
  "alert unknown ca": "상대가 모르는 CA입니다",
  "alert bad certificate": "상대가 인증서를 받아들이지 않았습니다",
  "alert certificate expired": "인증서가 만료되었습니다",
  "alert certificate revoked": "폐기된 인증서입니다",
  "alert certificate unknown": "상대가 인증서를 확인하지 못했습니다",
  "alert unsupported certificate": "상대가 지원하지 않는 종류의 인증서입니다",
  "alert certificate required": "상대가 인증서를 요구합니다",
  "alert handshake failure": "상대와 맞는 암호 설정이 없습니다",
  "alert protocol version": "상대가 이 TLS 버전을 받아들이지 않습니다",
  "alert insufficient security": "상대가 더 강한 암호를 요구합니다",
  "alert access denied": "상대가 접근을 거부했습니다",
  "alert decrypt error": "상대가 서명이나 암호문을 확인하지 못했습니다",
  "alert decode error": "상대가 메시지를 해석하지 못했습니다",
  "alert internal error": "상대에게 내부 오류가 났습니다",
  "alert illegal parameter": "상대가 값이 잘못되었다고 합니다",
  "alert unexpected message": "상대가 예상하지 못한 메시지라고 합니다",
  "alert bad record mac": "데이터가 도중에 손상되었습니다",
  "alert no application protocol": "함께 쓸 수 있는 응용 프로토콜(ALPN)이 없습니다",
  "alert unrecognized name": "상대에게 없는 서버 이름입니다",
  "alert user cancelled": "상대가 취소했습니다",
  "wrong version number": "TLS 데이터가 아닙니다",
  "http request": "TLS가 아닌 HTTP 요청입니다",
  "packet length too long": "TLS 레코드의 길이가 잘못되었습니다",
  "bad record type": "TLS 레코드의 종류가 잘못되었습니다",
  "record layer failure": "TLS 레코드를 처리하지 못했습니다",
  "unexpected eof while reading": "상대가 종료 알림(close_notify) 없이 연결을 끝냈습니다",
  "unexpected message": "예상하지 못한 메시지입니다",
  "decryption failed or bad record mac": "데이터가 도중에 손상되었습니다",
  "unsupported protocol": "지원하지 않는 TLS 버전입니다",
  "no protocols available": "쓸 수 있는 TLS 버전이 없습니다",
  "no shared cipher": "함께 쓸 수 있는 암호 스위트가 없습니다",
  "no suitable key share": "함께 쓸 수 있는 키 교환 방식이 없습니다",
  "no suitable signature algorithm": "함께 쓸 수 있는 서명 알고리즘이 없습니다",
  "unsafe legacy renegotiation disabled": "안전하지 않은 재협상만 지원하는 서버입니다",
  "wrong cipher returned": "제안하지 않은 암호 스위트를 골랐습니다",
  "certificate verify failed": "인증서 검증에 실패했습니다",
  "bad signature": "서명이 맞지 않습니다",
  "ee key too small": "인증서의 키가 너무 짧습니다",
  "internal error": "내부 오류가 났습니다",
  "depth zero self signed cert": "신뢰 목록에 없는 자체 서명 인증서입니다",
  "self-signed certificate": "신뢰 목록에 없는 자체 서명 인증서입니다",
  "self signed cert in chain": "신뢰 목록에 없는 루트 인증서로 끝나는 체인입니다",
  "self-signed certificate in certificate chain":
    "신뢰 목록에 없는 루트 인증서로 끝나는 체인입니다",
  "unable to get issuer cert locally": "발급자의 인증서가 여기에 없습니다",
  "unable to get local issuer certificate": "발급자의 인증서가 여기에 없습니다",
  "unable to get issuer cert": "발급자의 인증서를 찾을 수 없습니다",
  "unable to get issuer certificate": "발급자의 인증서를 찾을 수 없습니다",
  "unable to verify leaf signature": "상위 인증서가 없어 리프 인증서의 서명을 확인할 수 없습니다",
  "unable to verify the first certificate":
    "상위 인증서가 없어 리프 인증서의 서명을 확인할 수 없습니다",
  "cert has expired": "만료된 인증서입니다",
  "certificate has expired": "만료된 인증서입니다",
  "cert not yet valid": "아직 유효하지 않은 인증서입니다",
  "certificate is not yet valid": "아직 유효하지 않은 인증서입니다",
  "cert signature failure": "인증서의 서명이 맞지 않습니다",
  "certificate signature failure": "인증서의 서명이 맞지 않습니다",
  "cert revoked": "폐기된 인증서입니다",
  "certificate revoked": "폐기된 인증서입니다",
  "cert chain too long": "인증서 체인이 너무 깁니다",
  "certificate chain too long": "인증서 체인이 너무 깁니다",
  "path length exceeded": "체인이 CA 인증서가 허용하는 길이보다 깁니다",
  "path length constraint exceeded": "체인이 CA 인증서가 허용하는 길이보다 깁니다",
  "invalid ca": "발급에 쓰인 인증서가 CA 인증서가 아닙니다",
  "invalid purpose": "이 용도로 쓸 수 없는 인증서입니다",
  "cert untrusted": "신뢰하지 않는 인증서입니다",
  "certificate not trusted": "신뢰하지 않는 인증서입니다",
  "cert rejected": "거부하도록 지정된 인증서입니다",
  "certificate rejected": "거부하도록 지정된 인증서입니다",
  "hostname mismatch": "인증서의 이름이 다릅니다",
  "unhandled critical extension": "알 수 없는 필수 확장이 들어 있는 인증서입니다",
  "permitted subtree violation": "CA 인증서가 허용하지 않는 이름입니다",
  "excluded subtree violation": "CA 인증서가 허용하지 않는 이름입니다",
  unspecified: "자세한 이유를 알 수 없습니다",
};
