/** imap ADDRESS PORT PASSWORD --silent SECONDS [--keepalive kernel|none]: a mail client that waits for mail (IDLE). */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { parseArgs } from 'node:util';

import { ImapFlow } from 'imapflow';

import { answered, hold } from './conversation.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { silent: { type: 'string', default: '0' }, keepalive: { type: 'string' } },
});
const [host = '', port = '', pass = ''] = positionals;
/** A mailbox of its own. */
const user = randomUUID();

/** imapflow asks for a first probe after 5 s on every socket: here it is made to ask as other programs do, or not at all. */
const setKeepAlive = Object.getOwnPropertyDescriptor(Socket.prototype, 'setKeepAlive')?.value as (
  enable: boolean,
  initialDelayMs: number,
) => Socket;
if (values.keepalive === 'kernel')
  Socket.prototype.setKeepAlive = function () {
    return setKeepAlive.call(this, true, 0);
  };
if (values.keepalive === 'none')
  Socket.prototype.setKeepAlive = function () {
    return this;
  };

async function open(): Promise<{ client: ImapFlow; broken: Promise<never> }> {
  const auth = { user, pass };
  const client = new ImapFlow({ host, port: Number(port), auth, secure: false, logger: false });
  const broken = once(client, 'error').then(([error]) => {
    throw error;
  });
  // Heard where somebody waits for an answer.
  broken.catch(() => undefined);
  await client.connect();
  await client.mailboxOpen('INBOX');
  return { client, broken };
}

async function deliver(): Promise<void> {
  const { client } = await open();
  await client.append('INBOX', 'Subject: you have mail\r\n\r\nafter a while\r\n');
  await client.logout();
}

await hold(async () => {
  const { client, broken } = await open();
  const chat = () => Promise.race([client.noop(), broken]);
  return {
    chat,
    resume: async (silence) => {
      const announced = once(client, 'exists');
      // Where the connection breaks before the silence is over, this says so as well.
      announced.catch(() => undefined);
      client.idle().catch(() => undefined);
      await silence;
      await deliver();
      await answered(Promise.race([announced, broken]), 'the new mail was not announced').catch(
        async (error: Error) => {
          // What a person does who has waited long enough: press a key, and the program speaks.
          await chat().catch((cause: unknown) => {
            throw new Error(error.message, { cause });
          });
          throw error;
        },
      );
    },
  };
}, Number(values.silent));
