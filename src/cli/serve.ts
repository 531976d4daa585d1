import { isLoopback } from '../access/is-loopback.ts';
import type { Logger } from 'pino';
import { loadConfig, type Config, type ConfigInput } from '../config.ts';
import { CliError } from './cli-error.ts';
import { signalExitCodes, type CliApp, type CliContext, type StopSignal } from './context.ts';
import { findDefaultModel } from './default-model.ts';
import { readVersion } from '../util/version.ts';
import { writeOut } from './write-out.ts';

export interface ServeOptions {
  readonly flags: NonNullable<ConfigInput['flags']>;
}

const closeGraceMs = 5000; // beyond drainSeconds and shutdownSeconds, for what the app's own deadline should have ended

/** Serves until a signal; the first stops gracefully, the second at once. Gives the exit code. */
export async function serve({ flags }: ServeOptions, context: CliContext): Promise<number> {
  const { config, unknown } = loadConfig({ ...context, flags });
  const logger = await context.createLogger({ level: config.logLevel, to: 'stdout' });
  for (const variable of unknown)
    logger.warn({ variable }, 'variable is no setting; `embeddings config` lists them all');
  const stop = stopSignals(context);
  const fault = firstFault(context, logger);
  const spare = context.startSpareRunner(); // starts while the app's code loads
  try {
    const createApp = await context.loadCreateApp();
    const starting = createApp({
      config,
      logger,
      onProgress: (message, about = {}) => logger.info(about, message),
      openChannel: spare.open,
    });
    starting.catch(() => {}); // when a signal wins the race nobody else awaits it
    const app = await Promise.race([starting, stop.first, fault.exitCode]);
    if (typeof app === 'string') return signalExitCodes[app];
    if (typeof app === 'number') return app;
    try {
      const { url } = await listen(app, config);
      logger.info({ url, version: readVersion() }, 'listening');
      await writeOut(context.stderr, welcome(url, config));
      if (isOpenToOthers(config)) {
        logger.warn({ host: config.host }, openAdvice);
        await writeOut(context.stderr, `warning: ${config.host}: ${openAdvice}\n`);
      }
      const signal = await Promise.race([stop.first, fault.exitCode]);
      if (typeof signal === 'number') return signal; // what it holds cannot be trusted: nothing is awaited
      logger.info(
        { signal, atMostSeconds: config.drainSeconds + config.shutdownSeconds },
        'stopping; a second signal stops at once',
      );
    } catch (error) {
      await app.close();
      throw error;
    }
    const second = stop.second.then((signal) => signalExitCodes[signal]);
    return await Promise.race([closeInTime(app, config), second, fault.exitCode]);
  } finally {
    spare.close();
    stop.end();
    fault.end();
  }
}

async function listen(app: CliApp, config: Config): Promise<{ url: string }> {
  try {
    return await app.listen();
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    if (config.socket !== undefined && code !== undefined)
      throw new CliError(`EMBEDDINGS_SOCKET: expected a path where this user may make a socket: ${message}`, {
        cause: error,
      });
    const advice = listenAdvice[code ?? ''];
    if (advice === undefined) throw error;
    throw new CliError(advice(config), { cause: error });
  }
}

const listenAdvice: Readonly<Record<string, (config: Config) => string>> = {
  EADDRINUSE: ({ host, port }) =>
    `port ${port} on ${host} is in use. Stop the program that uses it, or choose another with --port or EMBEDDINGS_PORT (0 picks a free one).`,
  EACCES: ({ port }) =>
    `this user may not listen on port ${port}. Choose one above 1023 with --port or EMBEDDINGS_PORT.`,
  EADDRNOTAVAIL: ({ host }) =>
    `${host} is no address of this machine. Choose one with --host or EMBEDDINGS_HOST, such as localhost or 0.0.0.0.`,
  ENOTFOUND: ({ host }) =>
    `the host name ${host} is not known. Choose another with --host or EMBEDDINGS_HOST, such as localhost or 0.0.0.0.`,
};

const openAdvice =
  'everybody who reaches this address may use the service. Set EMBEDDINGS_API_KEYS or EMBEDDINGS_API_KEYS_FILE (`embeddings keys create`), or listen on localhost.';

function hasKeys({ apiKeys, apiKeysFile }: Config): boolean {
  return apiKeys.length > 0 || apiKeysFile !== undefined;
}

/** Permissions guard a socket, and the authorities of clients a port. */
function isOpenToOthers(config: Config): boolean {
  const { socket, tlsClientCa, host } = config;
  return !hasKeys(config) && socket === undefined && tlsClientCa === undefined && !isLoopback(host);
}

function welcome(address: string, config: Config): string {
  const key = hasKeys(config) ? ' -H "Authorization: Bearer $KEY"' : '';
  const [, socket] = /^unix:(.*)$/.exec(address) ?? [];
  const scheme = config.tlsCert === undefined ? 'http' : 'https';
  const url = socket === undefined ? address : `${scheme}://localhost`;
  const docs = socket === undefined ? ` (API docs: ${url}/docs)` : '';
  const via = socket === undefined ? '' : ` --unix-socket ${socket}`;
  const body = JSON.stringify({ model: findDefaultModel(config), input: 'Hello' });
  return `Embeddings ${readVersion()} listens on ${address}${docs}. Try:\n  curl -s${via} ${url}/v1/embeddings${key} -H "Content-Type: application/json" -d '${body}'\n`;
}

async function closeInTime(app: CliApp, config: Config): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const seconds = config.drainSeconds + config.shutdownSeconds + closeGraceMs / 1000;
    timer = setTimeout(
      () => reject(new CliError(`the stop took more than ${seconds} s; what still ran was ended`)),
      seconds * 1000,
    );
  });
  try {
    await Promise.race([app.close(), late]);
    return 0;
  } finally {
    clearTimeout(timer);
  }
}

/** The exit code after an error that nobody caught: it is logged, and a supervisor starts a server that is whole. */
function firstFault(context: CliContext, logger: Logger): { exitCode: Promise<number>; end: () => void } {
  let end = (): void => {};
  const exitCode = new Promise<number>((resolve) => {
    end = context.onUncaught((error, origin) => {
      logger.fatal({ err: error, origin }, 'a fault of the server; it ends with exit code 1');
      resolve(1);
    });
  });
  return { exitCode, end };
}

function stopSignals(context: CliContext): {
  first: Promise<StopSignal>;
  second: Promise<StopSignal>;
  end: () => void;
} {
  const resolvers: ((signal: StopSignal) => void)[] = [];
  const next = (): Promise<StopSignal> => new Promise((resolve) => resolvers.push(resolve));
  const [first, second] = [next(), next()];
  const end = context.onStopSignal((signal) => resolvers.shift()?.(signal));
  return { first, second, end };
}
