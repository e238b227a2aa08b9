// Names and addresses, and what goes wrong on a network, in words that say what to do about it. The
// codes are Node's (errors.html), OpenSSL's of verification (openssl-verification-options(1)), and TLS's
// alerts (RFC 8446, 6.2).
import { setDefaultResultOrder } from "node:dns";
import { isIP, setDefaultAutoSelectFamilyAttemptTimeout } from "node:net";
import * as tls from "node:tls";
import { domainToASCII } from "node:url";
import { reason, usageError } from "./cli.ts";
import { policy } from "./policy.ts";
import { t, translated } from "./words.ts";

/** How far a client has come. */
export type Step = "lookup" | "connection" | "handshake" | "wait" | "answer" | "input";
export type Failure = NodeJS.ErrnoException & {
  step?: Step;
  errors?: Failure[]; // of a host's several addresses
  cert?: { subjectaltname?: string };
};

// "localhost" is 127.0.0.1 first, as with the post's AF_INET, for the server and for the client.
setDefaultResultOrder("ipv4first");

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

/** The host that an option names, in that form; ends the script where it is none. */
export function givenHost(option: string, given: string): string {
  const name = hostName(given);
  if (name) return name;
  usageError(
    t`${option} takes a name or an address alone, not "${given}"; a port goes into --port`,
  );
}

/**
 * Limits what comes before a connection, for a client that waits so long at most (in milliseconds): each
 * address of a host but the last has a part of it, not the 250 ms of the runtime; and glibc gives up in time
 * (resolv.conf(5)), for the runtime can't end while it asks.
 */
export function limitLookup(timeout: number): void {
  setDefaultAutoSelectFamilyAttemptTimeout(Math.ceil(timeout / 4));
  const [half, attempts] = [Math.max(1, Math.floor(timeout / 2000)), timeout < 2000 ? 1 : 2];
  process.env.RES_OPTIONS ??= `timeout:${half} attempts:${attempts}`;
}

/** An error of our own making, with the code that says what it is. */
export function failure(code: string): Failure {
  return Object.assign(new Error(code), { code });
}

/** For `catch`: passes an error on, with the step at which it came, unless it has one. */
export function giveUp(step: Step): (error: Failure) => never {
  return (error) => {
    throw Object.assign(error, { step: error.step ?? step });
  };
}

// What went wrong, as `STEP CODE MESSAGE`, and how to say it: the first row that fits.
type Row<Facts> = [pattern: RegExp, sentence: (facts: Facts) => string];

function firstFit<Facts>(rows: Row<Facts>[], error: Failure, facts: Facts): string {
  const { step = "", code = "", message } = error;
  const [, sentence] = rows.find(([pattern]) => pattern.test(`${step} ${code} ${message}`))!;
  return sentence(facts);
}

/** What OpenSSL says of records that are none. */
const NOT_TLS =
  / \w+(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTPS?_\w*REQUEST|UNKNOWN_PROTOCOL) /;

type Listener = { host: string; port: number; error: Error };

const listening: Row<Listener>[] = [
  [
    / EADDRINUSE /,
    ({ port }) =>
      port === 5000 && process.platform === "darwin"
        ? t`port 5000 is taken; on macOS by the AirPlay Receiver, perhaps. Use --port for another`
        : t`port ${port} is taken. Use --port for another, or --port 0 for any that is free`,
  ],
  [
    / EACCES /,
    ({ port }) => t`port ${port} is for the administrator only. Use --port for one above 1023`,
  ],
  [
    / EADDRNOTAVAIL /,
    ({ host }) => t`${host} is not an address of this machine. Use --host for one that is`,
  ],
  [
    / (ENOTFOUND|EAI_AGAIN) /,
    ({ host }) => t`there is no host named ${host}. Use --host for an address of this machine`,
  ],
  [/ /, ({ host, port, error }) => t`cannot listen on ${endpoint(host, port)}: ${reason(error)}`],
];

/** Why a server can't listen. */
export function listenError(error: Error, host: string, port: number): string {
  return firstFit(listening, error, { host, port, error });
}

type Refused = { error: Failure; verdict: unknown };
const inWords = (code: unknown) => translated(String(code).toLowerCase().replaceAll("_", " "));

