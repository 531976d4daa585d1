/** A server that is measured beside others, alone on the machine while it has its turn. */
export interface Peer {
  /** The name in tables and plots. */
  readonly name: string;
  /** The name of the model in its requests. */
  readonly model: string;
  /** Installs what is missing, then starts; an error says why it cannot take part. */
  start(): Promise<PeerServer>;
}

export interface PeerServer {
  readonly url: string;
  /** Of a server that the benchmark started itself; of any other nothing but its answers is known. */
  readonly process?: PeerProcess;
  close(): Promise<void>;
}

export interface PeerProcess {
  readonly pid: number;
  readonly firstAnswerSeconds: number;
}
