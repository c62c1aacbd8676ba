/** IMAP sessions over the role and a store: what scripted.ts stands for in the dialogues, here it is real. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noLimit } from '../account/quota.ts'
import { settings } from '../imap/scripted.ts'
import type { Answer, Question } from '../imap/server/question.ts'
import { ServerSession } from '../imap/server/session.ts'
import { forgetOld } from '../mailbox/forget.ts'
import { openMemoryStore } from '../store/memory.ts'
import type { Source } from '../wire/effect.ts'
import { silent } from '../world/log.ts'
import { createWorld } from '../world/sim/index.ts'
import { type ImapAccess, imapRole } from './imap.ts'
import { MailWatch } from './watch.ts'

const endpoint = { address: '192.0.2.1', port: 40_000 }

async function access(): Promise<ImapAccess> {
  const { world } = createWorld({ seed: 1 }).host({ name: 'mail', addresses: ['192.0.2.1'] })
  const store = await openMemoryStore()
  let made = 0
  return {
    world,
    store,
    watch: new MailWatch(store),
    login: () => ({ kind: 'account', account: { id: 1, address: 'joe@example.org' } }),
    identify: () => ({ id: `m${++made}`, bodyKey: made }),
    inlineUpToOctets: () => undefined,
    quota: () => noLimit,
    room: { for: () => true },
    log: silent,
  }
}

/** A client that says one command after the other, and hears all that comes of each. */
class Client {
  readonly #session: ServerSession
  #heard: Source[] = []
  #asked: Promise<unknown> = Promise.resolve()

  constructor(shared: ImapAccess) {
    const role = imapRole(shared, { remote: endpoint, local: endpoint }, () =>
      this.#session.tell({ kind: 'changed' }),
    )
    const asks = async (question: Question, answer: Promise<Answer>) => {
      let given: Answer
      try {
        given = await answer
      } catch (error) {
        assert.fail(`${question.kind}: ${String(error)}`)
      }
      this.#session.answer(given)
    }
    this.#session = new ServerSession(
      {
        send: output => this.#heard.push(Buffer.from(output)),
        stream: source => this.#heard.push(source),
        ask: question => {
          const answer = role.ask(question)
          if (!(answer instanceof Promise)) return answer
          this.#asked = asks(question, answer)
          return undefined
        },
        content: (octets, from, to) => {
          void role.content?.(octets, from, to)
        },
        secure: () => {},
        compress: () => {},
        handOver: () => {},
        close: () => {},
      },
      { ...settings, appendMaxOctets: 1_048_576 },
      { remote: endpoint, local: endpoint },
    )
    this.#session.start()
  }

  async say(command: string): Promise<string> {
    this.#heard = []
    this.#session.receive(Buffer.from(`x ${command}\r\n`))
    let text = ''
    for (let tries = 0; tries < 1000 && !/^x (?:OK|NO|BAD) /m.test(text); tries++) {
      await this.#asked
      for (const source of this.#heard.splice(0)) {
        if (source instanceof Uint8Array) text += Buffer.from(source).toString('latin1')
        else for await (const piece of source) text += Buffer.from(piece).toString('latin1')
      }
      this.#session.drained()
    }
    return text.replaceAll('\r\n', '\n')
  }

  /** Its lines without those of the tagged answer's text. */
  async told(command: string): Promise<string[]> {
    const text = await this.say(command)
    return text.trimEnd().split('\n').slice(0, -1)
  }
}

async function opened(): Promise<{ readonly shared: ImapAccess; readonly client: Client }> {
  const shared = await access()
  const client = new Client(shared)
  await client.say('LOGIN joe secret')
  return { shared, client }
}

const letter = (text: string) => text.replaceAll('\n', '\r\n')

async function append(client: Client, text: string, flags = '()', mailbox = 'INBOX') {
  const octets = letter(text)
  return client.say(`APPEND ${mailbox} ${flags} {${octets.length}+}\r\n${octets}`)
}

