// The benchmark's Node.js programs, of which nothing could be left out: what they take is the runtime's.
// bare.ts server [CERT KEY] | bare.ts client PORT CA
import { readFileSync } from "node:fs";
import * as net from "node:net";
import * as tls from "node:tls";

const [role, ...args] = process.argv.slice(2) as [string, string, string];

function serve(socket: net.Socket): void {
  socket.on("error", () => {}); // a client that resets would end the server
  socket.pipe(socket);
}

if (role === "client") {
  const to = { port: Number(args[0]), host: "127.0.0.1", servername: "localhost" };
  const socket = tls.connect({ ...to, ca: readFileSync(args[1]) });
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
} else {
  const [cert, key] = args.map((path) => readFileSync(path));
  const server = cert
    ? tls.createServer({ cert, key, minVersion: "TLSv1.3" }, serve)
    : net.createServer(serve);
  server.listen(0, "127.0.0.1", () => {
    console.log(`listening on 127.0.0.1:${(server.address() as net.AddressInfo).port}`);
  });
}
