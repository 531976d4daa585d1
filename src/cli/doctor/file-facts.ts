import type { FoundModel } from '../find-model.ts';
import type { FileFacts, Problem } from './diagnosis.ts';

/** Every place looked at, and the one that serves. */
export function toFileFacts({ repository, entry, places }: FoundModel): FileFacts {
  const found = places.find(({ problem }) => problem === undefined);
  return {
    repository: repository ?? null,
    allowlistLine: entry?.line ?? null,
    folder: found?.folder ?? null,
    revision: found?.revision ?? null,
    places: places.map(({ kind, folder, problem }) => ({ kind, folder, problem: problem ?? null })),
  };
}

/** For a model of which no place has the files. */
export function noFiles({ repository, places }: FileFacts): Problem {
  if (repository === null)
    return {
      what: `${places[0]?.folder}: ${places[0]?.problem}`,
      todo: 'complete it with the files of its repository',
    };
  return {
    what: `no complete files of ${repository} on this machine`,
    todo: `put a clone of its repository to EMBEDDINGS_MODELS_DIR/${repository}, or fetch it into the Hugging Face cache`,
  };
}
