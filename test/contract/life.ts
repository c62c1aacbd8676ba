/** What the lives of rooms.test.ts are made of: messages, queries, and a store that keeps what it answers. */
import assert from 'node:assert/strict'
import { parseQuery } from '../../src/queue/query-text.ts'
import type * as queue from '../../src/queue/writer.ts'
import type { Reader, Store, Writer } from '../../src/store/store.ts'

export type Acceptance = Parameters<(typeof queue.accept)['run']>[1][number]

export const at = Date.now()
export const node = 'n1'

export function acceptance(n: number, extra: Partial<Acceptance> = {}): Acceptance {
  return {
    id: `m${n}`,
    bodyKey: n,
    origin: 'submission',
    head: Buffer.from('Received: x\r\n'),
    body: new Uint8Array([65, 0, 255, 13, 10]),
    reversePath: 'joe@example.org',
    bodyKind: '7BIT',
    utf8: false,
    ret: null,
    envelopeId: null,
    accountId: 1,
    peer: '[192.0.2.1]',
    receivedAt: at,
    recipients: [recipient('jane@example.org')],
    ...extra,
  }
}

export function recipient(address: string, extra: Partial<Acceptance['recipients'][number]> = {}) {
  const domain = address.slice(address.indexOf('@') + 1)
  const plain = { notify: null, originalRecipient: null, aliasOf: null }
  return { address, domain, ...plain, ...extra }
}

/** Keeps what a store was asked, and what it answered. */
export interface Witness {
  readonly log: unknown[]
  readonly used: Set<string>
  read<I, O>(reader: Reader<I, O>, input: I): Promise<O>
  write<I, O>(writer: Writer<I, O>, input: I): Promise<O>
}

/** A store that is watched. */
export function witness(store: Store): Witness {
  const log: unknown[] = []
  const used = new Set<string>()
  const keep = async (name: string, answer: Promise<unknown>) => {
    used.add(name)
    const outcome = await answer.then(plain, (error: Error & { reason?: string }) => ({
      failed: error.reason ?? 'error',
    }))
    log.push([name, outcome])
    return answer
  }
  return {
    log,
    used,
    read: (reader, input) => keep(reader.name, store.read(reader, input)) as Promise<never>,
    write: (writer, input) => keep(writer.name, store.write(writer, input)) as Promise<never>,
  }
}

/** A query of all there is. */
export function askedFor(text: string) {
  const parsed = parseQuery(text)
  assert.ok(parsed.kind === 'query', text)
  return { query: parsed.query, moment: { at, upTo: '~' } }
}

/** Octets as text, times as 'time', and the number of a mailbox, which may have gaps, as 'a mailbox'. */
export function plain(value: unknown, key = ''): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>)
  // The text of PostgreSQL holds no NUL (src/world/node/postgres.ts).
  if (typeof value === 'string') {
    return value
      .replaceAll('\0', '\ufffd')
      .replace(/^\x7f\d+$/, 'a doomed name')
      .replace(/^mailbox \d+/, 'mailbox n')
  }
  // PostgreSQL leaves gaps where it numbers mailboxes.
  if (typeof value === 'number' && (key === 'mailboxId' || key === 'reached')) return 'a mailbox'
  if (typeof value === 'number' && value > 1e9) return 'time'
  if (Array.isArray(value)) return value.map(item => plain(item))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, item]) => [name, plain(item, name)])
  return Object.fromEntries(entries.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)))
}
