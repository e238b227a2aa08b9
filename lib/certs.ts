// Development certificates, so that TLS with full verification works with no configuration.
// They are self-signed: whoever is given such a certificate trusts it and nothing else.
import { execFileSync } from "node:child_process";
import { X509Certificate, createPrivateKey, generateKeyPairSync } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fail, reason } from "./cli.ts";
import { isoDate, readCertificates } from "./pem.ts";
import { t } from "./words.ts";

const DAYS = "30";
const DAY = 24 * 60 * 60 * 1000; // milliseconds

/** Where the certificates live: found from this file, whatever the working directory is. */
const directory = process.env.DEV_CERTS_DIR || fileURLToPath(new URL("../.certs", import.meta.url));
const inDirectory = (file: string) => join(directory, file);

// The format is described in config(5) and x509v3_config(5). CA:FALSE: the certificate vouches for
// itself and for nobody else. The command line's own -addext is not in every version of openssl.
const config = (commonName: string, extensions: string) => `
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = ${commonName}
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
subjectKeyIdentifier = hash
${extensions}
`;
const NAMES = "subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1";
const SERVER = config("localhost", `extendedKeyUsage = serverAuth\n${NAMES}`);
const CLIENT = config("development client", "extendedKeyUsage = clientAuth");

/**
 * The server's development certificate and key (PEM). Makes them where they are missing or have
 * less than a day left, and a pair for a client beside them, and says so on standard error.
 */
export function developmentCertificate(): { cert: Buffer; key: Buffer } {
  try {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    fs.chmodSync(directory, 0o700);
    const made = ensurePair("server", SERVER);
    ensurePair("client", CLIENT);
    const cert = fs.readFileSync(inDirectory("server.crt"));
    if (made) {
      const until = isoDate(new X509Certificate(cert).validTo);
      console.error(
        t`Made a development certificate for localhost, 127.0.0.1 and ::1 in ${directory},`,
      );
      console.error(t`valid until ${until}. tls-client.ts on this machine finds and trusts it.`);
    }
    return { cert, key: fs.readFileSync(inDirectory("server.key")) };
  } catch (error) {
    fail(t`cannot make a development certificate in ${directory}: ${explain(error)}`);
  }
}

/**
 * The development certificate (PEM) that a server on this machine has made, if one has. Ends the
 * script where it can't be read: to trust somebody else instead would be no help.
 */
export function trustedCertificate(): Buffer | undefined {
  const file = inDirectory("server.crt");
  return fs.existsSync(file) ? readCertificates(t`development certificate`, file) : undefined;
}

/**
 * Sees to it that NAME.crt is current and fits NAME.key; says whether it had to make one. Servers
 * may start at once, or be cut off anywhere. So every file appears whole, by link(2) or rename(2);
 * a key that is there is never replaced, so that any certificate to come fits it; and of several
 * new certificates the first to be linked as NAME.crt.next is the one that all of them serve.
 * @throws what `openssl` or the file system says
 */
function ensurePair(name: string, config: string): boolean {
  const [key, certificate] = [inDirectory(`${name}.key`), inDirectory(`${name}.crt`)];
  const next = `${certificate}.next`;
  for (let attempt = 0; attempt < 3; attempt++) {
    if (isCurrent(certificate, key)) {
      fs.rmSync(next, { force: true });
      return attempt > 0;
    }
    if (!isCurrent(next, key)) {
      fs.rmSync(next, { force: true });
      const draft = fs.mkdtempSync(inDirectory(".draft-"));
      try {
        makePair(draft, config, key);
        linkUnlessThere(join(draft, "crt"), next);
      } finally {
        fs.rmSync(draft, { recursive: true, force: true });
      }
    }
    try {
      if (!isCurrent(certificate, key)) fs.renameSync(next, certificate);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error; // another server did it
    }
  }
  throw new Error(t`the new certificate is not valid now; is the clock right?`);
}

/** Makes a certificate for the key, and the key where there is none. */
function makePair(draft: string, config: string, key: string): void {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  fs.writeFileSync(join(draft, "key"), pem, { mode: 0o600 });
  linkUnlessThere(join(draft, "key"), key);
  fs.writeFileSync(join(draft, "cnf"), config);
  const files = ["-config", join(draft, "cnf"), "-key", key, "-out", join(draft, "crt")];
  execFileSync("openssl", ["req", "-x509", "-new", "-sha256", "-days", DAYS, ...files], {
    stdio: ["ignore", "ignore", "pipe"],
  });
}

/** Whether the certificate can be read, fits the key, and is valid now and for another day. */
function isCurrent(certificate: string, key: string): boolean {
  try {
    const x509 = new X509Certificate(fs.readFileSync(certificate));
    const fits = x509.checkPrivateKey(createPrivateKey(fs.readFileSync(key)));
    const [from, to] = [Date.parse(x509.validFrom), Date.parse(x509.validTo)];
    return fits && from <= Date.now() && to - Date.now() > DAY;
  } catch {
    return false;
  }
}

/** Gives the file another name, unless that name is taken: all of its content at once, or none. */
function linkUnlessThere(file: string, name: string): void {
  try {
    fs.linkSync(file, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** Why a certificate could not be made, and what to do about it. */
function explain(error: unknown): string {
  const { code, syscall, stderr } = error as NodeJS.ErrnoException & { stderr?: Buffer };
  if (code === "ENOENT" && syscall?.startsWith("spawn"))
    return t`there is no openssl command. Install it, or use --cert and --key, or --plain`;
  if (stderr)
    return t`openssl says "${String(stderr).split("\n")[0]!}". Remove the folder to start afresh`;
  return reason(error);
}
