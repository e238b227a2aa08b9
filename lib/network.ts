// Names and addresses, and what goes wrong on a network, in words that say what to do about it. The
// codes are Node's (errors.html), OpenSSL's of verification (openssl-verification-options(1)), and TLS's
// alerts (RFC 8446, 6.2).
import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { reason } from "./cli.ts";
import { t } from "./words.ts";

type Failure = NodeJS.ErrnoException & { errors?: Error[]; cert?: { subjectaltname?: string } };

/** An address and a port as people write them; an IPv6 address in brackets (RFC 3986, 3.2.2). */
export function endpoint(host: string | undefined, port: number | undefined): string {
  if (!host) return "?"; // a client that has gone has no address any more
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * A host's name in one form: ASCII (IDNA), with no final dot (RFC 6066, 3); or its address, without the
 * brackets. Undefined where something has no place in a name: a conversion would cut the name there.
 */
export function hostName(given: string): string | undefined {
  const bare = given.replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare)) return bare;
  const fit = /^[\p{L}\p{M}\p{N}_.\u3002\uff0e\uff61-]+$/u.test(given);
  const ascii = fit ? domainToASCII(given).replace(/\.$/, "") : "";
  return /^[^.]+(\.[^.]+)*$/.test(ascii) ? ascii : undefined;
}

/** Why a server can't listen. */
export function listenError(error: unknown, host: string, port: number): string {
  const { code = "" } = error as Failure;
  const is = (pattern: RegExp) => pattern.test(code);
  if (is(/EADDRINUSE/))
    return port === 5000 && process.platform === "darwin"
      ? t`port 5000 is taken; on macOS by the AirPlay Receiver, perhaps. Use --port for another`
      : t`port ${port} is taken. Use --port for another, or --port 0 for any that is free`;
  if (is(/EACCES/))
    return t`port ${port} is for the administrator only. Use --port for one above 1023`;
  if (is(/EADDRNOTAVAIL/))
    return t`${host} is not an address of this machine. Use --host for one that is`;
  if (is(/ENOTFOUND|EAI_AGAIN/))
    return t`there is no host named ${host}. Use --host for an address of this machine`;
  return t`cannot listen on ${endpoint(host, port)}: ${reason(error)}`;
}

/**
 * What became of a client in its handshake: who ended it, and why.
 * @param verdict what OpenSSL's verification of its certificate came to, where that failed
 */
export function handshakeError(error: Error, client: string, verdict?: unknown): string {
  const { code = "" } = error as Failure;
  if (!verdict && /ECONNRESET|EPIPE|ALERT/.test(code)) {
    const why = code.includes("ALERT") ? reason(error) : t`it may not trust this certificate`;
    return t`Client left during the handshake: ${client}: ${why}`;
  }
  return t`Client refused: ${client}: ${refusal(error, verdict)}`;
}

function refusal(error: Error, verdict: unknown): string {
  const { code = "" } = error as Failure;
  if (verdict) {
    const found = String(verdict).toLowerCase().replaceAll("_", " ");
    return t`its certificate is not from --client-ca, or not valid: ${found}`;
  }
  if (/HANDSHAKE_TIMEOUT/.test(code)) return t`it did not finish the handshake in time`;
  if (/HTTP_REQUEST|WRONG_VERSION_NUMBER|PACKET_LENGTH/.test(code)) return t`it does not speak TLS`;
  if (/UNSUPPORTED_PROTOCOL/.test(code)) return t`it does not offer TLS 1.3`;
  if (/DID_NOT_RETURN_A_CERT/.test(code))
    return t`it has no certificate, and --client-ca asks for one`;
  return reason(error);
}

export type Attempt = {
  host: string;
  port: number;
  name: string; // that the certificate must be for
  certificate: boolean; // whether we have one to show
  stage: "connection" | "handshake" | "wait" | "answer"; // how far it has come
};

