// Certificates: the development ones, PEM files, and a chain in words.
import { execFileSync } from "node:child_process";
import { X509Certificate, createPrivateKey, generateKeyPairSync } from "node:crypto";
import * as fs from "node:fs";
import { dirname, join, resolve } from "node:path";
import * as tls from "node:tls";
import { fileURLToPath } from "node:url";
import { complain, fail, readOptionFile, reason } from "./cli.ts";
import { policy } from "./policy.ts";
import { t } from "./words.ts";

const DAY = 24 * 60 * 60 * 1000; // milliseconds
const FILES = ["server.crt", "server.key", "client.crt", "client.key"];

// Beside the scripts, whatever the working directory is; in it where the scripts come from a URL.
const beside = new URL("../.certs", import.meta.url);
const folder = resolve(
  process.env.DEV_CERTS_DIR || (beside.protocol === "file:" ? fileURLToPath(beside) : ".certs"),
);

/** The day of a certificate's date ("Dec 24 13:48:00 2026 GMT"), here and in ISO 8601. */
export function isoDate(date: string): string {
  return new Date(date).toLocaleDateString("sv");
}

type Pair = { cert: Buffer; key: Buffer };

/**
 * The server's development certificate and key (PEM). Makes them where they are missing or have less
 * than a day left, with a pair for a client, and says so on standard error. Ends the script where that
 * can't be done.
 */
export function developmentCertificate(): Pair {
  try {
    const pair = currentPair(folder) ?? makeFolder();
    if (pair) return pair;
    throw new Error(t`the new certificate is not valid now; is the clock right?`);
  } catch (error) {
    unusable(error);
  }
}

/**
 * The development certificate (PEM) that a server on this machine has made, if one has. Ends the
 * script where it can't be used: to trust somebody else instead would be no help.
 */
export function trustedCertificate(): Buffer | undefined {
  const file = join(folder, "server.crt");
  try {
    checkAccess(folder);
    return fs.existsSync(file) ? readCertificates(t`development certificate`, file) : undefined;
  } catch (error) {
    unusable(error);
  }
}

/** The server's pair in a folder, if there is one that fits, and is valid now and for another day. */
function currentPair(folder: string): Pair | undefined {
  checkAccess(folder);
  try {
    const cert = fs.readFileSync(join(folder, "server.crt"));
    const key = fs.readFileSync(join(folder, "server.key"));
    const x509 = new X509Certificate(cert);
    const [from, to] = [Date.parse(x509.validFrom), Date.parse(x509.validTo)];
    const fits = x509.checkPrivateKey(createPrivateKey(key));
    return fits && from <= Date.now() && to - Date.now() > DAY ? { cert, key } : undefined;
  } catch {
    return undefined; // missing or damaged: it is made anew
  }
}

/**
 * Throws where somebody else has put a file there, or may: who writes it decides whom we trust. Or where
 * others may read a key. (Windows has no such owners.)
 */
function checkAccess(folder: string): void {
  const me = process.getuid?.();
  if (me === undefined) return;
  for (const path of [folder, ...FILES.map((name) => join(folder, name))]) {
    const file = fs.statSync(path, { throwIfNoEntry: false });
    if (!file) continue;
    if (file.uid !== me) throw new Error(t`${path} belongs to another user`);
    if (file.mode & 0o022)
      throw new Error(t`others may write ${path}; remove ${folder}, and a new one is made`);
    if (path.endsWith(".key") && file.mode & 0o077)
      throw new Error(t`others may read ${path}; remove ${folder}, and a new one is made`);
  }
}

/**
 * Makes the folder whole beside its place, under a name that nobody can know before, and renames it into it:
 * so that whatever cuts a start off, no half of it is ever there, and of servers that start at once, all use
 * the first one's. A draft that a killed start leaves is nobody's but ours, and its key is never used.
 */
