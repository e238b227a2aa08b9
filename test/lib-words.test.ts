import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { getSystemErrorMap } from "node:util";
import { sentences } from "../lib/korean.ts";
import { root, runScript } from "./helpers.ts";

/** The keys of every t`…` in the sources. */
function* used(): Generator<string> {
  const part = String.raw`\$\{(?:[^{}"\x60]|"[^"]*")*\}`;
  for (const folder of ["scripts", "lib"])
    for (const file of readdirSync(join(root, folder))) {
      const source = readFileSync(join(root, folder, file), "utf8").replace(
        /^\s*(\/\/|\*).*$/gm,
        "",
      );
      for (const [, text] of source.matchAll(
        new RegExp(`\\bt\x60((?:[^\x60$]|${part})*)\x60`, "g"),
      )) {
        let i = 0;
        yield text!.replace(new RegExp(part, "g"), () => `{${i++}}`);
      }
    }
}

test("every sentence is there in Korean, with the same values, and none is left over", () => {
  const keys = new Set(used());
  assert.ok(keys.size > 50);
  // The runtime's own words for what the system says are keys as well.
  const system = new Set([...getSystemErrorMap().values()].map(([, message]) => message));
  const others = Object.keys(sentences).filter((key) => keys.has(key) || !system.has(key));
  assert.deepEqual([...keys].sort(), others.sort());
  const values = (text: string) => text.match(/\{\d\}/g)?.sort();
  for (const [english, korean] of Object.entries(sentences))
    assert.deepEqual(values(korean), values(english), english);
});

test("--help in both languages: the same options, on standard output, status 0", async () => {
  const options = (text: string) => text.match(/--[\w-]+( [A-Z]+)?/g)!.join(" ");
  const examples = (text: string) => text.match(/^(?:Example|예): (.*)$/m)![1];
  for (const name of ["hash", "server", "tls-client"]) {
    const [english, korean] = await Promise.all([
      runScript(name, ["--help"]),
      runScript(name, ["-h"], { env: { LC_ALL: "", LANG: "ko_KR.UTF-8" } }),
    ]);
    assert.equal(english.code, 0);
    assert.match(english.stdout, new RegExp(`^Usage: ${name}\\.ts `));
    assert.match(korean.stdout, new RegExp(`^사용법: ${name}\\.ts `));
    for (const row of korean.stdout.match(/^ +-.*$/gm)!) assert.match(row, /[가-힣]/);
    for (const line of (english.stdout + korean.stdout).split("\n"))
      assert.ok(line.replace(/[가-힣]/g, "  ").length <= 80, line); // Hangul is two columns wide
    assert.equal(options(korean.stdout), options(english.stdout));
    assert.equal(examples(korean.stdout), examples(english.stdout));
    for (const [option] of english.stdout.matchAll(/--[\w-]+/g)) {
      if (option === "--help") continue; // every script has it
      assert.match(
        readFileSync(join(root, `scripts/${name}.ts`), "utf8"),
        new RegExp(option.slice(2)),
      );
    }
  }
});

test("the locale: LC_ALL before LC_MESSAGES before LANG, and only Korean is Korean", async () => {
  const cases: [Record<string, string>, boolean][] = [
    [{ LC_ALL: "ko_KR.UTF-8", LANG: "en_US.UTF-8" }, true],
    [{ LC_ALL: "", LC_MESSAGES: "ko", LANG: "en_US.UTF-8" }, true],
    [{ LC_ALL: "", LC_MESSAGES: "en_US.UTF-8", LANG: "ko_KR.UTF-8" }, false],
    [{ LC_ALL: "", LC_MESSAGES: "", LANG: "" }, false],
    [{ LC_ALL: "", LC_MESSAGES: "", LANG: "kok_IN.UTF-8" }, false], // Konkani
  ];
  const saved = process.env;
  const { LC_ALL, LC_MESSAGES, LANG, ...rest } = saved;
  try {
    for (const [i, [env, korean]] of cases.entries()) {
      process.env = { ...rest, ...env };
      const { t } = await import(`../lib/words.ts?${i}`); // which looks when it is loaded
      assert.equal(t`print this help`, korean ? "이 도움말을 출력합니다" : "print this help");
    }
  } finally {
    process.env = saved;
  }
});
