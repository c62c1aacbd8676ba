/**
 * Every reader and writer that the rooms register, on every store: one script of a small life of mail is
 * run on each, and what it answers must be the same. A reader or writer that the script leaves out is a
 * failure, so that nothing new touches the store on one database only.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import * as searching from '../../src/access/search-reader.ts'
import * as alias from '../../src/account/alias-writer.ts'
import * as app from '../../src/account/app-writer.ts'
import * as identity from '../../src/account/identity-row.ts'
import * as accountReader from '../../src/account/reader.ts'
import * as account from '../../src/account/writer.ts'
import * as clusterReader from '../../src/cluster/reader.ts'
import * as cluster from '../../src/cluster/writer.ts'
import * as change from '../../src/mailbox/change.ts'
import * as copy from '../../src/mailbox/copy.ts'
import * as kept from '../../src/mailbox/kept.ts'
import * as mailboxReader from '../../src/mailbox/reader.ts'
import * as reading from '../../src/mailbox/reading.ts'
import * as mailbox from '../../src/mailbox/writer.ts'
import * as changes from '../../src/queue/change.ts'
import * as claims from '../../src/queue/claim.ts'
import { bodyOf } from '../../src/queue/content.ts'
import * as matching from '../../src/queue/matching.ts'
import * as queueReader from '../../src/queue/reader.ts'
import * as transfer from '../../src/queue/transfer.ts'
import * as queue from '../../src/queue/writer.ts'
import * as record from '../../src/record/trace.ts'
import * as tracking from '../../src/record/tracking.ts'
import { STORE_MODULES } from '../../src/server/rooms.ts'
import * as check from '../../src/store/check.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import * as moves from '../../src/store/move-table.ts'
import { openStore } from '../../src/store/open.ts'
import { openPostgresStore } from '../../src/store/postgres/open.ts'
import { reader, type Store } from '../../src/store/store.ts'
import * as sweep from '../../src/store/sweep.ts'
import * as transit from '../../src/transit/reader.ts'
import { silent } from '../../src/world/log.ts'
import { nodeClock } from '../../src/world/node/clock.ts'
import { nodeRandom } from '../../src/world/node/random.ts'
import { findPostgres, noPostgres, startPostgres } from '../kit/postgres.ts'
import { bansLife } from './bans-life.ts'
import { countsLife } from './counts-life.ts'
import { folders } from './folder-life.ts'
import { lanesLife } from './lanes-life.ts'
import { acceptance, askedFor, at, node, plain, recipient, type Witness } from './life.ts'
import { queries } from './queue-life.ts'

type Settlement = Parameters<(typeof queue.settle)['run']>[1][number]

const disk = { list: async function* () {}, remove: async () => {} } as never

function witness(store: Store): Witness {
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

/** App passwords come and go; a login keeps its password in other forms, unless it was changed meanwhile. */
async function credentials(w: Witness): Promise<void> {
  const address = 'joe@example.org'
  const sha256 = [{ kind: 'sha256', verifier: 'x' }] as const
  const phone = { address, id: 'a1', label: 'phone', scopes: 'smtp imap', verifiers: sha256 }
  await w.write(app.addApp, phone)
  await w.write(app.addApp, phone)
  await w.write(app.addApp, { ...phone, id: 'a2', label: "' OR 1=1 --", scopes: 'pop3' })
  await w.write(app.addApp, { ...phone, address: 'nobody@example.org' })
  await w.write(app.appUsed, 'a1')
  for (const id of [1, 99]) await w.read(accountReader.addressOfAccount, id)
  await w.read(accountReader.findLogin, address)
  await w.read(accountReader.listApps, address)
  await w.read(accountReader.listApps, 'nobody@example.org')
  await w.write(app.removeApp, { address, named: "' OR 1=1 --" })
  await w.write(app.removeApp, { address, named: 'tablet' })
  for (const pattern of ['@lab.example', "'@*", '@lab.example'])
    await w.write(identity.addIdentity, { address, pattern, delegate: pattern !== "'@*" })
  await w.write(identity.addIdentity, { address: 'no@x', pattern: '@x', delegate: false })
  for (const id of [1, 99]) await w.read(identity.identitiesOf, id)
  for (const pattern of ["'@*", '@gone.example'])
    await w.write(identity.removeIdentity, { address, pattern })
  for (const each of [address, 'no@x']) await w.read(identity.listIdentities, each)
  const row = await w.read(accountReader.findLogin, address)
  const by = { kind: 'argon2id', verifier: 'v' } as const
  for (const old of [by, { ...by, verifier: 'w' }])
    await w.write(account.upgradeVerifiers, {
      ...{ accountId: row?.id ?? 0, by: old },
      verifiers: [by, { kind: 'scram-sha-256', verifier: 's' }],
    })
  await w.read(accountReader.findLogin, address)
}

