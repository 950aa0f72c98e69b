// Reads {url, token, user} and lets Slack's own client for Node talk to that Web API; writes what it understood.
import { readFileSync } from 'node:fs';
import { WebClient } from '@slack/web-api';

const { url, token, user } = JSON.parse(readFileSync(0, 'utf8'));
const client = new WebClient(token, { slackApiUrl: url, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true });
const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: '*Hello*' } }];
const metadata = { event_type: 'delivery', event_payload: { delivery: 'd1' } };

const refused = async (call) => call.then(() => null, (error) => error.data?.error ?? error.code);
const { channel, ts } = await client.chat.postMessage({ channel: user, text: 'Hello', blocks, metadata });
await client.chat.update({ channel, ts, text: 'Bye', blocks });
const { messages } = await client.conversations.history({ channel, include_all_metadata: true });
const people = [];
for await (const page of client.paginate('users.list', { limit: 4 })) people.push(...page.members.map(({ id }) => id));
const refusals = [
  await refused(client.chat.postMessage({ channel: 'C0NOWHERE', text: 'Hello' })),
  await refused(client.chat.postMessage({ channel: user, text: 'Hello', blocks: Array(51).fill({ type: 'divider' }) })),
  await refused(client.views.open({ trigger_id: '1.2.3', view: { type: 'modal', title: { type: 'plain_text', text: 'T' }, blocks } })),
  await refused(client.users.list({ cursor: 'nonsense' })),
  await refused(new WebClient('xoxb-wrong', { slackApiUrl: url }).auth.test()),
];
process.stdout.write(JSON.stringify({ messages, people, refusals }));
