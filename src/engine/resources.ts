export interface Machine {
  readonly cores: number;
  readonly memoryBytes: number;
}

export interface Resources {
  readonly replicas: number;
  readonly threads: number;
}

export interface ResourceWishes {
  readonly replicas?: number | undefined;
  readonly threads?: number | undefined;
}

const largeModelBytes = 800_000_000; // copies of larger weights cost more memory than their throughput is worth
const maxReplicas = 8; // beyond this, more threads in each replica scale as well and share the weights

/**
 * Replicas x threads <= cores. Small models get one replica of one thread per core, which wins on throughput;
 * large ones get one replica with every thread. `weightBytes` is the size of the weights in memory.
 */
export function chooseResources(
  weightBytes: number,
  { cores, memoryBytes }: Machine,
  wishes: ResourceWishes = {},
): Resources {
  if (wishes.replicas !== undefined)
    return { replicas: wishes.replicas, threads: wishes.threads ?? Math.max(1, Math.floor(cores / wishes.replicas)) };
  if (wishes.threads !== undefined)
    return { replicas: Math.max(1, Math.floor(cores / wishes.threads)), threads: wishes.threads };
  if (weightBytes > largeModelBytes) return { replicas: 1, threads: cores };
  const affordable = Math.max(1, Math.floor((memoryBytes * 0.5) / Math.max(1, weightBytes)));
  const replicas = Math.min(cores, maxReplicas, affordable);
  return { replicas, threads: Math.max(1, Math.floor(cores / replicas)) };
}
