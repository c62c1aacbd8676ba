/** Reads mail: one message after the other by sessions that stay, or a session with its login for each. */
import { LineClient } from '../line-client.ts'
import type { ReadJob, Sample } from './job.ts'

const AT_ONCE = 20

export async function readAll(job: ReadJob): Promise<Sample> {
  const clients: LineClient[] = []
  while (job.kept && clients.length < job.sessions) {
    const some = Math.min(AT_ONCE, job.sessions - clients.length)
    const opening = Array.from({ length: some }, (_, i) => login(job, clients.length + i))
    clients.push(...(await Promise.all(opening)))
  }
  const times: number[] = []
  const from = performance.now()
  const one = async (session: number) => {
    for (let n = session; performance.now() - from < job.durationMs; n++) {
      const begun = performance.now()
      const kept = clients[session]
      const client = kept ?? (await login(job, session))
      await fetchOne(job, client, (n % job.messages) + 1)
      if (!kept) await logout(job, client)
      times.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: job.sessions }, (_, i) => one(i)))
  const seconds = (performance.now() - from) / 1000
  for (const client of clients) client.close()
  return { times, from, seconds }
}

async function login(job: ReadJob, session: number): Promise<LineClient> {
  const { username = '', password = '' } = job.users[session % job.users.length] ?? {}
  const secure = job.security === 'tls'
  if (job.by === 'pop3') {
    const client = await LineClient.open(job.port, /^\+OK/, secure)
    await pop3(client, `USER ${username}`)
    await pop3(client, `PASS ${password}`)
    await pop3(client, 'STAT')
    return client
  }
  const client = await LineClient.open(job.port, /^\* OK/, secure)
  await imap(client, `LOGIN "${username}" "${password}"`)
  await imap(client, 'SELECT INBOX')
  return client
}

async function fetchOne(job: ReadJob, client: LineClient, n: number): Promise<void> {
  if (job.by === 'imap') return imap(client, `FETCH ${n} BODY.PEEK[]`)
  const last = await client.say(`RETR ${n}\r\n`, /^(?:\.$|-ERR)/)
  if (last !== '.') throw new Error(`RETR: ${last}`)
}

async function logout(job: ReadJob, client: LineClient): Promise<void> {
  if (job.by === 'imap') await imap(client, 'LOGOUT')
  else await pop3(client, 'QUIT')
  client.close()
}

async function imap(client: LineClient, command: string): Promise<void> {
  const line = await client.say(`a ${command}\r\n`, /^a /)
  if (!line.startsWith('a OK')) throw new Error(`${command.slice(0, 8)}: ${line}`)
}

async function pop3(client: LineClient, command: string): Promise<void> {
  const line = await client.say(`${command}\r\n`, /^(?:\+OK|-ERR)/)
  if (!line.startsWith('+OK')) throw new Error(`${command.slice(0, 4)}: ${line}`)
}