const refused: Row<Refused>[] = [
  [/ ERR_TLS_HANDSHAKE_TIMEOUT /, () => t`it did not finish the handshake in time`],
  [NOT_TLS, () => t`it does not speak TLS`],
  [/ \w+UNSUPPORTED_PROTOCOL/, () => t`it does not offer TLS 1.3`],
  [/ \w+DID_NOT_RETURN_A_CERT/, () => t`it has no certificate, and --client-ca asks for one`],
  [
    / /,
    ({ error, verdict }) =>
      verdict
        ? t`its certificate is not from --client-ca, or not valid: ${inWords(verdict)}`
        : reason(error),
  ],
];

/**
 * What became of a client in its handshake: who ended it, and why.
 * @param sent how many bytes it had sent, where the runtime tells
 * @param verdict what OpenSSL's verification of its certificate came to, where that failed
 */
export function handshakeError(
  error: Failure,
  client: string,
  sent: number | undefined,
  verdict?: unknown,
): string {
  if (!verdict && /ECONNRESET|EPIPE|ALERT/.test(error.code ?? "")) {
    const silent = sent === 0 ? t`it had sent nothing` : t`it may not trust this certificate`;
    const why = error.code?.includes("ALERT") ? reason(error) : silent;
    return t`Client left during the handshake: ${client}: ${why}`;
  }
  const why = firstFit(refused, error, { error, verdict });
  return t`Client refused: ${client}: ${why}`;
}

/** Whom a client wanted to reach, and under which name. */
export type Target = {
  host: string;
  port: number;
  name: string;
  ca: boolean; // whether it was told whom to trust
  certificate: boolean; // whether it has one to show
};
type Facts = Target & { at: string; error: Failure };

const version = (name: string) => name.replace("TLSv", "");
const oldest = () => version(policy().minVersion!);
const newest = () => version(tls.DEFAULT_MAX_VERSION);
const names = ({ error: { cert } }: Facts) => cert?.subjectaltname;

