import type { Diagnosis, Problem } from './diagnosis.ts';

const sameVector = 2e-5; // what a batch may change; kernels of other sizes round otherwise

/** Problems that a run or a comparison brings to light. */
export function findRunProblems({ run, comparison, architecture }: Tested): readonly Problem[] {
  const problems: Problem[] = [];
  if (run !== undefined && !run.isFinite)
    problems.push({
      what: 'the vector has numbers that are not finite',
      todo: 'fetch the weights again; if it stays, find the node with `embeddings graph --stop-after`',
    });
  else if (run !== undefined && Math.abs(run.norm - 1) > 1e-3)
    problems.push({ what: `the vector has length ${run.norm}, expected 1`, todo: 'report it: this is a bug' });
  if (run !== undefined && run.isFinite && run.aloneToBatch > sameVector)
    problems.push({
      what: `a text embeds otherwise in a batch, by ${run.aloneToBatch.toExponential(1)}`,
      todo: 'report it: this is a bug',
    });
  for (const { name, result } of comparison?.checks ?? []) {
    if (result === 'fail')
      problems.push({ what: `${name} differ from sentence-transformers`, todo: adviceOn(name, architecture?.ownCode) });
  }
  const vectors = comparison?.checks.filter(({ name }) => name !== 'tokens') ?? [];
  if (vectors.length > 0 && vectors.every(({ result }) => result === 'not compared'))
    problems.push({
      what: `no vectors could be compared: ${vectors[0]?.detail}`,
      todo: 'the model may still run, see the run; there is no reference for it here',
    });
  return problems;
}

type Tested = Pick<Diagnosis, 'run' | 'comparison' | 'architecture'>;

/** Where the reference did not run the code of the repository it may be none for vectors. */
function adviceOn(name: keyof typeof failureAdvice, ownCode: string | null | undefined): string {
  if (name === 'tokens' || ownCode === null || ownCode === undefined) return failureAdvice[name];
  return `take it with care: the repository brings code of its own (${ownCode}), which the reference did not run`;
}

const failureAdvice = {
  tokens:
    'compare the tokenizer files with those of the repository; another version of transformers may tokenise otherwise',
  mean: 'halve the graph with `embeddings graph --stop-after` until the first node that differs from the reference',
  pipeline: 'where tokens and mean pass, the sentence-transformers files of the folder are followed otherwise here',
};

/** The last lines: whether it would run, and else why not and what to do. */
export function describeVerdict({ target, problems, canRun, run }: Diagnosis): string {
  const verdict = `verdict: ${target} ${!canRun ? 'would not run' : run === undefined ? 'would run' : 'runs'}`;
  if (problems.length === 0) return `${verdict}\n`;
  const lines = problems.map(({ what, todo }) => `  ${what}\n    do: ${todo}\n`);
  return `${verdict}${canRun ? ', but something is wrong' : ''}:\n${lines.join('')}`;
}