async function people(w: Witness): Promise<void> {
  const domain = { name: 'example.org', catchAll: null }
  await w.write(account.addDomain, domain)
  await w.write(account.addDomain, domain)
  await w.write(account.setCatchAll, { ...domain, catchAll: 'joe@example.org' })
  const verifiers = [{ kind: 'argon2id', verifier: 'v' }] as never
  for (const address of [
    'joe@example.org',
    'Ärger@example.org',
    'jane@example.org',
    'joe@example.org',
  ])
    await w.write(account.addAccount, { address, domain: 'example.org', verifiers })
  await w.write(account.setVerifiers, { address: 'joe@example.org', verifiers })
  await w.write(account.setDisabled, { address: 'jane@example.org', disabled: true })
  for (const address of ['joe@example.org', 'nobody@example.org'])
    await w.write(account.setQuota, { address, quotaOctets: 5_000, quotaMessages: null })
  await w.read(accountReader.findAccount, 'joe@example.org')
  await w.read(accountReader.findAccount, 'nobody@example.org')
  for (const id of [1, 99]) await w.read(accountReader.addressOfAccount, id)
  await credentials(w)
  const list = { address: 'list@example.org', domain: 'example.org' }
  await w.write(alias.addAlias, {
    ...list,
    targets: ['joe@example.org', 'B@else.test', 'B@else.test'],
  })
  await w.write(alias.removeAlias, { address: 'list@example.org', targets: ['b@ELSE.test'] })
  await w.write(alias.declare, {
    domains: [{ name: 'example.net', catchAll: null }],
    aliases: [
      { address: 'a@example.net', domain: 'example.net', targets: ['x@y.test', 'x@y.test'] },
    ],
  })
  await w.read(accountReader.addressSince, { key: 'joe@example.org', base: 'joe@example.org' })
  await w.read(accountReader.addressSince, { key: 'joe+x@example.org', base: 'joe@example.org' })
  await w.read(accountReader.addressSince, { key: 'a@example.net', base: 'a@example.net' })
  assert.equal(
    await w.read(accountReader.addressSince, { key: 'no@example.org', base: 'no@example.org' }),
    undefined,
  )
  // What the file declares again keeps the time it was made at.
  const made = { key: 'a@example.net', base: 'a@example.net' }
  const before = await w.read(accountReader.addressSince, made)
  await new Promise(resolve => setTimeout(resolve, 3))
  await w.write(alias.declare, {
    domains: [{ name: 'example.net', catchAll: null }],
    aliases: [
      { address: 'a@example.net', domain: 'example.net', targets: ['x@y.test'] },
      { address: 'b@example.net', domain: 'example.net', targets: ['x@y.test'] },
    ],
  })
  assert.equal(await w.read(accountReader.addressSince, made), before)
  await w.write(alias.declare, {
    domains: [{ name: 'example.net', catchAll: null }],
    aliases: [{ address: 'a@example.net', domain: 'example.net', targets: ['z@y.test'] }],
  })
  const replaced = await w.read(accountReader.addressSince, made)
  assert.ok((replaced ?? 0) > (before ?? 0))
  await w.write(account.removeDomain, 'example.org')
  await w.write(account.removeDomain, 'example.net')
  await w.write(account.keepSetting, { name: 's', value: 'one' })
  await w.write(account.keepSetting, { name: 's', value: 'two' })
  for (const key of ['joe@example.org', 'list@example.org', 'nobody@example.org', 'a@b.test']) {
    const base = { key, base: key, domain: key.slice(key.indexOf('@') + 1), targetsMax: 2 }
    await w.read(accountReader.findAddress, base)
    await w.read(accountReader.findLogin, key)
  }
  await w.read(accountReader.firstAccount, null)
  for (const id of [1, 999]) await w.read(accountReader.addressOfAccount, id)
  for (const local of ['alice', 'team', 'al', 'nobody', '']) {
    await w.read(accountReader.findNamesakes, local)
  }
  await w.read(accountReader.listDomains, null)
  const page = { domain: 'example.org', after: '', limit: 10 }
  await w.read(accountReader.listAccounts, page)
  await w.read(accountReader.listAliases, { ...page, domain: '', afterTarget: '' })
}

