import type { GraphBuilder, Value } from '../graph/builder.ts';
import type { PackedInputs, PositionRule } from '../graph/packed-inputs.ts';
import type { TensorIndex } from '../store/safetensors.ts';

/** One family of models: how its config.json reads and which graph computes it. */
export interface Architecture<C> {
  /** For docs/models.md only; every architecture of the registry has it. */
  readonly about?: About;
  /** Tells relatives apart that share a `model_type`, by config and tensors under their canonical names. */
  matches?(config: unknown, tensors: TensorIndex): boolean;
  /** Prefixes a checkpoint may put before every tensor name. */
  readonly prefixes: readonly string[];
  /** The name the graph has for a tensor that is stored under another one; the prefix is already gone. */
  canonicalName?(name: string): string;
  /** Canonical names of tensors that the last hidden state does not need, beside those of `unused-tensors.ts`. */
  readonly unused?: RegExp;
  /** @throws ConfigFieldError naming the field, what was expected and what came */
  parseConfig(json: unknown, tensors?: TensorIndex): C;
  /** What the service must know of a config of this family. */
  describe(config: C): ModelShape;
  /** Names of the adapters a checkpoint of this family holds; none is applied unless asked for. */
  tasks?(config: C): readonly string[];
  /** The last hidden state, `[tokens, hidden]`, with the adapter of `task` applied, one of `tasks`. */
  build(g: GraphBuilder, config: C, inputs: PackedInputs, task?: string): Value;
}

export interface About {
  /** What sets it apart, in a few words. */
  readonly unusual: string;
  /** Repositories it computes. */
  readonly examples: readonly string[];
}

export interface ModelShape {
  readonly hidden: number;
  readonly layers: number;
  readonly vocabulary: number;
  /** Tokens one sequence may have, special tokens included. */
  readonly maxTokens: number;
  readonly positions: PositionRule;
  /** Set where texts become tokens in another way than tokenizer.json alone says. */
  readonly tokens?: TokenRules;
}

export interface TokenRules {
  /** Whether the special tokens of the template are added, `[CLS]` and `[SEP]` for instance. */
  readonly special: boolean;
  /** Whether tokens that stand for unknown text are kept. */
  readonly unknown: boolean;
}
