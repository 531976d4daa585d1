// Asks the service in this container whether it is alive; exit status 0 or 1 for Docker's HEALTHCHECK.
import { once } from 'node:events';
import { request as http } from 'node:http';
import { request as https } from 'node:https';
import { connect } from 'node:tls';

const { EMBEDDINGS_PORT, EMBEDDINGS_SOCKET, EMBEDDINGS_TLS_CERT, EMBEDDINGS_TLS_CLIENT_CA } = process.env;
const where = EMBEDDINGS_SOCKET
  ? { socketPath: EMBEDDINGS_SOCKET, path: EMBEDDINGS_SOCKET }
  : { host: '127.0.0.1', port: EMBEDDINGS_PORT || '11445' };
// The certificate is for another name than 127.0.0.1, and nothing secret is sent.
const options = { ...where, rejectUnauthorized: false, signal: AbortSignal.timeout(4000) };
try {
  // Without a certificate of those authorities no request gets through, but a live process still shakes hands.
  if (EMBEDDINGS_TLS_CLIENT_CA) await once(connect(options), 'secureConnect', { signal: options.signal });
  else await ask();
  process.exit(0);
} catch (error) {
  console.error(`unhealthy: ${error.message}`);
  process.exit(1);
}

async function ask() {
  const sent = (EMBEDDINGS_TLS_CERT ? https : http)({ ...options, path: '/livez' }).end();
  const [response] = await once(sent, 'response');
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
}
