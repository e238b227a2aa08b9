// What goes wrong on the network, in words that say what to do about it.
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

/** Why a client got no verified connection, or lost it. */
export function connectionError(error: unknown, host: string, port: number, name: string): string {
  const { code = "", cert } = error as NodeJS.ErrnoException & {
    cert?: { subjectaltname?: string };
  };
  const at = endpoint(host, port);
  switch (code) {
    case "ECONNREFUSED":
      return t`nothing listens on ${at}. Start the server first: npx tsx scripts/server.ts`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return t`there is no host named ${host}`;
    case "ETIMEDOUT":
      return t`no answer from ${at} in time; see --timeout`;
    case "ECONNRESET":
    case "EPIPE":
      return t`${at} closed the connection before it was through`;
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return t`${at} has no certificate for ${name}, but for: ${cert?.subjectaltname ?? "?"}`;
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return t`${at} has a certificate that nobody trusted here has issued. To trust it, use --ca`;
    case "CERT_HAS_EXPIRED":
      return t`the certificate of ${at} has expired`;
    case "CERT_NOT_YET_VALID":
      return t`the certificate of ${at} is not valid yet; is the clock right?`;
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return t`${at} does not speak TLS`;
    default:
      return t`no connection to ${at}: ${reason(error)}`;
  }
}
