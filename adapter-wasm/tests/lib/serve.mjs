// `redial serve`, to be killed and started again at the same place with the same store.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export class Serve {
    listen = '127.0.0.1:0';

    static async start() {
        const it = new Serve();
        it.folder = await mkdtemp(join(tmpdir(), 'redial-'));
        await it.start();
        return it;
    }

    get url() {
        return `ws://${this.listen}/ws/chat/`;
    }

    async start() {
        const store = `sqlite:${join(this.folder, 'store.db')}`;
        const options = ['serve', '--listen', this.listen, '--store', store, '--origin', 'any', '--json', '--messages-per-second', 'none'];
        this.process = spawn(process.env.SERVER_BIN, options, { stdio: ['ignore', 'pipe', 'inherit'] });
        this.ended = new Promise((resolve) => this.process.once('exit', resolve));
        for await (const line of createInterface({ input: this.process.stdout })) {
            const { listen, listening, address } = JSON.parse(line);
            this.listen = listen ?? listening ?? address;
            break;
        }
    }

    async kill() {
        this.process.kill('SIGKILL');
        await this.ended;
    }

    async close() {
        await this.kill();
        await rm(this.folder, { recursive: true });
    }
}
