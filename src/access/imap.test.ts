/** IMAP sessions over the role and a store: what scripted.ts stands for in the dialogues, here it is real. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noLimit } from '../account/quota.ts'
import { addAccount, addDomain } from '../account/writer.ts'
import { settings } from '../imap/scripted.ts'
import type { Answer, Question } from '../imap/server/question.ts'
import { ServerSession } from '../imap/server/session.ts'
import { copyMessages } from '../mailbox/copy.ts'
import { furnish } from '../mailbox/folder.ts'
import { forgetOld } from '../mailbox/forget.ts'
import { keptFolders, keptMessages, releaseKept } from '../mailbox/kept.ts'
import { openMemoryStore } from '../store/memory.ts'
import type { Source } from '../wire/effect.ts'
import { silent } from '../world/log.ts'
import { createWorld } from '../world/sim/index.ts'
import { referredBy } from './burl.ts'
import { type ImapAccess, imapRole } from './imap.ts'
import { MailWatch } from './watch.ts'

const endpoint = { address: '192.0.2.1', port: 40_000 }

const ACCOUNTS = ['joe@example.org', 'ann@example.org', 'bob@example.org']

async function access(): Promise<ImapAccess> {
  const { world } = createWorld({ seed: 1 }).host({ name: 'mail', addresses: ['192.0.2.1'] })
  const store = await openMemoryStore()
  await store.write(addDomain, { name: 'example.org', catchAll: null })
  for (const [at, address] of ACCOUNTS.entries()) {
    await store.write(addAccount, { address, domain: 'example.org', verifiers: [] })
    // INBOX and no other: so a listing is short.
    await store.write(furnish, { accountId: at + 1, folders: [] })
  }
  let made = 0
  return {
    world,
    store,
    watch: new MailWatch(store),
    login: question => {
      const named = question.kind === 'password' ? `${question.username}@example.org` : ''
      const id = ACCOUNTS.indexOf(named) + 1
      return { kind: 'account', account: { id, address: named } }
    },
    identify: () => ({ id: `m${++made}`, bodyKey: made }),
    inlineUpToOctets: () => undefined,
    quota: () => noLimit,
    keeps: () => true,
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

  /** What was told since the last command, without being asked for. */
  async unasked(): Promise<string> {
    for (let tries = 0; tries < 20; tries++) {
      await this.#asked
      await new Promise(setImmediate)
    }
    return this.#heard.map(source => Buffer.from(source as Uint8Array).toString()).join('')
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

test('the first session that may write is told what is recent, and no other', async () => {
  const { shared, client } = await opened()
  await append(client, 'Subject: 1\n\nbody\n')
  const other = new Client(shared)
  await other.say('LOGIN joe secret')
  const status = () => other.told('STATUS INBOX (RECENT)')
  assert.deepEqual(await status(), ['* STATUS "INBOX" (RECENT 1)'])
  // Who only looks leaves it to others.
  assert.match(await other.say('EXAMINE INBOX'), /^\* 1 RECENT$/m)
  assert.match(await other.say('FETCH 1 FLAGS'), /FLAGS \(\\Recent\)/)
  await other.say('UNSELECT')
  assert.match(await client.say('SELECT INBOX'), /^\* 1 RECENT$/m)
  assert.deepEqual(await status(), ['* STATUS "INBOX" (RECENT 0)'])
  assert.match(await other.say('SELECT INBOX'), /^\* 0 RECENT$/m)
  const heard = [await append(client, 'Subject: 2\n\nbody\n'), await other.say('NOOP')].join('')
  assert.equal(heard.match(/^\* 2 EXISTS$/gm)?.length, 2)
  assert.equal(heard.match(/RECENT$/gm)?.length ?? 0, 1, heard)
  const flags = [await client.say('FETCH 1:* FLAGS'), await other.say('FETCH 1:* FLAGS')].join('')
  assert.equal(flags.match(/\\Recent/g)?.length, 2, flags)
  await client.say('SELECT INBOX')
  assert.deepEqual(await client.told('SEARCH RECENT'), ['* SEARCH'])
  assert.deepEqual(await client.told('SEARCH OLD'), ['* SEARCH 1 2'])
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
  // What cannot be created is not proposed.
  for (const name of ['"a//b"', '"Other Users/ann@example.org/x"']) {
    assert.match(await client.say(`COPY 1 ${name}`), /^x NO \[NONEXISTENT\]/m)
    assert.match(await client.say(`APPEND ${name} {6+}\r\nA: b\r\n`), /^x NO \[NONEXISTENT\]/m)
  }
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

test('a header is searched by what is kept of it as it is by itself', async () => {
  const { client } = await opened()
  const first = 'Date: Fri, 27 Nov 2026 01:00:00 +0000\nMessage-ID: <One@x>\nX-Other: subject one'
  await append(client, `${first}\nSubject: Hello 100% World\nFrom: Joe <joe@x.org>\n\nwords\n`)
  await append(
    client,
    'Subject: =?utf-8?q?GR=C3=9C=C3=9FE?= all\nTo: a@x.org\nTo: b@x.org\n\nhello\n',
  )
  await append(client, `Subject: ${'large '.repeat(9)}\nCc: c@x.org\n\n${'body\n'.repeat(3_000)}`)
  await append(client, 'Subject: hello\n =?x-nobody?q?knows?=\n\nx\n')
  const searches: Readonly<Record<string, string>> = {
    'SUBJECT hello': '1 4',
    'SUBJECT "0% w"': '1',
    'SUBJECT "0_ w"': '',
    'SUBJECT "gr\u00fc\u00dfe"': '2',
    'SUBJECT nobody': '4',
    'SUBJECT "large large"': '3',
    'SUBJECT ""': '1 2 3 4',
    'FROM joe': '1',
    'TO b@X.org': '2',
    'TO ""': '2',
    'HEADER Message-ID <one@': '1',
    'HEADER X-Other subject': '1',
    'NOT SUBJECT hello': '2 3',
    'OR CC c@x.org FROM joe@x': '1 3',
    'SUBJECT hello UNSEEN 2:*': '4',
    'SENTON 27-Nov-2026': '1',
    'TEXT hello SUBJECT hello': '1 4',
  }
  await client.say('SELECT INBOX')
  // Opened the first time, by what was kept then, and by what FETCH has kept too.
  for (const round of ['first', 'second', 'third']) {
    for (const [search, found] of Object.entries(searches)) {
      const [told = ''] = await client.told(`SEARCH CHARSET UTF-8 ${search}`)
      assert.equal(told.replace(/^\* SEARCH ?/, ''), found, `${search}, ${round}`)
    }
    if (round === 'second') await client.say('FETCH 1:* ENVELOPE')
  }
  assert.deepEqual(await client.told('SORT (SUBJECT) UTF-8 ALL'), ['* SORT 2 1 4 3'])
})

test('the header of a message within is text of the body', async () => {
  const { client } = await opened()
  const within = 'From: Ann <ann@x.org>\nSubject: =?utf-8?q?gr=C3=BCn?=\n\nwords\n'
  const type = 'MIME-Version: 1.0\nContent-Type: message/rfc822\n'
  await append(client, `Subject: forwarded\n${type}\n${within}`)
  await client.say('SELECT INBOX')
  const searches: Readonly<Record<string, string>> = {
    'TEXT ann@x': '1',
    'BODY gr\u00fcn': '1',
    'BODY words': '1',
    'BODY forwarded': '',
    'FROM ann': '',
  }
  for (const [search, found] of Object.entries(searches)) {
    const [told = ''] = await client.told(
      `SEARCH CHARSET UTF-8 ${search.replace(/ (.*)/, ' "$1"')}`,
    )
    assert.equal(told.replace(/^\* SEARCH ?/, ''), found, search)
  }
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
    uids: Array.from({ length: 20_000 }, (_, n) => n + 1),
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

test('a mailbox is shared by rights, and nobody does what he has no right to', async () => {
  const { shared, client: joe } = await opened()
  const ann = new Client(shared)
  const bob = new Client(shared)
  await ann.say('LOGIN ann secret')
  await bob.say('LOGIN bob secret')
  await joe.say('CREATE Work')
  for (const n of [1, 2]) await append(joe, `Subject: ${n}\n\nbody\n`, '()', 'Work')
  const work = '"Other Users/joe@example.org/Work"'
  assert.match(await ann.say(`SELECT ${work}`), /^x NO \[NONEXISTENT\]/)
  assert.match(await joe.say('SETACL Work ann@example.org lrs'), /^x OK/)
  assert.match(await joe.say('SETACL Work zoe@example.org lrs'), /^x NO \[CANNOT\]/)
  assert.match(await joe.say('SETACL Work joe@example.org l'), /^x NO \[CANNOT\]/)
  assert.deepEqual(
    (await ann.told('LIST "" "Other*"')).map(line => line.replace(/^.*"\/" /, '')),
    ['"Other Users"', '"Other Users/joe@example.org"', work],
  )
  assert.deepEqual(await bob.told('LIST "" "Other*"'), [])
  assert.deepEqual(await ann.told(`MYRIGHTS ${work}`), [`* MYRIGHTS ${work} lrs`])
  const told = await ann.say(`SELECT ${work}`)
  assert.match(told, /PERMANENTFLAGS \(\\Seen\)/)
  assert.match(told, /^x OK \[READ-WRITE\]/m)
  assert.match(await ann.say('STORE 1 +FLAGS (\\Flagged)'), /^x NO \[NOPERM\]/)
  assert.deepEqual(await ann.told('STORE 1 +FLAGS (\\Seen \\Flagged)'), [
    '* 1 FETCH (FLAGS (\\Seen \\Recent))',
  ])
  assert.match(await ann.say('EXPUNGE'), /^x NO \[NOPERM\]/)
  assert.match(await ann.say('MOVE 1 INBOX'), /^x NO \[NOPERM\]/)
  assert.match(await ann.say('COPY 1 INBOX'), /^x OK \[COPYUID/)
  assert.match(await append(ann, 'a\n', '()', work), /^x NO \[NOPERM\]/)
  for (const command of ['DELETE', 'GETACL']) {
    assert.match(await ann.say(`${command} ${work}`), /^x NO \[NOPERM\]/)
    assert.match(await bob.say(`${command} ${work}`), /^x NO \[NONEXISTENT\]/)
  }
  assert.match(await ann.say(`RENAME ${work} Mine`), /^x NO \[NOPERM\]/)
  assert.match(await ann.say(`CREATE "Other Users/joe@example.org/Work/Sub"`), /^x NO \[NOPERM\]/)
  assert.match(await ann.say(`SETMETADATA ${work} (/shared/comment "x")`), /^x NO \[NOPERM\]/)
  assert.match(await ann.say(`SETMETADATA ${work} (/private/comment "x")`), /^x OK/)
  await joe.say('SELECT Work')
  assert.deepEqual(await joe.told('FETCH 1 FLAGS'), ['* 1 FETCH (FLAGS (\\Seen))'])
  await ann.say('CLOSE')
})

test('who has further rights appends, creates, expunges and deletes, and its owner hears of it', async () => {
  const { shared, client: joe } = await opened()
  const ann = new Client(shared)
  await ann.say('LOGIN ann secret')
  await joe.say('CREATE Work')
  await joe.say('SETACL Work anyone lrwipkxte')
  await joe.say('SELECT Work')
  const work = '"Other Users/joe@example.org/Work"'
  const sub = '"Other Users/joe@example.org/Work/Sub"'
  assert.match(await append(ann, 'Subject: a\n\nb\n', '(\\Seen \\Flagged)', work), /^x OK/)
  assert.deepEqual(await joe.told('NOOP'), ['* 1 EXISTS', '* 1 RECENT'])
  assert.deepEqual(await joe.told('FETCH 1 FLAGS'), ['* 1 FETCH (FLAGS (\\Flagged \\Recent))'])
  assert.match(await ann.say(`CREATE ${sub}`), /^x OK/)
  assert.match(await joe.say('GETACL Work/Sub'), /"anyone" lrwipkxte/)
  assert.match(await ann.say(`RENAME ${sub} Mine`), /^x NO \[CANNOT\]/)
  for (const name of ['"Other Users"', '"Other Users/joe@example.org"', '"Other Users/x/y"']) {
    assert.match(await ann.say(`CREATE ${name}`), /^x NO/)
    assert.match(await ann.say(`RENAME INBOX ${name}`), /^x NO/)
  }
  assert.match(await ann.say(`RENAME ${sub} "Other Users/joe@example.org/Work/New"`), /^x OK/)
  assert.match(await joe.say('STATUS Work/New (MESSAGES)'), /MESSAGES 0/)
  await ann.say(`SELECT ${work}`)
  await ann.say('STORE 1 +FLAGS (\\Deleted)')
  assert.match(await ann.say('EXPUNGE'), /^\* 1 EXPUNGE/)
  assert.match(await joe.say('NOOP'), /^\* 1 EXPUNGE/)
  assert.match(await ann.say(`DELETE ${work}`), /^\* OK \[CLOSED\][^\n]*\nx OK/)
  assert.match(await joe.say('NOOP'), /^\* BYE/)
})

test('what is expunged, and what was in a folder that is deleted, is kept under its name and seen by nobody', async () => {
  const { shared, client } = await opened()
  await client.say('CREATE Work')
  await append(client, 'Subject: 1\n\nbody\n', '(\\Deleted \\Seen)', 'Work')
  await append(client, 'Subject: 2\n\nbody\n', '(\\Flagged)', 'Work')
  await client.say('SELECT Work')
  await client.say('EXPUNGE')
  await client.say('DELETE Work')
  await until(async () => (await keptIn(shared, 'Work')).length === 2)
  const messages = await keptIn(shared, 'Work')
  assert.deepEqual(await client.told('LIST "" *'), ['* LIST (\\HasNoChildren) "/" "INBOX"'])
  await client.say('CREATE Work')
  const [folder] = await shared.store.read(keptFolders, 1)
  const back = { accountId: 1, mailboxId: folder?.mailboxId ?? 0, to: 'Work' }
  const uids = messages.map(({ uid }) => uid)
  await shared.store.write(copyMessages, { ...back, uids, move: true, rights: 'sw' })
  await client.say('SELECT Work')
  assert.deepEqual(await client.told('FETCH 1:* FLAGS'), [
    '* 1 FETCH (FLAGS (\\Seen \\Recent))',
    '* 2 FETCH (FLAGS (\\Flagged \\Recent))',
  ])
  await releaseKept(shared.store, Date.now() + 1000, () => {})
  assert.deepEqual(await shared.store.read(keptFolders, 1), [])
})

async function keptIn({ store }: ImapAccess, name: string) {
  const folders = await store.read(keptFolders, 1)
  const mailboxId = folders.find(({ folder }) => folder === name)?.mailboxId ?? 0
  const all = { since: 0, before: Number.MAX_SAFE_INTEGER, after: 0, limit: 10 }
  return store.read(keptMessages, { mailboxId, ...all })
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100 && !(await holds()); tries++) await new Promise(setImmediate)
}

test('NOTIFY tells what others do in mailboxes that are not open, on a store', async () => {
  const { shared, client } = await opened()
  const other = new Client(shared)
  await other.say('LOGIN joe secret')
  await other.say('CREATE Work')
  await client.say('NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))')
  await append(other, 'Subject: a\n\nb\n', '()', 'Work')
  assert.match(await client.unasked(), /^\* STATUS "Work" \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+\)/)
  await other.say('CREATE Play')
  assert.match(await client.unasked(), /^\* LIST \(\) "\/" "Play"$/m)
  await other.say('RENAME Play Fun')
  assert.match(await client.unasked(), /^\* LIST \(\) "\/" "Fun" \("OLDNAME" \("Play"\)\)/m)
  await client.say('SELECT INBOX')
  await client.say('UNSELECT')
  await other.say('DELETE Fun')
  assert.match(await client.unasked(), /^\* LIST \(\\NonExistent\) "\/" "Fun"/m)
})

test('a signed URL is fetched by whom it is for, as long as its key and its time are', async () => {
  const { shared, client: joe } = await opened()
  const ann = new Client(shared)
  await ann.say('LOGIN ann secret')
  await append(joe, 'Subject: 1\n\nbody\n')
  const url = 'imap://joe@example.org/INBOX/;UID=1/;SECTION=TEXT'
  const sign = async (client: Client, rump: string) =>
    / "(.*)"/.exec(await client.say(`GENURLAUTH "${rump}" INTERNAL`))?.[1] ?? 'none'
  const fetch = async (client: Client, signed: string) =>
    (await client.say(`URLFETCH "${signed}"`)).includes('body')
  const forAnn = await sign(joe, `${url};URLAUTH=user+ann`)
  assert.ok(await fetch(ann, forAnn))
  assert.ok(!(await fetch(joe, forAnn)))
  assert.ok(!(await fetch(ann, forAnn.replace('user+ann', 'authuser'))))
  assert.ok(
    !(await fetch(
      ann,
      forAnn.replace(/.$/, last => (last === '0' ? '1' : '0')),
    )),
  )
  const forAll = await sign(joe, `${url};URLAUTH=authuser`)
  assert.ok((await fetch(ann, forAll)) && (await fetch(joe, forAll)))
  assert.ok(!(await fetch(ann, await sign(joe, `${url};URLAUTH=submit+ann`))))
  const late = `${url};EXPIRE=1970-01-01T00:00:00Z;URLAUTH=authuser`
  assert.ok(!(await fetch(ann, await sign(joe, late))))
  assert.match(await ann.say(`GENURLAUTH "${url};URLAUTH=authuser" INTERNAL`), /^x NO \[NOPERM\]/)
  await ann.say('RESETKEY')
  assert.ok(await fetch(ann, forAll))
  assert.match(await joe.say('RESETKEY INBOX'), /^x OK \[URLMECH INTERNAL\]/)
  assert.match(await joe.say('RESETKEY Nowhere'), /^x NO \[NONEXISTENT\]/)
  assert.ok(!(await fetch(ann, forAll)))
  await joe.say('CREATE Drafts')
  const parts = `URL "/INBOX/;UID=1/;SECTION=TEXT" TEXT {3+}\r\nend`
  assert.match(await joe.say(`APPEND Drafts CATENATE (${parts})`), /^x OK \[APPENDUID/)
  const other = `URL "imap://ann@example.org/INBOX/;UID=1"`
  assert.match(await joe.say(`APPEND Drafts CATENATE (${other})`), /^x NO \[BADURL/)
  await joe.say('SELECT Drafts')
  assert.match(await joe.say('FETCH 1 BODY[]'), /\{9\}\nbody\nend /)
})

test('what is signed for a submission is found by whom it is for, and by nobody by another name', async () => {
  const { shared, client: joe } = await opened()
  await append(joe, 'Subject: 1\n\nbody\n')
  const url = 'imap://joe@example.org/INBOX/;UID=1'
  const sign = async (rump: string) =>
    / "(.*)"/.exec(await joe.say(`GENURLAUTH "${rump}" INTERNAL`))?.[1] ?? 'none'
  const refer = async (id: number, address: string, text: string) =>
    (await referredBy(shared, { id, address }, text)).kind
  const forAnn = await sign(`${url};URLAUTH=submit+ann`)
  assert.equal(await refer(2, 'ann@example.org', forAnn), 'octets')
  assert.equal(await refer(1, 'joe@example.org', forAnn), 'denied')
  // A name without a domain is of that of the mailbox.
  assert.equal(await refer(9, 'ann@example.net', forAnn), 'denied')
  assert.equal(await refer(2, 'ann@example.org', forAnn.replace('UID=1', 'UID=2')), 'denied')
  assert.equal(await refer(1, 'joe@example.org', await sign(`${url};URLAUTH=authuser`)), 'octets')
  assert.equal(await refer(1, 'joe@example.org', url), 'elsewhere')
  assert.equal(await refer(1, 'joe@example.org', 'http://example.org/'), 'elsewhere')
  await joe.say('SELECT INBOX')
  await joe.say('STORE 1 +FLAGS (\\Deleted)')
  await joe.say('EXPUNGE')
  assert.equal(await refer(2, 'ann@example.org', forAnn), 'gone')
  await joe.say('RESETKEY')
  assert.equal(await refer(2, 'ann@example.org', forAnn), 'denied')
})

test('text is found in any case, script and spelling of its accents', async () => {
  const { client } = await opened()
  const type =
    'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable'
  await append(
    client,
    `Subject: =?utf-8?q?caf=C3=A9?=\n${type}\n\n=D0=9F=D1=80=D0=B8=D0=B2=D0=B5=D1=82\n`,
  )
  await append(client, 'Subject: plain\n\nplain\n')
  await client.say('SELECT INBOX')
  const finds = async (key: string) =>
    /^\* SEARCH(.*)$/m.exec(await client.say(`SEARCH CHARSET UTF-8 ${key}`))?.[1]
  assert.equal(await finds('BODY "ПРИВЕТ"'), ' 1')
  assert.equal(await finds('SUBJECT "CAFE\u0301"'), ' 1')
  assert.equal(await finds('TEXT "Ｐlain"'), ' 1 2')
  assert.equal(await finds('SUBJECT "cafe\u0300"'), '')
})

test('who reads no UTF-8 is given headers in ASCII, and the message as it is once he does', async () => {
  const { client } = await opened()
  const header = 'From: =?q?x?= Jørn <jørn@x.no>\r\nSubject: Grüße\r\nX-Odd: a\r\nComments: é\r\n'
  const text = `${header}Content-Type: text/plain; name="ü"; charset=utf-8\r\n\r\nü\r\n`
  await client.say(`APPEND INBOX {${Buffer.byteLength(text)}+}\r\n${text}`)
  await client.say('SELECT INBOX')
  const invalid = '<invalid@internationalized-address.invalid>'
  const whole = await client.say('FETCH 1 BODY.PEEK[]')
  const [, size = '', plain = ''] = /\{(\d+)\}\n(.*)\)\nx OK/s.exec(whole) ?? []
  assert.match(plain, /^[\x00-\x7f]*\n\n\xc3\xbc\n$/)
  assert.equal(plain.replaceAll('\n', '\r\n').length, Number(size))
  assert.ok(plain.includes(invalid) && plain.includes('\nX-Odd: a\n'))
  assert.match(plain, /\nSubject: =\?UTF-8\?/)
  assert.match(plain, /\nContent-Type: text\/plain; charset=utf-8\n/)
  const part = await client.say('FETCH 1 BODY.PEEK[]<7.20>')
  assert.ok(part.includes(`{20}\n${plain.slice(7, 27)})`), part)
  const last = await client.say(`FETCH 1 BODY.PEEK[]<${Number(size) - 3}.20>`)
  assert.match(last, /\{3\}\n\xbc\n\)/)
  const fields = await client.say('FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]')
  assert.match(fields, /\}\nSubject: =\?UTF-8\?\S+\?=\n\n\)/)
  const told = 'FETCH 1 (ENVELOPE BODYSTRUCTURE)'
  for (const _ of ['found', 'kept']) {
    const envelope = await client.say(told)
    assert.match(envelope, /^[\x00-\x7f]*$/)
    assert.match(envelope, /NIL "invalid" "internationalized-address.invalid"/)
    assert.match(envelope, /"text" "plain" \("charset" "utf-8"\)/)
  }
  await client.say('ENABLE UTF8=ACCEPT')
  assert.ok(
    (await client.say('FETCH 1 BODY.PEEK[HEADER]')).includes(
      Buffer.from('Grüße').toString('latin1'),
    ),
  )
  assert.ok((await client.say(told)).includes(Buffer.from('"jørn"').toString('latin1')))
})

test('several mailboxes are searched at once, those of others as far as one may read them', async () => {
  const { shared, client: joe } = await opened()
  const ann = new Client(shared)
  await ann.say('LOGIN ann secret')
  await joe.say('CREATE Work')
  for (const box of ['INBOX', 'Work']) await append(joe, 'Subject: tea\n\nb\n', '()', box)
  const found = (lines: readonly string[]) => lines.map(line => /MAILBOX "(.*?)"/.exec(line)?.[1])
  const everywhere = 'ESEARCH IN (personal subtree "Other Users") SUBJECT tea'
  assert.deepEqual(found(await joe.told(everywhere)), ['INBOX', 'Work'])
  assert.deepEqual(found(await ann.told(everywhere)), [])
  await joe.say('SETACL Work ann@example.org lr')
  assert.deepEqual(found(await ann.told(everywhere)), ['Other Users/joe@example.org/Work'])
})
