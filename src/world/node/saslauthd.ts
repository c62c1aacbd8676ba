/**
 * One question to saslauthd (of Cyrus SASL): is this the password? It is what asks PAM, as root and in processes of
 * its own. Its protocol: four counted strings (two octets of length, most significant first) by a Unix socket,
 * and one back, `OK` or `NO` and words. Used by server/saslauthd-authority.ts. Rejects where there is no answer.
 */
import { connect } from 'node:net'

/** What its own client allows (MAX_REQ_LEN), and far less than an answer ever needs. */
export const FIELD_MAX_OCTETS = 256
const ANSWER_MAX_OCTETS = 1024

export interface SaslauthdQuestion {
  /** The socket: `/run/saslauthd/mux`. */
  readonly path: string
  readonly user: string
  readonly password: string
  /** The service of PAM. */
  readonly service: string
  readonly realm: string
  readonly timeoutMs: number
}

export function askSaslauthd(question: SaslauthdQuestion): Promise<boolean> {
  const { path, user, password, service, realm, timeoutMs } = question
  return new Promise((resolve, reject) => {
    const socket = connect({ path })
    const pieces: Buffer[] = []
    const timer = setTimeout(() => end(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    const end = (result: boolean | Error) => {
      clearTimeout(timer)
      socket.destroy()
      if (result instanceof Error) reject(result)
      else resolve(result)
    }
    socket.on('connect', () => {
      socket.write(Buffer.concat([user, password, service, realm].map(counted)))
    })
    socket.on('data', piece => {
      pieces.push(piece)
      const answer = readAnswer(Buffer.concat(pieces))
      if (answer !== undefined) end(answer)
    })
    socket.on('error', end)
    socket.on('close', () => end(new Error('closed without an answer')))
  })
}

function counted(text: string): Buffer {
  const octets = Buffer.from(text, 'utf8')
  const length = Buffer.alloc(2)
  length.writeUInt16BE(octets.length)
  return Buffer.concat([length, octets])
}

/** Undefined while more of it must come. */
export function readAnswer(octets: Buffer): boolean | Error | undefined {
  if (octets.length < 2) return undefined
  const length = octets.readUInt16BE()
  if (length < 2 || length > ANSWER_MAX_OCTETS) return new Error('not an answer of saslauthd')
  if (octets.length < 2 + length) return undefined
  const word = octets.toString('latin1', 2, 4)
  if (word === 'OK') return true
  return word === 'NO' ? false : new Error('not an answer of saslauthd')
}
