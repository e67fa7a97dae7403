/** mongodb WAIT ADDRESS PORT --silent SECONDS [--delay MILLISECONDS]: a client of MongoDB that waits in silence. */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';

import type { Collection, FindCursor, WithId } from 'mongodb';
import { MongoClient } from 'mongodb';

import type { Conversation } from './conversation.ts';
import { answered, hold, patienceSeconds } from './conversation.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { silent: { type: 'string', default: '0' }, delay: { type: 'string' } },
});
const [wait = '', address = '', port = ''] = positionals;
const silentSeconds = Number(values.silent);
const url = `mongodb://${address.includes(':') ? `[${address}]` : address}:${port}/`;

/** One connection for everything it does, beside the one by which the driver watches the server. */
function client(): MongoClient {
  return new MongoClient(url, {
    directConnection: true,
    maxPoolSize: 1,
    retryReads: false,
    // The driver's watch goes on through the silence: it has a connection of its own, which this keeps alive.
    heartbeatFrequencyMS: 1000,
    // How long it waits for an answer; without this, for ever.
    socketTimeoutMS: 1000 * (silentSeconds + patienceSeconds),
    // Node leaves the values to the kernel where this is 0; the driver's own default is 300 s.
    ...(values.delay === undefined ? {} : { keepAliveInitialDelay: Number(values.delay) }),
  });
}

interface Log {
  readonly entry: number;
}

/** A cursor at the end of the log, which asks the server to hold its answer until there is an entry or the time is up. */
async function endOf(log: Collection<Log>, maxAwaitTimeMS: number): Promise<FindCursor<WithId<Log>>> {
  // FerretDB ends a tailing cursor at once where its first batch is not full.
  const cursor = log.find({}, { tailable: true, awaitData: true, batchSize: 1, maxAwaitTimeMS });
  await cursor.next();
  return cursor;
}

/** What a replica does: it follows a log to its end and waits for the next entry, which comes after the silence. */
async function tail(log: Collection<Log>): Promise<Conversation> {
  const cursor = await endOf(log, 3_600_000);
  return {
    chat: () => log.db.command({ ping: 1 }),
    resume: async (silence) => {
      const next = cursor.next();
      // Heard below; a failure meanwhile is no reason to end at once.
      next.catch(() => undefined);
      await silence;
      const writer = await client().connect();
      await writer.db(log.dbName).collection<Log>(log.collectionName).insertOne({ entry: 2 });
      if ((await next)?.entry !== 2) throw new Error('the server ended the cursor: it followed nothing');
    },
  };
}

/** A command that the server works on for the whole silence before its first reply. */
async function work(log: Collection<Log>): Promise<Conversation> {
  const cursor = await endOf(log, 1000 * silentSeconds);
  return {
    chat: () => log.db.command({ ping: 1 }),
    resume: async () => {
      await cursor.tryNext();
      if (cursor.closed || cursor.id?.isZero() !== false) throw new Error('the server ended the cursor');
    },
  };
}

/** A pooled connection that nobody needs for a while. */
function pool(log: Collection<Log>): Conversation {
  const ping = () => log.db.command({ ping: 1 });
  return {
    chat: ping,
    resume: async (silence) => {
      await silence;
      await answered(ping(), 'no answer');
    },
  };
}

const waits: Readonly<Record<string, (log: Collection<Log>) => Conversation | Promise<Conversation>>> = {
  tail,
  work,
  pool,
};

await hold(async () => {
  const begin = waits[wait];
  if (begin === undefined) throw new Error(`choose how to wait: ${Object.keys(waits).join(', ')}`);
  const log = await (
    await client().connect()
  )
    .db('keepalive')
    .createCollection<Log>(`log-${randomUUID()}`, { capped: true, size: 100_000 });
  await log.insertOne({ entry: 1 });
  return begin(log);
}, silentSeconds);
