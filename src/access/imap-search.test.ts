/** SEARCH, SORT and THREAD over a store. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { append, Client, endpoint, opened } from '../../test/kit/imap-client.ts'
import { imapRole } from './imap.ts'

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

test('TEXT looks at the headers of parts, BODY does not, and both hold the empty text', async () => {
  const { client } = await opened()
  const parts = [
    'Content-Type: multipart/mixed; boundary=b\n\n--b\n\nwords\n--b',
    'Content-Type: application/pdf; name="report.pdf"\nContent-Description: =?utf-8?q?gr=C3=BCn?=\n\nx\n--b--\n',
  ].join('\n')
  await append(client, `Subject: one\n${parts}`)
  await append(client, 'Subject: two\nContent-Type: image/png\n\nx\n')
  await client.say('SELECT INBOX')
  const searches: Readonly<Record<string, string>> = {
    'TEXT report.pdf': '1',
    'TEXT "gr\u00fcn"': '1',
    'BODY report.pdf': '',
    'TEXT ""': '1 2',
    'BODY ""': '1 2',
  }
  for (const [search, found] of Object.entries(searches)) {
    const [told = ''] = await client.told(`SEARCH CHARSET UTF-8 ${search}`)
    assert.equal(told.replace(/^\* SEARCH ?/, ''), found, search)
  }
  const either = `SEARCH ${'OR SUBJECT none '.repeat(300)}SUBJECT two`
  assert.deepEqual(await client.told(either), ['* SEARCH 2'])
})