function makeFolder(): Pair | undefined {
  const present = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  const foreign = present.find((name) => !FILES.includes(name));
  if (foreign) throw new Error(t`there are other files in it, such as ${foreign}`);
  ensure(dirname(folder));
  const draft = fs.mkdtempSync(`${folder}.draft-`); // 0700
  try {
    const [made, old] = [join(draft, "new"), join(draft, "old")];
    fs.mkdirSync(made, { mode: 0o700 });
    makePair(made, "server", "CN = localhost", `extendedKeyUsage = serverAuth\n${NAMES}`);
    makePair(made, "client", "CN = development client", "extendedKeyUsage = clientAuth");
    if (present.length > 0) fs.renameSync(folder, old);
    const first = currentPair(old); // another server's, made since we looked
    fs.renameSync(first ? old : made, folder);
    const pair = currentPair(folder);
    if (first || !pair) return pair;
    const until = isoDate(new X509Certificate(pair.cert).validTo);
    complain(t`Made a development certificate for localhost, 127.0.0.1 and ::1 in ${folder},`);
    complain(t`valid until ${until}. tls-client.ts on this machine finds and trusts it.`);
    return pair;
  } catch (error) {
    const { code = "", syscall } = error as NodeJS.ErrnoException;
    // Its place is taken, or it has been taken away to be replaced: another server was first.
    const beaten = syscall === "rename" && /^(ENOTEMPTY|EEXIST|ENOENT)$/.test(code);
    if (beaten && fs.existsSync(folder)) return currentPair(folder);
    throw error;
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

/** Makes a folder, and those that it is in. (Node's own way of doing this never ends below /proc.) */
function ensure(folder: string): void {
  if (fs.existsSync(folder)) return;
  ensure(dirname(folder));
  fs.mkdirSync(folder);
}

const NAMES = "subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1";

/**
 * Makes a key (ECDSA on P-256) and a self-signed certificate for 30 days. The format is config(5)'s and
 * x509v3_config(5)'s; not every openssl has -addext. CA:FALSE: it vouches for itself and nobody else.
 */
function makePair(folder: string, name: string, subject: string, extensions: string): void {
  const file = (type: string) => join(folder, `${name}.${type}`);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  fs.writeFileSync(file("key"), key, { mode: 0o600, flag: "wx" });
  const config = `[req]\nprompt = no\ndistinguished_name = name\nx509_extensions = extensions
[name]\n${subject}\n[extensions]\nbasicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature\nsubjectKeyIdentifier = hash\n${extensions}\n`;
  fs.writeFileSync(file("cnf"), config);
  const files = ["-config", file("cnf"), "-key", file("key")];
  const cert = execFileSync(
    "openssl",
    ["req", "-x509", "-new", "-sha256", "-days", "30", ...files],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  fs.writeFileSync(file("crt"), cert, { mode: 0o644, flag: "wx" });
  fs.rmSync(file("cnf"));
}

/** Says why there is no development certificate, and what to do about it. */
function unusable(error: unknown): never {
  const { code, syscall, stderr } = error as NodeJS.ErrnoException & { stderr?: Buffer };
  if (code === "ENOENT" && syscall?.startsWith("spawn"))
    fail(
      t`no development certificate in ${folder}: there is no openssl command. Install it, or use --cert and --key, or --plain`,
    );
  const why = stderr ? t`openssl says "${String(stderr).split("\n")[0]!}"` : reason(error);
  fail(t`no development certificate in ${folder}: ${why}. DEV_CERTS_DIR names another folder`);
}

/** One or more certificates (PEM, RFC 7468); ends the script where there is none, or a damaged one. */
export function readCertificates(option: string, file: string): Buffer {
  const pem = readOptionFile(option, file);
  const texts = textsOf(pem);
  if (texts.length === 0) fail(t`${option} ${file} holds no certificate in PEM form`);
  texts.forEach((text, i) => {
    try {
      new X509Certificate(text);
    } catch {
      fail(t`certificate ${i + 1} in ${option} ${file} is damaged`);
    }
  });
  return pem;
}

/** The texts of the certificates in a file, each with what stands behind it. */
function textsOf(pem: Buffer): string[] {
  const begin = /^(?=-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----)/m;
  const texts = pem.toString("latin1").split(begin);
  return begin.test(texts[0]!) ? texts : texts.slice(1); // what is before the first
}

/** The certificate that has signed another, among those that are trusted; undefined for a root, which has itself. */
export function issuerOf(
  certificate: X509Certificate | undefined,
  trusted: Buffer | undefined,
): X509Certificate | undefined {
  if (!certificate || certificate.checkIssued(certificate)) return undefined;
  const all = (trusted ? textsOf(trusted) : tls.rootCertificates).map(
    (pem) => new X509Certificate(pem),
  );
  return all.find((ca) => certificate.checkIssued(ca) && certificate.verify(ca.publicKey));
}

/** A certificate, with those above it, and its private key (PEM); ends the script where they are no pair. */
export function readPair(certFile: string, keyFile: string): Pair {
  const cert = readCertificates("--cert", certFile);
  const key = readOptionFile("--key", keyFile);
  if (/^(-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED)/m.test(key.toString("latin1")))
    fail(t`--key ${keyFile} is encrypted; decrypt it with: openssl pkey -in FILE -out NEW`);
  let fits: boolean;
  try {
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    fail(t`--key ${keyFile} holds no private key in PEM form`);
  }
  if (!fits)
    fail(
      t`--key ${keyFile} is not the key of --cert ${certFile} (of the first certificate in it, where there are more)`,
    );
  try {
    tls.createSecureContext({ ...policy(), cert, key });
    return { cert, key };
  } catch (error) {
    fail(
      t`--cert ${certFile} can't be used: ${reason(error)}. An RSA key needs 2048 bits, and a signature SHA-256`,
    );
  }
}

/** What a certificate says, in lines for a person. */
export function describe(certificate: X509Certificate): string[] {
  const { namedCurve, modulusLength } = certificate.publicKey.asymmetricKeyDetails ?? {};
  const size = namedCurve ?? (modulusLength && t`${modulusLength} bits`);
  const type =
    certificate.publicKey.asymmetricKeyType ?? t`of a kind that this runtime does not know`;
  const key = [type.toUpperCase(), size].filter(Boolean);
  return [
    t`  Subject:     ${nameInALine(certificate.subject)}`,
    t`  Issuer:      ${nameInALine(certificate.issuer)}`,
    t`  Names:       ${certificate.subjectAltName ?? "-"}`,
    t`  Valid from:  ${isoTime(certificate.validFrom)}`,
    t`  Valid until: ${isoTime(certificate.validTo)}`,
    t`  SHA-256:     ${certificate.fingerprint256}`,
    t`  Key:         ${key.join(", ")}`,
  ];
}

/** A certificate's date ("Dec 24 13:48:00 2026 GMT") by RFC 3339, to the second. */
function isoTime(date: string): string {
  return new Date(date).toISOString().replace(".000", "");
}

/** "C=KR\nCN=localhost", as Node writes a name, in one line. */
export function nameInALine(lines: string | undefined): string {
  return lines?.split("\n").join(", ") || "-";
}
