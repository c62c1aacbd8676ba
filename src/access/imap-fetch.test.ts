/** What FETCH gives: decoded, in pieces, and in ASCII to who reads no other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { append, endpoint, letter, opened } from '../../test/kit/imap-client.ts'
import { imapRole } from './imap.ts'

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
  assert.equal(await fetched('BINARY.PEEK[1]'), `BINARY[1] {90000}\n${plain}`)
  assert.equal(
    await fetched('(BINARY.PEEK[1]<10.80000> BINARY.PEEK[1]<3.2> BINARY.PEEK[1]<89999.5>)'),
    `BINARY[1]<10> {80000}\n${plain.slice(10, 80_010)} BINARY[1]<3> {2}\nde BINARY[1]<89999> {1}\n${plain.at(-1)}`,
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

test('NUL is told by BINARY alone', async () => {
  const { client } = await opened()
  const message = 'X: a\0b\r\n\r\nc\0d\r\n'
  assert.match(await client.say(`APPEND INBOX ~{${message.length}+}\r\n${message}`), /^x OK/m)
  await client.say('SELECT INBOX')
  assert.deepEqual(
    await client.told('FETCH 1 (BODY.PEEK[TEXT] BODY.PEEK[TEXT]<1.1> RFC822.SIZE)'),
    ['* 1 FETCH (BODY[TEXT] {5}', 'c\x80d', ' BODY[TEXT]<1> {1}', '\x80 RFC822.SIZE 15)'],
  )
  assert.match(await client.say('FETCH 1 BODY.PEEK[HEADER.FIELDS (X)]'), /^X: a\x80b$/m)
  assert.match(await client.say('FETCH 1 BINARY.PEEK[1]'), /BINARY\[1\] ~\{5\}\nc\0d\n/)
  const coded = 'Content-Transfer-Encoding: base64\n\nAGE=\n'
  await append(client, coded)
  assert.match(await client.say('FETCH 2 BINARY.PEEK[1]'), /BINARY\[1\] ~\{2\}\n\0a\)/)
  assert.match(await client.say('FETCH 2 BINARY.PEEK[1]<1.1>'), /BINARY\[1\]<1> \{1\}\na\)/)
})

test('who reads no UTF-8 hears of which messages he was told otherwise', async () => {
  const { client } = await opened()
  const utf8 = Buffer.from('Subject: gr\u00fcn\nFrom: a@x.org\n\nb\n').toString('latin1')
  await append(client, 'Subject: plain\n\nb\n')
  await append(client, utf8)
  await append(client, utf8)
  await client.say('SELECT INBOX')
  for (const items of ['ENVELOPE', 'BODY.PEEK[]', '(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])']) {
    for (const round of ['found', 'kept']) {
      const told = await client.say(`FETCH 1:* ${items}`)
      assert.match(told, /^x OK \[DOWNGRADED 2:3\] /m, `${items}, ${round}`)
    }
  }
  assert.match(await client.say('FETCH 1:* BODY.PEEK[TEXT]'), /^x OK FETCH/m)
  await client.say('ENABLE UTF8=ACCEPT')
  assert.match(await client.say('FETCH 1:* (ENVELOPE BODY.PEEK[])'), /^x OK FETCH/m)
})