async function mail(w: Witness): Promise<void> {
  await w.write(
    queue.accept,
    acceptance(1, {
      recipients: [recipient('jane@example.org', { lease: { by: node, leaseMs: 60_000 } })],
    }),
  )
  await w.write(
    queue.accept,
    acceptance(2, {
      body: { staged: 'file2', sizeOctets: 9 },
      notices: [acceptance(3, { origin: 'notice', reversePath: '' })],
      recipients: [
        recipient('list@example.org', { expanded: true }),
        recipient('a@b.test', { parameters: '{"validSince":{"atMs":7,"action":"C"}}' }),
        recipient('c@d.test', {
          lane: { name: 'mx:d.test', forMs: 60_000, status: '4.4.1', reason: 'it is down' },
        }),
      ],
      parameters: '{"priority":3}',
    }),
  )
  await w.write(queue.accept, acceptance(2)).catch(() => {})
  await w.write(queue.accept, acceptance(4))
  await w.read(queueReader.depth, null)
  const due = await w.read(queueReader.nextDueIn, null)
  assert.ok(due !== undefined && due <= 0 && due > -60_000)
  w.log.pop()
  await w.read(queueReader.queuedMessage, 'm2')
  await w.read(bodyOf, 1)
  await w.read(bodyOf, 2)
  for (const text of ['', 'domain:B.test', 'from:joe@example.org state:leased']) {
    await w.read(matching.matchingLines, {
      ...askedFor(text),
      after: matching.BEFORE_ALL,
      limit: 3,
    })
  }
  const claimed = await w.write(claims.claim, {
    node,
    leaseMs: 60_000,
    limit: 10,
  })
  claimed.sort((a, b) => (`${a.message_id}${a.n}` < `${b.message_id}${b.n}` ? -1 : 1))
  w.log.splice(-1, 1, plain(claimed))
  await w.write(queue.renew, { node, leaseMs: 60_000, rows: [{ messageId: 'm2', n: 1 }] })
  await w.write(claims.claim, { node: 'n2', leaseMs: 60_000, limit: 10 })
  const base = { status: '2.0.0', reason: 'good', remote: null }
  const delivery = {
    accountId: 1,
    mailboxName: 'INBOX',
    messageId: 'm1',
    bodyId: 1,
    head: Buffer.from('h'),
    sizeOctets: 6,
    internalDate: at,
    flags: '',
  }
  const settlements: Settlement[] = [
    {
      messageId: 'm1',
      bodyKey: 1,
      node,
      at,
      notices: [],
      results: [{ ...base, n: 0, state: 'delivered', delivery }],
    },
    {
      messageId: 'm2',
      bodyKey: 2,
      node,
      at,
      notices: [acceptance(5, { origin: 'notice' })],
      results: [
        {
          ...base,
          n: 1,
          state: 'queued',
          dueAt: at + 60_000,
          warned: true,
          attempt: { outcome: 'deferred', dialogue: 'a\0b' },
        },
      ],
    },
    {
      messageId: 'm2',
      bodyKey: 2,
      node,
      at,
      notices: [],
      results: [{ ...base, n: 2, state: 'failed' }],
    },
    {
      messageId: 'm3',
      bodyKey: 3,
      node,
      at,
      notices: [],
      results: [{ ...base, n: 0, state: 'relayed' }],
    },
  ]
  for (const settlement of settlements) await w.write(queue.settle, settlement)
  await w.write(queue.giveBack, { node: 'n2' })
  await w.write(queue.recover, null)
  for (const order of ['hold', 'release', 'retry', 'hold', 'delete'] as const)
    await w.write(changes.change, {
      ...askedFor('id:m2'),
      keys: [
        { messageId: 'm2', n: 1 },
        { messageId: 'm2', n: 2 },
      ],
      change: { order },
      at,
    })
  for (const id of ['m1', 'm9']) await w.read(transit.reversePathOf, id)
  for (const id of ['m1', 'm2', 'm3', 'm4', 'm9']) {
    await w.read(record.trace, id)
  }
  // The attempt by which a next hop took it is told from the recipient's own row.
  const taken = await w.read(record.trace, 'm3')
  assert.deepEqual(
    taken?.attempts.map(attempt => [attempt.n, attempt.at, attempt.outcome, attempt.reason]),
    [[0, at, 'delivered', base.reason]],
  )
  await w.read(record.messagesTo, { address: 'jane@example.org', limit: 10 })
  const named = { envelopeId: 'e@x', parameters: '{"tracking":{"certifier":"abc"}}' }
  await w.write(queue.accept, acceptance(700, named))
  await w.write(queue.accept, acceptance(701, { envelopeId: 'e@x' }))
  for (const name of ['e@x', 'f@x']) await w.read(tracking.namedMessages, name)
  for (const id of ['m700', 'm2']) await w.read(tracking.trackedRecipients, id)
  await w.read(matching.matchingLines, { ...askedFor(''), after: matching.BEFORE_ALL, limit: 10 })
}

