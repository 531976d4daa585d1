import type { Context } from '../context.ts';
import { toMessage } from '../message.ts';
import { fromRounds } from '../report.ts';
import type { Row } from '../report.ts';
import { checkVectors } from './check.ts';
import type { Checked } from './check.ts';
import type { Peer, PeerServer } from './peer.ts';

/** One number of one turn. */
export type Sample = Pick<Row, 'name' | 'unit' | 'value' | 'at' | 'goal'>;

export interface Turn {
  readonly peer: Peer;
  readonly server: PeerServer;
  readonly textsPerRequest: number;
}

export interface TurnsOptions {
  readonly context: Context;
  readonly part: string;
  readonly peers: readonly Peer[];
  readonly rounds: number;
  readonly measure: (turn: Turn) => Promise<readonly Sample[]>;
}

/**
 * Peers take turns (A B C A B C): each is started, measured alone and stopped. Before the first round each starts once
 * to have its vectors checked and its files read. One that fails is left out with the reason, and the others go on.
 */
export async function takeTurns({ context, part, peers, rounds, measure }: TurnsOptions): Promise<void> {
  const { report, texts } = context;
  const reference = await context.reference();
  const checked = new Map<Peer, Checked>();
  const samples = new Map<Peer, Sample[]>(peers.map((peer) => [peer, []]));

  const takeTurn = async (peer: Peer, use: (server: PeerServer) => Promise<void>): Promise<void> => {
    try {
      const server = await peer.start();
      try {
        await use(server);
      } finally {
        await server.close();
      }
    } catch (error) {
      samples.delete(peer);
      report.leaveOut({ part, contestant: peer.name, reason: toMessage(error) });
    }
  };

  for (const peer of peers) {
    await takeTurn(peer, async (server) => {
      const result = await checkVectors({ server, model: peer.model, texts, reference });
      report.note({ part, contestant: peer.name, checked: result });
      checked.set(peer, result);
    });
  }
  for (let round = 0; round < rounds; round++) {
    for (const peer of samples.keys()) {
      await takeTurn(peer, async (server) => {
        const textsPerRequest = checked.get(peer)?.textsPerRequest ?? 1;
        const taken = await measure({ peer, server, textsPerRequest });
        report.note({ part, contestant: peer.name, round, taken });
        samples.get(peer)?.push(...taken);
      });
    }
  }
  if (samples.size === 0) throw new Error('nobody could be measured');
  for (const [peer, taken] of samples) {
    for (const row of toRows(taken)) report.add({ ...row, part, contestant: peer.name });
    const cosines = checked.get(peer);
    if (cosines === undefined) continue;
    report.add({ part, contestant: peer.name, name: 'cosine, mean', unit: '', value: cosines.meanCosine });
    report.add({ part, contestant: peer.name, name: 'cosine, lowest', unit: '', value: cosines.minCosine });
  }
}

/** The rounds of each measure, and of each point of a sweep, as one row. */
export function toRows(samples: readonly Sample[]): Omit<Row, 'part'>[] {
  const groups = new Map<string, { row: Omit<Sample, 'value'>; values: number[] }>();
  for (const { value, ...row } of samples) {
    const key = JSON.stringify([row.name, row.unit, row.at?.value]);
    const group = groups.get(key) ?? { row, values: [] };
    group.values.push(value);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ row, values }) => fromRounds({ part: '', ...row }, values));
}
