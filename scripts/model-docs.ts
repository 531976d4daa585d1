import type { About } from '../src/models/architecture.ts';
import type { ArchitectureRow } from '../src/models/registry.ts';

/** What docs/models.md says of an architecture. */
export interface DocumentedArchitecture extends Pick<ArchitectureRow, 'modelTypes'> {
  readonly about: About;
}

/** docs/models.md, written from the registry and the allowlist. `npm run docs` writes it, a test holds it to that. */
export function toModelDocs(
  architectures: Readonly<Record<string, DocumentedArchitecture>>,
  allowed: readonly string[],
): string {
  const rows = Object.entries(architectures).map(([name, architecture]) => toRow(name, architecture, allowed));
  return `${opening}\n${rows.join('\n')}\n${closing}`;
}

function toRow(name: string, { modelTypes, about }: DocumentedArchitecture, allowed: readonly string[]): string {
  const { unusual, examples } = about;
  const ids = (list: readonly string[]): string => list.map((id) => `\`${id}\``).join('<br>');
  const listed = examples.filter((id) => allowed.includes(id));
  const others = examples.filter((id) => !allowed.includes(id));
  return `| \`${name}\` | ${modelTypes.map((type) => `\`${type}\``).join(' ')} | ${unusual} | ${ids(listed)} | ${ids(others)} |`;
}

const opening = `<!-- Written by \`npm run docs\` from src/models/registry.ts and the files of its rows: change those. -->

# Models

What this service computes, by architecture. A model runs when its \`config.json\` and its tensors are those of a row: the first row that takes both computes it, whatever its name. \`embeddings doctor MODEL\` says which row that is, and what it does not follow.

Any repository of a row runs, with a line in \`supported_models.txt\`. The models of the list that comes with this service stand in the fourth column, others of the same kind in the fifth. A row means that tiny checkpoints in the layout of the real ones give the reference's vectors within 2e-5 (\`tests/parity/conformance.test.ts\`); the vectors of real weights are checked for all-MiniLM-L6-v2. Compare another with \`embeddings doctor MODEL --compare\`.

| Computed as | \`model_type\` | What is unusual | On the list | Also |
| --- | --- | --- | --- | --- |`;

const closing = `
## The doctor

\`embeddings doctor MODEL\` explains how a model would run, without a server. MODEL is a folder, a name of the list, or an id whose files are on this machine. It prints

- every place where files were looked for, and why those not used are not,
- the weights: format, parameters, number format stored and computed, tensors that are not used,
- the architecture, which tensors decided it, and where none is found the tensors there are,
- the longest text, the tokens of a sample (\`--text\`), the pooling used and declared, prompts, the pipeline,
- the runners and threads it would get, and the memory it would take,
- what is not verified: all that its files declare and that is not followed.

Then it embeds a text, alone and in a batch (\`--no-run\` leaves that out). The last lines are the verdict and what to do; the exit code is 0 where all is well, else 1. Settings apply as in \`serve\`, such as \`--pooling model\`; \`--json\` prints everything for programs.

\`--compare\` asks a Python that has sentence-transformers (\`--python PATH\`, else \`python3\`) on the same files: token ids, the mean of the token vectors, and the vectors of the model's own pipeline, which pass within 2e-5. It runs offline in float32, and no code of the model is run: a model that needs its own code is not compared. Nothing is installed, and the service itself never needs Python.

## Add one

Another architecture is one file and one row: [add-a-model.md](add-a-model.md).
`;
