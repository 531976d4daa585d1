/** Whether an address to listen on is reached from this machine only. A name that is not known to be so is not. */
export function isLoopback(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|::ffff:127(\.\d{1,3}){3}|::1|(0+:){7}0*1)$/.test(bare);
}
