// What is at least asked of a TLS connection, on every runtime. The reader's own policy holds where it is
// stricter (NODE_OPTIONS=--tls-min-v1.3 or --tls-cipher-list, OpenSSL's configuration), and has no effect where
// it is looser.
import { readFileSync } from "node:fs";
import * as tls from "node:tls";

/**
 * TLS 1.2 or newer, and in certificates and key exchange no short RSA key and no SHA-1 (level 2 of
 * SSL_CTX_set_security_level(3), which Node.js has by itself from 24 on).
 */
export function policy(): tls.SecureContextOptions {
  const ciphers = tls.DEFAULT_CIPHERS;
  const only13 = ciphers.split(":").every((name) => name.startsWith("TLS_"));
  const minVersion = only13 || tls.DEFAULT_MIN_VERSION === "TLSv1.3" ? "TLSv1.3" : "TLSv1.2";
  if (process.versions.bun) return { minVersion }; // its TLS library has no such levels
  const named = `${ciphers} ${openSslConfiguration()}`.matchAll(/SECLEVEL *= *(\d)/g);
  const level = Math.max(2, ...[...named].map(([, level]) => Number(level)));
  // A level can't stand alone: beside it there must be a cipher of TLS 1.2, even where that isn't spoken.
  return { minVersion, ciphers: `${ciphers}${only13 ? ":DEFAULT" : ""}:@SECLEVEL=${level}` };
}

/** The text of the configuration that the reader has given to OpenSSL, where that can be read. */
function openSslConfiguration(): string {
  const options = [...process.execArgv, process.env.NODE_OPTIONS ?? ""].join(" ");
  const file = /--openssl-config=(\S+)/.exec(options)?.[1] ?? process.env.OPENSSL_CONF;
  try {
    return file ? readFileSync(file, "utf8") : "";
  } catch {
    return "";
  }
}