/** What customers ask for: claimed by domain, whatever its time, each row once in a round. */
async function asked(w: Witness): Promise<void> {
  const domains = ['customer.test', 'customer.net']
  const to = (...addresses: string[]) => ({ recipients: addresses.map(a => recipient(a)) })
  await w.write(queue.accept, acceptance(11, to('a@customer.test', 'b@d.test', 'c@customer.net')))
  await w.write(queue.accept, acceptance(12, to('a@customer.test')))
  await w.write(queue.accept, acceptance(13, to('x@other.test')))
  // What its sender holds back is nobody's to ask for (RFC 4865).
  const hold = { forMs: 60_000, reason: 'held by its sender' }
  await w.write(
    queue.accept,
    acceptance(14, { recipients: [recipient('a@customer.test', { hold })] }),
  )
  await w.read(record.trace, 'm14')
  for (const some of [domains, ['customer.net'], ['nobody.test']]) {
    await w.read(queueReader.pendingFor, some)
  }
  const input = { node, leaseMs: 60_000, domains, limit: 2 }
  const first = await w.write(claims.claimAsked, { ...input, after: { messageId: '', n: -1 } })
  assert.deepEqual(
    first.map(({ message_id, n }) => `${message_id} ${n}`),
    ['m11 0', 'm11 2'],
  )
  await w.read(queueReader.pendingFor, domains)
  const base = { status: '4.4.0', reason: 'kept', remote: null, state: 'queued' as const }
  await w.write(queue.settle, {
    messageId: 'm11',
    bodyKey: 11,
    node,
    at,
    notices: [],
    results: [
      { ...base, n: 0, dueAt: at + 60_000, untried: true },
      { ...base, n: 2, dueAt: at + 60_000 },
    ],
  })
  await w.read(record.trace, 'm11')
  // What was given back in this round is not claimed by it again.
  const rest = await w.write(claims.claimAsked, { ...input, after: { messageId: 'm11', n: 2 } })
  assert.deepEqual(
    rest.map(row => row.message_id),
    ['m12'],
  )
  await w.write(claims.claimAsked, { ...input, after: { messageId: 'm12', n: 0 } })
  const again = await w.write(claims.claimAsked, { ...input, after: { messageId: '', n: -1 } })
  assert.equal(again.length, 2)
}

