import './no-telemetry.ts'; // first: it must run before the library loads
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { PositionRule } from '../graph/packed-inputs.ts';
import type { Provider } from '../graph/passes/all.ts';
import type { Batch } from '../scheduler/batch.ts';
import type { Vectors } from '../vectors/vectors.ts';
import { toFeeds } from './feeds.ts';

export interface SessionOptions {
  /** An ONNX model as `graph/serialize.ts` writes it. */
  readonly model: Uint8Array;
  /** The folder with the checkpoint files that the model names. */
  readonly weightsFolder: string;
  readonly threads: number;
  /** Whether what depends on weights alone is computed once; true when absent. */
  readonly foldsConstants?: boolean;
  readonly provider: Provider;
  readonly positions: PositionRule;
}

/** A loaded graph. This is the only file that knows ONNX Runtime; `run` blocks the thread it is called on. */
export class Session {
  readonly #session: InferenceSession;
  readonly #positions: PositionRule;

  private constructor(session: InferenceSession, positions: PositionRule) {
    this.#session = session;
    this.#positions = positions;
  }

  static async load({ foldsConstants = true, ...options }: SessionOptions): Promise<Session> {
    const { model, weightsFolder, threads, provider, positions } = options;
    const session = await InferenceSession.create(model, {
      executionProviders: provider === 'cuda' ? ['cuda', 'cpu'] : ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: foldsConstants ? 'basic' : 'disabled', // fusions are our own passes
      enableCpuMemArena: true, // without it every operator pays page faults: 15 % on MiniLM. It never shrinks, so batches are bounded by tokens
      enableMemPattern: false, // would keep one plan for every shape ever seen
      logSeverityLevel: 3,
      extra: {
        session: { model_external_initializers_file_folder_path: weightsFolder, intra_op: { allow_spinning: '0' } },
      },
    });
    return new Session(session, positions);
  }

  /** Unit vectors of the sequences of a batch. */
  async embed(batch: Batch): Promise<Vectors> {
    const { embeddings } = await this.#run(batch);
    if (embeddings === undefined) throw new Error('The graph has no output "embeddings". This is a bug.');
    const [rows = 0, dim = 0] = embeddings.dims;
    return { data: embeddings.data as Float32Array, rows, dim }; // the output is declared float32
  }

  /** All outputs of the graph, for debugging. */
  async dump(batch: Batch): Promise<Readonly<Record<string, Tensor>>> {
    return this.#run(batch);
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  async #run(batch: Batch): Promise<Readonly<Record<string, Tensor>>> {
    const feeds = toFeeds(batch, this.#positions);
    const all: Readonly<Record<string, Tensor>> = {
      input_ids: new Tensor('int32', feeds.input_ids, [feeds.input_ids.length]),
      position_ids: new Tensor('int32', feeds.position_ids, [feeds.position_ids.length]),
      lengths: new Tensor('int32', feeds.lengths, [feeds.batch]),
      pad_index: new Tensor('int32', feeds.pad_index, [feeds.batch, feeds.longest]),
      unpad_index: new Tensor('int32', feeds.unpad_index, [feeds.unpad_index.length]),
      equal_lengths: new Tensor('bool', feeds.equal_lengths, []),
      view_shape: new Tensor('int64', feeds.view_shape, [3]),
      pooling_skips: new Tensor('int32', feeds.pooling_skips, [feeds.batch]),
    };
    // A graph cut short by the debugger, or one without padding, does not take every input.
    const taken = Object.fromEntries(this.#session.inputNames.map((name) => [name, all[name] as Tensor]));
    return this.#session.run(taken);
  }
}
