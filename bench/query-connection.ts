import { connect } from 'node:net';
import type { Socket } from 'node:net';

/**
 * One kept-alive connection that posts one query at a time. Node's own HTTP client would add most of a millisecond of
 * its own to each query, which is not the server's.
 */
export class QueryConnection {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #settle: { readonly resolve: (status: number) => void; readonly reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', (error) => this.#settle?.reject(error));
    socket.on('close', () => this.#settle?.reject(new Error('the server closed the connection')));
  }

  static async open(url: string): Promise<QueryConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new QueryConnection(socket);
  }

  /** Milliseconds from the request written to the last byte of its answer; anything but 200 is an error. */
  async ask(body: string): Promise<number> {
    const { status, milliseconds } = await this.exchange(body);
    if (status !== 200) throw new Error(`Expected status 200, got ${status}.`);
    return milliseconds;
  }

  /** The status of one query and its milliseconds; `headers` are lines that end with `\r\n`. */
  async exchange(body: string, headers = ''): Promise<{ readonly status: number; readonly milliseconds: number }> {
    const head = `POST /v1/embeddings HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n`;
    const start = performance.now();
    const status = await new Promise<number>((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.write(head + body);
    });
    return { status, milliseconds: performance.now() - start };
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.destroy();
  }

  /** An answer is complete when its head and as many bytes as its content-length says are here. */
  #onData(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    const headBytes = this.#received.indexOf('\r\n\r\n') + 4;
    if (headBytes < 4) return;
    const head = this.#received.toString('latin1', 0, headBytes);
    const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1]);
    if (this.#received.length < headBytes + length) return;
    this.#received = Buffer.alloc(0);
    this.#settle?.resolve(Number(head.split(' ', 2)[1]));
  }
}