/** Which rows go first: by priority, and nobody for ever last. */
async function priorities(w: Witness): Promise<void> {
  const at = (n: number, priority: number) =>
    w.write(
      queue.accept,
      acceptance(n, {
        ...(priority === 0 ? {} : { priority }),
        recipients: [recipient(`${n}@p.test`)],
      }),
    )
  // Whatever else waits from before goes out of the way.
  const before = await w.write(claims.claim, {
    node: 'p0',
    leaseMs: 60_000,
    limit: 100,
  })
  assert.ok(before.length < 100)
  w.log.pop()
  // The low and the usual ones are older than the high ones.
  for (const [n, priority] of [-9, -1, 0, 0, 0, 2, 9, 2].entries()) await at(20 + n, priority)
  await at(28, 9)
  // A row in a lane is nobody's turn, whatever its priority.
  const lane = { name: 'mx:busy.test', forMs: 60_000, status: '4.4.5', reason: 'busy' }
  const waiting = acceptance(29, { priority: 9, recipients: [recipient('b@busy.test', { lane })] })
  await w.write(queue.accept, waiting)
  const round = async (limit: number) => {
    const input = { node: 'p1', leaseMs: 60_000, limit }
    const claimed = await w.write(claims.claim, input)
    w.log.pop()
    return claimed.map(row => row.message_id).sort()
  }
  assert.deepEqual(await round(4), ['m22', 'm25', 'm26', 'm28'], 'three by priority, one by time')
  assert.deepEqual(await round(2), ['m23', 'm27'])
  assert.deepEqual(await round(2), ['m21', 'm24'], 'the lowest is last')
  assert.deepEqual(await round(4), ['m20'])
  assert.deepEqual(await round(4), [])
  await w.write(queue.recover, null)
  w.log.pop()
  await w.write(queue.giveBack, { node: 'p1' })
  const keys = Array.from({ length: 10 }, (_, n) => ({ messageId: `m${20 + n}`, n: 0 }))
  const done = await w.write(changes.change, {
    ...askedFor('id:m2*'),
    keys,
    change: { order: 'delete' },
    at: Date.now(),
  })
  assert.equal(done.changed, 10)
}

async function boxes(w: Witness): Promise<void> {
  const item = {
    accountId: 1,
    mailboxName: 'Junk',
    messageId: 'm4',
    bodyId: 4,
    head: Buffer.from('head'),
    sizeOctets: 9,
    internalDate: at,
    flags: '\\Seen',
  }
  await w.write(mailbox.deliver, [item, { ...item, mailboxName: 'A' }, item])
  await w.write(mailbox.deliver, [item])
  const list = await w.read(mailboxReader.openMailbox, { accountId: 1, name: 'Junk' })
  await w.read(mailboxReader.openMailbox, { accountId: 7, name: 'Junk' })
  await w.read(mailboxReader.openSmallMailbox, { accountId: 1, name: 'Junk' })
  await w.read(mailboxReader.openSmallMailbox, { accountId: 7, name: 'Junk' })
  const mailboxId = list?.mailboxId ?? 0
  await w.read(mailboxReader.messageByUid, { mailboxId, uid: 2 })
  await w.read(mailboxReader.messageByUid, { mailboxId, uid: 9 })
  await w.read(mailboxReader.messagesByUid, { mailboxId, uids: [1, 2, 9] })
  await readings(w, mailboxId)
  await searches(w, mailboxId)
  await w.read(change.folderStates, { mailboxId, uids: [1, 2, 3] })
  await w.read(change.folderStates, { mailboxId, uids: [1, 900] })
  await w.read(change.folderMessages, { mailboxId, uids: [2, 4] })
  await w.read(mailboxReader.bodySlice, { bodyId: 4, from: 1, to: 3 })
  await w.read(mailboxReader.mailboxesOf, 'joe@example.org')
  await w.write(mailbox.expungeSlice, { mailboxId, uids: [1, 3, 77], keep: true })
  await w.read(mailboxReader.mailboxesOf, 'joe@example.org')
  const [aside] = await w.read(kept.keptFolders, 1)
  assert.equal(aside?.folder, 'Junk')
  await w.read(kept.allKeptFolders, 0)
  const keptId = aside?.mailboxId ?? 0
  const whole = { mailboxId: keptId, since: 0, before: at + 600_000, after: 0, limit: 10 }
  await w.read(kept.keptMessages, whole)
  await w.read(kept.keptMessages, { ...whole, before: 1 })
  await w.write(kept.removeKeptFolder, keptId)
  const back = { accountId: 1, mailboxId: keptId, uids: [1], to: 'Junk', move: true, rights: 'sw' }
  await w.write(copy.copyMessages, back)
  await kept.releaseKept({ ...w } as never, at + 600_000, () => {})
  await w.read(kept.keptFolders, 1)
  await w.write(kept.removeKeptFolder, keptId)
  await w.write(account.removeAccount, 'joe@example.org')
  await w.write(account.removeAccount, 'jane@example.org')
}

