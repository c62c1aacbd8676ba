/** What is asked of saslauthd, what of its answers, and what it is never asked. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readAnswer } from '../world/node/saslauthd.ts'
import { saslauthdAuthority } from './saslauthd-authority.ts'
import { saslauthdSchema } from './settings/authority.ts'

/** A saslauthd that is played: hears the four strings, says these octets. */
async function played(t: TestContext, say: (asked: string[]) => Buffer | undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'postrider-saslauthd-'))
  const asked: string[][] = []
  const server = createServer(socket => {
    let octets = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', piece => {
      octets = Buffer.concat([octets, piece])
      const texts: string[] = []
      for (let at = 0; at + 2 <= octets.length; at += 2 + octets.readUInt16BE(at))
        texts.push(octets.toString('utf8', at + 2, at + 2 + octets.readUInt16BE(at)))
      if (texts.length < 4) return
      asked.push(texts)
      const answer = say(texts)
      if (answer === undefined) socket.destroy()
      else socket.end(answer)
    })
  })
  const path = join(folder, 'mux')
  await new Promise<void>(resolve => server.listen(path, resolve))
  t.after(() => {
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { path, asked }
}

const ok = Buffer.from('\0\x02OK', 'latin1')
const no = Buffer.from('\0\x05NO no', 'latin1')

test('it is asked for users of the named domains alone, by what stands before the @', async t => {
  const { path, asked } = await played(t, ([, password]) => (password === 'pä' ? ok : no))
  const settings = saslauthdSchema.parse({ path, domains: ['demo.test'] })
  const { check } = saslauthdAuthority(settings)
  const go = (username: string, password: string) => check({ username, password, scope: 'smtp' })
  assert.deepEqual(await go('joe@demo.test', 'pä'), { kind: 'account', address: 'joe@demo.test' })
  assert.deepEqual(await go('joe@demo.test', 'wrong'), { kind: 'unknown' })
  assert.deepEqual(asked, [
    ['joe', 'pä', 'smtp', ''],
    ['joe', 'wrong', 'smtp', ''],
  ])
  const whole = saslauthdAuthority({ ...settings, whole: true, service: 'mail' })
  await whole.check({ username: 'joe@demo.test', password: 'pä', scope: 'imap' })
  assert.deepEqual(asked.at(-1), ['joe@demo.test', 'pä', 'mail', ''])
  const before = asked.length
  const never = [
    ['joe@other.test', 'pä'],
    ['joe@demo.test', ''],
    ['joe@demo.test', 'a\0b'],
    ['jo\ne@demo.test', 'pä'],
    ['-x@demo.test', 'pä'],
    ['joe@demo.test', 'x'.repeat(257)],
    [`${'x'.repeat(257)}@demo.test`, 'pä'],
  ] as const
  for (const [name, password] of never) assert.equal((await go(name, password)).kind, 'unknown')
  assert.equal(asked.length, before)
})

test('no answer, half of one and another one are no word on the password', async t => {
  for (const said of [undefined, Buffer.alloc(0), ok.subarray(0, 3), Buffer.from('\0\x02ok')]) {
    const { path } = await played(t, () => said)
    const { check } = saslauthdAuthority(saslauthdSchema.parse({ path, domains: ['demo.test'] }))
    const { kind } = await check({ username: 'joe@demo.test', password: 'p', scope: 'smtp' })
    assert.equal(kind, 'unavailable')
  }
  const settings = saslauthdSchema.parse({ path: '/nonexistent/mux', domains: ['demo.test'] })
  const nobody = await saslauthdAuthority(settings).check({
    ...{ username: 'joe@demo.test', password: 'p', scope: 'smtp' },
  })
  assert.equal(nobody.kind, 'unavailable')
})

test('an answer is read as it comes, and no more than it may be', () => {
  for (let cut = 0; cut < no.length; cut++) assert.equal(readAnswer(no.subarray(0, cut)), undefined)
  assert.equal(readAnswer(no), false)
  assert.equal(readAnswer(ok), true)
  assert.ok(readAnswer(Buffer.from('\xff\xffOK', 'latin1')) instanceof Error)
  assert.ok(readAnswer(Buffer.from('\0\0', 'latin1')) instanceof Error)
})

test('before a keeper that does not take all at once who guesses waits behind who does not', async t => {
  const waiting: (() => void)[] = []
  const asked: string[] = []
  const folder = mkdtempSync(join(tmpdir(), 'postrider-saslauthd-'))
  const path = join(folder, 'mux')
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', octets => {
      asked.push(octets.toString('latin1', 2, 2 + octets.readUInt16BE(0)))
      waiting.push(() => socket.end(no))
      if (asked.length === 5) void honest()
    })
  })
  t.after(() => {
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  await new Promise<void>(resolve => server.listen(path, resolve))
  const { check } = saslauthdAuthority(saslauthdSchema.parse({ path, domains: ['demo.test'] }))
  const ask = (name: string, rank: number, yields: boolean) => {
    const place = { rank, lane: name, yields }
    return check({ username: `${name}@demo.test`, password: 'p', scope: 'smtp', place })
  }
  // One of its five is left to who does not guess.
  const guesses = [1, 2, 3, 4, 5, 6, 7, 8].map(n => ask(`guess${n}`, 9, true))
  const first = ask('honest0', 1, false)
  let second: Promise<unknown> = Promise.resolve()
  const honest = async () => {
    second = ask('honest1', 1, false)
    for (let n = 0; n < 10; n++) {
      while (waiting.length === 0) await new Promise(resolve => setImmediate(resolve))
      waiting.shift()?.()
    }
  }
  await Promise.all([...guesses, first])
  await second
  assert.ok(asked.indexOf('honest0') < 5, asked.join())
  assert.ok(asked.indexOf('honest1') < 7, asked.join())
})
