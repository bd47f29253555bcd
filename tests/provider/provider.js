// An OpenID Connect provider on a free port of 127.0.0.1, which ends when its standard input does.
//
//   node provider.js REDIRECT_URI     prints its issuer on a line when it is ready
//
// The forms to sign in with are those that oidc-provider has for development: any password is right. Beside its own
// addresses it takes, from the test that has started it:
//   PUT  /accounts/NAME   the claims of an account, which is made or replaced
//   POST /keys            another key to sign with

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const [redirectUri] = process.argv.slice(2);
const accounts = new Map();

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
}

function provider(issuer) {
  const made = new Provider(issuer, {
    clients: [
      {
        client_id: 'taizhang',
        client_secret: 'the-secret-of-taizhang-in-tests',
        redirect_uris: [redirectUri],
      },
    ],
    claims: {
      openid: ['sub', 'amr', 'groups'],
      profile: ['name', 'preferred_username'],
    },
    conformIdTokenClaims: false,
    cookies: { keys: [randomUUID()] },
    findAccount: (_, id) => {
      const claims = accounts.get(id);
      return claims && { accountId: id, claims: () => ({ sub: id, ...claims }) };
    },
    jwks: { keys: [signingKey()] },
    pkce: { required: () => true },
  });
  // How somebody has shown who he is comes of signing in: the forms say nothing of it.
  const finished = made.interactionFinished.bind(made);
  made.interactionFinished = (request, response, { login, ...result }, options) => {
    if (login) result.login = { ...login, amr: accounts.get(login.accountId)?.amr ?? undefined };
    return finished(request, response, result, options);
  };
  return made;
}

async function json(request) {
  let text = '';
  for await (const piece of request) text += piece;
  return JSON.parse(text);
}

const server = createServer(async (request, response) => {
  if (request.method === 'PUT' && request.url.startsWith('/accounts/')) {
    accounts.set(request.url.slice('/accounts/'.length), await json(request));
    response.writeHead(204).end();
  } else if (request.method === 'POST' && request.url === '/keys') {
    answer = provider(issuer).callback();
    response.writeHead(204).end();
  } else {
    answer(request, response);
  }
});

let issuer;
let answer;
server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  answer = provider(issuer).callback();
  console.log(issuer);
});
process.stdin.resume().on('end', () => process.exit());