test('a client that comes back hears by QRESYNC what happened, on a store', async () => {
  const { shared, client } = await opened()
  for (let n = 1; n <= 5; n++) await append(client, `Subject: ${n}\n\nbody\n`)
  const other = new Client(shared)
  await other.say('LOGIN joe secret')
  await other.say('ENABLE QRESYNC')
  const modSeq = /HIGHESTMODSEQ (\d+)/.exec(await other.say('SELECT INBOX'))?.[1]
  const validity = /UIDVALIDITY (\d+)/.exec(await other.say('SELECT INBOX'))?.[1]
  await other.say('UNSELECT')
  await client.say('SELECT INBOX')
  await client.say('STORE 1 +FLAGS (\\Flagged)')
  await client.say('STORE 2,4 +FLAGS (\\Deleted)')
  await client.say('EXPUNGE')
  await append(client, 'Subject: 6\n\nbody\n')
  const since = await other.told(`SELECT INBOX (QRESYNC (${validity} ${modSeq}))`)
  assert.match(since.join('\n'), /^\* VANISHED \(EARLIER\) 2,4$/m)
  const changed = since.filter(line => line.includes(' FETCH '))
  assert.deepEqual(
    changed.map(line =>
      /^\* (\d+) FETCH \(UID (\d+) FLAGS \(([^)]*)\) MODSEQ/.exec(line)?.slice(1),
    ),
    [
      ['1', '1', '\\Flagged'],
      ['4', '6', ''],
    ],
  )
  const fetched = await other.told(`UID FETCH 1:* FLAGS (CHANGEDSINCE ${modSeq} VANISHED)`)
  assert.equal(fetched.length, 3)
  assert.match(await other.say('STORE 1 (UNCHANGEDSINCE 1) FLAGS ()'), /^x OK \[MODIFIED 1\]/m)
  assert.match(await other.say(`SEARCH MODSEQ ${Number(modSeq) + 1}`), /^\* SEARCH 1 4 \(MODSEQ /m)
})

test('messages are sorted, threaded, previewed and replaced on a store', async () => {
  const { client } = await opened()
  await append(
    client,
    'Message-ID: <a@x>\nDate: Thu, 02 Jan 2025 23:30:00 -0500\nSubject: pears\n\nHi.\n',
  )
  await append(
    client,
    'Message-ID: <b@x>\nReferences: <a@x>\nSubject: Re: pears\nDate: Wed, 01 Jan 2025 00:30:00 +0500\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n<p>Good <b>day=21</b></p>\n',
  )
  await append(client, 'Subject: apples\nDate: Fri, 03 Jan 2025 00:00:00 +0000\n\n')
  await client.say('SELECT INBOX')
  assert.deepEqual(await client.told('SORT (SUBJECT DATE) UTF-8 ALL'), ['* SORT 3 2 1'])
  assert.deepEqual(await client.told('SORT (REVERSE ARRIVAL) UTF-8 ALL'), ['* SORT 1 2 3'])
  assert.deepEqual(await client.told('UID THREAD REFERENCES UTF-8 ALL'), ['* THREAD (3)(1 2)'])
  assert.deepEqual(await client.told('FETCH 1:3 PREVIEW'), [
    '* 1 FETCH (PREVIEW "Hi.")',
    '* 2 FETCH (PREVIEW "Good day!")',
    '* 3 FETCH (PREVIEW "")',
  ])
  // The day as it is written, wherever that was.
  assert.deepEqual(await client.told('SEARCH SENTON 2-Jan-2025'), ['* SEARCH 1'])
  assert.deepEqual(await client.told('SEARCH SENTBEFORE 2-Jan-2025'), ['* SEARCH 2'])
  assert.match(
    await client.say('UID REPLACE 3 INBOX {6+}\r\nA: b\r\n'),
    /APPENDUID \d+ 4\].*\n\* 3 EXPUNGE\n.*x OK/s,
  )
  assert.deepEqual(await client.told('UID SEARCH ALL'), ['* SEARCH 1 2 4'])
  assert.match(await client.say('REPLACE 3 Nowhere {6+}\r\nA: b\r\n'), /^x NO \[TRYCREATE\]/m)
})

