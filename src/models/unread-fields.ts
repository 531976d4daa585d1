import { GraphBuilder } from '../graph/builder.ts';
import { declarePackedInputs } from '../graph/packed-inputs.ts';
import type { TensorIndex } from '../store/safetensors.ts';
import type { Architecture } from './architecture.ts';

/** Fields about training, files or other tasks, which no vector depends on. */
const neverMatter =
  /^(_\w+|architectures|model_type|auto_map|name_or_path|transformers_version|torch_dtype|dtype|torchscript|use_cache|use_return_dict|return_dict|output_\w+|initializer_\w+|\w*dropout\w*|\w*_drop|gradient_checkpointing|id2label|label2id|num_labels|problem_type|\w+_token_id|tie_word_embeddings|classifier_\w+|summary_\w+|pruned_heads|is_encoder_decoder|is_decoder|add_cross_attention|cross_attention_hidden_size|chunk_size_feed_forward|finetuning_task|task_specific_params|pad_token|sentence_transformers|quantization_config|pretraining_tp|decoder_bias|deterministic_flash_attn|sparse_pred\w+|emb_pooler|sinusoidal_pos_embds|num_decoder_layers|scale_decoder_outputs|dense_act_fn|is_gated_act|final_logit_softcapping|pack_qkv|unpad_inputs|use_memory_efficient_attention)$/;

/**
 * Fields of config.json that have a value and that this architecture does not look at: it may mean something that the
 * graph does not do. Fields that never matter to a vector are left out; nested ones are written `rope_scaling.factor`.
 * @throws ConfigFieldError, WeightError
 */
export function findUnreadFields(
  config: unknown,
  architecture: Pick<Architecture<unknown>, 'parseConfig' | 'matches' | 'build'>,
  tensors: TensorIndex,
): readonly string[] {
  const read = new Set<string>();
  const watched = watch(config, read, '');
  architecture.matches?.(watched, tensors);
  const g = new GraphBuilder(tensors);
  architecture.build(g, architecture.parseConfig(watched, tensors), declarePackedInputs(g)); // some are read only here
  return listUnread(config, read, '');
}

/** The same value, noting the path of every field that is looked at. */
function watch(value: unknown, read: Set<string>, path: string): unknown {
  if (!isRecord(value)) return value;
  const note = (key: string | symbol): void => void read.add(`${path}${String(key)}`);
  return new Proxy(value, {
    get: (target, key) => {
      note(key);
      return watch(Reflect.get(target, key), read, `${path}${String(key)}.`);
    },
    getOwnPropertyDescriptor: (target, key) => {
      note(key);
      return Reflect.getOwnPropertyDescriptor(target, key);
    },
  });
}

/** An object that was looked at says nothing itself: its fields do. */
function listUnread(value: unknown, read: ReadonlySet<string>, path: string): readonly string[] {
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const field = `${path}${key}`;
    if (inner === null) return [];
    if (neverMatter.test(key)) return [];
    return read.has(field) ? listUnread(inner, read, `${field}.`) : [field];
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
