/**
 * A corpus of real messages and bad ones goes in and comes out unchanged: as text by DATA, with
 * CRLF, and octet by octet as it is stored by BDAT with BINARYMIME. The corpus in the repository
 * and, where they are installed, all test data of enmime and of Python's email package.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { asText, readCorpus, type Sample } from '../corpus/read.ts'
import type { Dialogue } from '../kit/dialogue.ts'
import { clear, type Server, startServer } from '../kit/server.ts'
import { stuffed } from './letter.ts'
import { takeAll } from './mailbox.ts'
import { find, lacks, until } from './program.ts'

let server: Server

before(async () => {
  server = await startServer({ set: { 'limits.errors': 1000 } })
})
after(async () => {
  assert.deepEqual(server.faults(), [])
  await server.stop()
  clear()
})

/** Every file below a folder. */
function filesBelow(folder: string): Sample[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .filter(path => statSync(path).isFile())
    .map(path => ({ name: path.slice(folder.length + 1), octets: readFileSync(path) }))
}

/** What we refuse, and say so: docs/interop.md. */
function refusalOf(sample: Sample, chunked: boolean): RegExp | undefined {
  if (/many-received/.test(sample.name)) return /^554 5\.4\.6 /
  if (!chunked && sample.octets.includes(0)) return /^554 5\.6\.0 NUL/
  return undefined
}

/** As text: CRLF at each line end, and none of what RFC 5321 forbids. */
async function byData(dialogue: Dialogue, content: Buffer): Promise<string> {
  await ok(dialogue, 'MAIL FROM:<joe@elsewhere.test> BODY=8BITMIME')
  await ok(dialogue, `RCPT TO:<${server.account(0).address}>`)
  const ready = await dialogue.command('DATA')
  assert.equal(ready.code, 354, ready.text)
  await dialogue.send(stuffed(content))
  return (await dialogue.command('.')).text
}

/** As it is, in chunks of odd sizes. */
async function byChunks(dialogue: Dialogue, content: Buffer): Promise<string> {
  await ok(dialogue, 'MAIL FROM:<joe@elsewhere.test> BODY=BINARYMIME')
  await ok(dialogue, `RCPT TO:<${server.account(0).address}>`)
  const cut = Math.floor(content.length / 3)
  await dialogue.send(`BDAT ${cut}\r\n`)
  await dialogue.send(content.subarray(0, cut))
  const first = await dialogue.reply()
  assert.equal(first.code, 250, first.text)
  await dialogue.send(`BDAT ${content.length - cut} LAST\r\n`)
  await dialogue.send(content.subarray(cut))
  return (await dialogue.reply()).text
}

async function ok(dialogue: Dialogue, command: string): Promise<void> {
  const reply = await dialogue.command(command)
  assert.equal(reply.code, 250, `${command}: ${reply.text}`)
}

const TRACE =
  /^Return-Path: <joe@elsewhere\.test>\r\nDelivered-To: alice@demo\.test\r\nReceived: [^\r\n]*\r\n(?:\t[^\r\n]*\r\n)*$/

/** Sends all, reads all, compares all; refusals must be those we know. */
async function inAndOut(
  samples: readonly Sample[],
  send: (dialogue: Dialogue, content: Buffer) => Promise<string>,
  chunked: boolean,
): Promise<void> {
  const dialogue = await server.smtp()
  const taken = new Map<string, Sample>()
  const wrong: string[] = []
  for (const sample of samples) {
    const reply = await send(dialogue, sample.octets)
    const id = /queued as (\S+)/.exec(reply)?.[1]
    const refusal = refusalOf(sample, chunked)
    if (id !== undefined && refusal === undefined) taken.set(id, sample)
    else if (!refusal?.test(reply)) wrong.push(`${sample.name}: ${reply}`)
    if (id === undefined) await ok(dialogue, 'RSET')
  }
  await dialogue.command('QUIT')
  const messages: Buffer[] = []
  await until('every message is there', async () => {
    messages.push(...(await takeAll(server, server.account(0))))
    return messages.length >= taken.size ? true : undefined
  })
  for (const message of messages) {
    const id = /\bid\s+(\w+)/.exec(message.toString('latin1'))?.[1] ?? ''
    const sample = taken.get(id)
    taken.delete(id)
    if (sample === undefined) wrong.push(`a message that nobody sent: ${id}`)
    else if (!same(message, sample.octets)) wrong.push(`${sample.name}: not the same`)
  }
  assert.deepEqual(wrong, [])
  assert.equal(taken.size, 0)
}

/** Whether a message is trace fields and then what was sent, and nothing else. */
function same(message: Buffer, sent: Buffer): boolean {
  const text = message.toString('latin1')
  // Before a dot POP3 has CRLF for a lone CR or LF; and it ends every message with a line end.
  const harmless = sent.toString('latin1').replace(/\r(?=\.)|(?<!\r)\n(?=\.)/g, '\r\n')
  const ends = harmless === '' || harmless.endsWith('\r\n')
  const expected = ends ? harmless : `${harmless}\r\n`
  if (!text.endsWith(expected)) return false
  const above = text.slice(0, text.length - expected.length)
  // A message that begins with no header field is all body, below an empty line; the separator of
  // an mbox becomes a field.
  const field = /^[!-9;-~]+[ \t]*:|^\r?\n|^$/.test(expected)
  return TRACE.test(field ? above : above.replace(/(?<=\r\n)(?:\r\n|X-Mailbox-Line: )$/, ''))
}

const SETS: readonly (readonly [string, () => Sample[], string | false])[] = [
  ['the corpus', readCorpus, false],
  ...(['enmime testdata', 'python test_email'] as const).map(
    name => [name, () => filesBelow(find(name) as string), lacks(name)] as const,
  ),
]

for (const [name, read, skip] of SETS) {
  test(`${name} as text by DATA comes out unchanged`, { skip }, async () => {
    const samples = read().map(sample => ({ ...sample, octets: asText(sample.octets) }))
    assert.ok(samples.length > 10)
    await inAndOut(samples, byData, false)
  })
  test(`${name} as it is by BDAT comes out unchanged`, { skip }, async () => {
    await inAndOut(read(), byChunks, true)
  })
}
