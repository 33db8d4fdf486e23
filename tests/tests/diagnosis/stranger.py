"""A stranger on ADDRESS PORT: answers every connection in the way that MODE names. Prints a line when it listens."""
import base64, hashlib, os, socket, ssl, sys, threading

mode, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
certificate = sys.argv[4] if len(sys.argv) > 4 else None
family = socket.AF_INET6 if ":" in address else socket.AF_INET
kept = []


def answer(status, headers, body):
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def read_head(client):
    head = b""
    while b"\r\n\r\n" not in head:
        part = client.recv(4096)
        if not part:
            return ""
        head += part
    return head.decode()


def ask_for_token():
    return answer("401 Unauthorized", ['WWW-Authenticate: Bearer realm="cwts-ultra"'], "")


def silent_mcp(client):
    """Takes the token and the WebSocket, and then says nothing."""
    while head := read_head(client):
        if "authorization" not in head.lower():
            client.sendall(ask_for_token())
            continue
        key = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
        accept = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        client.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "
            + base64.b64encode(accept) + b"\r\n\r\n"
        )
        kept.append(client)
        return


def proxy(client, target):
    """Passes requests on to a port of this computer, without what makes a WebSocket of them."""
    with socket.create_connection(("127.0.0.1", target)) as server:
        while head := read_head(client):
            lines = [line for line in head.split("\r\n") if line and not line.lower().startswith(("host", "connection", "upgrade"))]
            server.sendall(("\r\n".join([*lines[:1], "Host: localhost", *lines[1:]]) + "\r\n\r\n").encode())
            reply = read_head(server)
            length = next((int(line.split(": ")[1]) for line in reply.split("\r\n") if line.lower().startswith("content-length")), 0)
            body = reply.split("\r\n\r\n", 1)[1].encode()
            while len(body) < length:
                body += server.recv(4096)
            client.sendall(reply.split("\r\n\r\n", 1)[0].encode() + b"\r\n\r\n" + body)


def serve(client):
    try:
        if mode == "silent":
            kept.append(client)
        elif mode == "close":
            client.recv(1)
            client.close()
        elif mode == "ssh":
            client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            kept.append(client)
        elif mode == "web":
            read_head(client)
            client.sendall(answer("404 Not Found", ["Server: stranger"], "nothing here"))
        elif mode == "metrics":
            read_head(client)
            client.sendall(answer("200 OK", ["Content-Type: text/plain; version=0.0.4"], "node_load1 0.5\n"))
        elif mode == "garbled":
            read_head(client)
            client.sendall(answer("200 OK", ["Content-Type: text/plain"], "cwts_service_up{service=\"health\"} soon\n"))
        elif mode == "mcp":
            silent_mcp(client)
        elif mode == "proxy":
            proxy(client, int(certificate))
        elif mode in ("tls", "old"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            if mode == "old":
                context.maximum_version = ssl.TLSVersion.TLSv1_2
                context.set_ciphers("AES128-SHA256:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
            encrypted = context.wrap_socket(client, server_side=True)
            read_head(encrypted)
            encrypted.sendall(answer("200 OK", [], ""))
    except OSError:
        client.close()


listener = socket.create_server((address, port), family=family, backlog=16)
print("listening", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
