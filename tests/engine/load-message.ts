/** What makes a runner load a model, for tests that play its process. */
export const load = {
  kind: 'load',
  graph: { name: 'g', inputs: [], outputs: [], nodes: [], initializers: [] },
  weightsFolder: '',
  threads: 1,
  provider: 'cpu',
  positions: { first: 0 },
} as const;
