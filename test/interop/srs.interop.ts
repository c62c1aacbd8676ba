/**
 * SRS addresses and Mail::SRS, the module that the scheme was written down by: what one signs the other
 * reverses, SRS0 and SRS1, in whatever case, and neither believes what is not signed.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { formatAddress, parseStoredAddress } from '../../src/mail/address.ts'
import { forwardedSender, reversed } from '../../src/transit/srs.ts'
import { lacks, run } from './program.ts'

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
