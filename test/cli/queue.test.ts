/** The queue by the command line: queries, previews, and changes that are made only when they are meant. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { command } from '../kit/command.ts'
import { clear, type Server, startServer } from '../kit/server.ts'

let server: Server
before(async () => {
  // Nobody listens there: all mail for others waits.
  server = await startServer({ smarthost: '127.0.0.1:1', set: { 'queue.retry': '1h' } })
  const dialogue = await server.submission()
  for (const to of ['a@example.org', 'b@example.org', 'c@example.net']) {
    await dialogue.command(`MAIL FROM:<${server.account().address}>`)
    await dialogue.command(`RCPT TO:<${to}>`)
    await dialogue.command('DATA')
    const { code, text } = await dialogue.command('Subject: x\r\n\r\nx\r\n.')
    assert.equal(code, 250, text)
  }
  dialogue.end()
  // One is tried; the others may wait for what comes of that.
  while ((await listed('status:4.*')).length < 3) await pause(50)
})
after(clear)

/** `typed` is what a person answers. */
const queue = (args: readonly string[], typed?: string) =>
  command(['queue', ...args, '--data', server.data], typed)

interface Item {
  readonly message: string
  readonly address: string
  readonly state: string
  readonly priority?: number
}

async function listed(query: string): Promise<readonly Item[]> {
  const { out } = await queue(['list', query, '--json'])
  return (JSON.parse(out) as { items: readonly Item[] }).items
}

async function addresses(query: string): Promise<string[]> {
  return (await listed(query)).map(({ address }) => address)
}

test('a query lists what it matches, in pages', async () => {
  assert.deepEqual(await addresses('to:*@example.org state:deferred age<1h'), [
    'a@example.org',
    'b@example.org',
  ])
  assert.deepEqual(await addresses('-domain:example.org'), ['c@example.net'])
  assert.deepEqual(await addresses('status:4.*'), await addresses(''))
  const { out } = await queue(['list', '--limit', '2'])
  const place = /of 3 in all; the next page: --after (\S+)/.exec(out)?.[1]
  assert.ok(place !== undefined, out)
  const next = (await queue(['list', '--limit', '2', '--after', place])).out
  assert.ok(next.includes('c@example.net') && !next.includes('a@example.org'), next)
})

test('the beginning of several ids is none of them', async () => {
  const [first] = await listed('')
  const id = first?.message ?? ''
  assert.equal((await queue(['show', id.slice(0, -1)])).code, 0)
  for (const beginning of ['', id.slice(0, 1)]) {
    const { code, err } = await queue(['show', beginning])
    assert.equal(code, 67)
    assert.equal(
      err,
      `several messages begin with '${beginning}': write more of the one that is meant`,
    )
  }
})

test('an order that was given for nothing says how much it did, as any does', async () => {
  const { code, out } = await queue(['retry', 'to:nobody@example.org', '--yes', '--json'])
  const done = { changed: 0, passed: 0, stopped: false, carried: 0 }
  assert.deepEqual([code, JSON.parse(out)], [0, done])
})

test('a provider that cannot be asked is told in one document', async () => {
  const args = ['fetch', '127.0.0.1', '--etrn', '--port', '1', '--tls', 'never', '--json']
  const { code, out } = await command([...args, '--data', server.data])
  const [told] = JSON.parse(out) as { trouble?: string }[]
  assert.deepEqual([code, told?.trouble], [69, 'no connection to 127.0.0.1 port 1: ECONNREFUSED'])
})

test('a mistake in a query is pointed at', async () => {
  const { code, err } = await queue(['list', 'state:deferred tto:x'])
  assert.equal(code, 64)
  assert.match(err, /there is no tto: is it to:\?\n {2}state:deferred tto:x\n {17}\^\^\^$/)
  assert.equal((await queue(['hold'])).code, 64)
})

test('nothing is changed before it is meant', async () => {
  const { code, out, err } = await queue(['hold', 'domain:example.org'])
  assert.equal(code, 64)
  assert.match(out, /hold: 2 recipients of 2 messages.*\n {2}2 deferred\n {2}2 to example.org\n/)
  assert.match(err, /--yes/)
  const asked = await queue(['hold', 'domain:example.org'], 'no')
  assert.match(asked.asked, /do it\?/)
  assert.match(asked.out, /nothing was changed\n$/)
  const asJson = JSON.parse((await queue(['hold', 'domain:example.org', '--json'])).out) as object
  assert.equal((asJson as { recipients: number }).recipients, 2)
  assert.deepEqual(await listed('state:held'), [])
})

test('mail is held and released, hurried, given a priority, and ended', async () => {
  assert.match((await queue(['hold', 'domain:example.org'], 'y')).out, /\n2 recipients held\n$/)
  assert.deepEqual(await addresses('state:held'), ['a@example.org', 'b@example.org'])
  assert.equal((await queue(['hold', 'domain:example.org', '--yes'])).out, 'nothing matches\n')
  const [first] = await listed('state:held')
  assert.match((await queue(['delete', first?.message ?? '', '--yes'])).out, /1 recipient deleted/)
  assert.match((await queue(['priority', '--all', '--set', '-4', '--yes'])).out, /2 recipients set/)
  assert.ok((await listed('')).every(({ priority }) => priority === -4))
  assert.match((await queue(['expire', 'to:c@*', '--yes'])).out, /1 recipient given up/)
  const [given] = await listed('state:expired')
  assert.equal(given?.address, 'c@example.net')
  // Its sender has word of it.
  const notice = `from:<> state:delivered to:${server.account().address}`
  while ((await listed(notice)).length < 1) await pause(20)
  assert.equal((await queue(['delete', 'id:0000000000000000', '--yes'])).code, 67)
  assert.match(
    (await queue(['release', 'state:held', '--yes', '--json'])).out,
    /"changed":1,"passed":0/,
  )
  // It may be in hand already.
  assert.equal((await queue(['retry', '--all', '--yes'])).code, 0)
})

test('send says who was taken where others were refused', async () => {
  const { address } = server.account()
  const nobody = `nobody.${address}`
  const to = ['--to', nobody, '--to', address]
  const args = ['send', '--from', address, ...to, '--body', 'x', '--data', server.data]
  const { code, out, err } = await command(args)
  assert.deepEqual([code, out], [67, `sent to ${address}\n`])
  assert.match(err, new RegExp(`^${nobody}: 5\\.1\\.1 `))
})
