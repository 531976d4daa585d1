import type { TextRules } from './text-rules.ts';

/** A tokenizer in memory, in this thread or in one of its own. */
export interface Encoder {
  /** Special tokens the template puts before and after the content. */
  readonly before: number;
  readonly after: number;
  /** Ids of each text, special tokens included. Never works on the event loop. */
  encode(texts: readonly string[]): Promise<readonly Int32Array[]>;
  /** Frees what it holds; calls under way may fail. */
  close(): void;
}

export interface EncoderOptions {
  /** A model folder. */
  readonly folder: string;
  readonly rules: TextRules;
  /** What clients call the model, for errors. */
  readonly model?: string | undefined;
  /** Whether nothing else is lost when the process ends or hangs; true for a process that holds only this tokenizer. */
  readonly isAlone?: boolean;
}
