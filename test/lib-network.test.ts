// Names and addresses, and the words for what goes wrong on a network, as the functions that they are. A few
// of each go through a whole script in the other files.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Failure } from "../lib/network.ts";

process.env.LC_ALL = "C"; // before the sentences choose their language
const { connectionError, endpoint, handshakeError, hostName, listenError } =
  await import("../lib/network.ts");

test("a host's name in any of its forms has one", () => {
  const names: [string, string][] = [
    ["evil.test.", "evil.test"],
    ["Evil.TEST", "evil.test"],
    ["foo。Example.test", "foo.example.test"], // U+3002, a full stop as well
    ["bücher.example", "xn--bcher-kva.example"],
    ["BÜCHER.example.", "xn--bcher-kva.example"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["localhost。", "localhost"],
    ["under_score.test", "under_score.test"],
    ["127.0.0.1", "127.0.0.1"],
    ["::1", "::1"],
    ["[::1]", "::1"], // as we print it
  ];
  for (const [given, name] of names) assert.equal(hostName(given), name, given);
  assert.equal(endpoint("::1", 5000), "[::1]:5000");
});

test("what has no place in a host's name is refused, never cut off", () => {
  const ends = ["/.x.test", "#.x.test", "?.x.test", ":443", "@x.test", "\\.x.test"];
  const odd = ["\t", " ", "%20", "\0", "\ufffd", "\u200e"];
  const others = [
    "ev%69l.test",
    "ev\til.test",
    "*.example.test",
    "evil..test",
    ".",
    "",
    "[evil]x",
    "[evil.test]",
  ];
  for (const wrong of [...[...ends, ...odd].map((end) => `evil.test${end}`), ...others])
    assert.equal(hostName(wrong), undefined, wrong);
  for (const wrong of ["localhost:5000", "[::1]:5000", "https://localhost/"])
    assert.equal(hostName(wrong), undefined, wrong);
});

const failure = (code: string, more: object = {}) =>
  Object.assign(new Error(code), { code, ...more });
const target = { host: "a.test", port: 5000, name: "b.test", ca: false, certificate: false };

test("why a client has no connection: one line, whom it concerns, what helps, and no bare code", () => {
  const cases: [string, Exclude<Failure["step"], undefined>, RegExp][] = [
    ["ECONNREFUSED", "connection", /^nothing listens on a\.test:5000\. Start the server first/],
    ["ENOTFOUND", "lookup", /^there is no host named a\.test\. Check --host$/],
    ["EAI_AGAIN", "lookup", /^there is no host named a\.test, or no name server that answers\./],
    ["ABORT_ERR", "lookup", /^there is no host named a\.test, or no name server that answers\./],
    ["EHOSTUNREACH", "connection", /^there is no way from here to a\.test:5000\. Check --host/],
    ["ETIMEDOUT", "connection", /^no answer from a\.test:5000 in time; see --timeout$/],
    ["ABORT_ERR", "handshake", /did not finish the handshake in time\. Does it speak TLS\?/],
    ["ETIMEDOUT", "answer", /^the answer of a\.test:5000 did not come in time; see --timeout$/],
    ["EPIPE", "answer", /^a\.test:5000 broke off before its answer was complete$/],
    ["ECONNRESET", "wait", /^a\.test:5000 ended without an answer: .* or its certificate$/],
    ["ECONNRESET", "handshake", /^a\.test:5000 reset the connection during the handshake$/],
    ["CERT_SIGNATURE_FAILURE", "handshake", /do not pass the verification: .* See --inspect$/],
    ["PATH_LENGTH_EXCEEDED", "handshake", /do not pass the verification: .* See --inspect$/],
    ["CERT_NOT_YET_VALID", "handshake", /is not valid yet; is the clock right\? --inspect/],
    ["SELF_SIGNED_CERT_IN_CHAIN", "handshake", /a root that is not trusted here\. .* --ca$/],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "handshake", /^a\.test:5000 does not speak TLS$/],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "answer", /^what comes from a\.test:5000 is no longer TLS/],
    ["ERR_SSL_TLSV1_ALERT_USER_CANCELLED", "handshake", /^a\.test:5000 ended the connection: /],
    // As OpenSSL 3.2 and newer name it.
    ["ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE", "handshake", /: it may want a client certificate/],
    ["INVALID_PURPOSE", "handshake", /is not for servers, or its issuer's not for issuing/],
    ["ERR_SSL_UNSUPPORTED_PROTOCOL", "handshake", /only a version of TLS that is too old/],
    ["ENOMEM", "connection", /^no connection to a\.test:5000: /],
  ];
  for (const [code, step, line] of cases) {
    const said = connectionError(failure(code, { reason: "so it is", step }), target);
    assert.match(said, line);
    assert.ok(!said.includes(code) && !said.includes("\n"), said);
  }
  const refusal = failure("ERR_SSL_TLSV1_ALERT_ACCESS_DENIED", {
    reason: "access denied",
    step: "handshake",
  });
  assert.match(
    connectionError(refusal, { ...target, certificate: true }),
    /refuses this client certificate: access denied\. See --cert$/,
  );
  // Of the addresses of a host, the first is the one to speak of.
  const both = { errors: [failure("ECONNREFUSED"), failure("EHOSTUNREACH")] };
  assert.match(connectionError(Object.assign(new Error(), both), target), /^nothing listens/);
});

test("why a server can't listen, or has no client: one line, and what helps", () => {
  const at = (code: string, port = 80) => listenError(failure(code), "a.test", port);
  assert.match(at("EADDRINUSE"), /^port 80 is taken\. Use --port for another/);
  assert.match(at("EADDRINUSE", 5000), /^port 5000 is taken[.;].* Use --port for another/);
  assert.match(at("EACCES"), /^port 80 is for the administrator only\. Use --port/);
  assert.match(at("EADDRNOTAVAIL"), /^a\.test is not an address of this machine\. Use --host/);
  assert.match(at("EAI_AGAIN"), /^there is no host named a\.test\. Use --host/);
  assert.match(at("EISDIR"), /^cannot listen on a\.test:80: is a directory$/);
  const cases: [string, RegExp][] = [
    ["ECONNRESET", /^Client left during the handshake: a:1: it may not trust this certificate$/],
    ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", /^Client left during the handshake: a:1: so it is$/],
    ["ERR_TLS_HANDSHAKE_TIMEOUT", /^Client refused: a:1: it did not finish the handshake in time$/],
    ["ERR_SSL_HTTP_REQUEST", /^Client refused: a:1: it does not speak TLS$/],
    ["ERR_SSL_UNSUPPORTED_PROTOCOL", /^Client refused: a:1: it does not offer TLS 1\.3$/],
    ["ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", /^Client refused: a:1: it has no certificate/],
    ["ERR_SSL_BAD_EXTENSION", /^Client refused: a:1: so it is$/],
  ];
  for (const [code, line] of cases)
    assert.match(handshakeError(failure(code, { reason: "so it is" }), "a:1", 9), line);
  assert.match(
    handshakeError(failure("ECONNRESET"), "a:1", 9, "CERT_HAS_EXPIRED"),
    /^Client refused: a:1: its certificate is not from .*: cert has expired$/,
  );
});
