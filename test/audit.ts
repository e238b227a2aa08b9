// What testssl.sh has to say about the server: nothing. It takes a minute and a half: `make audit`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inScratch, needs, run, startServer } from "./helpers.ts";

test("testssl.sh finds nothing", needs("testssl"), async () => {
  const server = await startServer();
  const report = inScratch("testssl.json");
  const args = ["--quiet", "--warnings", "batch", "--openssl-timeout", "5", "--severity", "LOW"];
  const what = ["--protocols", "--std", "--pfs", "--server-preference", "--vulnerable"];
  await run("testssl", [...args, "--jsonfile", report, ...what, `localhost:${server.port}`], {
    timeout: 300_000,
  });
  const findings: { id: string; severity: string }[] = JSON.parse(readFileSync(report, "utf8"));
  const bad = findings.filter(({ severity }) => /LOW|MEDIUM|HIGH|CRITICAL/.test(severity));
  assert.deepEqual(bad, []);
  await server.stop();
});
