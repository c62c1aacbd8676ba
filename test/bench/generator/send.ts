/**
 * Sends mail. With a rate each message has a moment at which it is due, whatever became of those before it, and its
 * time counts from that moment: who is late is seen to be late, with all who wait behind (no coordinated omission).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { LineClient } from '../line-client.ts'
import type { Sample, SendJob } from './job.ts'

/** Connections that are kept are made by so many at a time: a line of waiting may be short. */
const AT_ONCE = 4

export async function sendAll(job: SendJob): Promise<Sample> {
  const content = message(job.sizeOctets)
  const clients: LineClient[] = []
  while (job.kept && clients.length < job.sessions) {
    const some = Math.min(AT_ONCE, job.sessions - clients.length)
    clients.push(...(await Promise.all(Array.from({ length: some }, () => hello(job)))))
  }
  const times: number[] = []
  const from = performance.now()
  let next = 0
  const one = async (kept: LineClient | undefined) => {
    for (let n = next++; n < job.messages; n = next++) {
      const due = job.rate === undefined ? performance.now() : from + (n * 1000) / job.rate
      if (due - from > (job.limitMs ?? Number.POSITIVE_INFINITY)) return
      const early = due - performance.now()
      if (early > 0) await sleep(early)
      else if (-early > (job.limitMs ?? Number.POSITIVE_INFINITY)) return
      const client = kept ?? (await hello(job))
      await transaction(client, job.to, content)
      times.push(performance.now() - due)
      if (!kept) await bye(client)
    }
  }
  const sessions = Array.from({ length: job.sessions }, (_, i) => one(clients[i]))
  await Promise.all(sessions)
  const seconds = (performance.now() - from) / 1000
  await Promise.all(clients.map(bye))
  return { times, from, seconds }
}

async function hello(job: SendJob): Promise<LineClient> {
  const client = await LineClient.open(job.port, /^220 /, job.security === 'tls')
  await said(client, 'EHLO bench.test\r\n', '250')
  if (job.security !== 'starttls') return client
  await said(client, 'STARTTLS\r\n', '220')
  await client.secure()
  await said(client, 'EHLO bench.test\r\n', '250')
  return client
}

async function transaction(client: LineClient, to: string, content: Uint8Array): Promise<void> {
  await said(client, 'MAIL FROM:<sender@source.test>\r\n', '250')
  await said(client, `RCPT TO:<${to}>\r\n`, '250')
  await said(client, 'DATA\r\n', '354')
  await said(client, content, '250')
}

async function bye(client: LineClient): Promise<void> {
  // Who closes without an answer has said it too.
  await client.say('QUIT\r\n', /^221 /).catch(() => {})
  client.close()
}

async function said(client: LineClient, text: string | Uint8Array, code: string): Promise<void> {
  const reply = await client.say(text, /^\d{3} /)
  if (reply.startsWith(code)) return
  const what = typeof text === 'string' ? text.trim() : 'the message'
  throw new Error(`${what}: ${reply}`)
}

/** Of that size with its header, in lines of 72, and the dot that ends it. */
function message(sizeOctets: number): Uint8Array {
  const head =
    'From: <sender@source.test>\r\nTo: <joe@bench.test>\r\nSubject: one of many\r\n' +
    'Date: Fri, 27 Nov 2026 12:00:00 +0000\r\nMessage-ID: <bench@source.test>\r\n\r\n'
  const line = `${'x'.repeat(70)}\r\n`
  const lines = Math.max(1, Math.ceil((sizeOctets - head.length) / line.length))
  return Buffer.from(`${head}${line.repeat(lines)}.\r\n`, 'latin1')
}
