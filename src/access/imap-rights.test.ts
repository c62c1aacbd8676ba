/** Mailboxes that others read and write by rights, and messages that they are given by URL. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { append, Client, opened } from '../../test/kit/imap-client.ts'
import { referredBy } from './burl.ts'

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
  // imapsync carries the owner's rights over with all others.
  assert.match(await joe.say('SETACL Work joe@example.org lrswipkxtecda'), /^x OK/)
  assert.match(await joe.say('SETACL Work joe@example.org +lr'), /^x OK/)
  for (const less of ['l', '-l', '""']) {
    assert.match(await joe.say(`SETACL Work joe@example.org ${less}`), /^x NO \[CANNOT\]/)
  }
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
  assert.match(await ann.say(`GENURLAUTH "${url};URLAUTH=authuser" INTERNAL`), /^x BAD \[NOPERM\]/)
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

test('who may not take away replaces nothing, and who may not read hears of no UID', async () => {
  const { shared, client: joe } = await opened()
  const ann = new Client(shared)
  await ann.say('LOGIN ann secret')
  await joe.say('CREATE Work')
  await append(joe, 'Subject: 1\n\nbody\n', '()', 'Work')
  const work = '"Other Users/joe@example.org/Work"'
  for (const rights of ['lrsi', 'lrswie', 'lrswit']) {
    await joe.say(`SETACL Work ann@example.org ${rights}`)
    assert.match(await ann.say(`SELECT ${work}`), /^x OK \[READ-WRITE\]/m)
    const answer = await ann.say(`REPLACE 1 INBOX {6+}\r\nA: b\r\n`)
    assert.match(answer, /^x NO \[NOPERM\]/, rights)
  }
  assert.match(await joe.say('STATUS Work (MESSAGES)'), /MESSAGES 1/)
  assert.match(await ann.say('STATUS INBOX (MESSAGES)'), /MESSAGES 0/)
  await joe.say('SETACL Work ann@example.org li')
  assert.match(await append(ann, 'a\n', '()', work), /^x OK APPEND/m)
  await append(ann, 'b\n')
  await ann.say('SELECT INBOX')
  assert.match(await ann.say(`COPY 1 ${work}`), /^x OK COPY/m)
  assert.deepEqual(await ann.told(`MOVE 1 ${work}`), ['* 1 EXPUNGE', '* 0 RECENT'])
  assert.match(await joe.say('STATUS Work (MESSAGES)'), /MESSAGES 4/)
})
