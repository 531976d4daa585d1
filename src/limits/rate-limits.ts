import { isIPv6 } from 'node:net';
import { anyone, type Caller } from '../access/caller.ts';
import type { LimitKind, LimitStore } from './limit-store.ts';
import { Quota } from './quota.ts';

export interface RateLimitsOptions {
  /** Of every caller that has no number of its own; none when undefined. */
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
  /** Called when the first request comes that a limit is in force for. */
  readonly openStore: () => Promise<LimitStore>;
  readonly onLimited: (kind: LimitKind, caller: string) => void;
}

/** Requests and tokens a minute: of each key, or of each client address where the server has no keys. */
export class RateLimits {
  readonly #options: RateLimitsOptions;
  #store: Promise<LimitStore> | undefined;

  constructor(options: RateLimitsOptions) {
    this.#options = options;
  }

  /** What a request of this caller will take; undefined where no limit is in force. */
  begin(caller: Caller, address: string | undefined): Promise<Quota> | undefined {
    const requests = caller.requestsPerMinute ?? this.#options.requestsPerMinute;
    const tokens = caller.tokensPerMinute ?? this.#options.tokensPerMinute;
    if (requests === undefined && tokens === undefined) return undefined;
    const onLimited = (kind: LimitKind): void => this.#options.onLimited(kind, caller.name);
    this.#store ??= this.#options.openStore();
    return this.#store.then(
      (store) => new Quota({ store, key: keyOf(caller, address), caller: caller.name, requests, tokens, onLimited }),
    );
  }

  async close(): Promise<void> {
    (await this.#store)?.close();
  }
}

/** No name of a key stands for an address, and the other way round. */
function keyOf(caller: Caller, address: string | undefined): string {
  return caller.name === anyone.name ? `address ${toNetwork(address ?? 'local')}` : `caller ${caller.name}`;
}

/** One subscriber has a whole /64 of IPv6 addresses; IPv4 ones may come written as IPv6. */
function toNetwork(address: string): string {
  const ipv4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (ipv4 !== undefined) return ipv4;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  const groups = tail === undefined ? before : [...before, ...zeros, ...after];
  return groups.slice(0, 4).join(':');
}
