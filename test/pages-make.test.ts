// What make promises: texts that reach the scripts as they were typed, its list and the smoke test in the
// reader's language, packages as the two files name them; a smoke test that leaves nothing behind, and an
// audit that fails where none was made.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ENV, TSX, inScratch, needs, root, run, start } from "./helpers.ts";

// In place of the runtime, a program that prints the last of its arguments. (A dollar of RUN's is make's.)
const RUN = `sh -c 'for last; do :; done; printf "%s." "$$last"' sh`;
const make = async (args: string[], env: NodeJS.ProcessEnv = {}) =>
  (await run("make", ["-s", ...args], { cwd: root, env: { ...ENV, ...env } })).stdout;

test(
  "a text arrives as it was typed: make expands nothing, and runs nothing",
  needs("make"),
  async () => {
    const texts = [
      "pay $5",
      "$(shell touch made)",
      "`touch made`",
      `a"b`,
      "it's",
      "back\\",
      "$$",
      "#",
      "-n",
    ];
    texts.push("two\nlines", "${HOME}", "'; touch made; '", "");
    for (const text of texts) {
      assert.equal(await make(["hash", `TEXT=${text}`, `RUN=${RUN}`]), `${text}.`);
      assert.equal(await make(["hash"], { TEXT: text, RUN }), `${text}.`);
      assert.equal(await make(["client", `MESSAGE=${text}`, `RUN=${RUN}`]), `${text}.`);
    }
    assert.equal(await make(["hash", `RUN=${RUN}`]), "--."); // none was given: the script has its own
    assert.ok(!existsSync(join(root, "made")));
  },
);

test("make's list, in both languages, on lines of 80 columns", needs("make"), async () => {
  const columns = (line: string) => line.replace(/[가-힣]/g, "  ").length;
  const [english, korean, other] = await Promise.all([
    make([]),
    make([], { LC_ALL: "", LC_MESSAGES: "ko_KR.UTF-8", LANG: "C" }),
    make([], { LC_ALL: "", LC_MESSAGES: "", LANG: "kok_IN" }), // Konkani
  ]);
  const targets = (list: string) => list.match(/^  make [a-z]+/gm);
  assert.ok(targets(english)!.length > 9);
  assert.deepEqual(targets(korean), targets(english));
  for (const line of korean.trim().split("\n").slice(0, -3))
    if (!line.includes("bench")) assert.match(line, /[가-힣]/);
  assert.equal(other, english);
  for (const line of (english + korean).split("\n")) assert.ok(columns(line) <= 80, line);
});

test("the smoke test says what holds, in both languages", needs("make", "openssl"), async () => {
  for (const [locale, words] of [
    ["C", /^ok {6}client has the answer$/m],
    ["ko_KR.UTF-8", /^ok {6}클라이언트가 응답을 받았습니다$/m],
  ] as const) {
    const lines = await make(["smoke"], { LC_ALL: locale });
    assert.match(lines, words);
    assert.equal(lines.match(/^ok {6}/gm)?.length, 9, lines);
  }
});

test("packages are installed anew where one of the two files is newer", async () => {
  const cwd = inScratch("packages");
  const target = "node_modules/.package-lock.json";
  mkdirSync(join(cwd, "node_modules"), { recursive: true });
  const made = async (newest: string) => {
    for (const name of [target, "package.json", "package-lock.json"]) {
      writeFileSync(join(cwd, name), "{}");
      utimesSync(join(cwd, name), 1e9, name === newest ? 1e9 + 1 : 1e9);
    }
    return (await run("make", ["-qf", join(root, "Makefile"), target], { cwd, env: ENV })).code;
  };
  assert.equal(await made(target), 0);
  assert.equal(await made("package.json"), 1);
  assert.equal(await made("package-lock.json"), 1);
});

const left = (name: string) => readdirSync(inScratch(name)).filter((file) => !/^tsx-/.test(file));

test("make smoke leaves no process and no file behind, however it ends", async () => {
  const ends = ["SIGINT", "SIGQUIT", "its reader goes away"].map(async (end) => {
    mkdirSync(inScratch(end));
    const program = start("make", ["smoke", `RUN=${[process.execPath, ...TSX].join(" ")}`], {
      cwd: root,
      env: { ...ENV, TMPDIR: inScratch(end) },
      detached: true, // a process group of its own, as a terminal makes one
    });
    const group = -program.child.pid!;
    await program.prints(/server is ready/);
    if (end.startsWith("SIG")) process.kill(group, end as NodeJS.Signals);
    else program.child.stdout!.destroy();
    assert.notEqual(await program.exit, 0, end);
    const ended = () => {
      try {
        return !process.kill(group, 0);
      } catch {
        return true; // ESRCH: nobody is in it
      }
    };
    for (let i = 0; i < 100 && !(ended() && left(end).length === 0); i++) await setTimeout(100);
    assert.deepEqual([ended(), left(end)], [true, []], end); // make itself may be gone before its shell
  });
  await Promise.all(ends);
});

test("make audit fails where testssl.sh is missing, failed, or has not looked at everything", async () => {
  const whole =
    "SSLv2 SSLv3 TLS1 TLS1_1 TLS1_2 TLS1_3 ALPN cipherlist_NULL cipherlist_aNULL cipherlist_EXPORT " +
    "cipherlist_LOW cipherlist_3DES_IDEA FS cipher_order heartbleed CCS ROBOT secure_renego " +
    "secure_client_renego CRIME_TLS POODLE_SSL fallback_SCSV FREAK DROWN LOGJAM BEAST LUCKY13 RC4";
  const entry = (id: string, severity = "OK", finding = "") => ({ id, severity, finding });
  const entries = whole.split(" ").map((id) => entry(id));
  const warning = entry("SSLv2", "WARN", "couldn't be tested");
  const cases: [string, RegExp, number, object[]?, number?][] = [
    ["missing", /apt-get install testssl\.sh/, 1],
    ["whole", /^$/, 0, entries, 7],
    [
      "findings",
      /WARN SSLv2: couldn't.*LOW BEAST/s,
      1,
      [...entries, warning, entry("BEAST", "LOW")],
    ],
    ["broken off", /FATAL scanProblem.*error \(246\)/s, 1, [entry("scanProblem", "FATAL")], 246],
    ["nothing", /left no report/, 1, []],
    ["not whole", /not looked at RC4 \(--vulnerable\)/, 1, entries.slice(0, -1)],
  ];
  const audits = cases.map(async ([name, says, expected, report, status = 0]) => {
    const path = inScratch(name);
    mkdirSync(path);
    if (report) {
      const text = report.length > 0 ? JSON.stringify(report) : "";
      writeFileSync(join(path, "report"), text);
      const program = `#!/bin/sh
[ $# -gt 1 ] || exit 0 # --version
while [ "$1" != --jsonfile ]; do shift; done
cat '${path}/report' >"$2"
exit ${status}
`;
      writeFileSync(join(path, "testssl"), program);
      chmodSync(join(path, "testssl"), 0o755);
    }
    const env = { ...ENV, PATH: report ? `${path}:${ENV["PATH"]}` : path };
    const command = [...TSX, join(root, "test/audit.ts")];
    const { code, stderr } = await run(process.execPath, command, { env });
    assert.equal(code, expected, name);
    assert.match(stderr, says, name);
  });
  await Promise.all(audits);
});
