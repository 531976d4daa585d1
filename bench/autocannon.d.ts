/** The part of autocannon that the benchmark uses; the package ships no types. */
declare module 'autocannon' {
  interface Request {
    method: string;
    path: string;
    headers: Record<string, string>;
    body?: string;
    setupRequest?: (request: Request) => Request;
  }
  interface Options {
    url: string;
    connections: number;
    requests: Request[];
    /** Requests in all; without it the run lasts `duration` seconds. */
    amount?: number;
    duration?: number;
    timeout: number;
  }
  interface Result {
    errors: number;
    timeouts: number;
  }
  interface Instance extends Promise<Result> {
    on(
      event: 'response',
      listener: (client: unknown, status: number, bytes: number, milliseconds: number) => void,
    ): void;
    stop(): void;
  }
  export default function autocannon(options: Options): Instance;
}