const connecting: Row<Facts>[] = [
  [/^input /, ({ error }) => t`cannot read standard input: ${reason(error)}`],
  // No connection.
  [
    / ECONNREFUSED /,
    ({ at }) => t`nothing listens on ${at}. Start the server first: npx tsx scripts/server.ts`,
  ],
  [/ (ENOTFOUND|EAI_NONAME) /, ({ host }) => t`there is no host named ${host}. Check --host`],
  [
    / EAI_AGAIN |^lookup ABORT_ERR /,
    ({ host }) =>
      t`there is no host named ${host}, or no name server that answers. Check --host, and the network`,
  ],
  [
    / (ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL|EINVAL|EACCES|EAFNOSUPPORT) /,
    ({ at }) => t`there is no way from here to ${at}. Check --host, and the network`,
  ],
  // No answer in time, or not to its end.
  [
    /^connection (ETIMEDOUT|ABORT_ERR) /,
    ({ at }) => t`no answer from ${at} in time; see --timeout`,
  ],
  [
    /^handshake (ETIMEDOUT|ABORT_ERR) /,
    ({ at }) => t`${at} did not finish the handshake in time. Does it speak TLS? See --timeout`,
  ],
  [
    / (ETIMEDOUT|ABORT_ERR) /,
    ({ at }) => t`the answer of ${at} did not come in time; see --timeout`,
  ],
  [
    /^answer (ECONNRESET|EPIPE|ECONNABORTED) /,
    ({ at }) => t`${at} broke off before its answer was complete`,
  ],
  [
    /^wait (ECONNRESET|EPIPE|ECONNABORTED) /,
    ({ at }) =>
      t`${at} ended without an answer: it broke off, or refuses this client or its certificate`,
  ],
  [
    / ECONNRESET .*socket disconnected/,
    ({ at }) => t`${at} closed the connection during the handshake. Does it speak TLS?`,
  ],
  [
    / (ECONNRESET|EPIPE|ECONNABORTED) /,
    ({ at }) => t`${at} reset the connection during the handshake`,
  ],

  // A name, or certificates, that were not accepted here.
  [
    / ERR_TLS_CERT_ALTNAME_INVALID /,
    (facts) =>
      names(facts)
        ? t`the certificate of ${facts.at} is not for ${facts.name}, but for: ${names(facts)!}. See --servername`
        : t`the certificate of ${facts.at} is not for ${facts.name}: it has no alternative names (SAN)`,
  ],
  [
    / DEPTH_ZERO_SELF_SIGNED_CERT /,
    ({ at, ca }) =>
      ca
        ? t`the certificate of ${at} is self-signed, and not in --ca`
        : t`the certificate of ${at} is self-signed, and not trusted here. To trust it, use --ca`,
  ],
  [
    / SELF_SIGNED_CERT_IN_CHAIN /,
    ({ at, ca }) =>
      ca
        ? t`the certificate of ${at} comes from a root that is not in --ca`
        : t`the certificate of ${at} comes from a root that is not trusted here. To trust it, use --ca`,
  ],
  [
    / UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)/,
    ({ at, ca }) =>
      ca
        ? t`the certificate of ${at} comes from an issuer that is not in --ca, or one between was not sent: see --inspect`
        : t`the certificate of ${at} comes from an issuer that is not trusted here. To trust it, use --ca; or the server did not send it: see --inspect`,
  ],
  [
    / CERT_HAS_EXPIRED /,
    ({ at }) =>
      t`a certificate of ${at}, its own or one above it, has expired. Its owner must renew it; is the clock right? --inspect shows which`,
  ],
  [
    / CERT_NOT_YET_VALID /,
    ({ at }) =>
      t`a certificate of ${at}, its own or one above it, is not valid yet; is the clock right? --inspect shows which`,
  ],
  [
    / (INVALID_CA|INVALID_PURPOSE) /,
    ({ at }) =>
      t`the certificate of ${at} is not for servers, or its issuer's not for issuing (no CA)`,
  ],
  [
    / \w*(DH_KEY_TOO_SMALL|DH_PARAM_SIZE|BAD_DH_VALUE) /,
    ({ at }) => t`the key exchange of ${at} is too weak: it uses a DH key that is too short`,
  ],
  [
    /too weak|key too small/i,
    ({ at }) => t`a certificate of ${at}, its own or one above it, has too weak a key or signature`,
  ],
  [
    / (UNSPECIFIED|PATH_LENGTH|CERT_|CRL_|UNABLE_TO|ERROR_IN_CERT|HOSTNAME_MISMATCH)/,
    ({ at, error }) =>
      t`the certificates of ${at} do not pass the verification: ${reason(error)}. See --inspect`,
  ],

  // Alerts: whoever sends one speaks TLS.
  [
    / \S+UNSUPPORTED_PROTOCOL /,
    ({ at }) =>
      t`${at} speaks only a version of TLS that is too old to be safe (before ${oldest()})`,
  ],
  [
    / \S+PROTOCOL_VERSION /,
    ({ at }) =>
      newest() === "1.3"
        ? t`${at} speaks only a version of TLS that is too old to be safe (before ${oldest()})`
        : t`${at} has no version of TLS in common with us: here it is ${oldest()} to ${newest()}`,
  ],
  [
    / \S+(UNRECOGNIZED_NAME|ALERT_INTERNAL_ERROR) /,
    ({ at, name, error }) =>
      t`${at} has nothing for the name ${name}, or failed: ${reason(error)}. See --servername`,
  ],
  [
    / \S+ALERT_HANDSHAKE_FAILURE /,
    ({ at }) =>
      t`${at} broke off the handshake: it may want a client certificate. Use --cert and --key; or it has no version or cipher in common with us`,
  ],
  [
    / \S+ALERT_(UNKNOWN_CA|DECRYPT_ERROR|ACCESS_DENIED|\w*CERTIFICATE\w*) /,
    ({ at, certificate, error }) =>
      certificate && !error.code?.includes("CERTIFICATE_REQUIRED")
        ? t`${at} refuses this client certificate: ${reason(error)}. See --cert`
        : t`${at} broke off the handshake: it may want a client certificate. Use --cert and --key`,
  ],
  [/ \S+_ALERT_/, ({ at, error }) => t`${at} ended the connection: ${reason(error)}`],
  [
    /^(answer|wait) ERR_SSL/,
    ({ at, error }) => t`what comes from ${at} is no longer TLS: ${reason(error)}`,
  ],
  [NOT_TLS, ({ at }) => t`${at} does not speak TLS`],
  [/ \S+UNEXPECTED_MESSAGE /, ({ at }) => t`${at} does not speak TLS`], // so an echo looks: our own greeting
  [/ ERR_SSL/, ({ at, error }) => t`the handshake with ${at} failed: ${reason(error)}`],
  [/ /, ({ at, error }) => t`no connection to ${at}: ${reason(error)}`],
];

/** Why a client got no verified connection, or lost it. Of a host's several addresses, the first counts. */
export function connectionError(error: Failure, target: Target): string {
  const at = endpoint(target.host, target.port);
  const { errors: [first = error] = [] } = error;
  if (error.step) first.step = error.step;
  return firstFit(connecting, first, { ...target, at, error: first });
}
