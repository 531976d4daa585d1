// Asks the service in this container whether it is alive; exit status 0 or 1 for Docker's HEALTHCHECK.
const port = process.env.EMBEDDINGS_PORT || '11445';
try {
  const response = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(4000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  await response.arrayBuffer();
} catch (error) {
  console.error(`unhealthy: ${error.cause?.message ?? error.message}`);
  process.exit(1);
}
