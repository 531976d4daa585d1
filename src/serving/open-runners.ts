import type { Logger } from 'pino';
import type { RunnerOptions } from '../engine/runner-replica.ts';
import { RunnerReplica } from '../engine/runner-replica.ts';
import { startTimer } from '../util/start-timer.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { countRunners } from './runner-count.ts';

export interface OpenRunnersOptions extends Pick<
  RunnerOptions,
  'model' | 'load' | 'limits' | 'cost' | 'maxMsPerCost' | 'longestPauseMs' | 'openChannel'
> {
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** A batch that takes longer is logged; none when undefined. */
  readonly slowSeconds: number | undefined;
}

/** Opens runner processes of one model; each reports its ups and downs to the log and the metrics. */
export interface RunnerOpener {
  open(): RunnerReplica;
  readonly readyRunners: number;
  /** After it no runner of this model counts as ready. */
  close(): void;
}

export function createRunnerOpener({
  metrics,
  logger,
  slowSeconds = Infinity,
  ...options
}: OpenRunnersOptions): RunnerOpener {
  const label = { model: options.model };
  const ready = countRunners(metrics.runners, options.model);
  return {
    get readyRunners() {
      return ready.count;
    },
    open: () => {
      const id = Symbol();
      let starts = 0;
      return new RunnerReplica({
        ...options,
        startTimer,
        onReady: () => {
          ready.up(id);
          if (starts++ > 0) logger.info(label, 'runner is back');
        },
        onCrash: (reason, requestIds) => {
          ready.down(id);
          metrics.runnerRestarts.inc(label);
          logger.error({ ...label, reason, requestIds }, 'runner stopped; starting it again');
        },
        onGiveUp: (reason) => {
          ready.down(id);
          logger.error({ ...label, reason }, 'runner given up: it will not be started again');
        },
        onRun: (runMs, { tokens, inputs, requestIds }) => {
          metrics.runSeconds.observe(label, runMs / 1000);
          if (runMs / 1000 >= slowSeconds)
            logger.warn({ ...label, ms: Math.round(runMs), inputs, tokens, requestIds }, 'slow batch');
        },
      });
    },
    close: () => ready.close(),
  };
}