/** Why a client got no verified connection, or lost it. */
export function connectionError(error: unknown, attempt: Attempt): string {
  const { host, port, name, stage, certificate } = attempt;
  const { code = "", message, errors, cert } = error as Failure;
  const at = endpoint(host, port);
  const is = (pattern: RegExp) => pattern.test(code);
  if (errors?.[0]) return connectionError(errors[0], attempt); // of several addresses, the first

  // No connection.
  if (is(/ECONNREFUSED/))
    return t`nothing listens on ${at}. Start the server first: npx tsx scripts/server.ts`;
  if (is(/ENOTFOUND|EAI_AGAIN|EAI_NONAME/)) return t`there is no host named ${host}. Check --host`;
  if (is(/ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL|EINVAL|EACCES|EAFNOSUPPORT/))
    return t`there is no way from here to ${at}. Check --host, and the network`;
  if (is(/ETIMEDOUT|ABORT_ERR/)) {
    if (stage === "connection") return t`no answer from ${at} in time; see --timeout`;
    return stage === "handshake"
      ? t`${at} did not finish the handshake in time. Does it speak TLS? See --timeout`
      : t`the answer of ${at} did not come in time; see --timeout`;
  }
  if (is(/ECONNRESET|EPIPE|ECONNABORTED/)) {
    if (stage === "answer") return t`${at} broke off before its answer was complete`;
    if (stage === "wait")
      return t`${at} ended without an answer: it broke off, or refuses this client or its certificate`;
    return /socket disconnected/.test(message)
      ? t`${at} closed the connection during the handshake. Does it speak TLS?`
      : t`${at} reset the connection during the handshake`;
  }

  // A name, or certificates, that were not accepted here.
  if (is(/ALTNAME_INVALID/))
    return cert?.subjectaltname
      ? t`the certificate of ${at} is not for ${name}, but for: ${cert.subjectaltname}. See --servername`
      : t`the certificate of ${at} is not for ${name}: it has no alternative names (SAN)`;
  if (is(/DEPTH_ZERO_SELF_SIGNED_CERT/))
    return t`the certificate of ${at} is self-signed, and not trusted here. To trust it, use --ca`;
  if (is(/SELF_SIGNED_CERT_IN_CHAIN/))
    return t`the certificate of ${at} comes from a root that is not trusted here. To trust it, use --ca`;
  if (is(/UNABLE_TO_GET_ISSUER|UNABLE_TO_VERIFY_LEAF/))
    return t`the certificate of ${at} comes from an issuer that is not trusted here. To trust it, use --ca; or the server did not send it: see --inspect`;
  if (is(/CERT_HAS_EXPIRED/))
    return t`a certificate of ${at}, its own or one above it, has expired. Its owner must renew it; is the clock right? --inspect shows which`;
  if (is(/CERT_NOT_YET_VALID/))
    return t`a certificate of ${at}, its own or one above it, is not valid yet; is the clock right? --inspect shows which`;
  if (is(/INVALID_CA|INVALID_PURPOSE/))
    return t`the certificate of ${at} is not for servers, or its issuer's not for issuing (no CA)`;
  if (/too weak|key too small/i.test(message))
    return t`a certificate of ${at}, its own or one above it, has too weak a key or signature`;
  if (is(/^(UNSPECIFIED|PATH_LENGTH|CERT_|CRL_|UNABLE_TO|ERROR_IN_CERT|HOSTNAME_MISMATCH)/))
    return t`the certificates of ${at} do not pass the verification: ${reason(error)}. See --inspect`;

  // Alerts: whoever sends one speaks TLS.
  if (is(/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/))
    return t`${at} speaks only a version of TLS that is too old to be safe (before 1.2)`;
  if (is(/UNRECOGNIZED_NAME|ALERT_INTERNAL_ERROR/))
    return t`${at} has nothing for the name ${name}, or failed: ${reason(error)}. See --servername`;
  if (is(/ALERT_HANDSHAKE_FAILURE/))
    return t`${at} broke off the handshake: it may want a client certificate. Use --cert and --key; or it has no version or cipher in common with us`;
  if (is(/ALERT_(CERTIFICATE_REQUIRED|UNKNOWN_CA|DECRYPT_ERROR|ACCESS_DENIED|\w*CERTIFICATE\w*)/))
    return certificate && !is(/CERTIFICATE_REQUIRED/)
      ? t`${at} refuses this client certificate: ${reason(error)}. See --cert`
      : t`${at} broke off the handshake: it may want a client certificate. Use --cert and --key`;
  if (is(/ALERT/)) return t`${at} ended the connection: ${reason(error)}`;
  if (is(/ERR_SSL/))
    return stage === "answer" || stage === "wait"
      ? t`what comes from ${at} is no longer TLS: ${reason(error)}`
      : t`${at} does not speak TLS`;
  return t`no connection to ${at}: ${reason(error)}`;
}