/** What a search, an order and threads look at, by one slice of a mailbox. */
async function searches(w: Witness, mailboxId: number): Promise<void> {
  const slice = {
    ...{ mailboxId, uids: [1, 2, 3, 9], before: 0, nowMs: at, saved: [2] },
    ...{ largestUid: 9, exists: 4 },
  }
  for (const key of [
    { kind: 'all' },
    { kind: 'text', text: 'received' },
    { kind: 'text', text: 'nowhere' },
    { kind: 'not', key: { kind: 'header', field: 'received', text: 'x' } },
    { kind: 'uid', set: '$' },
    { kind: 'flag', flag: '\\Seen', set: false },
  ] as const) {
    await w.read(searching.searchSlice, { ...slice, key })
  }
  for (const order of ['row', 'sort', 'thread'] as const) {
    await w.read(searching.factsSlice, { mailboxId, uids: [1, 2, 9], of: order })
  }
}

/** What was found in bodies: kept, found anew by another scanner, gone with the body, swept without it. */
async function readings(w: Witness, mailboxId: number): Promise<void> {
  const all = { mailboxId, uids: [1, 2, 3] }
  const told = await w.read(reading.readMessages, { ...all, scanner: 1 })
  assert.ok(told.every(({ envelope }) => envelope === null))
  const bodyId = told[0]?.bodyId ?? 0
  const kept = (envelope: string) => ({ bodyId, envelope, structure: '("text")', heading: '' })
  await w.write(reading.keepReadings, { scanner: 1, found: [kept('(one)')] })
  await w.read(reading.readMessages, { ...all, scanner: 1 })
  await w.read(reading.readMessages, { ...all, scanner: 2 })
  await w.write(reading.keepReadings, { scanner: 2, found: [kept('(two)')] })
  const again = await w.read(reading.readMessages, { ...all, scanner: 2 })
  assert.equal(again[0]?.envelope, '(two)')
  const lost = { bodyId: 123_456, envelope: '(lost)', structure: '', heading: '' }
  await headings(w, all, bodyId)
  await w.write(reading.keepReadings, { scanner: 2, found: [lost] })
  const needless = await w.read(reading.needlessReadings, Number.MIN_SAFE_INTEGER)
  assert.deepEqual(needless.ids, [123_456])
  await w.write(reading.forgetReadings, needless.ids)
  await w.read(reading.needlessReadings, Number.MIN_SAFE_INTEGER)
}

const headed = reader(
  'test.headed',
  (tx, input: Parameters<typeof reading.headedMessages>[1] & { likely?: reading.Likely }) =>
    reading.headedMessages(tx, input, input.likely),
)

/** A heading is kept beside an envelope, and a message is left out only where it surely has not what is likely. */
async function headings(
  w: Witness,
  some: { readonly mailboxId: number; readonly uids: readonly number[] },
  bodyId: number,
): Promise<void> {
  const all = { ...some, scanner: 2 }
  const count = async (text: string, field = 'subject') =>
    (await w.read(headed, { ...all, likely: { field, text } })).length
  const keep = (heading: string) =>
    w.write(reading.keepReadings, {
      scanner: 2,
      found: [{ bodyId, envelope: '', structure: '', heading }],
    })
  const messages = (await w.read(headed, all)).length
  assert.equal(await count('nowhere'), messages, 'nothing is known')
  await keep(' \nsubject:100% of A_b\\c [Ä\nfrom:joe\n'.replace('Ä', 'A'))
  const [told] = await w.read(reading.readMessages, all)
  assert.equal(told?.envelope, '(two)', 'what was not looked for stays')
  assert.equal(await count('nowhere'), 0)
  for (const text of ['100% of', 'a_b', 'b\\c', '[a', 'joe']) {
    assert.equal(await count(text), messages, text)
  }
  for (const text of ['100_ of', 'a%c', 'b/c']) assert.equal(await count(text), 0, text)
  assert.equal(await count('nowhere', 'he'), messages, 'its own head may have it')
  await w.read(headed, { ...all, uids: [2, 900], likely: { field: 'subject', text: 'joe' } })
  await keep('!\nsubject:Ä\n')
  assert.equal(await count('nowhere'), messages, 'letters may stand for others')
}

