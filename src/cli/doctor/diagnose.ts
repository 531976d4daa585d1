import type { Logger } from 'pino';
import type { Config } from '../../config.ts';
import { chooseProvider } from '../../engine/provider.ts';
import type { Provider } from '../../graph/passes/all.ts';
import { openModel } from '../../models/open-model.ts';
import type { ModelPlan } from '../../serving/plan-model.ts';
import { Tokenizer } from '../../tokenizer/tokenizer.ts';
import type { FoundModel } from '../find-model.ts';
import { readArchitectureFacts } from './architecture-facts.ts';
import type { Diagnosis, Problem } from './diagnosis.ts';
import { noFiles, toFileFacts } from './file-facts.ts';
import { planFolder, type PlanQuestion, toLimitFacts, toPoolingFacts, toTensorFacts } from './plan.ts';
import { toResourceFacts } from './resource-facts.ts';
import { findForeignToken, readTokenizerFacts } from './tokenizer-facts.ts';
import { describeWeights } from './weight-facts.ts';

export interface DiagnoseOptions {
  readonly target: string;
  readonly found: FoundModel;
  readonly config: Config;
  readonly logger: Logger;
  /** Whose tokens are shown. */
  readonly text: string;
}

/** A model that can be run. */
export interface ReadyModel {
  readonly question: PlanQuestion;
  readonly plan: ModelPlan;
  readonly tokenizer: Tokenizer;
  readonly provider: Provider;
  readonly threads: number;
}

export type Findings = Omit<Diagnosis, 'unverified' | 'canRun'>;

/** Looks at one thing after the other, as far as it gets. `ready` is absent where the model would not run. */
export async function diagnose(options: DiagnoseOptions): Promise<{ findings: Findings; ready?: ReadyModel }> {
  const { target, found, config, logger, text } = options;
  const problems: Problem[] = [];
  const files = toFileFacts(found);
  const { folder } = files;
  if (folder === null) return { findings: { target, files, problems: [noFiles(files)] } };

  const read = await attempt(problems, advice.files, () => readArchitectureFacts(folder));
  const model = read === undefined ? undefined : await attempt(problems, advice.architecture, () => openModel(folder));
  const tensors = model?.tensors ?? read?.tensors;
  const weights = tensors === undefined ? undefined : describeWeights(folder, tensors);
  const architecture = read && { ...read.facts, ...(model && { name: model.architecture, shape: model.shape }) };
  const seen = { target, files, ...(weights && { weights }), ...(architecture && { architecture }), problems };
  if (model === undefined || weights === undefined) return { findings: seen };

  const provider = chooseProvider(config.device);
  const question: PlanQuestion = { folder, config, entry: found.entry, provider, logger };
  const plan = await attempt(problems, advice.plan, () => planFolder(question));
  if (plan === undefined) return { findings: seen };
  const pooling = toPoolingFacts(question, plan);
  const resources = toResourceFacts({ plan, config, provider });
  const limits = toLimitFacts(question, plan);
  const explained = architecture && { architecture: { ...architecture, unreadFields: read?.findUnread() ?? [] } };
  const planned = { ...seen, ...explained, tensors: toTensorFacts(plan), limits, pooling, resources };
  const facts = await attempt(problems, advice.tokenizer, () => readTokenizerFacts(plan, text));
  if (facts === undefined) return { findings: planned };
  const findings = { ...planned, tokenizer: facts };
  const stranger = findForeignToken(facts, model.shape.vocabulary);
  if (stranger !== undefined) {
    problems.push(stranger);
    return { findings };
  }
  const tokenizer = await Tokenizer.load(model.root, plan.textRules);
  return { findings, ready: { question, plan, tokenizer, provider, threads: resources.threads } };
}

const advice = {
  files: 'fetch the files of its repository again, whole: with `git lfs pull` in a clone',
  architecture:
    'docs/models.md lists the models that run. A variant of one of them may need one field more, another family one file: docs/add-a-model.md',
  plan: 'use pooling=mean where its pipeline is at fault; fetch the weights again where a tensor is missing; else it is a variant that is not built: docs/add-a-model.md',
  tokenizer: 'put the tokenizer files of its repository, tokenizer.json above all, beside config.json',
};

async function attempt<T>(problems: Problem[], todo: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    problems.push({ what: error instanceof Error ? error.message : String(error), todo });
    return undefined;
  }
}
