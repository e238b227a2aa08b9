// What make promises: texts that reach the scripts as they were typed, its list and the smoke test in the
// reader's language.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ENV, needs, root, run } from "./helpers.ts";

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
