/** In powers of a thousand, as files are sized: `45.4 MB`. */
export function formatBytes(bytes: number): string {
  const unit = bytes >= 1e9 ? 'GB' : bytes >= 1e6 ? 'MB' : 'kB';
  const divisor = { GB: 1e9, MB: 1e6, kB: 1e3 }[unit];
  return `${(bytes / divisor).toFixed(1)} ${unit}`;
}
