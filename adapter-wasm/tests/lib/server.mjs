// A server that does what a path asks of it, and can be killed and started again at the same place.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const behaviours = {
    '/echo': (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })),
    '/heartbeat': (socket) => socket.on('message', (data) => {
        const asked = /^ping (\d+)$/.exec(data.toString());
        socket.send(asked ? `pong ${asked[1]}` : data.toString());
    }),
    // Takes everything, says nothing.
    '/silent': (socket) => socket.on('message', () => {}),
    // No frame of redial.v1 begins so.
    '/garbage': (socket) => socket.send(Uint8Array.of(127)),
    // Takes nothing until it is told to.
    '/stuck': (socket) => {
        socket.pause();
        socket.on('message', (data, binary) => socket.send(data, { binary }));
    },
};

export class Server {
    dials = [];
    sockets = new Set();
    // What is never answered.
    hung = new Set();

    static async start() {
        const it = new Server();
        await it.start();
        return it;
    }

    url(path, query = '') {
        return `ws://127.0.0.1:${this.port}${path}${query}`;
    }

    async start() {
        this.http = createServer((_, response) => response.writeHead(404).end());
        const sockets = new WebSocketServer({
            noServer: true,
            handleProtocols: (offered) => ['chosen', 'redial.v1'].find((name) => offered.has(name)) ?? false,
        });
        this.http.on('upgrade', (request, raw, head) => {
            const { pathname, search } = new URL(request.url, 'http://server');
            this.dials.push({ pathname, search });
            const [, kind, code] = pathname.split('/');
            if (kind === 'refuse') {
                raw.end(`HTTP/1.1 ${code} No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
                return;
            }
            if (kind === 'hang') {
                this.hung.add(raw.on('error', () => {}).on('close', () => this.hung.delete(raw)));
                return;
            }
            sockets.handleUpgrade(request, raw, head, (socket) => {
                this.sockets.add(socket);
                socket.on('close', (closed) => {
                    this.sockets.delete(socket);
                    this.lastClose = closed;
                });
                socket.on('error', () => {});
                if (kind === 'burst') {
                    for (let i = 0; i < Number(code); i += 1) socket.send(`${i}`);
                    socket.close(4000);
                    return;
                }
                if (kind === 'close') {
                    socket.send('before the end');
                    // 1005 and 1006 are what is not said.
                    if (code === '1006') socket.terminate();
                    else socket.close(code === '1005' ? undefined : Number(code));
                    return;
                }
                behaviours[pathname](socket);
            });
        });
        await new Promise((resolve, reject) => {
            this.http.once('error', reject);
            this.http.listen(this.port ?? 0, '127.0.0.1', resolve);
        });
        this.port = this.http.address().port;
    }

    // As a process that is killed: no close frame, and nobody listens any more.
    async kill() {
        const closed = new Promise((resolve) => this.http.close(resolve));
        for (const socket of this.sockets) socket.terminate();
        for (const raw of this.hung) raw.destroy();
        this.http.closeAllConnections();
        await closed;
    }

    // Once somebody waits for an answer that never comes.
    async hanging() {
        while (this.hung.size === 0) await new Promise((resolve) => this.http.once('upgrade', () => setImmediate(resolve)));
    }

    // Once no connection is open.
    async empty() {
        while (this.sockets.size > 0) {
            const [socket] = this.sockets;
            await new Promise((resolve) => socket.once('close', resolve));
        }
    }

    resume() {
        for (const socket of this.sockets) socket.resume();
    }
}
