// tls-client.ts --inspect: what a server shows of itself, in a form that a person can read.
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import * as tls from "node:tls";
import { t } from "./words.ts";

/**
 * Looks at a server's certificates even where they are refused, and prints them. This connection is
 * not verified: nothing is ever written to it.
 * @param timeout milliseconds for all of it
 * @returns true; throws what `tls.connect` reports
 */
export async function look(connection: tls.ConnectionOptions, timeout: number): Promise<true> {
  const socket = tls.connect({ ...connection, rejectUnauthorized: false });
  const late = Object.assign(new Error("timeout"), { code: "ETIMEDOUT" });
  const deadline = setTimeout(() => socket.destroy(late), timeout);
  await once(socket, "secureConnect").finally(() => clearTimeout(deadline));

  console.log(t`Protocol:     ${socket.getProtocol() ?? "?"}`);
  console.log(t`Cipher:       ${socket.getCipher().standardName}`);
  console.log(t`Key exchange: ${keyExchange(socket)}`);
  for (const [i, certificate] of chain(socket).entries()) {
    console.log(t`Certificate ${i}`);
    console.log(t`  Subject:     ${name(certificate.subject)}`);
    console.log(t`  Issuer:      ${name(certificate.issuer)}`);
    console.log(t`  Names:       ${certificate.subjectAltName ?? "-"}`);
    console.log(t`  Valid from:  ${certificate.validFrom}`);
    console.log(t`  Valid until: ${certificate.validTo}`);
    console.log(t`  SHA-256:     ${certificate.fingerprint256}`);
    console.log(t`  Key:         ${keyType(certificate)}`);
  }
  socket.destroy();
  return true;
}

/** The server's certificate, its issuer's, and so on, as far as they are known. */
function chain(socket: tls.TLSSocket): X509Certificate[] {
  const certificates: X509Certificate[] = [];
  let next: tls.DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  for (; next?.raw; next = next.issuerCertificate) {
    const certificate = new X509Certificate(next.raw);
    if (certificates.at(-1)?.fingerprint256 === certificate.fingerprint256) break; // self-signed
    certificates.push(certificate);
  }
  return certificates;
}

function keyExchange(socket: tls.TLSSocket): string {
  const { type, name, size } = (socket.getEphemeralKeyInfo() ?? {}) as tls.EphemeralKeyInfo;
  const group = name ?? type ?? "-";
  return size ? t`${group}, ${size} bits` : group; // the post-quantum hybrids have no one size
}

/** "C=KR\nCN=localhost", as Node writes a name, in one line. */
function name(lines: string | undefined): string {
  return lines?.split("\n").join(", ") || "-";
}

function keyType({ publicKey }: X509Certificate): string {
  const { namedCurve, modulusLength } = publicKey.asymmetricKeyDetails ?? {};
  const details = namedCurve ?? (modulusLength && t`${modulusLength} bits`);
  return [publicKey.asymmetricKeyType?.toUpperCase(), details].filter(Boolean).join(", ");
}
