/** The values of a server's /metrics, summed over labels. */
export type Samples = ReadonlyMap<string, number>;

export async function readMetrics(url: string): Promise<Samples> {
  const response = await fetch(`${url}/metrics`);
  if (!response.ok) throw new Error(`Expected /metrics to answer 200, got ${response.status}.`);
  return parseMetrics(await response.text());
}

export function parseMetrics(text: string): Samples {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    const found = /^([a-zA-Z_:]\w*)(?:\{.*\})? (\S+)$/.exec(line);
    if (found?.[1] === undefined || line.includes('_bucket{')) continue;
    samples.set(found[1], (samples.get(found[1]) ?? 0) + Number(found[2]));
  }
  return samples;
}

/** The mean of what a histogram took in between two reads. */
export function meanBetween({ before, after, name }: { before: Samples; after: Samples; name: string }): number {
  return growth({ before, after, name: `${name}_sum` }) / growth({ before, after, name: `${name}_count` });
}

/** How much a counter, or the sum of a histogram, grew between two reads. */
export function growth({ before, after, name }: { before: Samples; after: Samples; name: string }): number {
  const now = after.get(name);
  if (now === undefined) throw new Error(`Expected /metrics to have ${name}.`);
  return now - (before.get(name) ?? 0);
}
