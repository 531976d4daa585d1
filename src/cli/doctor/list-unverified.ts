import { formatBytes } from '../../util/format-bytes.ts';
import type { Findings } from './diagnose.ts';

const shownNames = 8;

/** What the model declares and this service does not follow, or what nobody has checked: one sentence each. */
export function listUnverified(findings: Findings): readonly string[] {
  return [aboutPooling, aboutPrompts, aboutLimits, aboutWeights, aboutConfig, aboutMachine, aboutFiles].flatMap(
    (about) => about(findings),
  );
}

function aboutPooling({ pooling }: Findings): readonly string[] {
  if (pooling === undefined || pooling.wanted === 'model') return [];
  const { used, declared, steps } = pooling;
  const skipped = steps.filter((step) => !['Transformer', 'Pooling', 'Normalize', 'StaticEmbedding'].includes(step));
  return [
    ...(declared === null || declared === used
      ? []
      : [`its authors declare ${declared} pooling, ${used} is used; pooling=model follows them`]),
    ...(skipped.length === 0
      ? []
      : [`its pipeline has the steps ${skipped.join(', ')}, which are left out; pooling=model follows it`]),
    ...(declared === null && steps.length > 0 ? ['its pipeline declares no pooling'] : []),
  ];
}

function aboutPrompts({ pooling }: Findings): readonly string[] {
  if (pooling === undefined) return [];
  const { prompts, defaultPrompt, tasks } = pooling;
  const names = Object.keys(prompts).filter((name) => prompts[name] !== '');
  return [
    ...(names.length === 0
      ? []
      : [`it declares prompts (${listed(names)}); none is put before a text unless asked for`]),
    ...(defaultPrompt === null || pooling.wanted === 'model'
      ? []
      : [`its authors put the prompt ${JSON.stringify(defaultPrompt)} before every text by default; it is left out`]),
    ...(tasks.length === 0
      ? []
      : [`it has tasks (${listed(tasks)}); none is followed unless task= or a request asks for it`]),
  ];
}

function aboutLimits({ limits }: Findings): readonly string[] {
  if (limits === undefined || limits.declared === null || limits.declared === limits.maxTokens) return [];
  const { declared, maxTokens, ofModel } = limits;
  if (declared > ofModel) return [`max_seq_length says ${declared} tokens, but the model takes ${ofModel}`];
  return declared > maxTokens
    ? []
    : [`its authors cut texts at ${declared} tokens (max_seq_length); here ${maxTokens} are taken`];
}

function aboutWeights({ weights, tensors, resources }: Findings): readonly string[] {
  const narrow = Object.keys(weights?.storedAs ?? {}).filter((type) => type !== 'F32' && type !== 'F64');
  const precision = resources?.precision ?? 'float32';
  return [
    ...(precision.startsWith('int')
      ? [`the service computes it in ${precision}; what is tried and compared here is float32`]
      : []),
    ...(narrow.length === 0
      ? []
      : [`weights stored as ${narrow.join(' and ')} are computed in float32; its authors may compute in less`]),
    ...(tensors === undefined || tensors.notUsed.length === 0
      ? []
      : [`tensors that are not used, and no rule says why (${tensors.notUsed.length}): ${listed(tensors.notUsed)}`]),
  ];
}

function aboutConfig({ architecture }: Findings): readonly string[] {
  const { unreadFields: fields = [], ownCode = null } = architecture ?? {};
  return [
    ...(ownCode === null
      ? []
      : [
          `its repository brings code of its own (${ownCode}), which is never run; the class of transformers that --compare asks may compute otherwise`,
        ]),
    ...(fields.length === 0 ? [] : [`no code looks at these fields of config.json: ${listed(fields)}`]),
  ];
}

function aboutMachine({ resources }: Findings): readonly string[] {
  if (resources === undefined) return [];
  const { memory, machineMemoryBytes } = resources;
  const needed = memory.allWeightBytes + memory.longestBytes;
  if (needed <= machineMemoryBytes) return [];
  return [`it needs some ${formatBytes(needed)} of memory, this machine has ${formatBytes(machineMemoryBytes)}`];
}

function aboutFiles({ files }: Findings): readonly string[] {
  const { repository, allowlistLine, places, folder } = files;
  const broken = (repository === null ? [] : places).filter(
    ({ problem, folder: place }) => problem !== null && problem !== 'no such folder' && place !== folder,
  );
  return [
    ...(repository !== null && allowlistLine === null
      ? [`${repository} is not on the allowlist: the service refuses it until the list has its line`]
      : []),
    ...broken.map(({ folder: place, problem }) => `${place} was passed over: ${problem}`),
  ];
}

function listed(names: readonly string[]): string {
  return names.length <= shownNames
    ? names.join(', ')
    : `${names.slice(0, shownNames).join(', ')} and ${names.length - shownNames} more`;
}
