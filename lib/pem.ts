// Certificates and keys in PEM files (RFC 7468) that options name. What can't be used is said
// here: TLS itself would take an empty list of authorities without a word, and trust nobody.
import { X509Certificate, createPrivateKey } from "node:crypto";
import { fail, readOptionFile } from "./cli.ts";
import { t } from "./words.ts";

/** The day of a certificate's date ("Dec 24 13:48:00 2026 GMT"), here and in ISO 8601. */
export function isoDate(date: string): string {
  return new Date(date).toLocaleDateString("sv");
}

/** One or more certificates (PEM); ends the script where there is none. */
export function readCertificates(option: string, file: string): Buffer {
  const pem = readOptionFile(option, file);
  try {
    if (pem.includes("-----BEGIN CERTIFICATE-----") && new X509Certificate(pem)) return pem;
  } catch {}
  fail(t`${option} ${file} holds no certificate in PEM form`);
}

/** A certificate with its private key (both PEM); ends the script where they are no pair. */
export function readPair(certFile: string, keyFile: string): { cert: Buffer; key: Buffer } {
  const cert = readCertificates("--cert", certFile);
  const key = readOptionFile("--key", keyFile);
  if (key.includes("ENCRYPTED"))
    fail(t`--key ${keyFile} is encrypted; decrypt it with: openssl pkey -in FILE -out NEW`);
  let fits: boolean;
  try {
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    fail(t`--key ${keyFile} holds no private key in PEM form`);
  }
  if (!fits) fail(t`--key ${keyFile} is not the key of --cert ${certFile}`);
  return { cert, key };
}