test('a copy is saved when it is copied, and keeps its date', async () => {
  const { client } = await opened()
  await client.say('CREATE Kept')
  await client.say('APPEND INBOX "01-Feb-2001 10:00:00 +0000" {6+}\r\nA: b\r\n')
  await client.say('SELECT INBOX')
  await client.say('COPY 1 Kept')
  await client.say('SELECT Kept')
  const [line = ''] = await client.told('FETCH 1 (INTERNALDATE SAVEDATE)')
  assert.match(line, /INTERNALDATE " 1-Feb-2001 10:00:00 \+0000" SAVEDATE "[ \d]\d-\w+-2/)
  assert.doesNotMatch(line, /SAVEDATE " 1-Feb-2001/)
  assert.deepEqual(await client.told('SEARCH ON 1-Feb-2001 SAVEDSINCE 2-Feb-2001'), ['* SEARCH 1'])
  assert.deepEqual(await client.told('SEARCH SAVEDBEFORE 2-Feb-2001'), ['* SEARCH'])
})

test('mailboxes are made with a use, listed with their numbers, and a name below stays', async () => {
  const { client } = await opened()
  assert.match(await client.say('CREATE "a/b" (USE (\\Junk))'), /^x OK/m)
  assert.match(await client.say('CREATE other (USE (\\Junk))'), /^x NO \[USEATTR\]/m)
  await append(client, 'A: b\n\n', '(\\Seen)', 'a/b')
  await client.say('SUBSCRIBE a/b')
  await client.say('DELETE a')
  assert.deepEqual(await client.told('LIST "" % RETURN (STATUS (MESSAGES UNSEEN SIZE))'), [
    '* LIST (\\HasNoChildren) "/" "INBOX"',
    '* STATUS "INBOX" (MESSAGES 0 UNSEEN 0 SIZE 0)',
    '* LIST (\\NonExistent \\Noselect \\HasChildren) "/" "a"',
  ])
  assert.deepEqual(await client.told('LIST (SUBSCRIBED RECURSIVEMATCH) "" %'), [
    '* LIST (\\NonExistent \\Noselect \\HasChildren) "/" "a" ("CHILDINFO" ("SUBSCRIBED"))',
  ])
  assert.deepEqual(await client.told('LIST (SPECIAL-USE) "" *'), [
    '* LIST (\\HasNoChildren \\Junk) "/" "a/b"',
  ])
  assert.match(await client.say('SELECT a'), /^x NO \[NONEXISTENT\]/m)
})

test('a client from before what is remembered is told of all that is not there', async () => {
  const { shared, client } = await opened()
  for (let n = 1; n <= 6; n++) await append(client, `Subject: ${n}\n\nbody\n`)
  await client.say('ENABLE QRESYNC')
  const validity = /UIDVALIDITY (\d+)/.exec(await client.say('SELECT INBOX'))?.[1]
  await client.say('STORE 2:4 +FLAGS (\\Deleted)')
  await client.say('EXPUNGE')
  await forgetOld(shared.store, Date.now() + 40 * 86_400_000)
  const other = new Client(shared)
  await other.say('LOGIN joe secret')
  await other.say('ENABLE QRESYNC')
  const told = await other.told(`SELECT INBOX (QRESYNC (${validity} 1 3:5))`)
  assert.deepEqual(
    told.filter(line => line.includes('VANISHED')),
    ['* VANISHED (EARLIER) 3:4'],
  )
  const fetched = await other.told('UID FETCH 1:6 (FLAGS) (CHANGEDSINCE 1 VANISHED)')
  assert.equal(fetched[0], '* VANISHED (EARLIER) 2:4')
})

test('who has INBOX open while it is renamed is told that it is gone', async () => {
  const { shared, client } = await opened()
  const other = new Client(shared)
  await other.say('LOGIN joe secret')
  await other.say('SELECT INBOX')
  await client.say('RENAME INBOX Old')
  assert.match(await other.say('NOOP'), /^\* BYE .*\nx OK/)
})

test('a search whose session is gone reads no more of the mailbox', async () => {
  const { shared, client } = await opened()
  for (let n = 1; n <= 20; n++) await append(client, `Subject: ${n}\n\nbody\n`)
  const { read } = shared.store
  let reads = 0
  let onRead = () => {}
  const counting = new Proxy(shared.store, {
    get: (store, name) =>
      name === 'read'
        ? (...asked: Parameters<typeof read>) => {
            reads++
            onRead()
            return store.read(...asked)
          }
        : Reflect.get(store, name, store),
  })
  const search = {
    uids: Array.from({ length: 2_000 }, (_, n) => n + 1),
    saved: [],
    key: { kind: 'text', text: 'nowhere' },
  } as const
  const criteria = [{ key: 'SUBJECT', reverse: false }] as const
  for (const question of [
    { kind: 'search', key: 1, search },
    { kind: 'sort', key: 1, search, criteria },
    { kind: 'thread', key: 1, search, algorithm: 'REFERENCES' },
  ] as const) {
    const role = imapRole(
      { ...shared, store: counting },
      { remote: endpoint, local: endpoint },
      () => {},
    )
    reads = 0
    onRead = () => {
      if (reads === 3) role.closed?.()
    }
    await role.ask(question)
    assert.equal(reads, 3, question.kind)
  }
})

test('decoded octets are the same whole, in pieces and one by one', async () => {
  const { client } = await opened()
  const plain = Array.from({ length: 90_000 }, (_, n) => String.fromCharCode(97 + (n % 26))).join(
    '',
  )
  const coded = Buffer.from(plain).toString('base64').replace(/.{76}/g, '$&\n')
  const kept = await append(
    client,
    `Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n${coded}\n`,
  )
  assert.match(kept, /^x OK/m)
  await client.say('SELECT INBOX')
  const fetched = async (items: string) =>
    /FETCH \((.*)\)\nx OK/s.exec(await client.say(`FETCH 1 ${items}`))?.[1]
  assert.equal(await fetched('BINARY.SIZE[1]'), 'BINARY.SIZE[1] 90000')
  assert.equal(await fetched('BINARY.PEEK[1]'), `BINARY[1] ~{90000}\n${plain}`)
  assert.equal(
    await fetched('(BINARY.PEEK[1]<10.80000> BINARY.PEEK[1]<3.2> BINARY.PEEK[1]<89999.5>)'),
    `BINARY[1]<10> ~{80000}\n${plain.slice(10, 80_010)} BINARY[1]<3> ~{2}\nde BINARY[1]<89999> ~{1}\n${plain.at(-1)}`,
  )
  const field = `X-Long: ${Array.from({ length: 100 }, () => 'w'.repeat(900)).join('\n ')}`
  await append(client, `${field}\nTo: b@example.org\n\nbody\n`)
  await client.say('NOOP')
  const long = `${field}\n\n`
  const octets = letter(long).length
  assert.equal(
    /FETCH \((.*)\)\nx OK/s.exec(
      await client.say('FETCH 2 BODY.PEEK[HEADER.FIELDS (X-LONG)]'),
    )?.[1],
    `BODY[HEADER.FIELDS (X-LONG)] {${octets}}\n${long}`,
  )
})

test('an answer of many sections holds no more than what is sent of each', async () => {
  const { shared, client } = await opened()
  const coded = `${'A'.repeat(76)}\n`.repeat(1000)
  const kept = await append(
    client,
    `Content-Transfer-Encoding: base64\nX-Long: ${'w'.repeat(20_000)}\n\n${coded}`,
  )
  const role = imapRole(shared, { remote: endpoint, local: endpoint }, () => {})
  assert.match(kept, /^x OK/m)
  const binary = { part: [1], text: '', fields: [] } as const
  const fields = { part: [], text: 'HEADER.FIELDS', fields: ['X-Long'] } as const
  const partial = { from: 5, count: 10 }
  const wish = {
    envelope: false,
    body: false,
    bodyStructure: false,
    facts: false,
    preview: false,
    utf8: false,
  }
  for (const section of [
    { section: binary, as: 'binary', partial },
    { section: binary, as: 'binary' },
    { section: binary, as: 'binary size' },
    { section: fields, as: 'octets', partial },
    { section: fields, as: 'octets' },
    { section: { part: [], text: '', fields: [] }, as: 'octets' },
  ] as const) {
    const sections = Array.from({ length: 50 }, () => section)
    const answer = await role.ask({
      kind: 'fetch',
      key: 1,
      uids: [1],
      wish: { ...wish, sections },
      markSeen: false,
    })
    assert.ok(answer.kind === 'fetched')
    const buffers = new Set<ArrayBufferLike>()
    for (const each of answer.messages[0]?.sections ?? []) {
      assert.ok(each.kind === 'octets')
      if (each.content instanceof Uint8Array) buffers.add(each.content.buffer)
    }
    let held = 0
    for (const { byteLength } of buffers) held += byteLength
    assert.ok(held < 100_000, `${section.as}: ${held} octets are held`)
  }
})
