import { expect, test } from 'vitest';
import { describeVerdict, findRunProblems } from './verdict.ts';
import type { Diagnosis } from './diagnosis.ts';

const run = {
  loadMs: 1,
  firstMs: 1,
  secondMs: 1,
  tokens: 3,
  dimensions: 4,
  isFinite: true,
  norm: 1,
  aloneToBatch: 1e-7,
};

test('a unit vector that is the same in a batch has no problem', () => {
  expect(findRunProblems({ run })).toEqual([]);
  expect(findRunProblems({})).toEqual([]);
});

test.each([
  [{ isFinite: false, norm: NaN }, /not finite/],
  [{ norm: 0.5 }, /length 0\.5, expected 1/],
  [{ aloneToBatch: 1e-3 }, /otherwise in a batch, by 1\.0e-3/],
])('%j is one problem', (change, what) => {
  const problems = findRunProblems({ run: { ...run, ...change } });
  expect(problems.map((problem) => problem.what)).toEqual([expect.stringMatching(what)]);
});

test('a difference is taken with care where the reference did not run the code of the repository', () => {
  const comparison = { python: 'p', versions: {}, texts: 1, checks: [{ name: 'mean', result: 'fail' }] } as const;
  const architecture = { modelType: 'a', candidates: [], name: 'a', ownCode: 'modeling_a.A', dialect: '' };
  expect(findRunProblems({ comparison })[0]?.todo).toMatch(/--stop-after/);
  expect(findRunProblems({ comparison, architecture })[0]?.todo).toMatch(/with care.*modeling_a\.A/);
});

test('the verdict is one line where all is well, and says what to do where not', () => {
  const sick = { target: 'm', canRun: false, problems: [{ what: 'no files', todo: 'fetch them' }] };
  const well = { target: 'm', canRun: true, problems: [] };
  const verdict = (of: Pick<Diagnosis, 'target' | 'canRun' | 'problems' | 'run'>) => describeVerdict(of as Diagnosis); // uses these only
  expect(verdict(well)).toBe('verdict: m would run\n');
  expect(verdict({ ...well, run })).toBe('verdict: m runs\n');
  expect(verdict(sick)).toBe('verdict: m would not run:\n  no files\n    do: fetch them\n');
  expect(verdict({ ...sick, canRun: true, run })).toMatch(/^verdict: m runs, but something is wrong:\n/);
});
