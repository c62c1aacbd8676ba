/** VRFY and EXPN where a listener answers them (RFC 5321 §3.5): who is here, and who is behind a list. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestRoom } from '../account/account-world.ts'
import type { Verdict } from '../mail/verdict.ts'
import { expandName, verifyName } from './look-up.ts'

const room = (async () => {
  const opened = await openTestRoom()
  await opened.accounts.addDomain('here.example')
  await opened.accounts.addDomain('there.example')
  await opened.accounts.addAccount('alice@here.example', 'secret')
  await opened.accounts.addAccount('bob@here.example', 'secret')
  await opened.accounts.addAccount('bob@there.example', 'secret')
  await opened.accounts.addAccount('bobby@there.example', 'secret')
  await opened.accounts.addAlias('team@here.example', ['alice@here.example', 'x@far.example'])
  return opened
})()

/** `250 <a>|<b>`, `252`, or the code and detail of a refusal. */
function short(verdict: Verdict): string {
  if (verdict.kind !== 'accept') return `${verdict.code} ${verdict.detail}`
  return verdict.text === undefined ? '252' : `250 ${verdict.text.replaceAll('\n', '|')}`
}

test('VRFY tells the truth where it is to answer', async () => {
  const { directory } = await room
  for (const [text, told] of [
    ['alice', '250 <alice@here.example>'],
    ['ALICE', '250 <alice@here.example>'],
    ['<alice@here.example>', '250 <alice@here.example>'],
    ['Alice <alice@here.example>', '250 <alice@here.example>'],
    ['alice+list@here.example', '250 <alice+list@here.example>'],
    ['team', '250 <team@here.example>'],
    ['bobby', '250 <bobby@there.example>'],
    ['postmaster', '250 <postmaster>'],
    ['bob', '553 1.4'],
    ['al', '550 1.1'],
    ['nobody@here.example', '550 1.1'],
    ['alice@', '550 1.1'],
    ['<>', '550 1.1'],
    ['', '550 1.1'],
    ['x'.repeat(500), '550 1.1'],
    ['x@far.example', '550 7.1'],
  ] as const) {
    assert.equal(short(await verifyName(directory, 'answer', text, false)), told, text)
  }
  assert.equal(short(await verifyName(directory, 'answer', 'x@far.example', true)), '252')
})

test('VRFY tells nothing where it is unsure or refuses', async () => {
  const { directory } = await room
  for (const text of ['alice', 'nobody']) {
    assert.equal(short(await verifyName(directory, 'unsure', text, false)), '252')
    assert.equal(short(await verifyName(directory, 'refuse', text, false)), '502 5.1')
  }
})

test('EXPN lists the targets of an alias, and of nothing else', async () => {
  const { directory } = await room
  for (const [text, told] of [
    ['team', '250 <alice@here.example>|<x@far.example>'],
    ['<Team@Here.Example>', '250 <alice@here.example>|<x@far.example>'],
    ['alice', '550 2.4'],
    ['postmaster', '550 2.4'],
    ['bob', '553 1.4'],
    ['nobody', '550 1.1'],
    ['x@far.example', '550 1.1'],
  ] as const) {
    assert.equal(short(await expandName(directory, text)), told, text)
  }
})
