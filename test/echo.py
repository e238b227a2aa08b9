# The benchmark's Python servers: one with a thread for each client, one with asyncio.
# echo.py threads|asyncio [CERT KEY]
import asyncio, socket, ssl, sys, threading

context = None
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*sys.argv[2:])


def serve(client):
    try:
        if context:
            client = context.wrap_socket(client, server_side=True)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := client.recv(65536):
            client.sendall(data)
    except OSError:
        pass
    client.close()


def threads():
    server = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(f"listening on 127.0.0.1:{server.getsockname()[1]}", flush=True)
    while True:
        threading.Thread(target=serve, args=server.accept()[:1], daemon=True).start()


async def echo(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def loop():
    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=context, backlog=1024)
    print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


threads() if sys.argv[1] == "threads" else asyncio.run(loop())
