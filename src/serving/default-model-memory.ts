import { readMachine } from '../engine/machine.ts';

const share = 0.8; // the rest is for the server, the page cache and others

/** Bytes that all models together may take where no setting says it. */
export function defaultModelMemory(): number {
  return readMachine().memoryBytes * share;
}
