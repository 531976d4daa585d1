const longestTimerMs = 2 ** 31 - 1; // of setTimeout

/** Runs `action` once after `ms`, unless what it gives is called before; keeps no process alive. */
export function startTimer(ms: number, action: () => void): () => void {
  const timer = setTimeout(action, Math.min(ms, longestTimerMs)).unref();
  return () => clearTimeout(timer);
}
