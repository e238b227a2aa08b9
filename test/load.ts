// The benchmark's load generator: the clients of an echo server, in one process for the whole run. It
// takes jobs from its parent, and answers with figures, or with what failed. Every byte that comes back
// is compared; what is done is counted for some seconds, after others in which both ends get warm.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import * as net from "node:net";
import { setTimeout } from "node:timers/promises";
import * as tls from "node:tls";

type Kind = "bulk" | "connections" | "trips" | "hold" | "flood";
export type Load = { kind: Kind; plain?: boolean; clients?: number }; // plain: TCP without TLS
export type Job = Load & { pid: number; port: number; ca: string };
export type Answer = { figures?: Record<string, number>; failure?: string };

const [WARM, AGAIN, COUNT] = [2000, 250, 1000]; // ms that do not count (the first time, later); that do
const block = randomBytes(64 * 1024);
const message = block.subarray(0, 64);
const open = new Set<net.Socket>();
const warm = new Set<number>(); // servers, by their process, that have been measured
let [port, working, made] = [0, false, 0]; // made: connections, with a round trip
let secureContext: tls.SecureContext | undefined;

process.on("message", async (job: Job) => {
  port = job.port;
  secureContext = job.plain ? undefined : tls.createSecureContext({ ca: readFileSync(job.ca) });
  working = true;
  const figures = await measure(job);
  working = false;
  for (const socket of open) socket.destroy();
  process.send!({ figures });
});
process.on("uncaughtException", (error) => process.send!({ failure: error.message }));
process.on("disconnect", () => process.exit()); // the parent is gone

async function measure({ kind, clients = 1, pid }: Job) {
  if (kind === "flood") return { "KB each": await flood(clients, pid) };
  let times: number[] = [];
  const stay = kind === "trips" || kind === "hold";
  const sockets = stay ? await connectAll(clients, stay) : [];
  if (kind === "hold") return { "KB each": resident(pid) / clients };
  for (const socket of sockets) void trips(socket, (ms) => times.push(ms) > 0 && working);
  if (kind === "connections") void connectAll(Infinity, stay);
  const done = kind === "bulk" ? await bulk() : () => (stay ? times.length : made);

  await setTimeout(warm.has(pid) ? AGAIN : WARM);
  warm.add(pid);
  times = []; // those until now do not count
  const [start, before, cpu] = [performance.now(), done(), cpuTime(pid)];
  while (performance.now() - start < COUNT) {
    const last = done();
    await setTimeout(250);
    if (done() === last) throw new Error("the echo stopped");
  }
  const [seconds, all] = [(performance.now() - start) / 1000, done() - before];
  const each = (cpuTime(pid) - cpu) / all;
  if (kind === "bulk") return { "MiB/s": all / seconds, "CPU ms/MiB": each };
  if (kind === "connections") return { "1/s": all / seconds, "CPU ms each": each };
  times.sort((a, b) => a - b);
  const percentile = (p: number) => times[Math.ceil((p / 100) * times.length) - 1]!;
  return { "p50 ms": percentile(50), "p99 ms": percentile(99), "CPU µs/trip": 1000 * each };
}

/**
 * Sends and receives all the time; tells how many MiB have come back. One block to send and one buffer
 * to receive in stay in the processor's cache: a generator that works harder measures itself.
 */
async function bulk(): Promise<() => number> {
  const twice = Buffer.concat([block, block]); // for what comes back is cut anywhere
  let [received, at] = [0, 0];
  const callback = (length: number, buffer: Uint8Array) => {
    const sent = twice.subarray(at, at + length);
    if (!sent.equals(buffer.subarray(0, length))) throw new Error("the echo differs");
    at = (at + length) % block.length;
    received += length;
    return true;
  };
  const socket = await connect({ onread: { buffer: Buffer.alloc(block.length), callback } });
  const send = (error?: unknown) => void (error || socket.write(block, send));
  for (let i = 0; i < 4; i++) send(); // so many writes are under way at any time
  return () => received / 1024 ** 2;
}

/**
 * Connects clients, 32 at a time, each for a round trip. Either they stay (and resume the session of
 * an earlier one, which is quicker), or each makes room for the next, as long as there is work.
 */
async function connectAll(clients: number, stay: boolean): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  let session: Buffer | undefined;
  const worker = async () => {
    for (; working && clients-- > 0; made++) {
      const socket = await connect({ session });
      if (stay) socket.once("session", (ticket: Buffer) => (session ??= ticket)); // before the echo
      await trips(socket);
      if (stay) sockets.push(socket);
      else socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  return sockets;
}

async function connect(more: object = {}): Promise<net.Socket> {
  const to = { port, host: "127.0.0.1", noDelay: true, servername: "localhost", ...more };
  const socket = secureContext ? tls.connect({ ...to, secureContext }) : net.connect(to);
  open.add(socket);
  socket.once("close", () => open.delete(socket));
  socket.once("end", () => socket.destroy(new Error("the server hung up")));
  await once(socket, secureContext ? "secureConnect" : "connect");
  return socket;
}

/** Round trips of 64 bytes, as long as `again` says so, which is told the time of the last in ms. */
function trips(socket: net.Socket, again: (ms: number) => boolean = () => false): Promise<void> {
  return new Promise((resolve) => {
    let [start, at] = [0, 0];
    const send = () => {
      [start, at] = [performance.now(), 0];
      socket.write(message);
    };
    const receive = (chunk: Buffer) => {
      const sent = message.subarray(at, (at += chunk.length));
      if (!sent.equals(chunk)) throw new Error("the echo differs");
      if (at < message.length) return;
      if (again(performance.now() - start)) return send();
      socket.off("data", receive);
      resolve();
    };
    socket.on("data", receive);
    send();
  });
}

/**
 * Clients that send all the time and never read, until nothing has moved for a second; tells by how many
 * KB the server has grown for each. What it grows by for its first clients is not counted.
 */
async function flood(clients: number, pid: number): Promise<number> {
  await connectAll(clients, false);
  const before = resident(pid);
  let moved = performance.now();
  const fill = async () => {
    const socket = (await connect()).pause();
    const send = (error?: unknown) => {
      moved = performance.now();
      if (!error) socket.write(block, send);
    };
    send();
  };
  await Promise.all(Array.from({ length: clients }, fill));
  while (performance.now() - moved < 1000) await setTimeout(100);
  return (resident(pid) - before) / clients;
}

/** The memory of a process, in KB; only Linux tells. */
function resident(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(proc(pid, "status"))?.[1]);
}

/** Processor time in ms of a process and its children, and of those that have ended. */
function cpuTime(pid: number | string): number {
  const fields = proc(pid, "stat").split(") ")[1]?.split(" ").slice(11, 15) ?? [NaN];
  const own = fields.reduce<number>((sum, ticks) => sum + 10 * Number(ticks), 0); // 10 ms each
  const children = proc(pid, `task/${pid}/children`).match(/\d+/g) ?? [];
  return children.reduce((sum, child) => sum + cpuTime(child), own);
}

function proc(pid: number | string, name: string): string {
  return process.platform === "linux" ? readFileSync(`/proc/${pid}/${name}`, "utf8") : "";
}
