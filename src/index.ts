/** The library: `createApp({ config: loadConfig({ env: process.env }).config, logger })`, then `app.embed(request)`. */
export type { App, AppOptions } from './app.ts';
export { createApp } from './app.ts';
export type { Config } from './config.ts';
export { ConfigError, loadConfig } from './config.ts';
export type { Cut, Embed, EmbedResult, VectorSource } from './embed.ts';
export type { ErrorCode, OpenAIError } from './errors.ts';
export { ServiceError } from './errors.ts';
export type { EmbedRequest, Item } from './request/embed-request.ts';
export type { Vectors } from './vectors/vectors.ts';
