// What make promises: texts that reach the scripts as they were typed, its list and the smoke test in the
// reader's language, packages as the two files name them; a smoke test that leaves nothing behind, and an
// audit that fails where none was made.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ENV, TSX, each, inScratch, needs, root, run, start, uncounted, until } from "./helpers.ts";

uncounted();

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

test("the smoke test says what holds, in Korean too", needs("make", "openssl"), async () => {
  const lines = await make(["smoke"], { LC_ALL: "ko_KR.UTF-8" });
  assert.match(lines, /^ok {6}클라이언트가 응답을 받았습니다$/m);
  assert.equal(lines.match(/^ok {6}/gm)?.length, 9, lines);
});

test("packages are installed anew where one of the two files is newer", needs("make"), async () => {
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

/** Whether nobody is left in a process group. */
function gone(group: number): boolean {
  try {
    return !process.kill(group, 0);
  } catch {
    return true; // ESRCH
  }
}

test(
  "make fuzz has tried something, also where nothing is set",
  needs("make", "sha256sum"),
  async () => {
    const said = await make(["fuzz", "SEED=", "SECONDS=1", "ONLY=lists"]);
    assert.match(said, /^SEED=\d+\nlists: [1-9]\d* cases\n$/);
  },
);

const parts = needs("make", "openssl");
test("make smoke leaves no process and no file behind, however it ends", parts, async () => {
  await each(["SIGINT", "SIGQUIT", "its reader goes away"], async (end) => {
    const TMPDIR = inScratch(end);
    mkdirSync(TMPDIR);
    const program = start("make", ["smoke", `RUN=${[process.execPath, ...TSX].join(" ")}`], {
      cwd: root,
      env: { ...ENV, TMPDIR },
      detached: true, // a process group of its own, as a terminal makes one
    });
    const group = -program.child.pid!;
    await program.prints(/server is ready/);
    if (end.startsWith("SIG")) process.kill(group, end as NodeJS.Signals);
    else program.child.stdout!.destroy();
    assert.notEqual(await program.exit, 0, end);
    // make itself may be gone before its shell
    const left = () => readdirSync(TMPDIR).filter((file) => !/^tsx-/.test(file));
    await until(
      `the end after ${end}`,
      () => [gone(group), ...left()],
      (left) => left.length === 1 && left[0] === true,
    );
  });
});

test("make audit fails where testssl.sh is missing, failed, or has not looked at everything", async () => {
  const entry = (id: string, severity = "OK", finding = "") => ({ id, severity, finding });
  const [missing, broken, partly] = ["missing", "broken", "partly"].map(inScratch);
  /** In place of testssl.sh, a program that leaves a report, and ends with a status. */
  const leaves = (folder: string, report: object[], status: number) => {
    mkdirSync(folder);
    writeFileSync(join(folder, "report"), JSON.stringify(report));
    const program = `#!/bin/sh
[ $# -gt 1 ] || exit 0 # --version
while [ "$1" != --jsonfile ]; do shift; done
cat '${folder}/report' >"$2"
exit ${status}
`;
    writeFileSync(join(folder, "testssl"), program, { mode: 0o755 });
    return `${folder}:${process.env["PATH"]}`;
  };
  const cases: [string, RegExp][] = [
    [missing!, /apt-get install testssl\.sh/],
    [leaves(broken!, [entry("scanProblem", "FATAL")], 246), /FATAL scanProblem.*error \(246\)/s],
    [
      leaves(partly!, [entry("SSLv2", "WARN", "not tested"), entry("BEAST", "LOW")], 7),
      /WARN SSLv2: not tested\n.*LOW BEAST.*not looked at SSLv3 \(--protocols\)/s,
    ],
  ];
  await each(cases, async ([PATH, says]) => {
    const options = { env: { ...ENV, PATH } };
    const audit = await run(process.execPath, [...TSX, join(root, "test/audit.ts")], options);
    assert.equal(audit.code, 1, audit.stderr);
    assert.match(audit.stderr, says);
  });
});
