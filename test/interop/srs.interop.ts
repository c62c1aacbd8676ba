/**
 * SRS addresses and Mail::SRS, the module that the scheme was written down by: what one signs the other
 * reverses, SRS0 and SRS1, in whatever case, and neither believes what is not signed.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { formatAddress, parseStoredAddress } from '../../src/mail/address.ts'
import { forwardedSender, reversed } from '../../src/transit/srs.ts'
import { clear, newFolder, startServer } from '../kit/server.ts'
import { lacks, run, until } from './program.ts'
import { endSinks, startSink } from './sink.ts'

const skip = lacks('perl Mail::SRS')
const SECRET = 'a secret of both'

async function perl(hashLength: number, lines: readonly string[]): Promise<string[]> {
  const script = fileURLToPath(new URL('mail-srs.pl', import.meta.url))
  const ran = await run({ file: '/usr/bin/perl' }, [script, SECRET, `${hashLength}`], {
    input: `${lines.join('\n')}\n`,
  })
  assert.equal(ran.code, 0, ran.text)
  return ran.text.trimEnd().split('\n')
}

function ours(sender: string, hashLength: number, domain = 'fwd.example'): string {
  const by = { secrets: [SECRET], hashLength, domain, messageId: 'x', nowMs: Date.now() }
  return formatAddress(forwardedSender(parseStoredAddress(sender), by))
}

function back(address: string, hashLength: number): string {
  const by = { secrets: [SECRET], hashLength, nowMs: Date.now(), keepDays: 21 }
  const found = reversed(parseStoredAddress(address).local, by)
  return found.kind === 'sender' ? formatAddress(found.address) : found.kind
}

const SENDERS = ['alice@source.example', 'a=b+c@x.example', 'O.Neill@X.Example', "it's@x-y.example"]

for (const hashLength of [4, 8, 20]) {
  test(`addresses with a hash of ${hashLength} are the same, and go both ways`, {
    skip,
  }, async () => {
    const mine = SENDERS.map(sender => ours(sender, hashLength))
    const theirs = await perl(
      hashLength,
      SENDERS.map(sender => `forward ${sender} x@fwd.example`),
    )
    const lower = (texts: readonly string[]) => texts.map(text => text.toLowerCase())
    assert.deepEqual(lower(mine), lower(theirs))
    assert.deepEqual(lower(theirs.map(address => back(address, hashLength))), lower(SENDERS))
    const reversals = [...mine, ...lower(mine)].map(address => `reverse ${address}`)
    assert.deepEqual(lower(await perl(hashLength, reversals)), lower([...SENDERS, ...SENDERS]))
  })

  test(`a second forwarder is the one or the other, with a hash of ${hashLength}`, {
    skip,
  }, async () => {
    const once = 'SRS0=abcd=JQ=a.example=al@first.example'
    const again = ours(once, hashLength)
    const third = ours('SRS1=zzzz=first.example==abcd=JQ=a.example=al@second.example', hashLength)
    assert.deepEqual(
      await perl(hashLength, [
        `forward ${once} x@fwd.example`,
        `reverse ${again}`,
        `reverse ${third}`,
        `reverse ${again.replace('=first', '=other')}`,
      ]),
      [again, once, once, 'invalid'],
    )
    assert.equal(back(again, hashLength), once)
  })
}

test('a real server forwards to a real next hop in its own name, and takes the bounce back by Mail::SRS', {
  skip: skip || lacks('smtp-sink', 'swaks'),
}, async () => {
  const sink = await startSink([])
  const config = join(newFolder('config'), 'postrider.config.ts')
  writeFileSync(
    config,
    `import { defineConfig } from 'postrider'
export default defineConfig({
  outbound: {
    smarthost: { host: '127.0.0.1', port: ${sink.port}, tls: 'never' },
    srs: { domain: 'fwd.test', secrets: ['${SECRET}'], hashLength: 4 },
  },
  domains: ['fwd.test'],
  aliases: { 'carol@fwd.test': 'carol@elsewhere.test' },
})
`,
  )
  const server = await startServer({ config })
  try {
    const place = ['--server', '127.0.0.1', '--port', String(server.port('smtp'))]
    const send = (from: string, to: string) => run('swaks', [...place, '--from', from, '--to', to])
    assert.equal((await send('alice@source.test', 'carol@fwd.test')).code, 0)
    const sent = () => sink.messages().map(text => /^X-Mail-Args: <([^>]*)>/m.exec(text)?.[1] ?? '')
    const path = await until('the copy', () => sent().find(text => text.includes('@fwd.test')))
    assert.match(path, /^SRS0=....=..=source\.test=alice@fwd\.test$/)
    assert.deepEqual(await perl(4, [`reverse ${path}`]), ['alice@source.test'])
    const [theirs = ''] = await perl(4, ['forward bob@source.test x@fwd.test'])
    assert.equal((await send('<>', theirs)).code, 0)
    const back = await until('the bounce', () =>
      sink.messages().find(text => text.includes('X-Rcpt-Args: <bob@source.test>')),
    )
    assert.match(back, /^X-Mail-Args: <>/m)
    assert.notEqual((await send('<>', theirs.replace('bob', 'eve'))).code, 0)
    assert.notEqual((await send('x@source.test', theirs)).code, 0)
  } finally {
    await server.stop()
    endSinks()
    clear()
  }
})