/** Transactions with a name: kept in pieces, over the quota, accepted once, forgotten. */
async function transfers(w: Witness): Promise<void> {
  const key = { scope: 'peer 192.0.2.1 x', id: '<1@x>' }
  const piece = (n: number, extra: Partial<transfer.Piece> = {}) => ({
    ...key,
    n,
    envelope: '{}',
    bodyKey: 900 + n,
    staged: `piece${n}`,
    stagedOctets: 100,
    sizeOctets: 90,
    scopeMaxOctets: 20_000,
    totalMaxOctets: 30_000,
    ...extra,
  })
  await w.write(transfer.keepPiece, piece(0))
  await w.write(transfer.keepPiece, piece(0, { bodyKey: 910 }))
  await w.write(transfer.keepPiece, piece(1))
  await w.write(transfer.keepPiece, piece(3))
  await w.write(transfer.keepPiece, piece(2, { stagedOctets: 10_000 }))
  await w.write(transfer.keepPiece, piece(2, { totalMaxOctets: 12_000 }))
  await w.write(transfer.keepPiece, piece(0, { id: '<2@x>', bodyKey: 920, staged: 'other' }))
  await w.write(transfer.keepPiece, piece(0, { scope: 'account 1', bodyKey: 930, staged: 'his' }))
  await w.read(transfer.transferOf, key)
  w.log.push(plain(await check.findings({ ...w } as never)))
  const named = { ...key, envelope: '{}', sizeOctets: 250, reply: 'queued as m7' }
  await w.write(transfer.acceptNamed, {
    ...named,
    acceptance: acceptance(7, { notices: [acceptance(8, { origin: 'notice' })] }),
  })
  // The second of two that bring the same one accepts nothing.
  await w.write(transfer.acceptNamed, { ...named, acceptance: acceptance(9) }).catch(() => {})
  await w.read(queueReader.queuedMessage, 'm7')
  await w.read(queueReader.queuedMessage, 'm9')
  await w.read(transfer.transferOf, key)
  await w.read(transfer.transferOf, { ...key, scope: 'account 1' })
  await w.write(transfer.forgetTransfer, { ...key, id: '<2@x>' })
  await w.write(transfer.forgetTransfer, { ...key, id: '<2@x>' })
  await w.write(transfer.expireTransfers, { keepMs: 60_000, rememberMs: 60_000 })
  await w.write(transfer.expireTransfers, { keepMs: -60_000, rememberMs: -60_000 })
  await w.read(transfer.transferOf, key)
}

async function nodes(w: Witness): Promise<void> {
  const facts = { id: node, host: 'h', pid: 1, version: '1', epoch: 'e1', startedAt: at }
  await w.write(cluster.beat, { ...facts, alone: false, draining: false })
  await w.write(cluster.beat, { ...facts, epoch: 'e2', alone: true, draining: true })
  const [row] = await w.read(clusterReader.listNodes, null)
  w.log.splice(-1, 1, { ...row, startedAt: 0, silentMs: 0 })
  assert.ok((row?.silentMs ?? -1) < 5_000)
  const lock = { accountId: 1, leaseMs: 60_000 }
  for (const holder of [node, 'n2', node]) {
    await w.write(cluster.takeMaildrop, { ...lock, holder })
    await w.write(cluster.keepMaildrop, { ...lock, holder })
  }
  await w.write(cluster.keepMaildrops, { holder: node, leaseMs: -1 })
  await w.write(cluster.keepMaildrop, { ...lock, holder: node })
  await w.write(cluster.takeMaildrop, { ...lock, holder: 'n2' })
  await w.write(cluster.giveMaildrop, { accountId: 1, holder: node })
  await w.write(cluster.takeMaildrop, { ...lock, holder: node })
  await w.write(cluster.giveMaildrop, { accountId: 1, holder: 'n2' })
  await w.write(cluster.takeMaildrop, { ...lock, holder: node })
  await w.write(cluster.leave, node)
  await w.read(clusterReader.listNodes, null)
  await w.write(cluster.takeMaildrop, { ...lock, holder: 'n2' })
}

