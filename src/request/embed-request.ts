/** One input of a request: a text, or ids of the model's own vocabulary used as they are. */
export type Item =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tokens'; readonly ids: Int32Array };

export type EncodingFormat = 'float' | 'base64';

/** A checked request. The four input shapes of the API are one list here. */
export interface EmbedRequest {
  readonly model: string;
  readonly items: readonly Item[];
  /** Length of the vectors wanted; the model's own length when absent. */
  readonly dimensions?: number;
  /** Name of one of the model's prompts, put before every text. */
  readonly promptName?: string;
  /** What the texts are: `query`, `document`, or another name the model knows. */
  readonly inputType?: string;
  /** What the vectors are for, where the model has adapters, routes or prompts by task. */
  readonly task?: string;
}
