// Makes the tokens of the Bot Framework with keys of its own, and serves these keys as Microsoft does, until stdin ends.
// Given {now, wanted: {name: {claims, header, key}}} as its argument, with times in seconds from now, it writes
// {metadata, tokens: {name: token}} in one line.
import { createServer } from 'node:http';
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto; // Node 18, as in Debian 12, has it under this name only
const jose = await import('jose');

const { now, wanted } = JSON.parse(process.argv[2]);
const vouched = ['msteams', 'webchat'];
const made = (alg) => jose.generateKeyPair(alg, { extractable: true });
const keys = {
  good: { ...(await made('RS256')), published: { endorsements: vouched } },
  unvouched: { ...(await made('RS256')), published: { endorsements: ['skype'] } },
  silent: { ...(await made('RS256')), published: {} },
  elliptic: { ...(await made('ES256')), published: { endorsements: vouched } },
  secret: { ...(await made('RS256')), published: null },
};
const jwks = { keys: [] };
for (const [kid, { publicKey, published }] of Object.entries(keys)) {
  if (published) jwks.keys.push({ ...(await jose.exportJWK(publicKey)), kid, use: 'sig', ...published });
}

async function token({ claims: relative, header, key }) {
  const claims = { ...relative };
  for (const time of ['iat', 'nbf', 'exp']) if (time in claims) claims[time] += now;
  if (header.alg === 'none') return new jose.UnsecuredJWT(claims).encode();
  return new jose.SignJWT(claims).setProtectedHeader(header).sign(await signer(keys[key], header.alg));
}

async function signer({ publicKey, privateKey }, alg) {
  // The old confusion: a public key, taken for a shared secret.
  if (alg.startsWith('HS')) return new TextEncoder().encode(await jose.exportSPKI(publicKey));
  return jose.importPKCS8(await jose.exportPKCS8(privateKey), alg); // the same key, for this algorithm
}

const tokens = {};
for (const [name, each] of Object.entries(wanted)) tokens[name] = await token(each);

const server = createServer((request, response) => {
  const base = `http://127.0.0.1:${server.address().port}`;
  const metadata = {
    issuer: 'https://api.botframework.com',
    authorization_endpoint: 'https://invalid.botframework.com',
    jwks_uri: `${base}/v1/.well-known/keys`,
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
  };
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(request.url.endsWith('/keys') ? jwks : metadata));
});
server.listen(0, '127.0.0.1', () => {
  const metadata = `http://127.0.0.1:${server.address().port}/v1/.well-known/openidconfiguration`;
  process.stdout.write(`${JSON.stringify({ metadata, tokens })}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();
