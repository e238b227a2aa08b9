/**
 * TLS client: sends a message to a server that has proved who it is, and prints the answer.
 *
 * TLS encrypts, but encryption is worth nothing with the wrong party at the other end. So before
 * a byte of the message leaves, the handshake verifies that the server's certificate was issued by
 * somebody trusted here, is valid today, and is for the name that we asked for.
 *
 *   npx tsx scripts/tls-client.ts                        after npx tsx scripts/server.ts elsewhere
 *   npx tsx scripts/tls-client.ts --host example.com --port 443 "GET / HTTP/1.0"
 *
 * Mirrors the document's section on SSL/TLS. Read on: RFC 8446 (TLS 1.3), RFC 9525 (names in
 * certificates), https://nodejs.org/api/tls.html, and scripts/server.ts for the other end.
 */
import { setDefaultResultOrder } from "node:dns";
import { once } from "node:events";
import { isIP } from "node:net";
import { StringDecoder } from "node:string_decoder";
import * as tls from "node:tls";
import { trustedCertificate } from "../lib/certs.ts";
import { commandLine, fail, milliseconds, usageError, wholeNumber } from "../lib/cli.ts";
import { connectionError } from "../lib/network.ts";
import { readCertificates } from "../lib/pem.ts";
import { printable } from "../lib/printable.ts";
import { t } from "../lib/words.ts";

const HELP = `Usage: tls-client.ts [options] [MESSAGE]

Sends the message (default "Hello, server!") over verified TLS, and prints the answer.

      --host HOST        server to connect to (default localhost)
      --port PORT        its port (default 5000)
      --servername NAME  name the certificate must be for (default: the host)
      --ca FILE          trust this CA (PEM), and no other
      --timeout SECONDS  to connect, to shake hands, and for each wait for the server (default 10)
  -h, --help             print this help

Example: tls-client.ts --port 5001 "Hello, server!"
`;

const { values: options, positionals } = commandLine(HELP, {
  host: { type: "string", default: "localhost" },
  port: { type: "string", default: "5000" },
  servername: { type: "string" },
  ca: { type: "string" },
  timeout: { type: "string", default: "10" },
});
const { host, servername = host } = options;
const port = wholeNumber("--port", options.port, 1, 65535);
const timeout = milliseconds("--timeout", options.timeout);
if (positionals.length > 1)
  usageError(t`more than one message; quote it: "${positionals.join(" ")}"`);
const message = positionals[0] ?? "Hello, server!";

// Trust is a list of certificates. Without --ca it is the runtime's own list, as in a browser; for
// this machine it is the certificate that scripts/server.ts made for development, alone.
const isThisMachine = /^(localhost|127(\.\d+){3}|::1)$/i.test(host);
const ca = options.ca
  ? readCertificates("--ca", options.ca)
  : isThisMachine
    ? trustedCertificate()
    : undefined;

// "localhost" is 127.0.0.1 first, as with the document's AF_INET, and ::1 after it.
setDefaultResultOrder("ipv4first");

// Connect and shake hands. The name goes out in the clear (SNI), so that a server of many names can
// choose its certificate; an address has no place there. checkServerIdentity is the name's check.
const socket = tls.connect({
  host,
  port,
  ca,
  servername: isIP(servername) ? "" : servername,
  checkServerIdentity: (_, certificate) => tls.checkServerIdentity(servername, certificate),
  minVersion: "TLSv1.2",
});
const late = Object.assign(new Error("timeout"), { code: "ETIMEDOUT" });
const deadline = setTimeout(() => socket.destroy(late), timeout);
socket.once("connect", () => deadline.refresh());

try {
  await once(socket, "secureConnect");
  clearTimeout(deadline);
  const { subject, valid_to } = socket.getPeerCertificate();
  const until = new Date(valid_to).toLocaleDateString("sv"); // ISO 8601
  const connection = `${socket.getProtocol()}, ${socket.getCipher().standardName}`;
  console.error(t`${connection}. Verified: ${String(subject.CN ?? servername)}, until ${until}.`);

  // Only now, with both ends verified, does the message leave. Ending our side tells the server that
  // there is no more to come; its own end tells us that the answer is complete.
  socket.setTimeout(timeout, () => socket.destroy(late));
  socket.end(message);
  process.stdout.write(t`Response from server: ${""}`);
  const decoder = new StringDecoder("utf8");
  for await (const chunk of socket) process.stdout.write(printable(decoder.write(chunk)));
  process.stdout.write(printable(decoder.end()) + "\n");
} catch (error) {
  clearTimeout(deadline);
  fail(connectionError(error, host, port, servername));
}
