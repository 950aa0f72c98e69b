// Reads {secret, now, bodies} and writes, for each body, the headers that Slack would send with it, signed as
// docs.slack.dev/authentication/verifying-requests-from-slack says; bolt's own verifier must agree with each.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import bolt from '@slack/bolt/dist/receivers/verify-request.js'; // all of bolt wants Node 20; Debian 12 has 18

const { secret, now, bodies } = JSON.parse(readFileSync(0, 'utf8'));

const signed = bodies.map((body) => {
  const signature = `v0=${createHmac('sha256', secret).update(`v0:${now}:${body}`).digest('hex')}`;
  const headers = { 'x-slack-signature': signature, 'x-slack-request-timestamp': now };
  if (!bolt.isValidSlackRequest({ signingSecret: secret, body, headers, nowMilliseconds: now * 1000 })) {
    throw new Error(`bolt refuses the signature of ${body}`);
  }
  return { 'X-Slack-Signature': signature, 'X-Slack-Request-Timestamp': String(now) };
});
process.stdout.write(JSON.stringify(signed));
