/** The port of the package index for a program without a network; no other program can reach it. */
export const BRIDGE_PORT = 3141

/** One line of Python that enables loopback in a new network namespace. The required privilege is dropped afterwards. */
const LOOPBACK = "import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh14x', b'lo', 1))"

/** `argv[1]` is a Unix socket; the rest is a program that reaches it as a port on loopback. */
const BRIDGE = `
import socket, subprocess, sys, threading

def relay(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass

def serve(client):
    with client, socket.socket(socket.AF_UNIX) as index:
        try:
            index.connect(sys.argv[1])
        except OSError:
            return
        back = threading.Thread(target=relay, args=(index, client), daemon=True)
        back.start()
        relay(client, index)
        back.join()

def accept(listener):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

listener = socket.create_server(("127.0.0.1", ${BRIDGE_PORT}))
threading.Thread(target=accept, args=(listener,), daemon=True).start()
code = subprocess.call(sys.argv[2:])
sys.exit(code if code >= 0 else 128 - code)
`

/** The program that enables loopback, run before the privilege is dropped. */
export function loopbackCommand(python: string): readonly string[] {
  return [python, '-I', '-S', '-c', LOOPBACK]
}

/** The same program, with the index behind `socket` at `BRIDGE_PORT`. */
export function bridgeCommand(python: string, socket: string, command: string, args: readonly string[]) {
  return { command: python, args: ['-I', '-S', '-c', BRIDGE, socket, command, ...args] }
}
