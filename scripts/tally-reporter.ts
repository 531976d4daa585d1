import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Ends a vitest run with the plain line `N passed, N failed[, N skipped]`, which `scripts/test.sh` adds up. */
export class TallyReporter implements Reporter {
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void = printAtExit) {
    this.#write = write;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      const before = count.failed;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // A test that never got a result was cut off, which is no pass.
        count[state === 'pending' ? 'failed' : state] += 1;
      }
      // A file that does not load, or a hook that throws, fails the run without failing one test.
      if (module.state() === 'failed' && count.failed === before) count.failed += 1;
    }
    count.failed += unhandledErrors.length;
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
    this.#write(`${count.passed} passed, ${count.failed} failed${skipped}`);
  }
}

/** The other reporters write their summary after the run has ended; this line has to be the last. */
function printAtExit(line: string): void {
  process.once('exit', () => process.stdout.write(`${line}\n`));
}
