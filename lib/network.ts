// What goes wrong on the network, in words that say what to do about it.
import type { PeerCertificate } from "node:tls";
import { reason } from "./cli.ts";
import { t } from "./words.ts";

/** An address and a port as people write them; an IPv6 address in brackets (RFC 3986, 3.2.2). */
export function endpoint(host: string | undefined, port: number | undefined): string {
  if (!host) return "?"; // a client that has gone has no address any more
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Why a server can't listen. */
export function listenError(error: unknown, host: string, port: number): string {
  const at = endpoint(host, port);
  switch ((error as NodeJS.ErrnoException).code) {
    case "EADDRINUSE":
      return port === 5000 && process.platform === "darwin"
        ? t`port 5000 is taken; on macOS by the AirPlay Receiver, perhaps. Use --port for another`
        : t`port ${port} is taken. Use --port for another, or --port 0 for any that is free`;
    case "EACCES":
      return t`port ${port} is for the administrator only. Use --port for one above 1023`;
    case "EADDRNOTAVAIL":
      return t`${host} is not an address of this machine. Use --host for one that is`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return t`there is no host named ${host}. Use --host for an address of this machine`;
    default:
      return t`cannot listen on ${at}: ${reason(error)}`;
  }
}

/**
 * Why a client was lost or refused.
 * @param verdict what OpenSSL's verification of its certificate came to, where that failed
 */
export function clientError(error: Error, verdict?: unknown): string {
  if (verdict) {
    const why = String(verdict).toLowerCase().replaceAll("_", " ");
    return t`its certificate is not from --client-ca, or not valid: ${why}`;
  }
  const { code = "" } = error as NodeJS.ErrnoException;
  if (code === "ERR_TLS_HANDSHAKE_TIMEOUT") return t`it did not finish the handshake in time`;
  if (/ECONNRESET|EPIPE/.test(code)) return t`it closed the connection abruptly`;
  if (/HTTP_REQUEST|WRONG_VERSION_NUMBER|PACKET_LENGTH/.test(code)) return t`it does not speak TLS`;
  if (/UNSUPPORTED_PROTOCOL/.test(code)) return t`it does not offer TLS 1.3`;
  if (/DID_NOT_RETURN_A_CERT/.test(code))
    return t`it has no certificate, and --client-ca asks for one`;
  if (/ALERT/.test(code)) return t`it ended the handshake: ${reason(error)}`;
  return reason(error);
}

export type Stage = "connection" | "handshake" | "answer";
type Attempt = { host: string; port: number; servername: string; stage: Stage };

/**
 * Why a client got no verified connection, or lost it. The codes are Node's (errors.html), OpenSSL's
 * of verification (openssl-verification-options(1)) and TLS's alerts (RFC 8446, 6.2).
 * @param attempt what was tried, and how far it had come
 */
export function connectionError(error: unknown, attempt: Attempt): string {
  const { host, port, servername, stage } = attempt;
  const {
    code = "",
    message,
    cert,
  } = error as NodeJS.ErrnoException & {
    cert?: PeerCertificate;
  };
  const at = endpoint(host, port);
  switch (code) {
    case "ECONNREFUSED":
      return t`nothing listens on ${at}. Start the server first: npx tsx scripts/server.ts`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return t`there is no host named ${host}. Check --host`;
    case "ETIMEDOUT":
      if (stage === "connection") return t`no answer from ${at} in time; see --timeout`;
      if (stage === "handshake")
        return t`${at} did not finish the handshake in time. Does it speak TLS? See --timeout`;
      return t`the answer of ${at} did not come in time; see --timeout`;
    case "ECONNRESET":
    case "EPIPE":
      if (stage === "answer") return t`${at} broke off before its answer was complete`;
      return /socket disconnected/.test(message)
        ? t`${at} closed the connection during the handshake. Does it speak TLS?`
        : t`${at} reset the connection during the handshake`;
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return cert?.subjectaltname
        ? t`the certificate of ${at} is not for ${servername}, but for: ${cert.subjectaltname}. See --servername`
        : t`the certificate of ${at} is not for ${servername}: it has no alternative names (SAN)`;
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
      return t`the certificate of ${at} is self-signed, and not trusted here. To trust it, use --ca`;
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return t`the certificate of ${at} comes from an issuer that is not trusted here. To trust it, use --ca`;
    case "INVALID_CA":
    case "INVALID_PURPOSE":
      return t`the certificate of ${at} is not for servers, or its issuer's not for issuing (no CA)`;
    case "CERT_HAS_EXPIRED":
      return t`the certificate of ${at} has expired. Its owner must renew it; is the clock right?`;
    case "CERT_NOT_YET_VALID":
      return t`the certificate of ${at} is not valid yet; is the clock right?`;
    case "CERT_SIGNATURE_FAILURE":
      return t`the certificate of ${at} is not signed by the issuer that it names`;
  }
  if (/too weak|key too small/i.test(message))
    return t`the certificate of ${at}, or its issuer's, has too weak a key or signature`;
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH|UNEXPECTED_MESSAGE|RECORD_LAYER|HTTP_REQUEST/.test(code))
    return t`${at} does not speak TLS`;
  if (/UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION/.test(code))
    return t`${at} speaks only a version of TLS that is too old to be safe (before 1.2)`;
  if (/CERTIFICATE_REQUIRED/.test(code) || (/HANDSHAKE_FAILURE/.test(code) && stage !== "answer"))
    return t`${at} broke off the handshake: it may want a client certificate. Use --cert and --key`;
  if (/ALERT_(UNKNOWN_CA|DECRYPT_ERROR|ACCESS_DENIED|\w*CERTIFICATE\w*)/.test(code))
    return t`${at} refuses this client certificate: ${reason(error)}. See --cert`;
  return t`no connection to ${at}: ${reason(error)}`;
}