async function moved(w: Witness): Promise<void> {
  await w.read(moves.unfinishedMove, null)
  await w.read(moves.holdsAnything, null)
  for (const [index, { name }] of moves.movedTables.entries()) {
    const [first] = await w.read(moves.movedSlice, { table: index })
    // Numbers of mailboxes may have gaps.
    if (name.startsWith('mailbox')) w.log.pop()
    if (name === 'setting')
      await w.read(moves.movedSlice, { table: index, after: [first?.['name'] ?? ''] })
  }
  const row = { name: 'moved', value: 'v' }
  await w.write(moves.addMoved, { table: 0, rows: [row, { ...row, name: 'moved too' }] })
}

/** Behind all else: it empties the store. */
async function movedInto(w: Witness): Promise<void> {
  await w.write(moves.beginMove, 'from a test')
  await w.read(moves.holdsAnything, null)
  await w.read(moves.unfinishedMove, null)
  await w.write(moves.endMove, undefined)
  await w.read(moves.unfinishedMove, null)
}

async function upkeep(w: Witness, store: Store): Promise<void> {
  const watched = { ...store, read: w.read, write: w.write } as Store
  await w.write(mailbox.deliver, [])
  await w.read(check.firstDamage, null)
  w.log.push(plain(await check.findings(watched, [])))
  await w.read(sweep.stagedIsNamed, 'file2')
  await w.write(sweep.removeBodies, [4])
  // Bodies that the queue and a mailbox still name are gone: check must say so on every store.
  w.log.push(plain(await check.findings(watched)))
  w.log.push(await sweep.sweep({ store: watched, disk, clock: nodeClock, keepSettledMs: -60_000 }))
  await w.read(record.messagesTo, { address: 'a@b.test', limit: 10 })
}

const directory = mkdtempSync(join(tmpdir(), 'postrider-rooms-'))
after(() => rmSync(directory, { recursive: true }))
const stores: Record<string, () => Promise<Store>> = {
  'an SQLite file': () =>
    openStore({
      path: join(directory, 'mail.db'),
      modules: STORE_MODULES,
      clock: nodeClock,
      log: silent,
    }),
}

const binaries = findPostgres()
if (binaries === undefined) test('the rooms on PostgreSQL', { skip: noPostgres }, () => {})
else {
  const server = await startPostgres(binaries)
  after(() => server.stop())
  stores[binaries.version] = async () =>
    openPostgresStore({
      url: await server.fresh(),
      clock: nodeClock,
      random: nodeRandom,
      log: silent,
    })
}

async function lifeOn(store: Store): Promise<Witness> {
  const w = witness(store)
  await people(w)
  await mail(w)
  await queries(w)
  await lanesLife(w)
  await bansLife(w)
  await countsLife(w)
  await asked(w)
  await priorities(w)
  await folders(w)
  await boxes(w)
  await transfers(w)
  await nodes(w)
  await moved(w)
  await upkeep(w, store)
  await movedInto(w)
  await store.close()
  return w
}

const model = await lifeOn(await openMemoryStore({ now: Date.now }))

for (const [where, open] of Object.entries(stores)) {
  test(`a small life of mail reads the same on ${where} as in memory`, async () => {
    const { log } = await lifeOn(await open())
    for (const [index, entry] of model.log.entries()) {
      assert.deepEqual(log[index], entry, `step ${index}`)
    }
    assert.equal(log.length, model.log.length)
  })
}

test('no reader or writer of any room is left out', async () => {
  const all = new Set<string>()
  const urls = [
    ...STORE_MODULES,
    ...['check', 'sweep', 'move-table'].map(
      name => new URL(`../../src/store/${name}.ts`, import.meta.url),
    ),
  ]
  for (const url of urls) {
    for (const value of Object.values((await import(url.href)) as Record<string, unknown>)) {
      const item = value as { kind?: string; name?: string } | null
      if (typeof value === 'object' && (item?.kind === 'reader' || item?.kind === 'writer'))
        all.add(String(item.name))
    }
  }
  assert.deepEqual(
    [...all].filter(name => !model.used.has(name)),
    [],
  )
})
